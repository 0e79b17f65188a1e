"""What keeps two workers from carrying out one run: a lease that runs is not taken, and a worker
whose lease was taken changes nothing any more, neither by itself nor with Redis away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.utils import timezone

from console.engine.errors import LeaseLost
from console.engine.events import EventType
from console.models import Call, Fusion, Run
from console.record import eventlog
from console.record.rows import call_row, fusion_row, run_fields
from console.worker.leases import claim, release
from console.worker.recorder import Recorder
from console.worker.saving import save
from console.worker.worker import Worker
from tests.console.story import Story
from tests.upstream import places

pytestmark = pytest.mark.django_db(transaction=True)


def under_way() -> Story:
    """All have answered, and the judge reads."""
    return Story().begin().answer(0, "One.").answer(1, "Two.").answer(2, "Three.").judge()


def otherwise() -> Story:
    """The same run, as somebody saw it who has missed how it went on."""
    return Story().begin().answer(0, "Uno.").fail(1).fail(2).judge().synthesise("Other").complete()


def everything() -> list[list[dict[str, Any]]]:
    return [list(model.objects.order_by("pk").values()) for model in (Run, Fusion, Call)]


def write(run: Run, story: Story, attempt: int, *, with_fields: bool = True) -> None:
    state = story.state
    save(
        run.pk,
        attempt,
        [(call.fusion, call_row(run.pk, call)) for call in state.calls.values()],
        [fusion_row(run.pk, state, fusion) for fusion in state.fusions.values()],
        run_fields(state) if with_fields else {},
    )


# ---- the rows


@pytest.mark.parametrize("with_fields", [True, False], ids=["the end", "a checkpoint"])
def test_a_save_by_an_older_attempt_changes_nothing(alice: User, with_fields: bool) -> None:
    run = under_way().save(alice, attempt=2)
    before = everything()
    with pytest.raises(LeaseLost):
        write(run, otherwise(), 1, with_fields=with_fields)
    assert everything() == before


def test_a_save_by_the_attempt_that_holds_the_run_changes_it(alice: User) -> None:
    run = under_way().save(alice, attempt=2)
    write(run, otherwise(), 2)
    run.refresh_from_db()
    assert (run.status, run.attempt) == ("completed", 2)
    assert run.fusions.get().text == "Other"
    assert run.calls.get(key="panel-0-1").text == "Uno."


def test_a_save_that_is_refused_half_way_changes_nothing(alice: User) -> None:
    run = Story().begin().save(alice)
    before = everything()
    state = otherwise().state
    without_their_fusion = [(c.fusion, call_row(run.pk, c)) for c in state.calls.values()]
    with pytest.raises(KeyError):
        save(run.pk, 1, without_their_fusion, [], run_fields(state))
    assert everything() == before


@pytest.mark.parametrize("status", ["queued", "completed", "cancelled"])
def test_a_run_that_nobody_holds_is_saved_by_nobody(alice: User, status: str) -> None:
    run = under_way().save(alice, status=status)
    before = everything()
    with pytest.raises(LeaseLost):
        write(run, otherwise(), 1)
    assert everything() == before


@pytest.mark.parametrize("work", [Recorder.finish, Recorder.abandon])
def test_with_redis_away_too_an_older_attempt_ends_without_a_trace(
    alice: User, worker: Worker, settings: LazySettings, work: Callable[[Recorder], Any]
) -> None:
    run = under_way().save(alice, attempt=2)
    before = everything()

    async def come_back_from_the_dead() -> None:
        redis = eventlog.connect()
        recorder = Recorder(
            run.pk,
            1,
            otherwise().state,
            redis=redis,
            db=worker.db,
            checkpoint=0.05,
            on_lost=lambda: None,
        )
        try:
            with pytest.raises(LeaseLost):
                await work(recorder)
        finally:
            await recorder.close()
            await redis.aclose()

    with places.refusing() as nowhere:
        settings.REDIS_URL = nowhere.url.replace("http://", "redis://").partition("/v1")[0]
        asyncio.run_coroutine_threadsafe(come_back_from_the_dead(), worker.loop).result(60)
    assert everything() == before


# ---- the lease


def leased(alice: User, seconds: float, **fields: Any) -> Run:
    """A run under way whose lease runs so many seconds more."""
    until = timezone.now() + timedelta(seconds=seconds)
    return under_way().save(alice, lease_until=until, **fields)


def test_a_lease_that_still_runs_is_not_taken(alice: User) -> None:
    run = leased(alice, 5)
    before = everything()
    assert claim(str(run.pk)) is None
    assert everything() == before


def test_a_lease_that_has_run_out_is_taken_once(alice: User, settings: LazySettings) -> None:
    run = leased(alice, -1, rung_at=timezone.now())
    claimed = claim(str(run.pk))
    assert claimed
    taken, state, handed_on = claimed
    assert (taken.status, taken.attempt, taken.rung_at) == ("running", 2, None)
    assert not handed_on and state.calls["panel-0-1"].text == "One."
    left = taken.lease_until - timezone.now()  # type: ignore[operator]
    assert timedelta() < left <= timedelta(seconds=settings.LEASE_SECONDS)
    assert claim(str(run.pk)) is None
    with pytest.raises(LeaseLost):
        write(run, otherwise(), 1)


def test_a_queued_run_is_taken_once(alice: User) -> None:
    run = Story().save(alice)
    claimed = claim(str(run.pk))
    assert claimed
    taken, _, handed_on = claimed
    assert (taken.status, taken.attempt, handed_on) == ("running", 1, False)
    assert claim(str(run.pk)) is None


def test_a_run_given_back_is_taken_at_once_as_handed_on(alice: User) -> None:
    run = leased(alice, 5)
    release(run.pk, 1)
    claimed = claim(str(run.pk))
    assert claimed
    taken, _, handed_on = claimed
    assert (taken.attempt, handed_on) == (2, True)


def test_a_run_is_given_back_by_its_holder_only(alice: User) -> None:
    run = leased(alice, 5, attempt=2)
    before = everything()
    release(run.pk, 1)
    assert everything() == before


@pytest.mark.parametrize("found", ["queued", "running"])
def test_a_run_to_be_cancelled_that_nobody_holds_is_closed_instead_of_taken(
    alice: User, found: str
) -> None:
    run = leased(alice, -1, status=found, cancel_requested_at=timezone.now())
    assert claim(str(run.pk)) is None
    run.refresh_from_db()
    assert (run.status, run.attempt, run.lease_until) == ("cancelled", 1, None)
    assert run.finished_at and run.fusions.get().status == "cancelled"
    assert [c.status for c in run.calls.order_by("pk")] == ["completed"] * 3 + ["cancelled"]
    assert run.calls.get(key="panel-0-1").text == "One."


def test_a_run_to_be_cancelled_is_left_to_the_worker_that_holds_it(alice: User) -> None:
    run = leased(alice, 5, cancel_requested_at=timezone.now())
    before = everything()
    assert claim(str(run.pk)) is None
    assert everything() == before


@pytest.mark.parametrize("end", [EventType.RUN_COMPLETED, EventType.RUN_CANCELLED])
def test_a_run_that_has_ended_is_not_taken(alice: User, end: EventType) -> None:
    run = under_way().tell(end).save(alice)
    before = everything()
    assert claim(str(run.pk)) is None
    assert everything() == before
