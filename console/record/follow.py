"""The one way to follow a run: page, API, MCP and shell are its readers.

A reader begins with the rows, or with the one that it has just written, or, where a run
is under way, with what the log says at once; and goes on with the log. Rows carry the
position in the log at which it says as much as they do (`Run.log_position`); so which of
the two is newer is never guessed, and neither takes back what the other has shown. The
rows are asked when the log is silent: they say whether the run has ended, and stand in
for a log that is away, was lost, or stands still. Whether the run is still there, and may
still be read, is asked while the log speaks, too.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections
from django.utils import timezone
from redis.asyncio import Redis

from ..engine.state import RunState, RunStatus
from ..models import Run
from ..models.prepared import Placeholder, Prepared
from . import eventlog
from .eventlog import Entry, Position
from .rows import state_from_rows
from .turns import note_place

log = logging.getLogger(__name__)

QUIET = 1.0  # seconds without a word after which the log counts as silent
ASK_AGAIN = 1.0  # seconds between two readings of the rows
AWAY_AT_MOST = 30.0  # seconds without the database that a reader bears
AT_ONCE = 0.02  # seconds within which a log that has something to say says it

# Runs a query beside the event loop: each edge has its own way to.
Db = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Seen:
    """What a reader knows now. `run` is its row as it was read last.

    `state` is the log's or the rows', whichever is ahead; it changes in place when the reader
    asks for more. `entries` are what the log has brought; where it is silent there are none, and
    `is_of_rows` says whether the rows have spoken for it.
    """

    run: Run
    state: RunState
    entries: Sequence[Entry] = ()
    is_of_rows: bool = False

    @property
    def is_silent(self) -> bool:
        return not self.entries


class _Away:
    """A database that is not there for a moment ends nobody's reading: the run goes on, too."""

    def __init__(self) -> None:
        self._since: float | None = None

    @property
    def is_away(self) -> bool:
        return self._since is not None

    @contextmanager
    def borne(self) -> Iterator[None]:
        """Raises what it catches where that has gone on for too long."""
        try:
            yield
        except (OperationalError, InterfaceError) as error:
            now = time.monotonic()
            if self._since is None:
                log.warning("a reader of a run waits for the database: %s", error)
                self._since = now
            if now - self._since > AWAY_AT_MOST:
                raise
        else:
            self._since = None


async def follow(
    run_id: uuid.UUID,
    *,
    redis: Redis,
    db: Db,
    may: Callable[[], Any] | None = None,
    quiet: float = QUIET,
    log_first: bool = False,
    begun: Run | None = None,
) -> AsyncGenerator[Seen, None]:
    """At least every `quiet` seconds or so what is known, the last with a final state.

    `may` asks, synchronously, whether it may still be read, and raises what its reader is to be
    refused with. `log_first` is for who tells programs what happens, one thing after the other:
    what the log has is told, of a run that is over too, before its rows are believed, which are
    saved call by call; of such a reader, `begun` is the row of the run that it has just begun, of
    which there is nothing more to read. Raises Run.DoesNotExist when it was deleted.
    """
    state: RunState | None
    if log_first and begun is not None and not begun.attempt:
        run, state = begun, RunState()
    else:
        run, state = await db(_read_first, run_id, may, log_first)
    at, told = Position(), Position()
    saved = Position.read(run.log_position)
    logged: RunState | None = None  # nothing yet, or nothing that this code can read
    if state and not log_first:
        yield Seen(run, state, is_of_rows=True)
        if state.status.is_final:
            return
    # Of a run that is over, either the log has the end already or nobody writes it any more.
    quiet = min(quiet, AT_ONCE) if state and state.status.is_final else quiet
    after = eventlog.beginning(run.reopened_after)
    asked = checked = time.monotonic()
    away = _Away()
    first = True
    at_first = 0 if state else AT_ONCE
    tail = eventlog.tail(redis, run_id, after=after, quiet=quiet, at_first=at_first)
    async with aclosing(tail) as batches:
        async for entries in batches:
            of_rows = False
            for entry in entries:
                logged = entry.fold(logged)
            if entries:
                at = entries[-1].position
                if logged and at >= saved:
                    state, told = logged, at
            now = time.monotonic()
            unheard = not entries or logged is None or state is None
            every = ASK_AGAIN if away.is_away else min(ASK_AGAIN, quiet)
            if unheard and (first or now - asked >= every):
                first, asked = False, now
                known = at if logged else told
                with away.borne():
                    run, news = await db(_news, run_id, may, known, bool(logged))
                    checked = time.monotonic()
                    saved = Position.read(run.log_position)
                    if news:
                        state, of_rows, told = news, True, saved
                    del news  # or a whole state of it would be kept until they are asked again
            elif now - checked > settings.PERMISSION_SECONDS:
                checked = now
                with away.borne():
                    await db(_still_there, run_id, may)
                    checked = time.monotonic()
            if state is None:
                continue  # the log says nothing, and the rows could not be asked
            yield Seen(run, state, entries, of_rows)
            # The rows that `log_first` began with do not end what the log still has.
            if state.status.is_final and (of_rows or state is logged):
                return


