"""The database for async views, each turn in its request's thread.

A thread may keep its connection for what its request asks next, and then for the next request.
Where one goes on to wait it is to hold none: a stream may last for minutes, and each has a thread
of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async

from ...site.connections import give_back, keep_or_give_back
from ...site.page_place import PagePlace

T = TypeVar("T")

# A database has few connections, and a burst of requests is quicker in turns than all at once.
AT_ONCE = 12
# Ordinary turns take a hundredth of it. One that takes longer waits for a server that is asked for
# its models, or for a lock: the others do not wait for that.
HELD_AT_MOST = 1.0  # seconds

_places: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


async def db(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """For requests that end when they have what they asked for."""
    return await _turn(partial(work, *args, **kwargs), keep_or_give_back)


async def db_then_wait(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """For a request's last turn before it waits, and those while it does."""
    return await _turn(partial(work, *args, **kwargs), give_back)


async def _turn(work: Callable[[], T], then: Callable[[], None]) -> T:
    def in_the_thread() -> T:
        try:
            return work()
        finally:
            then()

    places = _places.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))
    await places.acquire()
    place = PagePlace(HELD_AT_MOST, places)
    try:
        return await sync_to_async(in_the_thread)()
    finally:
        place.leave()
