"""Both databases find the same: each question of the table is asked of the same runs; and so do
PostgreSQL's two ways, by its index and by looking at the newest."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection

from console.search import find, on_postgres, read_query, walking
from console.search.facets import readable_facets
from console.search.sought import Sought
from tests.console.story import Story

from .questions import QUESTIONS, TEXTS

pytestmark = pytest.mark.database


def test_each_question_finds_its_runs_and_no_other(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "LONG", -1)
    names = {}
    for name, (prompt, answer) in TEXTS.items():
        story = Story().begin().answer(0, answer).answer(1, "Nil.").answer(2, "Nil.")
        story.judge().analyse({}).synthesise("Nil.").complete()
        names[story.save(alice, prompt=prompt).pk] = name
    wrong = {}
    for question, expected in QUESTIONS:
        sought = Sought(read_query(question).terms, readable_facets(alice))
        if sought.terms and connection.vendor == "postgresql":
            by_index = on_postgres.by_index(sought, 100)[0]
            number = len(by_index)
            assert walking.walk(sought, number + 1) is None, question
            assert not number or walking.walk(sought, number) == by_index, question
        for by_rank in (False, True):
            found = find(alice, read_query(question), count=100, by_rank=by_rank)
            got = {names[hit.run] for hit in found.hits}
            if got != set(expected.split()):
                wrong[question, by_rank] = (sorted(got), sorted(expected.split()))
    assert wrong == {}


def test_there_are_200_questions_and_each_stands_there_once() -> None:
    assert len(QUESTIONS) >= 200
    assert len({question for question, _ in QUESTIONS}) == len(QUESTIONS)
