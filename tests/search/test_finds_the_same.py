"""Both databases find the same: each question of the table is asked of the same runs. So does
PostgreSQL, whether it is asked for all at once or for one span of time after the other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection

from console.models import Run
from console.search import find, forget, index, on_postgres, read_query, spans
from console.search.facets import readable_facets
from console.search.sought import Sought
from tests.console.story import Story

from .questions import QUESTIONS, TEXTS

pytestmark = pytest.mark.database


def test_each_question_finds_its_runs_and_no_other(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {}
    for name, (prompt, answer) in TEXTS.items():
        story = Story().begin().answer(0, answer).answer(1, "Nil.").answer(2, "Nil.")
        story.judge().analyse({}).synthesise("Nil.").complete()
        names[story.save(alice, prompt=prompt).pk] = name
    for weeks, run in enumerate(Run.objects.all()):
        Run.objects.filter(pk=run.pk).update(created_at=run.created_at - timedelta(weeks=weeks))
        forget([run.pk])  # a run's entry has its moment
        index(run.pk)
    wrong = {}
    for question, expected in QUESTIONS:
        sought = Sought(read_query(question).terms, readable_facets(alice))
        if sought.terms and connection.vendor == "postgresql":
            at_once = on_postgres.newest(sought, 100)
            with monkeypatch.context() as only:
                only.setattr(spans, "ENTRIES", (3, 9))
                assert on_postgres.newest(sought, 100) == at_once, question
                first = on_postgres.newest(sought, 2)[0]
                assert first == at_once[0][:2], question
        for by_rank in (False, True):
            found = find(alice, read_query(question), count=100, by_rank=by_rank)
            got = {names[hit.run] for hit in found.hits}
            if got != set(expected.split()):
                wrong[question, by_rank] = (sorted(got), sorted(expected.split()))
    assert wrong == {}


def test_there_are_200_questions_and_each_stands_there_once() -> None:
    assert len(QUESTIONS) >= 200
    assert len({question for question, _ in QUESTIONS}) == len(QUESTIONS)
