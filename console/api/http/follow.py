"""Following a run for a request: in its thread, with its token, refused in the API's words."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from ...engine.state import RunState
from ...engine.windows import WINDOW, until_end
from ...models import Run
from ...record import follow
from ...services.tokens import token_is_usable
from .base import ApiCall
from .db import db
from .errors import ApiError
from .limits import redis

# The log is read at the end of every second window: ten streams at once leave the process time for
# others.
EVERY = 2
ON_ITS_WAY = 0.01  # seconds within which what was written at a window's end is there

May = Callable[[], Any]


async def seen(
    run_id: uuid.UUID, may: May, begun: Run | None = None
) -> AsyncGenerator[follow.Seen, None]:
    """`record.follow` in a request. Raises what `may` does, and ApiError when the run is gone."""
    following = follow.follow(run_id, redis=redis(), db=db, may=may, log_first=True, begun=begun)
    try:
        async with aclosing(following) as changes:
            async for change in changes:
                next_one = time.monotonic() + until_end(EVERY, WINDOW) + ON_ITS_WAY
                yield change
                await asyncio.sleep(next_one - time.monotonic())
    except Run.DoesNotExist:
        raise deleted() from None


async def states(
    run_id: uuid.UUID, may: May, begun: Run | None = None
) -> AsyncGenerator[RunState, None]:
    """At least every second or so, until the run is over or its answer is there: nobody waits
    for a seat that still writes beside it. `begun`: its row, by the request that has begun it."""
    async with aclosing(seen(run_id, may, begun)) as changes:
        async for change in changes:
            yield change.state
            if change.state.is_answered:
                return


async def final(run_id: uuid.UUID, may: May, begun: Run | None = None) -> RunState:
    """The state of a run that is followed to its end."""
    last = RunState()
    async with aclosing(states(run_id, may, begun)) as changes:
        async for state in changes:
            last = state
    return last


def may_go_on(call: ApiCall[Any]) -> None:
    """Asked while its answer is waited for: the token may have been revoked. Raises ApiError."""
    if not token_is_usable(call.token.pk):
        raise ApiError("invalid_api_key")


def load(run_id: uuid.UUID) -> RunState:
    try:
        return follow.read(run_id)[1]
    except Run.DoesNotExist:
        raise deleted() from None


def deleted() -> ApiError:
    return ApiError("run_failed", "The run was deleted.")
