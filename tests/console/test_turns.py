"""A turn whose run has its answer, but not its end."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from console.api.planning import turns
from console.models import Run
from console.services.tokens import token_create

pytestmark = pytest.mark.django_db


class Late:
    is_answered = True


@pytest.fixture
def run(alice: User) -> Run:
    token, _ = token_create(owner=alice)
    return Run.objects.create(
        owner=alice, token=token, prompt="Why?", messages=[], spec={}, status="running", attempt=1
    )


def test_who_still_writes_is_ended_by_the_worker_and_waited_for(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[Any] = []

    def sleep(seconds: float) -> None:
        looks.append(Run.objects.get(pk=run.pk).cancel_requested_at)
        if len(looks) == 3:
            Run.objects.filter(pk=run.pk).update(status="completed")

    monkeypatch.setattr(turns, "state_from_rows", lambda run: Late())
    monkeypatch.setattr(turns.time, "sleep", sleep)
    turns.end_late_seats(run)
    assert len(looks) == 3 and all(looks)


def test_a_run_that_has_no_answer_yet_is_left_alone(run: Run) -> None:
    turns.end_late_seats(run)
    run.refresh_from_db()
    assert run.cancel_requested_at is None and not run.is_final
