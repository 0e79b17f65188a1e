from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from console.evaluation.tasks import (
    BadTasks,
    Criterion,
    Grader,
    fingerprint,
    load_tasks,
    read_tasks,
)

EXACT = {"id": "a", "prompt": "2+2?", "grader": "exact", "answers": ["4"]}
RUBRIC = {
    "id": "b",
    "prompt": "Why?",
    "grader": "rubric",
    "criteria": [{"text": "gives a reason", "weight": 3}, {"text": "is rude", "weight": -2}],
}
PAIRWISE = {"id": "c", "prompt": "A poem.", "grader": "pairwise"}


def lines(*tasks: dict[str, Any]) -> str:
    return "\n".join(json.dumps(t) for t in tasks)


def test_each_kind_of_task_is_read() -> None:
    exact, rubric, pairwise = read_tasks(lines(EXACT, RUBRIC, PAIRWISE) + "\n\n")
    assert (exact.grader, exact.answers, exact.is_scored) == (Grader.EXACT, ("4",), True)
    assert rubric.criteria == (Criterion("gives a reason", 3.0), Criterion("is rude", -2.0))
    assert (pairwise.grader, pairwise.is_scored) == (Grader.PAIRWISE, False)


def test_a_task_may_be_about_what_it_may_not_hold() -> None:
    prompt = r'Which character is "\u0000" in JSON, and what are \\u0000 and \ud800?'
    assert read_tasks(lines(EXACT | {"prompt": prompt}))[0].prompt == prompt
    with pytest.raises(BadTasks, match="no text"):
        read_tasks(lines(EXACT | {"prompt": prompt + "\\\0"}))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "Line 2: this is no JSON"),
        ("[" * 100_000, "Line 2: this is no JSON"),
        ("[1]", "Line 2: a task is a JSON object"),
        (json.dumps(EXACT), "Line 2: there is already a task named “a”"),
        (json.dumps(EXACT | {"grader": "vibes"}), 'no grader "vibes"; there are exact, rubric'),
        (json.dumps(EXACT | {"grader": ["exact"]}), "there is no grader"),
        (json.dumps(EXACT | {"id": ""}), "“id” must be a text"),
        (json.dumps(EXACT | {"id": "x", "prompt": 7}), "“prompt” must be a text"),
        (json.dumps(EXACT | {"id": "x", "answers": "4"}), "“answers” must be a list"),
        (json.dumps(EXACT | {"id": "x", "answer": "4"}), "has no field “answer”"),
        (json.dumps(RUBRIC | {"criteria": []}), "1 to 100 criteria"),
        (json.dumps(RUBRIC | {"criteria": [{"text": "x", "weight": 0}]}), "other than 0"),
        (json.dumps(RUBRIC | {"criteria": [{"text": "x", "weight": True}]}), "other than 0"),
        (json.dumps(RUBRIC | {"criteria": [{"text": "x", "weight": -1}]}), "weight above 0"),
        (
            '{"id":"x","prompt":"p","grader":"rubric","criteria":[{"text":"t","weight":Infinity}]}',
            "other than 0",
        ),
        (
            '{"id":"x","prompt":"p","grader":"rubric","criteria":[{"text":"t","weight":'
            + "9" * 400
            + "}]}",
            "1,000,000",
        ),
        (json.dumps(RUBRIC | {"criteria": [{"text": "x", "weight": 1e308}]}), "1,000,000"),
        (json.dumps(EXACT | {"id": "x\ud800"}), "no text"),
        (json.dumps(RUBRIC | {"criteria": [{"text": "\0", "weight": 1}]}), "no text"),
        (json.dumps(EXACT | {"id": "x", "answers": ["4", "?!"]}), "“?!” has nothing but marks"),
    ],
)
def test_a_bad_line_is_named_by_its_number_and_its_fault(line: str, says: str) -> None:
    with pytest.raises(BadTasks) as bad:
        read_tasks(lines(EXACT) + "\n" + line)
    assert says in str(bad.value) and str(bad.value).startswith("Line 2")


def test_files_that_cannot_be_used_are_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n \n")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    for name, says in (
        ("none", "There is no file"),
        (".", "cannot be read"),
        ("empty", "holds no task"),
        ("bytes", "not UTF-8"),
    ):
        with pytest.raises(BadTasks, match=says):
            load_tasks(tmp_path / name)


def test_any_change_to_any_task_changes_the_fingerprint() -> None:
    before = fingerprint(read_tasks(lines(EXACT, RUBRIC)))
    assert before == fingerprint(read_tasks("\n" + lines(EXACT, RUBRIC)))
    for changed in (lines(EXACT), lines(EXACT | {"answers": ["5"]}, RUBRIC), lines(RUBRIC, EXACT)):
        assert fingerprint(read_tasks(changed)) != before


def test_the_shipped_tasks_can_be_read_and_use_every_grader() -> None:
    folder = Path(__file__).resolve().parents[2] / "console" / "evaluation" / "tasks"
    files = list(folder.glob("*.jsonl"))
    assert files
    for file in files:
        tasks = load_tasks(file)
        assert len(tasks) <= 6 and {t.grader for t in tasks} == set(Grader)
