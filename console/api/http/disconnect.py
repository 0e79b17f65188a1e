"""A client that goes away leaves its run to end by itself, unless it asked otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from django.db import connections

from ...models import Run
from ...services.runs import run_cancel

_stops: set[asyncio.Future[None]] = set()


@asynccontextmanager
async def cancelled_with(run: Run, wanted: bool) -> AsyncIterator[None]:
    """With `wanted`, the run is stopped when whoever waits here is cancelled."""
    try:
        yield
    except (asyncio.CancelledError, GeneratorExit):
        if wanted:
            # The request's own thread ends with it: another one asks for the stop.
            stop = asyncio.get_running_loop().run_in_executor(None, _stop, run)
            _stops.add(stop)
            stop.add_done_callback(_stops.discard)
        raise


def _stop(run: Run) -> None:
    try:
        run_cancel(run=run)
    finally:
        connections.close_all()
