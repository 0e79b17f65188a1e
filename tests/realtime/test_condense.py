"""Answers too long for the judge: condensed in calls on record, and every way out says so."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from console.engine.state import Step
from console.management.commands.fuse import as_object
from console.models import Run
from console.record.rows import state_from_rows
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.prose import words
from tests.realtime.conftest import StartRun
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db(transaction=True)

LONG = f"The rare words of this answer fill a page. {words(2000, of='rare')[:8756]}"
WINDOW = 6000


@pytest.fixture
def narrow(start: StartRun, upstream: Upstream) -> Run:
    upstream.script("wordy", Script(text=LONG))
    run = start("wordy", "wordy", "good")
    spec = run.spec
    spec["judge"] |= {"context_length": WINDOW, "max_output_tokens": 500}
    Run.objects.filter(pk=run.pk).update(spec=spec)
    return run


def condensings(upstream: Upstream) -> list[Any]:
    asked = [r.body["messages"][0]["content"] for r in upstream.calls_of("judge")]
    return [text for text in asked if text.startswith("Shorten the text")]


def test_the_run_says_on_page_shell_and_record_what_was_condensed(
    worker: Worker, upstream: Upstream, narrow: Run
) -> None:
    carry_out(worker, str(narrow.pk))
    run = Run.objects.get(pk=narrow.pk)
    assert run.status == "completed" and run.fusions.get().analysis
    assert len(condensings(upstream)) == 2 and len(upstream.calls) == 7
    calls = run.calls.filter(step="condense").order_by("seat")
    assert [(c.key, c.fusion and c.fusion.number, c.seat) for c in calls] == [
        ("condense-f1-s0-1", 1, 0),
        ("condense-f1-s1-1", 1, 1),
    ]
    assert all(c.sent_at and c.status == "completed" for c in calls)
    client = Client()
    assert run.owner
    client.force_login(run.owner)
    page = client.get(f"/fusion/runs/{run.pk}").content.decode()
    assert "Condensed: A, B" in page and "condensed A, B first" in page
    spec, state = run.frozen_spec, state_from_rows(run)
    assert as_object(run, spec, state)["condensing"] == ["Condensed before judging: A, B."]
    answer = state.answer(0)
    assert answer and answer.text == LONG


def test_a_worker_that_takes_over_does_not_condense_again(
    worker: Worker, upstream: Upstream, narrow: Run
) -> None:
    carry_out(worker, str(narrow.pk))
    # As a worker leaves it that was lost between condensing and analysis.
    narrow.calls.filter(step__in=[Step.ANALYSIS, Step.SYNTHESIS]).delete()
    narrow.fusions.update(status="running", analysis=None, text="")
    Run.objects.filter(pk=narrow.pk).update(
        status="queued", finished_at=None, cost=None, lease_until=None
    )
    made = len(upstream.calls)
    carry_out(worker, str(narrow.pk))
    run = Run.objects.get(pk=narrow.pk)
    assert run.status == "completed" and run.fusions.get().analysis
    assert len(upstream.calls) == made + 2 and len(condensings(upstream)) == 2
