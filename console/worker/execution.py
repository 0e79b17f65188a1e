"""Carrying a run out: claim it, ask admission for its calls, fuse, save.

One Celery task per run, on the threads pool; all runs of a worker process
share one event loop, one HTTP client and one database thread. A run is held
by a lease (leases.py) that `Worker` renews; whoever finds a lease run out may
take over (see upkeep.py), and the attempt number in every write keeps the old holder
from writing.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
from django.conf import settings
from django.db import close_old_connections, connections
from redis.asyncio import Redis

from ..engine.calls.call import Control
from ..engine.errors import LeaseLost, ProviderError, Reason
from ..engine.events import Event, EventType
from ..engine.provider import Provider
from ..engine.reducer import apply
from ..engine.spec import Panelist, Spec
from ..engine.state import RunState
from ..engine.steps.fuse import fuse
from ..models import Credential, Run
from ..providers.registry import make_provider
from ..providers.wire.http import make_client
from ..record import eventlog
from .leases import claim, pass_by, release
from .recorder import Recorder, patiently

log = logging.getLogger(__name__)

DEPTH = {"x-fusion-depth": "1", "x-openrouter-fusion-depth": "1"}

T = TypeVar("T")


class Worker:
    """What a worker process shares between its runs; made on the first use."""

    def __init__(self) -> None:
        self.loop = _new_loop()
        self.runs: dict[str, Execution] = {}
        self.stopping = False
        self.places: dict[str, Places] = {}
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

    def close(self) -> None:
        """For tests: a worker process ends by ending."""

        async def shut() -> None:
            await self.client.aclose()
            await self.redis.aclose()

        asyncio.run_coroutine_threadsafe(shut(), self.loop).result()
        self._db.submit(connections.close_all).result()
        self._db.shutdown()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()

    async def db(self, work: Callable[..., T], *args: Any) -> T:
        """One thread, one connection: in this process the ORM is used nowhere else."""

        def fresh() -> T:
            close_old_connections()
            try:
                return work(*args)
            finally:
                close_old_connections()

        return await self.loop.run_in_executor(self._db, fresh)

    def limit(self, slug: str, limit: int | None) -> None:
        """Calls under way keep the places they have; a changed limit is for those that follow."""
        known = self.places.get(slug)
        if limit is None:
            self.places.pop(slug, None)
        elif known is None or known.limit != limit:
            self.places[slug] = Places(limit)

    def execute(self, run_id: str) -> None:
        asyncio.run_coroutine_threadsafe(self._execute(run_id), self.loop).result()

    async def _execute(self, run_id: str) -> None:
        execution = await self._take(run_id)
        if execution is None:
            return
        if self.stopping:  # asked to end meanwhile, when this was none of its runs yet
            await self.db(release, execution.run_id, execution.attempt)
            return
        self.runs[run_id] = execution
        try:
            await execution.carry_out()
        finally:
            del self.runs[run_id]
            execution.ended.set()

    async def _take(self, run_id: str) -> Execution | None:
        if run_id in self.runs:
            return None
        if self.stopping:
            await self.db(pass_by, run_id)
            return None
        claimed = await self.db(claim, run_id)
        if claimed is None:
            return None
        run, state, handed_on = claimed
        if run.attempt > 1:
            _recover(state, await eventlog.read(self.redis, run_id))
        return Execution(self, run, state, handed_on=handed_on)


class Execution:
    """One attempt at one run."""

    def __init__(
        self, worker: Worker, run: Run, state: RunState, *, handed_on: bool = False
    ) -> None:
        self.run_id, self.attempt = run.pk, run.attempt
        self.messages: list[dict[str, Any]] = run.messages
        self._histories = {int(seat): said for seat, said in run.histories.items()}
        self.control = Control()
        self.control.tell(fuse_now=bool(run.fuse_requested_at), stopped=set(run.stopped_seats))
        self.spec = Spec.from_dict(run.spec)
        self.state = state
        self._handed_on = handed_on
        self.stopped_by = ""  # cancelled | lost | shutdown
        self._worker = worker
        self._admission = _Admission(self)
        self._providers: dict[str, Provider] = {}
        self.ended = asyncio.Event()
        self._task: asyncio.Task[Any] | None = None

    def stop(self, why: str) -> None:
        """`cancelled`: the user; `lost`: another worker has it; `shutdown`: this worker ends."""
        if not self.stopped_by:
            self.stopped_by = why
            if self._task:
                self._task.cancel()

    async def carry_out(self) -> None:
        self.recorder = Recorder(
            self.run_id,
            self.attempt,
            self.state,
            redis=self._worker.redis,
            db=self._worker.db,
            checkpoint=settings.CHECKPOINT_SECONDS,
            on_lost=lambda: self.stop("lost"),
        )
        self._task = asyncio.create_task(self._fuse(), name=f"run {self.run_id}")
        try:
            await asyncio.wait([self._task])
            if not self._task.cancelled() and (error := self._task.exception()):
                self._on_error(error)
            await self._end()
        except (LeaseLost, eventlog.Fenced):
            log.warning("run %s was taken over by another worker", self.run_id)
        finally:
            await self.recorder.close()

    async def _fuse(self) -> None:
        await fuse(
            self.spec,
            self.messages,
            state=self.state,
            attempt=self.attempt,
            provider_for=self._provider_for,
            emit=self.recorder.emit,
            admission=self._admission,
            clock=time.time,
            control=self.control,
            histories=self._histories,
            handed_on=self._handed_on,
        )

    def _on_error(self, error: BaseException) -> None:
        if isinstance(error, LeaseLost):
            self.stopped_by = self.stopped_by or "lost"
            return
        log.error("run %s failed in an unforeseen way", self.run_id, exc_info=error)
        self._say(
            EventType.RUN_FAILED,
            reason=Reason.INTERNAL.value,
            error=str(ProviderError(Reason.INTERNAL)),
        )

    async def _end(self) -> None:
        if self.stopped_by == "lost":
            return
        if self.stopped_by == "shutdown" and not self.state.status.is_final:
            await self.recorder.abandon()
            await self._worker.db(release, self.run_id, self.attempt)
            return
        if self.stopped_by == "cancelled" and not self.state.status.is_final:
            self._say(EventType.RUN_CANCELLED)
        await self.recorder.finish()

    def _say(self, kind: EventType, **data: Any) -> None:
        self.emit(Event(kind, round(time.time(), 3), data=data))

    def emit(self, event: Event) -> None:
        apply(self.state, event)
        self.recorder.emit(event)

    async def _provider_for(self, panelist: Panelist) -> Provider:
        slug = panelist.credential
        if slug not in self._providers:
            kind, url, key, limit = await patiently(
                lambda: self._worker.db(_address, slug), f"run {self.run_id}"
            )
            self._worker.limit(slug, limit)
            self._providers[slug] = make_provider(
                kind, base_url=url, api_key=key, client=self._worker.client
            )
        return self._providers[slug]

    def places_with(self, slug: str) -> Places | None:
        return self._worker.places.get(slug)


class _Admission:
    """Waits for a free place with a call's credential, and puts calls on record as sent
    before their first byte goes out. Calls that ask at the same time share one transaction.
    """

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._waiting: list[str] = []
        self._admitted: set[str] = set()
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def place(self, key: str, panelist: Panelist) -> AsyncIterator[None]:
        places = self._execution.places_with(panelist.credential)
        if places is None:
            yield
            return
        if places.locked():
            queued = EventType.CALL_QUEUED
            now = round(time.time(), 3)
            fusion = self._execution.state.calls[key].fusion or 0
            self._execution.emit(Event(queued, now, key, fusion, {"limit": places.limit}))
        async with places:
            yield

    async def record(self, key: str) -> None:
        self._waiting.append(key)
        async with self._lock:
            if key in self._waiting:
                keys, self._waiting = self._waiting, []
                if self._execution.stopped_by:
                    raise LeaseLost
                try:
                    await self._execution.recorder.save_as_sent(keys)
                except BaseException:
                    # What one call was refused or stopped for is not the others' fault:
                    # each asks again.
                    self._waiting += [other for other in keys if other != key]
                    raise
                self._admitted.update(keys)
        if key not in self._admitted:
            raise LeaseLost


class Places(asyncio.Semaphore):
    """Calls at a time with one credential, shared by all runs of this worker process."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


def _recover(state: RunState, logged: RunState | None) -> None:
    """The log may hold more of an interrupted text than the last checkpoint did."""
    for call in state.calls.values():
        seen = logged.calls.get(call.key) if logged else None
        if seen is None or call.status.is_final:
            continue
        if seen.text.startswith(call.text) and seen.reasoning.startswith(call.reasoning):
            call.text, call.reasoning = seen.text, seen.reasoning
            call.first_token_at = seen.first_token_at


def _address(slug: str) -> tuple[str, str, Any, int | None]:
    """(kind, address, key, calls at a time) of a credential. Raises ProviderError."""
    credential = Credential.objects.filter(slug=slug).first()
    if credential is None:
        raise ProviderError(
            Reason.CONFIGURATION,
            f"The credential “{slug}” is not there any more. An admin can add it again.",
        )
    if lacks := credential.lacks:
        raise ProviderError(Reason.CONFIGURATION, lacks)
    return credential.kind, credential.url, credential.key, credential.max_concurrent


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # where uvloop has no wheel, asyncio's own loop does
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


_worker: Worker | None = None
_making = threading.Lock()


def worker() -> Worker:
    global _worker
    with _making:
        if _worker is None:
            _worker = Worker()
        return _worker
