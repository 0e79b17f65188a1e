"""Stopping a run at every moment of its life."""

from __future__ import annotations

import pytest

from console.engine.events import EventType
from console.models import Run
from console.services.runs import run_cancel
from console.worker.leases import claim, close, release
from console.worker.upkeep import left_behind
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import PATIENT, StartRun
from tests.realtime.test_run_way import in_background, rows, wait_for
from tests.upstream import Upstream

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_a_run_nobody_has_begun_ends_at_once(start: StartRun) -> None:
    run = start("good")
    run_cancel(run=run)
    assert rows(run).status == "cancelled" and run.pk not in left_behind()


def test_a_run_handed_back_by_a_stopped_worker_is_stopped_with_all_its_calls(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    run = start("fault-hold", policy=PATIENT)
    thread = in_background(worker, run)
    wait_for(lambda: "panel-0-1" in rows(run).calls and rows(run).calls["panel-0-1"].text)
    worker.loop.call_soon_threadsafe(worker.runs[str(run.pk)].stop, "shutdown")
    thread.join(60)
    assert rows(run).status == "queued"
    run_cancel(run=run)
    assert run.pk in left_behind()  # rung for at once
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "cancelled"
    assert state.calls["panel-0-1"].status == "cancelled" and state.calls["panel-0-1"].text
    assert len(upstream.calls) == 1


def test_a_stop_that_crosses_a_hand_over_is_not_lost(start: StartRun) -> None:
    run = start("good")
    assert claim(str(run.pk))
    release(run.pk, 1)
    run_cancel(run=run)
    assert claim(str(run.pk)) is None
    assert rows(run).status == "cancelled"


def test_a_run_its_holder_has_ended_is_not_ended_again(start: StartRun) -> None:
    run = start("good")
    assert claim(str(run.pk))
    stale = Run.objects.get(pk=run.pk)
    Run.objects.filter(pk=run.pk).update(status="completed")
    close(stale, EventType.RUN_CANCELLED)
    assert rows(run).status == "completed"
