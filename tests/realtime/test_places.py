"""A worker holds as many runs as it has places for; what it has none for is not lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from console.engine.state import RunStatus
from console.models import Run
from console.worker.upkeep import Upkeep, left_behind
from console.worker.worker import Worker
from fusion_site import memory
from tests.carrying_out import carry_out
from tests.realtime.conftest import PATIENT, StartRun
from tests.realtime.test_run_way import rows, wait_for
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

HOLDS = "hold--hold_after=1"


def statuses() -> list[str]:
    return list(Run.objects.order_by("created_at").values_list("status", flat=True))


def test_forty_runs_begin_before_any_has_ended(
    worker: Worker, upstream: Upstream, start: StartRun, settings: Any
) -> None:
    settings.RUNS_PER_PERSON = 0
    runs = [start(HOLDS, policy=PATIENT) for _ in range(40)]
    for run in runs:
        worker.hear(str(run.pk))
    wait_for(lambda: len(upstream.calls_of(HOLDS)) == 40)
    assert not upstream.calls_of("judge")
    upstream.release()
    wait_for(lambda: statuses() == ["completed"] * 40)


def test_with_all_places_taken_a_ring_is_passed_by_and_the_free_place_takes_the_run(
    worker: Worker, upstream: Upstream, start: StartRun, settings: Any
) -> None:
    settings.RUNS_PER_WORKER = 2
    upstream.script(HOLDS, Script(text="One two.", hold_after=1))
    runs = [start(HOLDS, policy=PATIENT) for _ in range(4)]
    for run in runs[:2]:
        worker.hear(str(run.pk))
    wait_for(lambda: len(upstream.calls_of(HOLDS)) == 2)
    sweeper = Upkeep(worker)
    for run in runs[2:]:
        carry_out(worker, str(run.pk))
    asyncio.run_coroutine_threadsafe(sweeper._sweep(), worker.loop).result(60)
    assert set(left_behind()) == {run.pk for run in runs[2:]}, "for workers that have room"
    assert len(upstream.calls_of(HOLDS)) == 2
    upstream.release()
    wait_for(lambda: statuses() == ["completed"] * 4)
    wait_for(lambda: not worker.is_full)


def test_a_free_place_takes_first_what_lost_its_worker(
    worker: Worker, upstream: Upstream, start: StartRun, settings: Any
) -> None:
    settings.RUNS_PER_WORKER = 1
    first, waits, lost = (start(HOLDS, policy=PATIENT) for _ in range(3))
    upstream.script("judge", Script(text="Fused."))
    worker.hear(str(first.pk))
    wait_for(lambda: len(upstream.calls_of(HOLDS)) == 1)
    Run.objects.filter(pk=lost.pk).update(status="running", attempt=1, lease_until=timezone.now())
    upstream.release()
    wait_for(lambda: statuses() == ["completed"] * 3)
    ended = {run.pk: Run.objects.get(pk=run.pk).started_at for run in (waits, lost)}
    assert ended[lost.pk] < ended[waits.pk]


def test_a_ring_for_a_run_that_another_ring_brought_in_is_anothers(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    """Whose turn it was is said by the rows, and both have been rung for."""
    going_on, hers = start(HOLDS, policy=PATIENT), start(HOLDS, policy=PATIENT)
    Run.objects.filter(pk=hers.pk).update(cancel_requested_at=timezone.now())
    worker.hear(str(going_on.pk))
    wait_for(lambda: len(upstream.calls_of(HOLDS)) == 1)
    Run.objects.filter(pk=hers.pk).update(cancel_requested_at=None)
    his = start(HOLDS, policy=PATIENT, owner=User.objects.create_user("bob"))
    worker.hear(str(hers.pk))
    wait_for(lambda: Run.objects.get(pk=his.pk).status == RunStatus.RUNNING)
    assert Run.objects.get(pk=hers.pk).status == RunStatus.QUEUED
    worker.hear(str(his.pk))
    wait_for(lambda: len(upstream.calls_of(HOLDS)) == 3)
    upstream.release()
    wait_for(lambda: statuses() == ["completed"] * 3)
    assert len(upstream.calls_of(HOLDS)) == 3


def test_a_ring_that_fails_gives_its_place_back(
    worker: Worker, start: StartRun, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console.worker import worker as working

    settings.RUNS_PER_WORKER = 1
    real, heard = working.claim_next, list[str]()

    def claim_next(ring: str, *args: Any) -> Any:
        heard.append(ring)
        if len(heard) == 1:
            raise RuntimeError("the database is away")
        return real(ring, *args)

    monkeypatch.setattr(working, "claim_next", claim_next)
    run = start("good")
    worker.hear(str(run.pk))
    wait_for(lambda: heard and not worker.under_way)
    assert not worker.is_full and rows(run).status == "queued"
    carry_out(worker, str(run.pk))
    assert rows(run).status == "completed"


@pytest.mark.parametrize(
    ("gigabytes", "runs"), [(0, 16), (0.25, 16), (1, 64), (4, 256), (8, 500), (24, 500)]
)
def test_memory_says_how_many_runs_a_worker_holds(gigabytes: float, runs: int) -> None:
    assert memory.runs_in(int(gigabytes * 2**30)) == runs


def test_a_container_has_what_it_is_given(tmp_path: Path) -> None:
    missing, free, narrow = (tmp_path / name for name in ("missing", "free", "narrow"))
    free.write_text("max\n")
    narrow.write_text(f"{512 * 2**20}\n")
    machine = memory.memory((missing, free))
    assert machine == memory.memory(()) > 512 * 2**20
    assert memory.memory((missing, free, narrow)) == 512 * 2**20
