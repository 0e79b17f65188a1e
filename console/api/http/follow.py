"""A run as it goes on: its state after every batch of its log, from the rows when it is silent."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator

from ...engine.state import RunState
from ...models import Run
from ...record import eventlog
from ...record.rows import state_from_rows
from .db import db
from .errors import ApiError
from .limits import redis

QUIET = 1.0
# At most so often is the log read: ten streams at once leave the process time for others.
STEP_SECONDS = 0.05


async def states(
    run_id: uuid.UUID, *, after: str = "0-0", quiet: float = QUIET
) -> AsyncGenerator[RunState, None]:
    """At least every `quiet` seconds or so, the last one final. Raises ApiError when it is gone.

    `after`: where the log of the run's current opening begins (`eventlog.beginning`).
    """
    state = RunState()
    has_log = False
    async for entries in eventlog.tail(redis(), run_id, after=after, quiet=quiet):
        began = time.monotonic()
        for entry in entries:
            state = entry.fold(state)
            has_log = True
        if not entries:
            rows = await db(load, run_id)
            if rows.status.is_final or not has_log:
                state, has_log = rows, False
        yield state
        if state.status.is_final:
            return
        await asyncio.sleep(max(0.0, STEP_SECONDS - (time.monotonic() - began)))


async def final(run_id: uuid.UUID, *, after: str = "0-0") -> RunState:
    """The state of a run that is followed to its end."""
    last = RunState()
    async for state in states(run_id, after=after):
        last = state
    return last


def load(run_id: uuid.UUID) -> RunState:
    try:
        run = Run.objects.prefetch_related("calls", "fusions").get(pk=run_id)
    except Run.DoesNotExist:
        raise ApiError("run_failed", "The run was deleted.") from None
    return state_from_rows(run)
