"""The worker process: one event loop, one HTTP client and one database thread for all its runs.

A ring wakes the loop, which holds as many runs as there are places. With all of them taken
rings are passed by, for another worker to hear, and whoever becomes free takes the next run
unasked. A run is held by a lease (leases.py) that the worker renews; whoever finds a lease run
out may take over (upkeep.py), and the attempt number in every write keeps the old holder from
writing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from django.conf import settings
from django.db import Error, close_old_connections, connections
from redis.asyncio import Redis

from ..engine.state import CallStatus, RunState
from ..models import Run
from ..providers.wire.http import make_client
from ..record import eventlog
from ..record.asked import Asked
from ..record.one_connection import one_connection
from ..record.turns import next_of
from ..site.loops import new_loop
from .admission import AllPlaces
from .doorbell import ring
from .execution import Execution, Keys, Shared, keys_of
from .leases import claim_next, pass_by, release, what_is_asked

DEPTH = {"x-fusion-depth": "1", "x-openrouter-fusion-depth": "1"}

log = logging.getLogger(__name__)

T = TypeVar("T")


class Worker:
    """What a worker process shares between its runs; made on the first use."""

    def __init__(self) -> None:
        self.loop = new_loop()
        self.runs: dict[str, Execution] = {}
        self.stopping = False
        self.under_way: set[asyncio.Task[None]] = set()
        self._taken = 0
        self._db = ThreadPoolExecutor(1, thread_name_prefix="db")
        self._thread = threading.Thread(target=self._serve, name="loop", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self.loop).result()

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    async def _open(self) -> None:
        self.client: httpx.AsyncClient = make_client()
        # Whoever is asked may be a Fusion too: one level only.
        self.client.headers.update(DEPTH)
        self.redis: Redis = eventlog.connect()
        self._shared = Shared(self.db, self.redis, self.client, AllPlaces())

    def close(self) -> None:
        """For tests: a worker process ends by ending."""

        async def shut() -> None:
            if ending := [task for task in self.under_way if self._ends(task.get_name())]:
                await asyncio.wait(ending, timeout=5)  # what says their end would open Redis anew
            await self.client.aclose()
            one_connection(self.redis).close()
            await self.redis.aclose()

        asyncio.run_coroutine_threadsafe(shut(), self.loop).result()
        self._db.submit(connections.close_all).result()
        self._db.shutdown()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()

    def _ends(self, run_id: str) -> bool:
        held = self.runs.get(run_id)
        return held is None or held.state.status.is_final

    async def db(self, work: Callable[..., T], *args: Any) -> T:
        """One thread, one connection: in this process the ORM is used nowhere else."""

        def fresh() -> T:
            close_old_connections()
            try:
                return work(*args)
            finally:
                close_old_connections()

        return await self.loop.run_in_executor(self._db, fresh)

    @property
    def is_full(self) -> bool:
        return self._taken >= settings.RUNS_PER_WORKER

    def hear(self, run_id: str) -> None:
        """A ring, heard in another thread."""
        self.loop.call_soon_threadsafe(self._begin, run_id)

    def _begin(self, run_id: str) -> None:
        task = self.loop.create_task(self._guarded(run_id), name=run_id)
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    async def _guarded(self, run_id: str) -> None:
        try:
            await self._execute(run_id)
        except Exception:
            # The run is where it was: in the queue, or under a lease that runs out.
            log.exception("the ring for run %s led to nothing", run_id)

    async def _execute(self, run_id: str) -> None:
        """`run_id` is whom the ring was for; "": nobody rang, a place is free."""
        if self.stopping or self.is_full:
            if run_id:
                await self.db(pass_by, run_id)
            return
        self._taken += 1
        try:
            execution = await self._take(run_id)
            if execution is None:
                return
            if not run_id:  # more may wait, and another place have become free meanwhile
                self._begin("")
            await self._carry_out(execution)
        finally:
            self._taken -= 1
        # Its person may have had as many going on as may be: a place of theirs is free.
        if waiting := await self.db(next_of, execution.owner_id):
            await self.loop.run_in_executor(None, ring, waiting)

    async def _carry_out(self, execution: Execution) -> None:
        if self.stopping:  # asked to end meanwhile, when this was none of its runs yet
            await self.db(release, execution.run_id, execution.attempt)
            return
        held = str(execution.run_id)
        self.runs[held] = execution
        try:
            await execution.carry_out()
        finally:
            del self.runs[held]
            execution.ended.set()
            if self.is_full:  # rings may have been passed by, and here is a place in a moment
                self.loop.call_soon(self._begin, "")

    async def _take(self, run_id: str) -> Execution | None:
        claimed = await self.db(_claimed, run_id, frozenset(self.runs))
        if claimed is None:
            return None
        run, state = claimed.run, claimed.state
        if run.attempt > 1:
            _recover(state, await eventlog.read(self.redis, run.pk))
        return Execution(
            self._shared,
            run,
            state,
            claimed.asked,
            keys=claimed.keys,
            handed_on=claimed.handed_on,
        )


@dataclass(frozen=True)
class Claimed:
    run: Run
    state: RunState
    handed_on: bool
    asked: Asked
    keys: Keys


def _claimed(ring: str, besides: Collection[str]) -> Claimed | None:
    """A run, with all that is read before its first call, in one go of the database thread."""
    claimed = claim_next(ring, besides)
    if claimed is None:
        return None
    run, state, handed_on = claimed
    asked = what_is_asked(run)
    if asked is None:
        return None
    try:
        keys = keys_of(run.frozen_spec)
    except Error as error:
        log.warning("run %s looks its keys up later: %s", run.pk, error)
        keys = {}
    return Claimed(run, state, handed_on, asked, keys)


def _recover(state: RunState, logged: RunState | None) -> None:
    """The log may hold more than the rows, which are written a moment later: more of an
    interrupted text, or the end of a call, with what that found for its fusion."""
    for call in list(state.calls.values()):
        seen = logged.calls.get(call.key) if logged else None
        if seen is None or call.status.is_final:
            continue
        if seen.status is CallStatus.COMPLETED:
            state.calls[call.key] = seen
            _found(state, logged, seen.fusion)
        elif seen.text.startswith(call.text) and seen.reasoning.startswith(call.reasoning):
            call.text, call.reasoning = seen.text, seen.reasoning
            call.first_token_at, call.first_text_at = seen.first_token_at, seen.first_text_at


def _found(state: RunState, logged: RunState | None, number: int | None) -> None:
    fusion = state.fusions.get(number or 0)
    seen = logged.fusions.get(number or 0) if logged else None
    if fusion and seen:
        fusion.analysis, fusion.analysis_by = seen.analysis, seen.analysis_by
        fusion.analysis_reason, fusion.analysis_error = seen.analysis_reason, seen.analysis_error
        fusion.poll = seen.poll


_worker: Worker | None = None
_making = threading.Lock()


def worker() -> Worker:
    global _worker
    with _making:
        if _worker is None:
            _worker = Worker()
        return _worker
