"""Tasks, one JSON object a line.

{"id": "…", "prompt": "…", "grader": "exact", "answers": ["Paris", …]}
{"id": "…", "prompt": "…", "grader": "rubric", "criteria": [{"text": "…", "weight": 3}, …]}
{"id": "…", "prompt": "…", "grader": "pairwise", "better": "what makes one better"}
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from ..engine.findings.final_lines import normalise
from ..engine.text import storable

MAX_CRITERIA = 100
# As JSON writes it; behind another backslash the same letters are what somebody wrote.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
# Beyond, sums of weights would be no numbers any more.
LEAST_WEIGHT, MOST_WEIGHT = 0.000001, 1_000_000


class BadTasks(Exception):
    """The file cannot be used; the message is one plain sentence with the line's number."""


class Grader(StrEnum):
    EXACT = "exact"
    RUBRIC = "rubric"
    PAIRWISE = "pairwise"


@dataclass(frozen=True)
class Criterion:
    """A positive weight is for what an answer should do, a negative one for what it should not."""

    text: str
    weight: float


@dataclass(frozen=True)
class Task:
    id: str
    prompt: str
    grader: Grader
    answers: tuple[str, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    better: str = ""

    @property
    def is_scored(self) -> bool:
        """Whether an answer gets a score by itself, without another beside it."""
        return self.grader is not Grader.PAIRWISE


def load_tasks(path: Path) -> list[Task]:
    """Raises BadTasks."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise BadTasks(f"There is no file {path}.") from None
    except OSError as error:
        raise BadTasks(f"{path} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise BadTasks(f"{path} is not UTF-8 text.") from None
    return read_tasks(text)


def read_tasks(text: str) -> list[Task]:
    """Raises BadTasks. Empty lines do not count as tasks, but as lines."""
    tasks: list[Task] = []
    # By \n alone: a prompt may hold U+2028.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        task = _Line(number, line).task()
        if any(task.id == other.id for other in tasks):
            raise BadTasks(f"Line {number}: there is already a task named “{task.id}”.")
        tasks.append(task)
    if not tasks:
        raise BadTasks("The file holds no task.")
    return tasks


def fingerprint(tasks: list[Task]) -> str:
    """Changes whenever any task does, so that results of other tasks are noticed."""
    return hashlib.sha256(repr(tasks).encode("utf-8", "replace")).hexdigest()[:32]


class _Line:
    def __init__(self, number: int, line: str) -> None:
        self._number = number
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            raise self._bad("this is no JSON") from None
        if not isinstance(data, dict):
            raise self._bad("a task is a JSON object, {…}")
        if not _is_text(json.dumps(data, ensure_ascii=False)):
            raise self._bad("it holds characters that are no text (a NUL, or half of a pair)")
        self._data: dict[str, Any] = data

    def task(self) -> Task:
        name = self._data.get("grader")
        if name not in list(Grader):
            known = ", ".join(Grader)
            raise self._bad(f"there is no grader {json.dumps(name)}; there are {known}")
        grader = Grader(str(name))
        allowed = {"id", "prompt", "grader", _FIELD[grader]}
        if unknown := sorted(self._data.keys() - allowed):
            # A misspelt field would be left out of the grading without a word.
            raise self._bad(f"a task with grader {grader} has no field “{unknown[0]}”")
        return Task(
            id=self._text("id"),
            prompt=self._text("prompt"),
            grader=grader,
            answers=self._answers() if grader is Grader.EXACT else (),
            criteria=self._criteria() if grader is Grader.RUBRIC else (),
            better=self._text("better") if "better" in self._data else "",
        )

    def _text(self, name: str) -> str:
        value = self._data.get(name)
        if not isinstance(value, str) or not value.strip():
            raise self._bad(f"“{name}” must be a text that says something")
        return value

    def _answers(self) -> tuple[str, ...]:
        answers = self._data.get("answers")
        if (
            not isinstance(answers, list)
            or not answers
            or not all(isinstance(a, str) and a.strip() for a in answers)
        ):
            raise self._bad("“answers” must be a list of texts, any of which is right")
        if empty := next((a for a in answers if not normalise(a)), None):
            raise self._bad(f"the answer “{empty}” has nothing but marks, which are not compared")
        return tuple(answers)

    def _criteria(self) -> tuple[Criterion, ...]:
        raw = self._data.get("criteria")
        if not isinstance(raw, list) or not 1 <= len(raw) <= MAX_CRITERIA:
            raise self._bad(f"“criteria” must be a list of 1 to {MAX_CRITERIA} criteria")
        criteria = tuple(self._criterion(item) for item in raw)
        if not any(c.weight > 0 for c in criteria):
            raise self._bad("at least one criterion needs a weight above 0")
        return criteria

    def _criterion(self, raw: Any) -> Criterion:
        text, weight = (raw.get("text"), raw.get("weight")) if isinstance(raw, dict) else ("", 0)
        if not isinstance(text, str) or not text.strip():
            raise self._bad("a criterion is {“text”: …, “weight”: …}")
        if (
            not isinstance(weight, (int, float))
            or isinstance(weight, bool)
            or not LEAST_WEIGHT <= abs(weight) <= MOST_WEIGHT
        ):
            raise self._bad(
                "a criterion's weight is a number other than 0, "
                f"between {LEAST_WEIGHT:g} and {MOST_WEIGHT:,} or below 0 as far"
            )
        return Criterion(text, float(weight))

    def _bad(self, why: str) -> BadTasks:
        return BadTasks(f"Line {self._number}: {why}.")


def _is_text(written: str) -> bool:
    """Whether a database and UTF-8 can hold it; `written` is JSON."""
    return not _NUL.search(written) and written == storable(written)


_FIELD = {Grader.EXACT: "answers", Grader.RUBRIC: "criteria", Grader.PAIRWISE: "better"}
