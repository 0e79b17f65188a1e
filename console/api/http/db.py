"""The database for async views: in the request's thread, which keeps its connection for what the
request asks next, and then for the next request. Where one goes on to wait it is to hold none: a
stream may last for minutes, and each has a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections

T = TypeVar("T")


async def db(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """For requests that end when they have what they asked for."""
    return await sync_to_async(work)(*args, **kwargs)


async def db_then_wait(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """For a request's last turn before it waits, and those while it does."""

    def then_give_back() -> T:
        try:
            return work(*args, **kwargs)
        finally:
            for connection in connections.all(initialized_only=True):
                if not connection.in_atomic_block:
                    connection.close()

    return await sync_to_async(then_give_back)()
