"""The event loop of processes that serve many at once."""

from __future__ import annotations

import asyncio


def new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # where uvloop has no wheel, asyncio's own loop does
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
