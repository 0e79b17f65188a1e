"""The event log: one Redis stream per run, the live view of what its rows will say.

An entry's id is `<attempt>-<n>`; its one field is `s`, the whole folded state,
or `e`, a list of events. Appending compares first: if the log's last entry is
not the writer's previous one (the log was lost, rolled back, or somebody else
writes), the answer says so and the writer's next batch is an `s`. An entry of
an older attempt is refused by Redis itself. So a reader needs no rule of its
own: `s` replaces, `e` is applied, the id is the cursor.

The log has a version, in its key and as `v` in every `s`. Code of another version has
a log of its own, so that a run which changes hands between two begins from its rows.
An entry that a reader cannot read folds to None: what it says is in the rows, and the
log tells again from its next `s` on.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any, Literal

import hiredis
from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError, ResponseError

from ..engine.events import TYPES, Event
from ..engine.reducer import apply
from ..engine.state import RunState, Step
from ..engine.text import storable
from .one_connection import one_connection

log = logging.getLogger(__name__)

# Of what entries say: raised when a reader of the version before would misread it. One more
# type of event is no reason: who does not know it asks the rows.
VERSION = 2

LIVE_MS = 24 * 3600 * 1000  # after the last batch of a run that never ended
ENDED_MS = 3600 * 1000  # after the end
# Of events, or as many as the last snapshot had: bounds the log and what a late reader
# reads, and keeps the work of long answers in proportion to their length.
SNAPSHOT_AFTER_BYTES = 200_000
ENCODED_ASIDE = 50_000  # characters; what is longer is encoded beside the event loop
PATIENCE, PATIENCE_AT_FIRST = 5.0, 1.0  # seconds beyond those that an answer was to take
MAX_CONNECTIONS = 10_000  # every watched run reads on one of its own; redis-py stops at 100

# KEYS[1] log; ARGV: the writer's previous id, the new id, kind (s or e), body, ttl in ms.
_APPEND = """
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local top = '0-0'
if newest[1] then top = newest[1][1] end
if top == ARGV[2] then return 'OK' end
if ARGV[3] == 'e' and top ~= ARGV[1] then return top end
redis.call('XADD', KEYS[1], ARGV[2], ARGV[3], ARGV[4])
if ARGV[3] == 's' then redis.call('XTRIM', KEYS[1], 'MINID', ARGV[2]) end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 'OK'
"""
_APPEND_SHA = hashlib.sha1(_APPEND.encode()).hexdigest()


class Fenced(Exception):
    """A newer attempt writes this log; this writer must stop."""


@dataclass(frozen=True, order=True)
class Position:
    """In a run's log, over all its attempts: how far a reader has read, or rows have got."""

    attempt: int = 0
    entry: int = 0

    @classmethod
    def read(cls, text: str) -> Position:
        """Of a row from before rows had one: the beginning."""
        return cls(*map(int, text.split("-"))) if text else cls()

    def __str__(self) -> str:
        return f"{self.attempt}-{self.entry}"


@dataclass(frozen=True)
class Entry:
    id: str
    kind: Literal["s", "e"]
    body: Any

    @property
    def position(self) -> Position:
        return Position.read(self.id)

    def fold(self, state: RunState | None) -> RunState | None:
        """None: this entry, or one before it, cannot be read; `state` is as it was.

        What is folded next begins with the None, until an `s` says everything anew.
        """
        if self.kind == "s":
            return _state_of(self.body)
        events = self.events()
        if state is None or events is None:
            return None
        for event in events:
            apply(state, event)
        return state

    def events(self) -> list[Event] | None:
        """Those of an `e`; None when one is of a type, or of a step, that this code does not
        know."""
        events = []
        for body in self.body:
            if body["t"] not in TYPES or body.get("d", _NONE).get("step", Step.PANEL) not in _STEPS:
                return None
            events.append(Event.from_dict(body))
        return events


_NONE: dict[str, Any] = {}
_STEPS = frozenset(Step)


def _state_of(body: dict[str, Any]) -> RunState | None:
    steps = {call["step"] for call in body.get("calls", ())}
    is_known = body.get("v") == VERSION and steps <= _STEPS
    return RunState.from_dict(body) if is_known else None


def connect() -> Redis:
    """For blocking reads too: redis-py's default socket timeout would break them. Nor does it tell
    the server its version, which it looks up on disk anew for each connection."""
    return Redis.from_url(
        settings.REDIS_URL,
        protocol=2,
        driver_info=None,
        socket_timeout=None,
        socket_connect_timeout=2,
        max_connections=MAX_CONNECTIONS,
    )


def _key(run_id: object) -> str:
    return f"fusion:run:{run_id}:log:{VERSION}"


async def forget(redis: Redis, run_id: object) -> None:
    """Of a run that is gone for good. What other versions wrote of it has run out by itself."""
    await redis.delete(_key(run_id))


def _encode(body: Any) -> bytes:
    # Half a character from somewhere must not end the log; rows do the same.
    return storable(json.dumps(body, ensure_ascii=False, separators=(",", ":"))).encode()


