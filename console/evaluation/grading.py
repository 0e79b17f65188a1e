"""Asking a model for a grade, and reading what it says.

A `Question` is what the grader is asked; `read` makes a verdict of its text or
raises `Unparsed`. An answer's fence carries a mark its author cannot know.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from console.engine.findings.json_object import objects_in
from console.engine.steps.prompts import fill

from .tasks import Criterion, Task

_HERE = Path(__file__).parent / "prompts"
_USUAL_BETTER = "more accurate, more useful and more complete."

FIRST, SECOND, TIE = "1", "2", "tie"


class Unparsed(Exception):
    """The grader's text holds no verdict; the message says what is missing."""


@dataclass(frozen=True)
class Question:
    """`schema` is bounded everywhere: the grader has no room to write at length."""

    system: str
    user: str
    schema: dict[str, Any]
    read: Callable[[str], Any]


def rubric_question(task: Task, answer: str, mark: str) -> Question:
    keys = [f"c{n}" for n in range(1, len(task.criteria) + 1)]
    listed = "\n".join(f"- {k}: {c.text}" for k, c in zip(keys, task.criteria, strict=True))
    fence = _fence(mark)
    system = fill(_prompt("rubric"), fence=fence, criteria=listed, keys=", ".join(keys))
    user = "\n\n".join([_fenced(fence, "TASK", task.prompt), _fenced(fence, "ANSWER", answer)])

    def read(text: str) -> list[bool]:
        entry = _last_object(text, keys)
        return [_truth(entry[key], key) for key in keys]

    return Question(system, user, _schema({k: {"type": "boolean"} for k in keys}), read)


def rubric_score(met: Sequence[bool], criteria: Sequence[Criterion]) -> float:
    """The weights of what is met over all positive weights; never below 0."""
    reached = sum(c.weight for c, is_met in zip(criteria, met, strict=True) if is_met)
    return max(0.0, reached / sum(c.weight for c in criteria if c.weight > 0))


def pairwise_question(task: Task, first: str, second: str, mark: str) -> Question:
    fence = _fence(mark)
    better = task.better.strip() or _USUAL_BETTER
    system = fill(_prompt("pairwise"), fence=fence, better=better)
    user = _numbered(fence, task, [first, second])

    def read(text: str) -> str:
        verdict = str(_last_object(text, ["better"])["better"]).strip().casefold()
        if verdict not in (FIRST, SECOND, TIE):
            raise Unparsed("“better” is neither 1 nor 2 nor tie")
        return verdict

    options = {"type": "string", "enum": [FIRST, SECOND, TIE]}
    return Question(system, user, _schema({"better": options}), read)


def agreed(as_asked: str, swapped: str) -> str:
    """What both orders say of the first answer: FIRST, SECOND, or TIE where they differ.

    `swapped` is the verdict with the answers the other way round.
    """
    turned = {FIRST: SECOND, SECOND: FIRST}.get(swapped, TIE)
    return as_asked if as_asked == turned else TIE


def select_question(task: Task, answers: Sequence[str], mark: str) -> Question:
    """Which of several is best; reads its place, from 0."""
    fence, count = _fence(mark), len(answers)
    system = fill(_prompt("select"), fence=fence, count=str(count))

    def read(text: str) -> int:
        verdict = str(_last_object(text, ["best"])["best"]).strip()
        if not re.fullmatch(r"[0-9]{1,3}", verdict) or not 1 <= int(verdict) <= count:
            raise Unparsed(f"“best” is no number from 1 to {count}")
        return int(verdict) - 1

    number = {"type": "integer", "minimum": 1, "maximum": count}
    return Question(system, _numbered(fence, task, answers), _schema({"best": number}), read)


@cache
def _prompt(name: str) -> str:
    return (_HERE / f"{name}.md").read_text(encoding="utf-8").strip()


def _fence(mark: str) -> str:
    return hashlib.sha256(f"fence:{mark}".encode()).hexdigest()[:24]


def _fenced(fence: str, title: str, text: str) -> str:
    return f"=== {fence} {title} ===\n{text.strip()}\n=== {fence} END ==="


def _numbered(fence: str, task: Task, answers: Sequence[str]) -> str:
    blocks = [_fenced(fence, f"ANSWER {n}", text) for n, text in enumerate(answers, 1)]
    return "\n\n".join([_fenced(fence, "TASK", task.prompt), *blocks])


def _schema(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _last_object(text: str, keys: Sequence[str]) -> dict[str, Any]:
    """The last JSON object with these keys: some think aloud before they decide."""
    missing = ""
    objects = list(objects_in(text))
    for entry in objects[::-1]:
        absent = [key for key in keys if key not in entry]
        if not absent:
            return entry
        missing = missing or f"it says nothing of {absent[0]}"
    raise Unparsed(missing or "it holds no JSON object")


def _truth(value: Any, key: str) -> bool:
    if isinstance(value, bool):
        return value
    verdict = str(value).strip().casefold()
    if verdict in ("true", "yes"):
        return True
    if verdict in ("false", "no"):
        return False
    raise Unparsed(f"{key} is neither true nor false")
