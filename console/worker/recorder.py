"""The one writer of a run: merges what is written, numbers the batches, has the rows saved.

The engine emits; nothing here ever makes it wait. What has piled up goes to
the event log at most every 33 ms (engine/windows.py, the only window in the system: unnoticeable,
and several times cheaper than an append per token), at once when a call ends.
Rows are saved when a call ends, together with what ends within the same time, and at
checkpoints in between. The end of the run is saved before it is published.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

from redis.asyncio import Redis

from ..engine.errors import SENTENCES, LeaseLost, Reason
from ..engine.events import Event, EventType
from ..engine.provider import Request
from ..engine.reducer import apply
from ..engine.spec import Panelist
from ..engine.state import CallState, RunState, RunStatus
from ..engine.windows import WINDOW, windows
from ..money.asking import Answer, Denied, Granted, ask_of
from ..money.book import Till
from ..money.ending import end_of
from ..record.eventlog import Fenced, Writer
from .saving import patiently, rows_of, save

log = logging.getLogger(__name__)

TURNS = 5  # of the event loop, within which the log's first batch is made

Db = Callable[..., Awaitable[Any]]
Asking = tuple[Panelist, Request]


async def _stopped(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


class Recorder:
    def __init__(
        self,
        run_id: Any,
        attempt: int,
        state: RunState,
        *,
        redis: Redis,
        db: Db,
        checkpoint: float,
        on_lost: Callable[[], None],
        till: Till | None = None,
    ) -> None:
        self._till, self._windows = till, windows()
        self._run_id, self._attempt, self._state = run_id, attempt, state
        self._db, self._checkpoint, self._on_lost = db, checkpoint, on_lost
        self._writer = Writer(redis, run_id, attempt)
        self._pending: list[Event] = []
        # What was written since it was last told: (kind, call, fusion) -> pieces.
        self._kept: dict[tuple[EventType, str, int], list[str]] = {}
        self._dirty: set[str] = set()
        # Calls that have ended, as their rows say it.
        self._on_record: dict[str, CallState] = {}
        self._fusions_changed = False
        self._wake, self._hurry, self._save_now = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._saving, self._appending = asyncio.Lock(), asyncio.Lock()
        self._of_log = asyncio.create_task(self._guarded(self._drain), name=f"log of {run_id}")
        self._of_rows = asyncio.create_task(
            self._guarded(self._save_regularly), name=f"rows of {run_id}"
        )

    def emit(self, event: Event) -> None:
        """The event is already folded into the state."""
        self._pending.append(event)
        if event.call:
            self._dirty.add(event.call)
        self._wake.set()
        if event.fusion and not event.type.is_delta:
            self._fusions_changed = True
        if event.type is EventType.RUN_STARTED and self._state.calls:
            # It ended what the worker before had left open: on record soon, since this worker
            # may be lost before it ends anything else.
            self._dirty |= self._state.calls.keys()
            self._save_now.set()
        if event.type is EventType.CALL_RECAST:
            # Soon: what the log then says of the text continues that of the rows again.
            self._save_now.set()
        if event.type.ends_something:
            self._hurry.set()
            if event.call or event.fusion:  # the end of the run is saved by `finish`
                self._save_now.set()

    def keep(self, kind: EventType, call: str, fusion: int, text: str) -> None:
        """A piece of a text: all that come within a window are one event."""
        place = (kind, call, fusion)
        if place in self._kept:
            self._kept[place].append(text)
        else:
            self._kept[place] = [text]
            self._wake.set()

    def tell(self) -> None:
        """Folds what was kept into the state. Before anything else is said of it, and before
        log and rows are written."""
        if not self._kept:
            return
        kept, self._kept = self._kept, {}
        now = round(time.time(), 3)
        for (kind, call, fusion), pieces in kept.items():
            event = Event(kind, now, call, fusion, {"text": "".join(pieces)})
            apply(self._state, event)
            self._pending.append(event)
            self._dirty.add(call)

    async def has_begun(self) -> None:
        """Whoever follows the run is told of its first calls before they are sent: the log's first
        batch is made as soon as it has its turn, and no answer of it is waited for."""
        for _ in range(TURNS):
            if self._writer.has_begun:
                return
            await asyncio.sleep(0)

    async def finish(self) -> None:
        """Save everything, then publish the end. Raises LeaseLost."""
        async with self._saving:  # cut off half way, what it saves would be written again
            await _stopped(self._of_rows)
        try:
            # Without these rows a paid answer would be lost, however long it takes.
            calls = self._state.calls
            unsaid = {key for key in calls if calls[key] != self._on_record.get(key)}
            await self._patiently(self._dirty | unsaid, final=True)
        except LeaseLost:
            raise
        except Exception:
            log.exception("run %s cannot be saved as it is", self._run_id)
            await self._save_what_can_be()
        await self._stop_log()
        await self._append(ended=True)

    async def _save_what_can_be(self) -> None:
        """The run ends all the same: one row that is refused must not cost the others."""
        for key in self._state.calls:
            try:
                await self._patiently({key})
            except LeaseLost:
                raise
            except Exception as error:
                log.error("call %s of run %s is not saved: %s", key, self._run_id, error)
        self._state.status = RunStatus.FAILED
        self._state.reason = Reason.INTERNAL.value
        self._state.error = SENTENCES[Reason.INTERNAL]
        await self._patiently(set(), final=True, fusions=False)

    async def abandon(self) -> None:
        """Save what there is and leave the run as it stands, for another attempt."""
        async with self._saving:
            await _stopped(self._of_rows)
        await self._save(set(self._state.calls))  # a Redis that hangs keeps nothing from it
        await self._stop_log()
        await self._append()

    async def close(self) -> None:
        """Write nothing more."""
        await _stopped(self._of_rows)
        await self._stop_log()

    async def _stop_log(self) -> None:
        async with self._appending:  # cut off half way, a batch would be sent again, or never
            await _stopped(self._of_log)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except (LeaseLost, Fenced):
            self._on_lost()
        except Exception:
            log.exception("run %s goes on, but is not recorded as it should be", self._run_id)

    # the log

    async def _drain(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(0)  # what is said in the same moment goes along: first calls do
            if not await self._append():
                await asyncio.sleep(0.5)  # Redis is away: then one snapshot says it all
                self._wake.set()
                continue
            self._windows.before_writing(self._hurry)
            await self._hurry.wait()
            self._hurry.clear()

    async def _append(self, *, ended: bool = False) -> bool:
        async with self._appending:
            while True:
                if self._state.status.is_final and not ended:
                    return True  # its end is told when it is saved, by `finish`
                self.tell()
                events, self._pending = self._pending, []
                if not (events or ended or self._writer.is_behind):
                    return True
                if not await self._writer.append(events, self._state, ended=ended):
                    return False
                if not self._writer.is_behind:
                    return True
                # The log was lost: now all of it, with what has come in the meantime.

    # the rows

    async def _save_regularly(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._checkpoint):
                    await self._save_now.wait()
                await asyncio.sleep(WINDOW)  # what ends meanwhile shares the transaction
            except TimeoutError:
                pass
            self._save_now.clear()
            self.tell()
            if not self._dirty:
                continue
            try:
                await self._save(set(self._dirty))
            except LeaseLost:
                raise
            except Exception as error:
                # Dropped, not retried: the next checkpoint holds more.
                log.warning("a checkpoint of run %s was dropped: %s", self._run_id, error)

    async def save_as_sent(self, asking: Mapping[str, Asking]) -> dict[str, Answer]:
        """Puts calls on record before their first byte goes out, with all else that has come, and
        holds the money for them; those that no budget pays for stay as they were. Raises
        LeaseLost."""
        keys = set(asking)
        try:
            return await self._patiently(self._dirty | keys, asking=asking)
        except LeaseLost:
            raise
        except Exception:  # a row that is refused is no reason to keep another call back
            return await self._patiently(keys, asking=asking)

    async def _patiently(self, keys: set[str], **how: Any) -> dict[str, Answer]:
        return await patiently(lambda: self._save(keys, **how), f"run {self._run_id}")

    def _brought(self, key: str) -> bool:
        call = self._state.calls[key]
        return call.fusion is not None and call.status.is_final

    async def _save(
        self,
        keys: set[str],
        *,
        final: bool = False,
        fusions: bool = True,
        asking: Mapping[str, Asking] | None = None,
    ) -> dict[str, Answer]:
        async with self._saving:
            if fusions:
                # The row of a fusion says what its calls have brought: lost between the two, an
                # analysis would be there whose call was interrupted, and what it cost nowhere.
                keys = keys | {key for key in self._dirty if self._brought(key)}
            self._dirty -= keys
            with_fusions = fusions and (final or self._fusions_changed)
            if with_fusions:
                self._fusions_changed = False
            position: dict[str, Any] = {}
            if fusions and not self._dirty:  # then the rows say all that the state says
                position["log_position"] = str(self._writer.position(pending=bool(self._pending)))

            def write(state: RunState) -> dict[str, Answer]:
                # Rows cost more the longer the texts are, so they are made beside the loop.
                calls, judgings, fields = rows_of(
                    self._run_id, state, keys, final=final, fusions=with_fusions
                )
                booking = partial(self._book, state, keys, asking or {})
                fields |= position
                return save(self._run_id, self._attempt, calls, judgings, fields, booking)

            state = self._state.copy()
            try:
                answers: dict[str, Answer] = await self._db(write, state)
            except BaseException:  # cancelled, too: nobody knows how far it came
                self._dirty |= keys
                self._fusions_changed |= with_fusions
                raise
            self._dirty |= {key for key, answer in answers.items() if isinstance(answer, Denied)}
            saved = (state.calls[key] for key in keys - self._dirty if key in state.calls)
            self._on_record |= {call.key: call for call in saved if call.status.is_final}
            return answers

    def _book(
        self, state: RunState, keys: set[str], asking: Mapping[str, Asking]
    ) -> dict[str, Answer]:
        """Within the transaction that saves these calls."""
        till = self._till
        if till is None or not till.is_open:
            return {key: Granted() for key in asking}
        asks = [ask_of(key, state.calls[key].fusion, *asked) for key, asked in asking.items()]
        ends = [
            end_of(state.calls[key])
            for key in sorted(keys)
            if key in state.calls and state.calls[key].status.is_final
        ]
        return till.book(asks, ends)
