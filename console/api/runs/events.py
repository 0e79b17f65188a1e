"""`GET /v1/runs/{id}/events`: a run's event log as server-sent events.

An event's id is `<log entry>.<n>`, and `Last-Event-ID` continues behind it. Where the
log says everything anew (a worker took over, the log was lost) or is gone, there is a
`run.snapshot` with the whole run, which replaces all that was said before. The last
event is `run.completed`, `run.failed` or `run.cancelled`.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import uuid
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.http import HttpResponse, HttpResponseBase

from ... import access
from ...engine.events import Event, EventType
from ...engine.reducer import apply
from ...engine.state import CallState, RunState, RunStatus, Step
from ...models import Run
from ...models.tokens import Scope
from ...record import eventlog
from ...record.provenance import provenance
from ...record.public import with_verdicts
from ..http.base import ApiCall, NoBody, endpoint, error_of
from ..http.db import db_then_wait
from ..http.follow import may_go_on, seen
from ..openai.public_events import public, tells_deltas
from ..openai.sse import COMMENT, KEEP_ALIVE, PlainText, event_stream
from .object import run_at, with_order

LAST = 2**64 - 1  # the highest number an entry of the log can have
# In the place of an event's number: of a snapshot that says as much as the log does up to there,
# though nobody who reads the log alone is told it. The end behind such a one has the next.
AS_MUCH = 999_999_998
_ENDS = frozenset(f"run.{status}" for status in RunStatus if status.is_final)
_ID = re.compile(r"(\d{1,10})-(\d{1,20})\.(\d{1,9})", re.ASCII)


@dataclass(frozen=True, order=True)
class Place:
    """Of an event: the attempt and number of its entry in the log, and its own number there."""

    attempt: int
    entry: int
    number: int

    @classmethod
    def read(cls, text: str) -> Place | None:
        match = _ID.fullmatch(text.strip())
        place = cls(*map(int, match.groups())) if match else None
        return place if place and place.entry <= LAST else None

    def __str__(self) -> str:
        return f"{self.attempt}-{self.entry}.{self.number}"


@endpoint(Scope.READ, streams="always")
async def events(call: ApiCall[NoBody], run_id: uuid.UUID) -> HttpResponseBase:
    """What happens in a run, as it happens, until it ends."""
    run = await db_then_wait(_find, call, run_id)
    if call.request.method == "HEAD":
        return HttpResponse(content_type="text/event-stream; charset=utf-8")
    return event_stream(_stream(call, run), call)


def _find(call: ApiCall[NoBody], run_id: uuid.UUID) -> Run:
    run = with_verdicts(access.run_visible_to(call.token.owner, run_id))
    return with_order(run, call.token.owner_id)


async def _stream(call: ApiCall[NoBody], run: Run) -> AsyncGenerator[bytes, None]:
    spoken = time.monotonic()
    yield b"retry: 2000\n\n"
    try:
        async with aclosing(_Telling(call, run).told()) as events:
            async for event in events:
                now = time.monotonic()
                if event or now - spoken > KEEP_ALIVE:
                    spoken = now
                    yield event or COMMENT
    except Exception as error:
        refusal = error_of(error, call.id)
        yield _sse("error", refusal.body())


def _still_allowed(call: ApiCall[NoBody], run_id: uuid.UUID) -> None:
    may_go_on(call)
    access.run_visible_to(call.token.owner, run_id)


class _Telling:
    """One reader's way through a run's log, from where its opening begins.

    What the reader has already is folded and not told, since some of what follows can only be
    said by somebody who knows what was said before.
    """

    def __init__(self, call: ApiCall[NoBody], run: Run) -> None:
        self._call, self._run = call, run
        self._spec = run.frozen_spec
        self._state: RunState | None = None  # None: the log has not begun, or cannot be read
        self._texts: dict[str, PlainText] = {}
        self._linked: set[int] = set()  # fusions
        self._from_rows: dict[str, Any] | None = None
        # The rows have told what the log says only from there on.
        self._rows_reach: eventlog.Position | None = None
        self._last = Place.read(call.request.headers.get("Last-Event-ID", ""))
        if self._last and self._last.number == AS_MUCH:
            self._rows_reach = eventlog.Position(self._last.attempt, self._last.entry)
            self._last = None

    async def told(self) -> AsyncGenerator[bytes, None]:
        """Events, and empty ones now and then while nothing happens."""
        may = partial(_still_allowed, self._call, self._run.pk)
        async with aclosing(seen(self._run.pk, may)) as changes:
            async for change in changes:
                await self._link(change.state)
                for entry in change.entries:
                    for event in self._of_entry(entry):
                        yield event
                if change.is_silent:
                    yield b""
                if change.is_of_rows:
                    self._rows_reach = eventlog.Position.read(change.run.log_position)
                    for event in self._of_rows(change.state):
                        yield event

    async def _link(self, state: RunState) -> None:
        """A snapshot tells what sentences rest on: that is read beside the loop, and kept."""
        new = [
            f for f in state.fusions.values() if f.status.is_final and f.number not in self._linked
        ]
        if new:
            self._linked.update(fusion.number for fusion in new)
            await asyncio.to_thread(lambda: [provenance(state, fusion) for fusion in new])

    def _of_entry(self, entry: eventlog.Entry) -> Iterator[bytes]:
        attempt, number = map(int, entry.id.split("-"))
        first = 0 if self._rows_reach is None else AS_MUCH
        for n, (name, data) in enumerate(self._said(entry), first):
            place = Place(attempt, number, n)
            if name in _ENDS and self._last == Place(attempt, LAST, 0):
                # The rows had told this reader the whole run, before the log was there again.
                place = Place(attempt, LAST, 1)
            if self._last is None or place > self._last:
                yield _sse(name, data, place)

    def _said(self, entry: eventlog.Entry) -> Iterator[tuple[str, dict[str, Any]]]:
        """The same for every reader of the log alone: its numbers are the events' ids."""
        if self._rows_reach is not None:
            yield from self._caught_up(entry)
            return
        state = self._state
        if entry.kind == "s":
            state = self._state = entry.fold(state)
            if state:
                yield self._anew(state)
                if state.status.is_final:
                    yield _end(state)
            return
        events = entry.events()
        if state is None or events is None:
            self._state = None
            return
        for event in events:
            if event.type is EventType.CALL_RECAST:
                yield from self._recast(state, event)
                continue
            written = self._written(state, event.call)
            call = apply(state, event).calls.get(event.call)
            if call and call.step is Step.SYNTHESIS:
                # Marks of provenance are held back until it is known that they are none.
                yield from self._rest(state, event, call, text=written.fresh(call))
                if event.type is EventType.CALL_DELTA:
                    continue
            if public_event := public(event, call, self._spec, state):
                yield public_event

    def _caught_up(self, entry: eventlog.Entry) -> Iterator[tuple[str, dict[str, Any]]]:
        """What the rows have told is not told again: from where the log says as much, it begins
        with the whole run."""
        self._state = entry.fold(self._state)
        if self._state is None or self._rows_reach is None or entry.position < self._rows_reach:
            return
        self._rows_reach = None
        self._texts.clear()
        yield "run.snapshot", self._snapshot(self._state)
        if self._state.status.is_final:
            yield _end(self._state)

    def _written(self, state: RunState, key: str) -> PlainText:
        """What has been told of a call's text, in deltas or by the last snapshot."""
        if key not in self._texts:
            written = self._texts[key] = PlainText()
            if call := state.calls.get(key):
                written.fresh(call)
        return self._texts[key]

    def _recast(self, state: RunState, event: Event) -> Iterator[tuple[str, dict[str, Any]]]:
        """Who was told a text that the new one goes on from is told the rest of it; for anybody
        else the whole run begins again."""
        call = state.calls[event.call]
        if not tells_deltas(call.step):
            apply(state, event)  # of its text programs are told when it is whole
            return
        before, thought, written = call.text, call.reasoning, self._written(state, event.call)
        written.fresh(call)  # of a seat's answer, whose deltas are told as they come
        apply(state, event)
        fresh = written.fresh(call)
        goes_on = fresh is not None and call.reasoning.startswith(thought)
        goes_on = goes_on and len(call.text) >= len(before)  # deltas to come go on from less
        if not goes_on:
            yield self._anew(state)
            return
        thoughts = call.reasoning[len(thought) :]
        yield from self._rest(state, event, call, reasoning=thoughts, text=fresh)

    def _rest(
        self,
        state: RunState,
        event: Event,
        call: CallState,
        *,
        reasoning: str = "",
        text: str | None = None,
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        for kind, rest in (
            (EventType.CALL_REASONING_DELTA, reasoning),
            (EventType.CALL_DELTA, text),
        ):
            delta = Event(kind, event.at, event.call, event.fusion, {"text": rest})
            if rest and (public_event := public(delta, call, self._spec, state)):
                yield public_event

    def _anew(self, state: RunState) -> tuple[str, dict[str, Any]]:
        self._texts.clear()
        return "run.snapshot", self._snapshot(state)

    def _of_rows(self, state: RunState) -> list[bytes]:
        """The log is silent or gone. Who comes back behind a run that goes on is told no event
        of the log that the rows had told already: the log begins with the whole run again."""
        if not state.status.is_final:
            snapshot = self._snapshot(state)
            if not state.attempt or snapshot == self._from_rows:
                return []
            self._from_rows = snapshot
            reach = self._rows_reach or eventlog.Position()
            return [_sse("run.snapshot", snapshot, Place(reach.attempt, reach.entry, AS_MUCH))]
        events = [("run.snapshot", self._snapshot(state)), _end(state)]
        placed = [(Place(state.attempt, LAST, n), *event) for n, event in enumerate(events)]
        return [
            _sse(name, data, place)
            for place, name, data in placed
            if self._last is None or place > self._last
        ]

    def _snapshot(self, state: RunState) -> dict[str, Any]:
        reply = run_at(self._call.request, self._call.token.owner_id, self._run, state)
        return {"type": "run.snapshot", "run": reply.model_dump(mode="json")}


def _end(state: RunState) -> tuple[str, dict[str, Any]]:
    name = f"run.{state.status.value}"
    data: dict[str, Any] = {"type": name, "at": state.finished_at}
    if state.reason or state.error:
        data |= {"reason": state.reason, "error": state.error}
    return name, data


def _sse(name: str, data: dict[str, Any], place: Place | None = None) -> bytes:
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    head = f"id: {place}\n" if place else ""
    return f"{head}event: {name}\ndata: {body}\n\n".encode(errors="replace")
