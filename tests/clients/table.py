"""What came of it, as the table of docs/clients.md between its two marks."""

from __future__ import annotations

import os
import re
from pathlib import Path

from tests.clients.environments import Client

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
}
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
_results: dict[str, tuple[Client, dict[str, tuple[str, str]]]] = {}


def note(client: Client, scenario: str, mark: str, why: str) -> None:
    _results.setdefault(client.name, (client, {}))[1][scenario] = (mark, why)
    if page := os.environ.get("FUSION_CLIENTS_PAGE"):
        _write(Path(page))


def _write(page: Path) -> None:
    """After each program, so that what was tried stands there whatever becomes of the rest."""
    lines = ["| Program | Versions | " + " | ".join(HEADS.values()) + " |"]
    lines.append("|---" * (len(HEADS) + 2) + "|")
    reasons: list[str] = []
    for client, scenarios in _results.values():
        cells = []
        for scenario in HEADS:
            mark, why = scenarios.get(scenario, ("", ""))
            if why:
                if (client.title + why) not in reasons:
                    reasons.append(client.title + why)
                mark += f" ({reasons.index(client.title + why) + 1})"
            cells.append(mark)
        lines.append(f"| {client.title} | {client.versions} | " + " | ".join(cells) + " |")
    notes = [
        f"{n}. {client.title}, {HEADS[scenario]}: {_plain(why)}"
        for n, (client, scenario, why) in enumerate(_reasons(), 1)
    ]
    text = page.read_text(encoding="utf-8")
    table = "\n".join([BEGIN, "", *lines, "", *notes, "", END])
    page.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: table, text, flags=re.DOTALL))


def _reasons() -> list[tuple[Client, str, str]]:
    seen: dict[str, tuple[Client, str, str]] = {}
    for client, scenarios in _results.values():
        for scenario in HEADS:
            why = scenarios.get(scenario, ("", ""))[1]
            if why:
                seen.setdefault(client.title + why, (client, scenario, why))
    return list(seen.values())


def _plain(text: str) -> str:
    return " ".join(re.sub(r"[|<>`]", " ", text).split())
