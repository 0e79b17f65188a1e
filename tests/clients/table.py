"""What came of it, as the table of docs/clients.md between its two marks.

What was tried is kept in a folder beside the environments, one file for each program and
scenario, so that a part that is run alone, or beside another, leaves the rest of the table as it
was. What was tried of another version counts no more.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from tests.clients.environments import Client, clients, folder_of_all

HEADS = {
    "plain": "plain",
    "stream": "stream",
    "tools": "tools",
    "structured": "structured",
    "error": "failed run",
    "error whole": "failed, not streamed",
    "silence": "silence",
    "silence stream": "silence, streamed",
    "one failed seat": "one failed seat",
    "agent": "five tool turns",
    "files": "files",
}
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
UNTRIED = "An empty cell has not been tried."


@dataclass(frozen=True)
class Cell:
    mark: str = ""
    why: str = ""


def note(client: Client, scenario: str, mark: str, why: str) -> None:
    kept = _file(client, scenario)
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps({"versions": client.versions, "mark": mark, "why": why}))
    if page := os.environ.get("FUSION_CLIENTS_PAGE"):
        write(Path(page))


def write(page: Path) -> None:
    """After each program, so that what was tried stands there whatever becomes of the rest."""
    lines = ["| Program | Versions | " + " | ".join(HEADS.values()) + " |"]
    lines.append("|---" * (len(HEADS) + 2) + "|")
    notes: list[str] = []
    is_whole = True
    for client in clients().values():
        cells = []
        for scenario in HEADS:
            cell = _kept(client, scenario)
            is_whole = is_whole and bool(cell.mark)
            cells.append(cell.mark + _reference(f"{client.title}: {_plain(cell.why)}", cell, notes))
        lines.append(f"| {client.title} | {client.versions} | " + " | ".join(cells) + " |")
    numbered = [f"{number}. {text}" for number, text in enumerate(notes, 1)]
    parts = ["\n".join(lines), "\n".join(numbered), "" if is_whole else UNTRIED]
    table = "\n\n".join([BEGIN, *filter(None, parts), END])
    text = page.read_text(encoding="utf-8")
    page.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: table, text, flags=re.DOTALL))


def _reference(text: str, cell: Cell, notes: list[str]) -> str:
    """The number of its note, which is written once for all the cells that have it."""
    if not cell.why:
        return ""
    if text not in notes:
        notes.append(text)
    return f" ({notes.index(text) + 1})"


def _kept(client: Client, scenario: str) -> Cell:
    file = _file(client, scenario)
    if not file.exists():
        return Cell()
    kept = json.loads(file.read_text())
    return Cell(kept["mark"], kept["why"]) if kept["versions"] == client.versions else Cell()


def _file(client: Client, scenario: str) -> Path:
    return folder_of_all() / "results" / f"{client.name}.{scenario.replace(' ', '-')}.json"


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[|<>`]", " ", text).split())