def read(run_id: uuid.UUID, may: Callable[[], Any] | None = None) -> tuple[Run, RunState]:
    """A run and its state as its rows have it. Raises Run.DoesNotExist and what `may` raises."""
    run = _row(run_id, may)
    return run, state_from_rows(run)


def _read_first(
    run_id: uuid.UUID, may: Callable[[], Any] | None, log_first: bool
) -> tuple[Run, RunState | None]:
    """Without a state where a run is under way: its log mostly says more, and would a moment
    later take its place; what it does not say the rows are asked for then."""
    run = _row(run_id, may)
    is_left_to_the_log = run.status == RunStatus.RUNNING and not log_first
    return run, None if is_left_to_the_log else state_from_rows(run)


def _news(
    run_id: uuid.UUID, may: Callable[[], Any] | None, known: Position, is_logged: bool
) -> tuple[Run, RunState | None]:
    """The state only where it is news: rows that say less than was told take nothing back, and
    where a log can be read, those that say as much are as good as it is."""
    run = _row(run_id, may)
    saved = Position.read(run.log_position)
    is_news = saved > known if is_logged else saved >= known
    is_going_on = run.status in (RunStatus.QUEUED, RunStatus.RUNNING)
    return run, state_from_rows(run) if is_news or not is_going_on else None


def _row(run_id: uuid.UUID, may: Callable[[], Any] | None) -> Run:
    """Nothing is prefetched: rows that knew the run, and it them, would be garbage to be looked
    for, with all their texts, each time that a silent run is asked about."""
    if may:
        may()
    for row in _RUN.rows(run=run_id):
        run: Run = row
        note_place(run)
        return run
    raise Run.DoesNotExist


_RUN = Prepared(lambda: Run.objects.filter(pk=Placeholder("run", Run._meta.pk)))


def _still_there(run_id: uuid.UUID, may: Callable[[], Any] | None) -> None:
    if may:
        may()
    if not Run.objects.filter(pk=run_id).exists():
        raise Run.DoesNotExist


async def until_final(
    run: Run,
    warn: Callable[[str], Any],
    may: Callable[[], Any] | None = None,
    *,
    or_answered: bool = False,
) -> RunState:
    """For who waits in a shell. `or_answered`: not for a seat that still writes beside the
    answer. Raises Run.DoesNotExist when the run is deleted meanwhile."""
    warned, state = False, RunState()
    redis = eventlog.connect()
    try:
        async with aclosing(follow(run.pk, redis=redis, db=_in_a_thread, may=may)) as changes:
            async for seen in changes:
                state = seen.state
                if or_answered and state.is_answered:
                    break
                waited = (timezone.now() - run.created_at).total_seconds()
                queued = seen.is_silent and seen.run.status == RunStatus.QUEUED
                if queued and waited > 3 and not warned:
                    warned = True
                    warn("Waiting for a worker. None may be running: python3 manage.py up")
    finally:
        await redis.aclose()
    return state


async def _in_a_thread(work: Callable[..., Any], *args: Any) -> Any:
    def asked() -> Any:
        try:
            return work(*args)
        finally:
            close_old_connections()  # if it is broken, the next question has another

    return await sync_to_async(asked)()
