"""Votes are counted where the answers come to a few words, and nowhere else."""

from __future__ import annotations

import pytest

from console.engine.findings.votes import votes
from tests.prose import words

LONG = words(120, of="rivers")

CLOSED: dict[str, tuple[list[str], list[tuple[str, int]]]] = {
    "a word each": (["Paris", "paris.", "**Lyon**"], [("Paris", 2), ("Lyon", 1)]),
    "last lines": (
        [f"{LONG}\n\nAnswer: 42", f"{LONG}\n\n**The final answer is 42.**", f"{LONG}\n41"],
        [("42", 2), ("41", 1)],
    ),
    "boxed": ([f"{LONG}\n\\[ \\boxed{{7}} \\]", "So it is 7.\n\n$\\boxed{7}$"], [("7", 2)]),
    "figures in other clothes": (["1,000", "1000", "$1,000"], [("1,000", 3)]),
    "yes and no before their reasons": (
        [f"Yes, since {LONG}", f"**No.** {LONG}", f"Yes. {LONG}"],
        [("Yes", 2), ("No", 1)],
    ),
    "in another language": (
        [f"Ja, {LONG}", f"Nein. {LONG}", f"ja: {LONG}"],
        [("Ja", 2), ("Nein", 1)],
    ),
    "a tie of short answers": (["Paris", "Lyon"], [("Paris", 1), ("Lyon", 1)]),
    "one that comes to nothing short": (
        ["Paris", "Paris", f"{LONG}\n\n{LONG}"],
        [("Paris", 2)],
    ),
}


@pytest.mark.parametrize("name", CLOSED)
def test_closed_questions_are_counted(name: str) -> None:
    answers, counted = CLOSED[name]
    found = votes(dict(enumerate(answers)))
    assert found
    assert [(shown, len(seats)) for shown, seats in found.counted] == counted
    assert sum(len(seats) for _, seats in found.counted) + len(found.silent) == len(answers)


@pytest.mark.parametrize(
    "answers",
    [
        [LONG, words(120, of="stones")],
        [f"{LONG}\n\nI hope this helps!", f"{LONG}\n\nGood luck with it."],
        ["No one knows what " + LONG, "No one can say " + LONG],
        ["Paris", f"{LONG}\n\n{LONG}"],
        ["Paris"],
        [""],
        [],
    ],
)
def test_open_questions_are_not(answers: list[str]) -> None:
    assert votes(dict(enumerate(answers))) is None