class Writer:
    """Appends one attempt's batches; loses nothing to a Redis that restarts or forgets."""

    def __init__(self, redis: Redis, run_id: object, attempt: int) -> None:
        self._ask = one_connection(redis).ask
        self._run_id, self._attempt, self._key = run_id, attempt, _key(run_id)
        self._number = 0
        self._previous = "0-0"
        self._needs_snapshot = True
        self._since_snapshot = 0
        self._snapshot_bytes = 0

    @property
    def is_behind(self) -> bool:
        """The next batch is the whole state: nothing was written yet, or the log was lost."""
        return self._needs_snapshot

    @property
    def has_begun(self) -> bool:
        """A batch was made, wherever it has come."""
        return self._number > 0

    def position(self, *, pending: bool) -> Position:
        """Where the log will say all that the state says now: with the batch on its way, if
        there is one, or with the next, if events are pending or the log is behind. A batch on
        its way that is lost is never passed by, since the next one has a higher number."""
        more = pending or self._needs_snapshot
        return Position(self._attempt, self._number + (1 if more else 0))

    async def append(self, events: list[Event], state: RunState, *, ended: bool = False) -> bool:
        """False when Redis could not be reached. A batch not taken leaves the writer behind.

        The batch is made, and its number taken, before anything is awaited: a snapshot made
        later would hold events that the next batch brings again. Raises Fenced.
        """
        enough = max(SNAPSHOT_AFTER_BYTES, self._snapshot_bytes)
        kind = "s" if self._needs_snapshot or self._since_snapshot > enough else "e"
        whole = {"v": VERSION} | state.to_dict() if kind == "s" else None
        batch = whole or [e.to_dict() for e in events]
        self._number += 1
        number = self._number
        if kind == "s" or sum(len(e.data.get("text", "")) for e in events) > ENCODED_ASIDE:
            body = await asyncio.to_thread(_encode, batch)
        else:
            body = _encode(batch)
        try:
            await self._send(number, kind, body, ended)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("the event log of run %s cannot be written: %s", self._run_id, error)
            self._needs_snapshot = True
            return False
        except BaseException:  # whatever it was, nobody knows whether the batch is there
            self._needs_snapshot = True
            raise
        return True

    async def _send(self, number: int, kind: str, body: bytes, ended: bool) -> None:
        new = f"{self._attempt}-{number}"
        said = (1, self._key, self._previous, new, kind, body, ENDED_MS if ended else LIVE_MS)
        try:
            try:
                answer = await self._ask("EVALSHA", _APPEND_SHA, *said)
            except NoScriptError:  # a Redis that has just begun
                answer = await self._ask("EVAL", _APPEND, *said)
        except ResponseError as error:
            if "equal or smaller" in str(error):
                raise Fenced from error
            raise
        self._needs_snapshot = answer != b"OK"
        if answer == b"OK":
            self._previous = new
            if kind == "s":
                self._snapshot_bytes, self._since_snapshot = len(body), 0
            else:
                self._since_snapshot += len(body)


async def read(redis: Redis, run_id: object) -> RunState | None:
    """What the log says now, or None when there is none, Redis cannot be reached, or it says
    what this code cannot read."""
    try:
        async with asyncio.timeout(5):
            rows: Any = await redis.xrange(_key(run_id))
    except (RedisError, OSError, TimeoutError):
        return None
    return await asyncio.to_thread(_folded, rows)


def _folded(rows: Any) -> RunState | None:
    state = None
    for entry_id, fields in rows:
        for field in fields.items():
            state = _entry(entry_id, *field).fold(state)
    return state


def _entry(entry_id: bytes, kind: bytes, body: bytes) -> Entry:
    return Entry(entry_id.decode(), "s" if kind == b"s" else "e", json.loads(body.decode()))


def beginning(reopened_after: int) -> str:
    """The cursor before all that a run's current opening says."""
    return f"{reopened_after}-{2**64 - 1}" if reopened_after else "0-0"


async def tail(
    redis: Redis,
    run_id: object,
    *,
    after: str = "0-0",
    quiet: float = 2.0,
    at_first: float = 0.0,
) -> AsyncGenerator[list[Entry], None]:
    """Batches of entries beyond the cursor `after`, for ever; the first within `at_first` seconds,
    where somebody waits for it.

    An empty batch says that nothing came for `quiet` seconds, or that Redis
    cannot be reached: the reader then asks the row whether the run has ended.

    It keeps one connection: taking it from the pool and giving it back for every
    batch costs as much as the batch. One that was left in the middle of an answer
    is closed by the client library, and opened again by the next command.
    """
    key, first = _key(run_id), [(at_first, PATIENCE_AT_FIRST)] if at_first else []
    pool: Any = redis.connection_pool
    connection: Any = None
    try:
        for wait, patience in chain(first, repeat((quiet, PATIENCE))):
            try:
                # The other end may be gone without a word.
                async with asyncio.timeout(wait + patience):
                    connection = connection or await pool.get_connection()
                    # The client packs in Python: a twentieth of all that a page's frame costs.
                    block = "BLOCK", int(wait * 1000)
                    words: Any = ("XREAD", "COUNT", 100, *block, "STREAMS", key, after)
                    asked = hiredis.pack_command(words)  # its types know tuples of one word
                    await connection.send_packed_command(asked, check_health=False)
                    answer: Any = await connection.read_response()
            except (RedisError, OSError, TimeoutError):
                yield []
                await asyncio.sleep(0.25)
                continue
            entries = [_entry(n, *field) for _, rows in answer or [] for n, field in rows]
            if entries:
                after = entries[-1].id
            yield entries
    finally:
        if connection:
            await pool.release(connection)
