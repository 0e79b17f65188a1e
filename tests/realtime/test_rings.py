"""Rings: as many in the queue as there are runs that wait, and none taken for granted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from console.models import Run
from console.worker import upkeep as upkeep_module
from console.worker.doorbell import TASK, waiting
from console.worker.upkeep import Upkeep, left_behind
from console.worker.worker import Worker
from fusion_site.env import celery_url
from tests.realtime.conftest import StartRun
from tests.stack import Valkey

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def queue(valkey: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A queue in the real Valkey, from which nobody takes."""
    with Celery(broker=celery_url(valkey), set_as_current=False) as app:

        def ring(run_id: Any) -> bool:
            app.send_task(TASK, args=[str(run_id)], ignore_result=True)
            return True

        monkeypatch.setattr(upkeep_module, "ring", ring)
        yield
    with Redis.from_url(valkey) as redis:
        redis.flushall()


def on_loop(worker: Worker, work: Any) -> Any:
    return asyncio.run_coroutine_threadsafe(work, worker.loop).result(60)


def test_rings_do_not_pile_up_while_all_workers_are_busy(
    worker: Worker, start: StartRun, queue: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep_module, "RING_AGAIN_SECONDS", 0)
    for _ in range(3):
        start("good")
    sweeper = Upkeep(worker)
    for _ in range(20):
        on_loop(worker, sweeper._sweep())
    assert on_loop(worker, waiting(worker.redis)) == 3


def test_a_run_whose_ring_was_lost_is_rung_for_before_those_whose_rings_wait(
    worker: Worker, start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep_module, "RING_AGAIN_SECONDS", 0)
    start("good")
    lost = start("good")
    Run.objects.filter(pk=lost.pk).update(rung_at=None)
    assert left_behind(rings=1) == [lost.pk]
    assert left_behind(rings=2) == []


def test_a_run_is_not_marked_as_rung_for_while_the_queue_is_away(
    worker: Worker, start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep_module, "ring", lambda _: False)
    runs = [start("good"), start("good")]
    Run.objects.update(rung_at=None)
    on_loop(worker, Upkeep(worker)._sweep())
    assert set(left_behind()) == {run.pk for run in runs}


async def test_a_queue_that_hangs_or_is_gone_has_no_number_of_rings(settings: Any) -> None:
    from console.record.eventlog import connect

    with Valkey() as server:
        settings.REDIS_URL = server.url
        redis = connect()
        assert await waiting(redis) == 0
        server.hang()
        assert await waiting(redis) is None
        server.wake()
        server.kill()
        assert await waiting(redis) is None
        server.start()
        assert await waiting(redis) == 0
        await redis.aclose()
