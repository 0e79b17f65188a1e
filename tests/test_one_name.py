"""One name, one class: who reads `Answer` in one room does not find another in the next."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

CONSOLE = Path(__file__).resolve().parent.parent / "console"

# Name -> (the rooms that have a class of it, why it is one thing there, or has to be called so).
SHARED = {
    "Command": ("management", "Django finds a command by this name."),
    "Run": ("models record api", "The row, what is told of it, and that with the API's links."),
    "Call": ("models record", "The row, and what API, MCP and shell tell of it."),
    "Fusion": ("models record", "The row, and what API, MCP and shell tell of it."),
    "Preset": ("models mcp", "The row, and what the MCP tools' schema calls it."),
    "Seat": ("record mcp", "What is told of it, at length and in the MCP tools' schema."),
    "Verdict": ("models record", "The row, and what API, MCP and shell tell of it."),
    "Usage": ("engine record", "The value, and what API, MCP and shell tell of it."),
}


def classes(root: Path = CONSOLE) -> dict[str, list[str]]:
    """Name -> the rooms of its classes; migrations hold on to what was, and count for nothing."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted(root.rglob("*.py")):
        path = file.relative_to(root)
        if "migrations" in path.parts:
            continue
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                found[node.name].append(path.parts[0].removesuffix(".py"))
    return found


def shared(found: dict[str, list[str]]) -> dict[str, set[str]]:
    return {name: set(rooms) for name, rooms in found.items() if len(rooms) > 1}


def test_no_two_public_classes_have_the_same_name() -> None:
    allowed = {name: set(rooms.split()) for name, (rooms, _) in SHARED.items()}
    assert shared(classes()) == allowed


def test_a_name_stands_once_in_a_room_that_shares_it() -> None:
    found = classes()
    twice = [n for n in SHARED if n != "Command" and len(found[n]) > len(set(found[n]))]
    assert twice == []


def test_a_second_class_of_a_name_is_seen(tmp_path: Path) -> None:
    for room in ("here", "there", "migrations"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "code.py").write_text(f"class Thing: ...\nclass In{room}: ...\n")
    assert shared(classes(tmp_path)) == {"Thing": {"here", "there"}}
