"""From the event log to viewers: one `Watch` per watched run and web process.

A watch follows the run and renders what changed, as often as the log brings something: texts
block by block, figures as data, everything else as fragments, and those only when more than text
has changed. Viewers keep only a `Cursor` and are sent what lies beyond it, so a late viewer starts
at zero, a slow one gets bigger frames, and nobody has a queue. Rendering happens in a thread, but
for a few words that are rendered sooner than they are handed over; only one step at a time per run,
and what comes meanwhile is taken together by the next.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence, Set
from contextlib import aclosing, asynccontextmanager
from typing import Any

from channels.db import database_sync_to_async
from django.conf import settings
from django.utils import timezone
from redis.asyncio import Redis

from ..engine.errors import Reason
from ..engine.events import EventType
from ..engine.spec import Spec
from ..engine.state import CallState, RunState, RunStatus, Step
from ..engine.unasked import unasked
from ..engine.unnamed import Unnamed
from ..fragments import SeatFragments, run_figures
from ..fragments.sentences import waits_for_newer
from ..fragments.sources import addresses
from ..markdown import StreamRenderer
from ..models import Run
from ..models.shown import Shown
from ..record import eventlog
from ..record.eventlog import Entry
from ..record.follow import follow
from .frames import Cursor, Frames, Text

log = logging.getLogger(__name__)

QUIET = 2.0  # a page that watches a model think need not ask its rows more often
BEAT = 1.0  # seconds after which viewers look what else there is, though nothing has changed
ANYHOW = 1.0  # seconds after which fragments are made of texts that have grown
# Characters that are rendered on the loop. A hand-over costs as much as most steps do; so many
# characters of the dearest texts, lists, take 3 ms, and no other page waits longer than that.
ON_THE_LOOP = 1_000
LINGER = 15.0  # seconds without a viewer: one that asks for frames comes again


async def _db(work: Callable[..., Any], *args: Any) -> Any:
    return await database_sync_to_async(work)(*args)


# (spec, state, what is shown, note, made before) -> fragment id -> inner HTML
RenderFragments = Callable[[Spec, RunState, Shown, str, SeatFragments], dict[str, str]]
_DELTAS = frozenset(t.value for t in EventType if t.is_delta)


class Watch:
    def __init__(self, run_id: uuid.UUID, redis: Redis, render: RenderFragments) -> None:
        self.run_id = run_id
        self.id = secrets.token_hex(4)  # a cursor of another process says nothing here
        self.viewers: list[Cursor] = []
        self.ended = False
        self.failed = False
        self.gone = False  # the run was deleted
        self._redis, self._render_fragments = redis, render
        self._state = RunState()
        self._spec: Spec | None = None
        self._frames = Frames(self.id)
        self._names: set[str] = set()  # of all texts there were
        self._note = ""
        # By what each kind of viewer is shown: names of models, and what was asked.
        self._seat_fragments: dict[tuple[bool, bool], SeatFragments] = {}
        self._shape: Any = None  # of the state for which the fragments were made
        self._told: Any = None  # what they told of texts that grow
        self._made_at = 0.0
        self._changed = asyncio.Event()
        self._stepping = asyncio.Lock()  # what a step is changing is not shown half changed
        self._task = asyncio.create_task(self._follow(), name=f"watch {run_id}")
        self._beat()

    def close(self) -> None:
        self._task.cancel()
        self._beating.cancel()

    async def changed(self) -> None:
        """Returns when there is something new, and every `BEAT` seconds or so."""
        await self._changed.wait()

    def _beat(self) -> None:
        """One clock for all who wait, who would begin and end one each with every frame."""
        self.announce()
        beat = min(BEAT, settings.PERMISSION_SECONDS)
        self._beating = asyncio.get_running_loop().call_later(beat, self._beat)

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
            self.announce()

    async def _follow_to_the_end(self) -> None:
        following = follow(self.run_id, redis=self._redis, db=_db, quiet=QUIET)
        async with aclosing(following) as changes:
            async for seen in changes:
                self._spec = self._spec or seen.run.frozen_spec
                _put_down(seen.run)
                note = _note(seen.run) if seen.is_silent else ""
                grown = set() if seen.is_of_rows else _grown(seen.entries)
                await self._step(seen.state, note, grown)
                if seen.state.status.is_final:
                    return

    async def _step(self, state: RunState, note: str, grown: Set[str] = frozenset()) -> None:
        """`grown`: the calls whose text is all that has come since the last time; none: more has
        changed than that."""
        with_fragments = not grown or self._wants_fragments(state, note)
        if not with_fragments and grown.isdisjoint([t.call for t in self._frames.texts.values()]):
            self._state = state  # what a judge writes stands nowhere until it is told of
            return
        if with_fragments or self._work_of(state) > ON_THE_LOOP:
            async with self._stepping:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(None, self._render, state, note, with_fragments)
        else:
            self._render(state, note, with_fragments)
        self.announce()

    def announce(self) -> None:
        """Wakes whoever waits in `changed`."""
        self._changed.set()
        self._changed = asyncio.Event()

    def _wants_fragments(self, state: RunState, note: str) -> bool:
        """Whether fragments are to be made though only texts have grown."""
        if self._shape != _shape(state, note):
            return True
        return time.monotonic() - self._made_at >= ANYHOW and self._told != _told(state)

    def _work_of(self, state: RunState) -> int:
        work, texts = 0, self._frames.texts
        for place, call in self._calls(state):
            text = texts.get(place)
            work += text.renderer.work_of(call.text) if text else len(call.text)
        return work

    def _render(self, state: RunState, note: str, with_fragments: bool = True) -> None:
        self._state = state
        assert self._spec
        self._frames.begin_step()
        self._render_texts()
        self._frames.take(status=state.status.value, figures=run_figures(self._spec, state))
        if not with_fragments:
            return
        self._note, self._made_at = note, time.monotonic()
        self._shape, self._told = _shape(state, note), _told(state)
        for shown in {c.shown for c in self.viewers} | set(self._frames.kinds):
            self._make_fragments(shown)

    def _make_fragments(self, shown: Shown) -> None:
        assert self._spec
        spec, state = self._spec, self._state
        if not shown.prompt:
            state = unasked(state)
        if not shown.models:
            unnamed = Unnamed(spec)
            spec, state = unnamed.spec, unnamed.state(state)
        hides = shown.models, shown.prompt
        made = self._seat_fragments.setdefault(hides, SeatFragments())
        html = self._render_fragments(spec, state, shown, self._note, made)
        self._frames.take_fragments(html, shown=shown)

    def _calls(self, state: RunState) -> Iterator[tuple[str, CallState]]:
        """By the place that shows its text."""
        assert self._spec
        calls = state.of_seats()
        for seat in range(len(self._spec.panel)):
            if seat in calls:
                yield f"seat-{seat}", calls[seat]
        if call := state.final_call:
            yield "fused", call

    def _render_texts(self) -> None:
        step, texts = self._frames.step, self._frames.texts
        for place, call in self._calls(self._state):
            text = texts.get(place)
            if text is None or text.call != call.key:
                text = texts[place] = self._text(call)
            if text.finished and text.renderer.text == call.text:
                continue
            try:
                text.renderer.feed(call.text)
            except ValueError:
                # The text was taken back: a worker took up what its log and rows had not held.
                text = texts[place] = self._text(call)
                text.renderer.feed(call.text)
            anew = False
            if call.status.is_final:
                text.finished = True
                anew = text.renderer.finish(cited=addresses(call)) is not None
            text.took_step(step, anew=anew)

    def _text(self, call: CallState) -> Text:
        sources = self._state.letters_of(call.fusion) if call.fusion else ""
        name = self._new_name()
        return Text(name, StreamRenderer(sources=sources), self._frames.step, call.key)

    def _new_name(self) -> str:
        """Of a text. It says neither whose it is nor what was tried before, and is short: it is
        sent with every word."""
        length = 2 + len(self._names) // 500
        while (name := secrets.token_urlsafe(length)[:length]) in self._names:
            pass
        self._names.add(name)
        return name

    # what a viewer lacks

    async def frame(self, cursor: Cursor) -> str:
        """What lies beyond the cursor, which moves on, as JSON without its closing brace; ""
        when nothing does."""
        if self._stepping.locked():
            async with self._stepping:
                return self._beyond(cursor)
        return self._beyond(cursor)

    def has_more(self, cursor: Cursor) -> bool:
        """Whether anything may have come since its last frame, which took a while to send."""
        return self.ended or cursor.after != self._frames.step or bool(cursor.behind)

    def _beyond(self, cursor: Cursor) -> str:
        if cursor.shown not in self._frames.kinds and self._spec:
            self._make_fragments(cursor.shown)  # a first viewer of another kind
        return self._frames.next(cursor, all_texts=self._state.status.is_final)

    def has_told_the_end_of(self, run: Run) -> bool:
        finished = self._state.finished_at
        if not run.is_final or run.finished_at is None or finished is None:
            return False
        return abs(run.finished_at.timestamp() - finished) < 0.01

    def resume(self, cursor: Cursor, position: str) -> None:
        """For who was sent as much by this very watch; anybody else begins anew."""
        watch, _, step = position.partition("-")
        if watch == self.id and step.isascii() and step.isdigit() and len(step) < 16:
            cursor.after = min(int(step), self._frames.step)
            if cursor.wants is not None:  # nobody remembers where the others were left
                cursor.behind = dict.fromkeys(self._frames.texts.keys() - cursor.wants, 0)


def _shape(state: RunState, note: str) -> Any:
    """What fragments say of the texts beside them."""
    return note, [(c.key, bool(c.text), bool(c.reasoning)) for c in state.calls.values()]


def _told(state: RunState) -> Any:
    """And of how much: an analysis as far as it has come, thoughts once there is text. Of an
    answer they tell no more than its figures, which are data."""
    return [
        len(c.text) if c.step is Step.ANALYSIS else len(c.reasoning) if c.text else 0
        for c in state.calls.values()
    ]


def _grown(entries: Sequence[Entry]) -> set[str]:
    """The calls whose text, or thoughts, have grown, where nothing else has come."""
    grown = set()
    for entry in entries:
        if entry.kind != "e" or not _DELTAS.issuperset([body["t"] for body in entry.body]):
            return set()
        grown.update([body["c"] for body in entry.body])
    return grown


def _put_down(run: Run) -> None:
    """What is long in the row that a run is followed with, as long as it lasts: it has been read,
    30 KB of it."""
    for name in ("spec", "prompt", "messages", "histories", "follows_calls"):
        setattr(run, name, None)


def _note(run: Run) -> str:
    """What a silent run is waiting for, in words."""
    now = timezone.now()
    if run.status == RunStatus.QUEUED and run.reason == Reason.NEEDS_NEWER_VERSION:
        return waits_for_newer()
    if run.status == RunStatus.QUEUED and run.attempt and run.finished_at is None:
        return "The worker was stopped; another takes over."
    if run.status == RunStatus.QUEUED and (now - run.created_at).total_seconds() > 3:
        before = (run.queue_place or 1) - 1
        if before:
            runs = "is one run" if before == 1 else f"are {before} runs"
            return f"Waiting for a worker. There {runs} before this one."
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
    async def watch(
        self, run_id: uuid.UUID, cursor: Cursor, run: Run | None = None
    ) -> AsyncIterator[Watch]:
        """`run`: its row as it stands, from who asks again what it was not told of the end."""
        watch = self._watches.get(run_id)
        # One that has ended may still have a viewer who reads slowly, while the run is fused again.
        if watch is None or (watch.ended and not (run and watch.has_told_the_end_of(run))):
            self._redis = self._redis or eventlog.connect()
            watch = self._watches[run_id] = Watch(run_id, self._redis, self._render)
        watch.viewers.append(cursor)
        try:
            yield watch
        finally:
            watch.viewers.remove(cursor)
            if not watch.viewers:
                asyncio.get_running_loop().call_later(LINGER, self._close, watch)

    def _close(self, watch: Watch) -> None:
        if watch.viewers:
            return
        watch.close()
        if self._watches.get(watch.run_id) is watch:
            del self._watches[watch.run_id]
