"""What every worker does beside its runs: beat, look for stops, sweep for runs left behind,
read lists of models that got old, ask once a day whether keys can pay, read into the search what
was asked before there was one and out of it what is not there any more, take away files that no
run has any more, and remove what was deleted a week ago.

No leader and no lock: claiming is conditional, so two workers that ring for
the same run do no harm, and each old list is read by one.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import socket
import time
from datetime import timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.db import Error
from django.db.models import F, Q
from django.utils import timezone
from redis.exceptions import RedisError

from ..catalog import listings, paying
from ..engine.state import RunStatus
from ..files.store import remove_unused
from ..models import Heartbeat, Run
from ..models.money import has_purse
from ..models.prepared import Prepared, count_for, each, some
from ..models.runs import is_unfinished
from ..money.giving_back import give_back
from ..record import eventlog
from ..search.filling import claim_fill, claim_stale, fill, take_out
from . import removal
from .doorbell import ring, waiting
from .leases import lease
from .worker import Worker

log = logging.getLogger(__name__)

STOP_POLL_SECONDS = 0.4
RING_AGAIN_SECONDS = 10
NOTHING: tuple[bool, bool, set[int], bool] = (False, False, set(), False)
FILL_PAUSE = 0.2  # between steps, for whoever else writes
FILES_SECONDS = 600  # how often files are taken away that no run has any more
WRITE_OVER_TRIES = 30
LISTS_SECONDS = 60  # how often it is looked whether a list got old, or nobody has read it yet


class Upkeep:
    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._name = f"{socket.gethostname()[:60]}:{os.getpid()}"
        self._stall_ms = 0.0
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        asyncio.run_coroutine_threadsafe(self._start(), self._worker.loop).result()

    async def _start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._every(settings.HEARTBEAT_SECONDS, self._beat)),
            asyncio.create_task(self._every(STOP_POLL_SECONDS, self._look_for_stops)),
            asyncio.create_task(self._every(settings.SWEEP_SECONDS, self._sweep)),
            asyncio.create_task(self._every(LISTS_SECONDS, self._read_old_lists, at_once=False)),
            asyncio.create_task(self._every(LISTS_SECONDS, self._ask_who_pays, at_once=False)),
            asyncio.create_task(
                self._every(settings.LEASE_SECONDS / 2, self._give_back, at_once=False)
            ),
            asyncio.create_task(self._every(LISTS_SECONDS, self._fill_search, at_once=False)),
            asyncio.create_task(self._every(FILES_SECONDS, self._remove_files, at_once=False)),
            asyncio.create_task(self._every(LISTS_SECONDS, self._remove, at_once=False)),
            asyncio.create_task(self._watch_the_loop()),
        ]

    async def _every(self, seconds: float, work: Any, *, at_once: bool = True) -> None:
        if not at_once:
            await asyncio.sleep(random.uniform(1, 3))
        while True:
            try:
                await work()
            except Error as error:
                log.warning("upkeep waits for the database: %s", error)
            except Exception:
                # Without its beat a worker loses every run it holds: go on, whatever it was.
                log.exception("upkeep failed in an unforeseen way")
            await asyncio.sleep(seconds * random.uniform(0.9, 1.1))

    async def _beat(self) -> None:
        stall, self._stall_ms = self._stall_ms, 0.0
        held = [(e.run_id, e.attempt) for e in self._worker.runs.values()]
        lost = await self._worker.db(beat, self._name, held, int(stall))
        for execution in list(self._worker.runs.values()):
            if (execution.run_id, execution.attempt) in lost:
                execution.stop("lost")

    async def _look_for_stops(self) -> None:
        if not self._worker.runs:
            return
        asked = await self._worker.db(wishes, [e.run_id for e in self._worker.runs.values()])
        for execution in list(self._worker.runs.values()):
            stop, fuse_now, seats, pays = asked.get(execution.run_id, NOTHING)
            execution.till.is_open |= pays
            execution.control.tell(fuse_now=fuse_now, stopped=seats)
            if stop:
                execution.stop("cancelled")

    async def _sweep(self) -> None:
        if self._worker.stopping or self._worker.is_full:
            return  # it would only hear the rings itself, and pass them by
        rings = await waiting(self._worker.redis)
        if rings is None:
            return  # nobody would hear it; nor is a run marked as rung for
        run_ids = await self._worker.db(left_behind, rings)
        for n, run_id in enumerate(run_ids):
            # Publishing blocks while Redis is away; the loop must not.
            if not await self._worker.loop.run_in_executor(None, ring, run_id):
                await self._worker.db(were_not_rung, run_ids[n:])
                return

    async def _read_old_lists(self) -> None:
        old = await self._worker.db(listings.claim_old_lists)
        if old and not self._worker.stopping:
            # Reading a long list takes its time: in a thread, with a loop of its own.
            read = await self._worker.loop.run_in_executor(None, listings.ask, old)
            await self._worker.db(listings.keep, read)

    async def _give_back(self) -> None:
        await self._worker.db(give_back)

    async def _remove_files(self) -> None:
        await self._worker.db(remove_unused)

    async def _remove(self) -> None:
        gone = await self._worker.db(removal.remove_old)
        for run_id in gone:
            try:
                await eventlog.forget(self._worker.redis, run_id)
            except RedisError as error:
                log.warning("the log of a removed run is left to its end: %s", error)
        for _ in range(WRITE_OVER_TRIES if gone else 0):
            if await self._worker.db(removal.write_over):
                break
            await asyncio.sleep(1)

    async def _ask_who_pays(self) -> None:
        keys = await self._worker.db(paying.claim_keys_to_ask)
        if keys and not self._worker.stopping:
            answers = await self._worker.loop.run_in_executor(None, paying.ask, keys)
            await self._worker.db(paying.keep, answers)

    async def _fill_search(self) -> None:
        """What was asked before there was a search, a few runs at a time; then out of it what is
        not there any more."""
        while not self._worker.stopping and await self._worker.db(claim_fill):
            await self._worker.db(fill)
            await asyncio.sleep(FILL_PAUSE)
        while not self._worker.stopping and (stale := await self._worker.db(claim_stale)):
            await self._worker.db(take_out, stale)
            await asyncio.sleep(FILL_PAUSE)

    async def _watch_the_loop(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.1)
            late = (time.monotonic() - before - 0.1) * 1000
            self._stall_ms = max(self._stall_ms, late)
            if late > 200:
                log.warning("the worker's event loop stood still for %d ms", late)

    async def stop(self) -> None:
        """Warm shutdown: a short grace, then every run is saved, released and left to others."""
        self._worker.stopping = True
        executions = dict(self._worker.runs)
        if executions:
            ends = [asyncio.create_task(e.ended.wait()) for e in executions.values()]
            _, unfinished = await asyncio.wait(ends, timeout=settings.SHUTDOWN_GRACE_SECONDS)
            for execution in executions.values():
                execution.stop("shutdown")
            await asyncio.gather(*unfinished)
            # Heard or not: the sweepers of others find what was handed back.
            handed_on = [run_id for run_id, e in executions.items() if not e.state.status.is_final]
            rings = [self._worker.loop.run_in_executor(None, ring, run_id) for run_id in handed_on]
            if rings:
                await asyncio.wait(rings, timeout=2)
        if self._worker.under_way:  # also what was being claimed when the end was asked for
            await asyncio.wait(set(self._worker.under_way), timeout=10)
        for task in self._tasks:
            task.cancel()
        await self._worker.db(leave, self._name)


def beat(name: str, held: list[tuple[Any, int]], stall_ms: int) -> set[tuple[Any, int]]:
    """Renew the leases of all held runs; returns those that are held no longer."""
    now = timezone.now()
    Heartbeat.objects.update_or_create(worker=name, defaults={"beat_at": now, "stall_ms": stall_ms})
    Heartbeat.objects.filter(beat_at__lt=now - timedelta(hours=1)).delete()
    if not held:
        return set()
    mine = Q()
    for run_id, attempt in held:
        mine |= Q(pk=run_id, attempt=attempt)
    holding = Run.objects.filter(mine, status=RunStatus.RUNNING)
    holding.update(lease_until=now + lease())
    return set(held) - set(
        Run.objects.filter(mine).exclude(status=RunStatus.QUEUED).values_list("pk", "attempt")
    )


def wishes(run_ids: list[Any]) -> dict[Any, tuple[bool, bool, set[int], bool]]:
    """Run -> what its readers ask for: (an end, to fuse now, seats to stop), and whether a budget
    may concern it that somebody has set meanwhile."""
    rows = _wishes_of(count_for(run_ids)).rows(**each("run", run_ids))
    return {
        pk: (stop is not None, now is not None, set(seats), pays)
        for pk, stop, now, seats, pays in rows
    }


@cache
def _wishes_of(count: int) -> Prepared:
    runs = some("run", Run._meta.pk, count)
    return Prepared(
        lambda: Run.objects.filter(pk__in=runs).values_list(
            "pk", "cancel_requested_at", "fuse_requested_at", "stopped_seats", has_purse()
        )
    )


def left_behind(rings: int = 0) -> list[Any]:
    """Runs queued for too long or with a lease run out, marked as rung for again.

    `rings` are in the queue already. While all workers are busy nobody takes them out,
    so there are never more of them than runs that wait.
    """
    now = timezone.now()
    rung = Q(rung_at=None) | Q(rung_at__lt=now - timedelta(seconds=RING_AGAIN_SECONDS))
    nobody_s = Q(status=RunStatus.QUEUED) | Q(status=RunStatus.RUNNING, lease_until__lt=now)
    # Those that are left to workers of a newer version are rung for later, see `leases`.
    free = Run.objects.filter(is_unfinished()).filter(nobody_s)
    room = min(free.exclude(rung_at__gt=now).count() - rings, 100)
    if room <= 0:
        return []
    # Those that nobody was rung for come first: the queue may hold the others' rings.
    longest = F("rung_at").asc(nulls_first=True)
    runs = free.filter(rung).order_by(longest, "created_at")
    run_ids = list(runs.values_list("pk", flat=True)[:room])
    return [run_id for run_id in run_ids if Run.objects.filter(rung, pk=run_id).update(rung_at=now)]


def were_not_rung(run_ids: list[Any]) -> None:
    Run.objects.filter(pk__in=run_ids).update(rung_at=None)


def leave(name: str) -> None:
    Heartbeat.objects.filter(worker=name).delete()
