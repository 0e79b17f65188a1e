"""A client that goes away leaves its run to end by itself, unless it asked otherwise.

That it went is noted: clients that have waited for too long send the same again, and are to find
the run that they have paid for (`planning/idempotency.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from django.db import connections
from django.utils import timezone

from ...models import Fusion, Run
from ...services.runs import run_cancel
from ...site import page_place
from .base import ApiCall
from .db import db_then_wait

T = TypeVar("T")

_partings: set[asyncio.Future[None]] = set()


async def begun(call: ApiCall[Any], begin: Callable[[ApiCall[Any]], T]) -> T:
    """What `begin` makes of a request, which is waited for even if its client goes: the run that
    is started by then is to be known as left."""
    task = asyncio.ensure_future(db_then_wait(begin, call))
    async with parting(call):
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task})
            raise
        finally:
            page_place.leave()  # from here on it waits


@asynccontextmanager
async def parting(call: ApiCall[Any]) -> AsyncIterator[None]:
    """For as long as a client waits for what it has started."""
    try:
        yield
    except (asyncio.CancelledError, GeneratorExit):
        # The request's own thread ends with it: another one does this.
        left = asyncio.get_running_loop().run_in_executor(None, _leave, call)
        _partings.add(left)
        left.add_done_callback(_partings.discard)
        raise


def _leave(call: ApiCall[Any]) -> None:
    try:
        wish = getattr(call.body, "fusion", None)
        for row in call.started:
            run = row.run if isinstance(row, Fusion) else row
            if wish and wish.cancel_on_disconnect:
                run_cancel(run=run)
            elif row.replied_at is None:
                Run.objects.filter(pk=run.pk).update(left_at=timezone.now())
    finally:
        connections.close_all()
