"""A seat that a run was fused without goes on: the answer is there meanwhile, and nothing that is
paid for is thrown away."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.test import Client

from console.engine.findings.given import fused_answer
from console.engine.state import Step
from console.fragments.fusions import fuse_again
from console.models import Run
from console.record.public import run_object
from console.services.fusions import fuse_now, run_fuse
from console.services.runs import run_cancel
from console.worker.leases import claim
from console.worker.upkeep import Upkeep
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import PATIENT, StartRun
from tests.realtime.test_run_way import assert_log_equals_rows, in_background, rows, wait_for
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

Fused = tuple[Run, threading.Thread]


@pytest.fixture
def fused_without_c(
    worker: Worker, upkeep: Upkeep, upstream: Upstream, start: StartRun
) -> Callable[[], Fused]:
    """A run whose third seat still writes, when a reader has fused without it."""

    def begin() -> Fused:
        upstream.script("judge", Script(text="Fused of two."))
        run = start("good", "echo", "fault-hold", policy=PATIENT)
        thread = in_background(worker, run)

        def two_answered() -> bool:
            calls = rows(run).calls
            usable = [c for c in calls.values() if c.is_usable]
            held = calls.get("panel-2-1")
            return len(usable) == 2 and bool(held and held.text)

        wait_for(two_answered)
        fuse_now(run=run)
        wait_for(lambda: rows(run).is_answered)
        return run, thread

    return begin


def test_its_answer_is_told_while_the_seat_writes_and_the_seat_s_is_fused_later(
    fused_without_c: Callable[[], Fused], worker: Worker, upstream: Upstream, client: Client
) -> None:
    run, thread = fused_without_c()
    state = rows(run)
    assert (state.status, state.outcome, fused_answer(state)) == (
        "running",
        "completed",
        "Fused of two.",
    )
    said = run_object(Run.objects.get(pk=run.pk), run.frozen_spec, state)
    assert (said.status, said.answer) == ("completed", "Fused of two.")
    assert said.fusions[0].without == ["panel-2-1"] and said.seats[2].status == "streaming"
    client.force_login(run.owner)
    page = client.get(f"/fusion/runs/{run.pk}").content.decode()
    assert "Done, from 2 of 3 answers" in page and "C is still writing" in page
    assert "The fused answer was begun without it. It goes on." in page

    upstream.release()
    thread.join(60)
    state = rows(run)
    late = state.latest(Step.PANEL, seat=2)
    assert state.status == "completed" and late and late.is_usable
    assert_log_equals_rows(run)
    assert fuse_again(run.frozen_spec, state).label == "Fuse with C too"
    page = client.get(f"/fusion/runs/{run.pk}").content.decode()
    assert "Fuse with C too" in page and "without the answer of C" in page

    asked = len(upstream.calls)
    upstream.script("judge", Script(text="Fused of three."))
    run_fuse(run=Run.objects.get(pk=run.pk))
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.fusions[2].judged == ["panel-0-1", "panel-1-1", "panel-2-1"]
    assert fused_answer(state) == "Fused of three."
    assert {call.body["model"] for call in upstream.calls[asked:]} == {"judge"}


def test_a_stop_ends_only_who_still_writes(
    fused_without_c: Callable[[], Fused], upstream: Upstream
) -> None:
    run, thread = fused_without_c()
    run_cancel(run=run)
    thread.join(60)
    state = rows(run)
    assert state.status == "completed" and fused_answer(state) == "Fused of two."
    assert state.calls["panel-2-1"].status == "cancelled" and state.calls["panel-2-1"].text
    assert_log_equals_rows(run)


def test_a_worker_that_is_stopped_meanwhile_costs_the_rest_of_that_text_and_nothing_else(
    fused_without_c: Callable[[], Fused], worker: Worker, upstream: Upstream
) -> None:
    run, thread = fused_without_c()
    asked = len(upstream.calls)
    worker.loop.call_soon_threadsafe(worker.runs[str(run.pk)].stop, "shutdown")
    thread.join(60)
    assert rows(run).status == "queued" and rows(run).is_answered
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed" and fused_answer(state) == "Fused of two."
    late = state.calls["panel-2-1"]
    assert (late.reason, bool(late.text)) == ("worker_stopped", True)
    assert len(upstream.calls) == asked
    assert_log_equals_rows(run)


def test_a_run_that_was_handed_back_with_its_answer_is_stopped_as_completed(
    fused_without_c: Callable[[], Fused], worker: Worker
) -> None:
    run, thread = fused_without_c()
    worker.loop.call_soon_threadsafe(worker.runs[str(run.pk)].stop, "shutdown")
    thread.join(60)
    run_cancel(run=run)
    assert claim(str(run.pk)) is None
    assert rows(run).status == "completed" and fused_answer(rows(run)) == "Fused of two."
