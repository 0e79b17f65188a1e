"""A worker that is told to end hands its runs on; one that is lost is counted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from console.engine.errors import SENTENCES, Reason
from console.engine.state import CallState, Step
from console.live.watch import _note
from console.models import Run
from console.worker import recorder
from console.worker import worker as working
from console.worker.leases import MAX_ATTEMPTS, claim, release
from console.worker.upkeep import left_behind
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import PATIENT, StartRun
from tests.realtime.test_run_way import assert_log_equals_rows, in_background, rows, wait_for
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_a_run_outlives_more_deploys_than_it_may_lose_workers(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    run = start("good", "hold--hold_after=1", policy=PATIENT)
    deploys = MAX_ATTEMPTS + 2
    for attempt in range(1, deploys + 1):
        thread = in_background(worker, run)
        wait_for(lambda n=attempt: len(upstream.calls_of("hold--hold_after=1")) == n)
        time.sleep(0.1)
        worker.loop.call_soon_threadsafe(worker.runs[str(run.pk)].stop, "shutdown")
        thread.join(60)
        assert rows(run).status == "queued"
        assert _note(Run.objects.get(pk=run.pk)) == "The worker was stopped; another takes over."
    upstream.script("hold--hold_after=1", Script(text="At last."))
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed" and state.attempt == deploys + 1
    assert len(upstream.calls_of("good")) == 1
    reasons = [c.reason for c in state.calls.values() if c.seat == 1]
    assert reasons == ["worker_stopped"] * deploys + [""]
    assert len(upstream.calls) == sum(c.sent_at is not None for c in state.calls.values())
    assert_log_equals_rows(run)


def test_a_run_that_loses_one_worker_after_the_other_fails(start: StartRun, settings: Any) -> None:
    settings.LEASE_SECONDS = 0
    run = start("good")
    assert claim(str(run.pk))
    release(run.pk, 1)
    for _ in range(MAX_ATTEMPTS):
        time.sleep(0.01)
        assert claim(str(run.pk))
    time.sleep(0.01)
    assert claim(str(run.pk)) is None
    state = rows(run)
    assert (state.status, state.reason) == ("failed", "worker_lost")
    assert f"lost {MAX_ATTEMPTS} times" in state.error


def test_every_interruption_of_a_run_that_is_lost_again_and_again_is_on_record(
    worker: Worker, upstream: Upstream, start: StartRun, settings: Any
) -> None:
    settings.LEASE_SECONDS = 0
    run = start("good", "hold--hold_after=1", policy=PATIENT)
    before_this: list[str] = []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        thread = in_background(worker, run)
        wait_for(lambda n=attempt: len(upstream.calls_of("hold--hold_after=1")) == n)
        wait_for(lambda n=attempt: f"panel-1-{n}" in rows(run).calls)
        time.sleep(0.3)  # checkpoints are 0.1 s apart, and nothing ends meanwhile
        before_this += [c.reason for c in seat_1(run)[:-1]]
        lost = worker.runs[str(run.pk)]
        lost.stopped_by = "lost"  # as if its process were gone: it writes nothing more
        worker.loop.call_soon_threadsafe(lost._task.cancel)  # type: ignore[union-attr]
        thread.join(60)
    time.sleep(0.01)
    assert claim(str(run.pk)) is None
    assert set(before_this) == {"worker_lost"}
    *before, last = seat_1(run)
    assert [c.reason for c in before] == ["worker_lost"] * (MAX_ATTEMPTS - 1)
    assert all(c.finished_at <= last.started_at for c in before)  # type: ignore[operator]
    assert (last.reason, last.error) == ("cancelled", SENTENCES[Reason.WORKER_LOST])
    state = rows(run)
    assert state.answer(0) and len(upstream.calls_of("good")) == 1
    assert len(upstream.calls) == sum(c.sent_at is not None for c in state.calls.values())


def seat_1(run: Run) -> list[CallState]:
    return sorted(rows(run).calls_of(Step.PANEL, seat=1), key=lambda c: c.number)


def test_a_run_claimed_while_its_worker_is_told_to_end_is_handed_on_at_once(
    worker: Worker, upstream: Upstream, start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, go_on = threading.Event(), threading.Event()
    real = working.claim_next

    def slowly(run_id: str, besides: Any) -> Any:
        claimed = real(run_id, besides)
        inside.set()
        assert go_on.wait(60)
        return claimed

    monkeypatch.setattr(working, "claim_next", slowly)
    run = start("good")
    thread = in_background(worker, run)
    assert inside.wait(60)
    worker.stopping = True
    go_on.set()
    thread.join(60)
    assert rows(run).status == "queued" and not upstream.calls
    assert run.pk in left_behind()  # rung for at once


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    door = Door()
    monkeypatch.setattr(recorder, "save", door.save)
    yield door
    door.open.set()


class Door:
    """Holds the transaction that puts calls on record as sent."""

    def __init__(self) -> None:
        self.held, self.open = threading.Event(), threading.Event()
        self._save = recorder.save

    def save(self, *args: Any) -> Any:
        is_sending = any(row.sent_at and not row.finished_at for _, row in args[2])
        if is_sending and not self.open.is_set():
            self.held.set()
            assert self.open.wait(60)
        return self._save(*args)


def test_a_call_that_was_about_to_go_out_is_not_on_record_as_sent(
    worker: Worker, upstream: Upstream, start: StartRun, door: Door
) -> None:
    run = start("good")
    thread = in_background(worker, run)
    assert door.held.wait(60)
    worker.loop.call_soon_threadsafe(worker.runs[str(run.pk)].stop, "shutdown")
    time.sleep(0.1)
    door.open.set()
    thread.join(60)
    state = rows(run)
    assert state.status == "queued" and state.calls["panel-0-1"].is_unsent
    assert not upstream.calls
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed" and state.calls["panel-0-1"].is_usable
    assert len(upstream.calls) == len(state.calls) == 2
    assert_log_equals_rows(run)


def test_a_seat_stopped_at_the_door_takes_no_other_with_it(
    worker: Worker, upstream: Upstream, start: StartRun, door: Door
) -> None:
    run = start("good", "good", "good")
    thread = in_background(worker, run)
    assert door.held.wait(60)
    control = worker.runs[str(run.pk)].control
    worker.loop.call_soon_threadsafe(lambda: control.tell(fuse_now=False, stopped={1}))
    time.sleep(0.1)
    door.open.set()
    thread.join(60)
    state = rows(run)
    assert (state.status, state.attempt) == ("completed", 1)
    assert [state.calls[f"panel-{seat}-1"].status for seat in range(3)] == [
        "completed",
        "cancelled",
        "completed",
    ]
    assert len(upstream.calls) == sum(c.sent_at is not None for c in state.calls.values())
    assert_log_equals_rows(run)


def test_a_ring_heard_by_a_worker_that_ends_is_rung_again_by_others(
    worker: Worker, start: StartRun
) -> None:
    run = start("good")
    assert run.pk not in left_behind()  # rung for already
    worker.stopping = True
    carry_out(worker, str(run.pk))
    assert run.pk in left_behind()


def test_the_page_says_that_a_worker_is_silent_before_its_lease_has_run_out(
    start: StartRun, settings: Any
) -> None:
    settings.LEASE_SECONDS, settings.HEARTBEAT_SECONDS = 1, 0.1
    run = start("good")
    assert claim(str(run.pk))

    def note() -> str:
        return _note(Run.objects.get(pk=run.pk))

    assert note() == ""
    wait_for(lambda: "gone silent" in note())
    wait_for(lambda: "was lost" in note())
