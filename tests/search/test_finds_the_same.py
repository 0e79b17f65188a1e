"""Both databases find the same: each question of the table is asked of the same runs."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from console.search import find, read_query
from tests.console.story import Story

from .questions import QUESTIONS, TEXTS

pytestmark = pytest.mark.database


def test_each_question_finds_its_runs_and_no_other(alice: User) -> None:
    names = {}
    for name, (prompt, answer) in TEXTS.items():
        story = Story().begin().answer(0, answer).answer(1, "Nil.").answer(2, "Nil.")
        story.judge().analyse({}).synthesise("Nil.").complete()
        names[story.save(alice, prompt=prompt).pk] = name
    wrong = {}
    for question, expected in QUESTIONS:
        for by_rank in (False, True):
            found = find(alice, read_query(question), count=100, by_rank=by_rank)
            got = {names[hit.run] for hit in found.hits}
            if got != set(expected.split()):
                wrong[question, by_rank] = (sorted(got), sorted(expected.split()))
    assert wrong == {}


def test_there_are_200_questions_and_each_stands_there_once() -> None:
    assert len(QUESTIONS) >= 200
    assert len({question for question, _ in QUESTIONS}) == len(QUESTIONS)
