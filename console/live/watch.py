"""From the event log to viewers: one `Watch` per watched run and web process.

A watch follows the run and renders what changed: texts block by block,
everything else as fragments. Viewers keep only a `Cursor` and are sent what
lies beyond it, so a late viewer starts at zero, a slow one gets bigger frames,
and nobody has a queue. Rendering happens in a thread, at most every 100 ms, and
only one at a time per run.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.utils import timezone
from redis.asyncio import Redis

from ..engine.errors import Reason
from ..engine.spec import Spec
from ..engine.state import CallState, RunState, RunStatus, Step
from ..fragments.sentences import waits_for_newer
from ..fragments.sources import addresses
from ..markdown import StreamRenderer
from ..models import Run
from ..record import eventlog
from ..record.follow import follow

log = logging.getLogger(__name__)

STEP_SECONDS = 0.1
QUIET = 2.0  # a page that watches a model think need not ask its rows more often


async def _db(work: Callable[..., Any], *args: Any) -> Any:
    return await database_sync_to_async(work)(*args)


# (spec, state, show_costs, note) -> fragment id -> inner HTML
RenderFragments = Callable[[Spec, RunState, bool, str], dict[str, str]]


@dataclass
class _Text:
    """One text container of the page and the call it shows."""

    call: str
    renderer: StreamRenderer
    finished: bool = False
    rewritten: int = 0  # how often everything shown had to be replaced


@dataclass
class _Shown:
    call: str = ""
    rewritten: int = 0
    final: int = 0
    block: int = 0
    line: int = 0


@dataclass(eq=False)
class Cursor:
    """What one viewer has been sent. Two who were sent the same are still two."""

    show_costs: bool
    texts: dict[str, _Shown] = field(default_factory=dict)
    fragments: dict[str, str] = field(default_factory=dict)
    status: str = ""


class Watch:
    def __init__(self, run_id: uuid.UUID, redis: Redis, render: RenderFragments) -> None:
        self.run_id = run_id
        self.viewers: list[Cursor] = []
        self.ended = False
        self.failed = False
        self.gone = False  # the run was deleted
        self._redis, self._render_fragments = redis, render
        self._state = RunState()
        self._spec: Spec | None = None
        self._texts: dict[str, _Text] = {}
        self._fragments: dict[bool, dict[str, str]] = {}
        self._note = ""
        self._changed = asyncio.Event()
        self._stepping = asyncio.Lock()  # what a step is changing is not shown half changed
        self._task = asyncio.create_task(self._follow(), name=f"watch {run_id}")

    def close(self) -> None:
        self._task.cancel()

    async def changed(self, seconds: float) -> None:
        """Returns when there is something new, or after `seconds`."""
        event = self._changed
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass

    @property
    def is_ready(self) -> bool:
        return self._spec is not None

    # following

    async def _follow(self) -> None:
        try:
            await self._follow_to_the_end()
        except Run.DoesNotExist:
            self.gone = True
        except Exception:
            log.exception("the watch of run %s failed", self.run_id)
            self.failed = True
        finally:
            self.ended = True
            self._announce()

    async def _follow_to_the_end(self) -> None:
        following = follow(self.run_id, redis=self._redis, db=_db, quiet=QUIET)
        async with aclosing(following) as changes:
            async for seen in changes:
                began = time.monotonic()
                self._spec = self._spec or seen.run.frozen_spec
                await self._step(seen.state, _note(seen.run) if seen.is_silent else "")
                if seen.state.status.is_final:
                    return
                await asyncio.sleep(max(0.0, STEP_SECONDS - (time.monotonic() - began)))

    async def _step(self, state: RunState, note: str) -> None:
        async with self._stepping:
            await asyncio.get_running_loop().run_in_executor(None, self._render, state, note)
        self._announce()

    def _announce(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _render(self, state: RunState, note: str) -> None:
        self._state, self._note = state, note
        self._render_texts()
        assert self._spec
        for show_costs in {c.show_costs for c in self.viewers} | set(self._fragments):
            self._fragments[show_costs] = self._render_fragments(
                self._spec, self._state, show_costs, note
            )

    def _render_texts(self) -> None:
        state = self._state
        assert self._spec
        places = {
            f"seat-{seat}": state.latest(Step.PANEL, seat=seat)
            for seat in range(len(self._spec.panel))
        }
        places["fused"] = state.final_call
        for place, call in places.items():
            if call is None:
                continue
            shown = self._texts.get(place)
            if shown is None or shown.call != call.key:
                rewritten = shown.rewritten + 1 if shown else 0
                shown = self._texts[place] = self._new_text(call, rewritten)
            if shown.finished and shown.renderer.text == call.text:
                continue
            try:
                shown.renderer.feed(call.text)
            except ValueError:
                # The text was taken back: a worker took up what its log and rows had not held.
                shown = self._texts[place] = self._new_text(call, shown.rewritten + 1)
                shown.renderer.feed(call.text)
            if call.status.is_final:
                shown.finished = True
                if shown.renderer.finish(cited=addresses(call)) is not None:
                    shown.rewritten += 1

    def _new_text(self, call: CallState, rewritten: int) -> _Text:
        sources = self._state.letters_of(call.fusion) if call.fusion else ""
        return _Text(call.key, StreamRenderer(sources=sources), rewritten=rewritten)

    # what a viewer lacks

    def _fragments_for(self, show_costs: bool) -> dict[str, str]:
        if show_costs not in self._fragments and self._spec:
            # A first viewer of another kind, between two steps.
            self._fragments[show_costs] = self._render_fragments(
                self._spec, self._state, show_costs, self._note
            )
        return self._fragments.get(show_costs, {})

    async def frame(self, cursor: Cursor) -> dict[str, Any]:
        """What lies beyond the cursor, which moves on; empty when nothing does."""
        async with self._stepping:
            return self._beyond(cursor)

    def _beyond(self, cursor: Cursor) -> dict[str, Any]:
        texts = [t for place, text in self._texts.items() if (t := _beyond(cursor, place, text))]
        fragments = {
            name: html
            for name, html in self._fragments_for(cursor.show_costs).items()
            if cursor.fragments.get(name) != html
        }
        cursor.fragments.update(fragments)
        frame: dict[str, Any] = {}
        if texts:
            frame["texts"] = texts
        if fragments:
            frame["fragments"] = fragments
        status = self._state.status.value
        if status != cursor.status:
            cursor.status = frame["status"] = status
        return frame


def _beyond(cursor: Cursor, place: str, text: _Text) -> dict[str, Any]:
    shown = cursor.texts.get(place)
    frame: dict[str, Any] = {}
    if shown is None or (shown.call, shown.rewritten) != (text.call, text.rewritten):
        shown = cursor.texts[place] = _Shown(text.call, text.rewritten)
        frame["reset"] = True
    renderer = text.renderer
    if len(renderer.final) > shown.final:
        frame["final"] = "".join(renderer.final[shown.final :])
        shown.final = len(renderer.final)
    if renderer.block_version != shown.block:
        frame["block"], shown.block = renderer.block, renderer.block_version
    if renderer.line_version != shown.line:
        frame["line"], shown.line = renderer.line, renderer.line_version
    return {"id": place} | frame if frame else {}


def _note(run: Run) -> str:
    """What a silent run is waiting for, in words."""
    now = timezone.now()
    if run.status == RunStatus.QUEUED and run.reason == Reason.NEEDS_NEWER_VERSION:
        return waits_for_newer()
    if run.status == RunStatus.QUEUED and run.attempt and run.finished_at is None:
        return "The worker was stopped; another takes over."
    if run.status == RunStatus.QUEUED and (now - run.created_at).total_seconds() > 3:
        return "Waiting for a worker. The run starts as soon as one is free."
    if run.status == RunStatus.RUNNING and run.lease_until and run.lease_until < now:
        return "The worker was lost. Another one takes over within 30 seconds."
    if run.status == RunStatus.RUNNING and run.lease_until:
        # Renewed with every beat of its worker's heart.
        silent = settings.LEASE_SECONDS - (run.lease_until - now).total_seconds()
        if silent > 2.5 * settings.HEARTBEAT_SECONDS:
            left = max(1, round(settings.LEASE_SECONDS - silent))
            return f"The worker has gone silent. If it is lost, another takes over in {left} s."
    return ""


class Watches:
    """All watched runs of this process."""

    def __init__(self, render: RenderFragments) -> None:
        self._render = render
        self._watches: dict[uuid.UUID, Watch] = {}
        self._redis: Redis | None = None

    @asynccontextmanager
    async def watch(self, run_id: uuid.UUID, cursor: Cursor) -> AsyncIterator[Watch]:
        watch = self._watches.get(run_id)
        # One that has ended may still have a viewer who reads slowly, while the run is fused again.
        if watch is None or watch.ended:
            self._redis = self._redis or eventlog.connect()
            watch = self._watches[run_id] = Watch(run_id, self._redis, self._render)
        watch.viewers.append(cursor)
        try:
            yield watch
        finally:
            watch.viewers.remove(cursor)
            if not watch.viewers:
                watch.close()
                if self._watches.get(run_id) is watch:
                    del self._watches[run_id]
