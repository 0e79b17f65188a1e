"""Following a run for a request: in its thread, with its token, refused in the API's words."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from ...engine.state import RunState
from ...models import Run
from ...record import follow
from ...services.tokens import token_is_usable
from .base import ApiCall
from .db import db_then_wait
from .errors import ApiError
from .limits import redis

May = Callable[[], Any]


async def seen(
    run_id: uuid.UUID, may: May, begun: Run | None = None
) -> AsyncGenerator[follow.Seen, None]:
    """`record.follow` in a request. Raises what `may` does, and ApiError when the run is gone."""
    following = follow.follow(
        run_id, redis=redis(), db=db_then_wait, may=may, log_first=True, begun=begun
    )
    try:
        async with aclosing(following) as changes:
            async for change in changes:
                yield change
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
