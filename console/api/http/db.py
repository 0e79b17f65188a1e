"""The database for async views."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections

T = TypeVar("T")


async def db(work: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Run `work` in the request's thread, which holds no connection afterwards.

    A stream may last for minutes, and each has a thread of its own.
    """

    def apart() -> T:
        try:
            return work(*args, **kwargs)
        finally:
            for connection in connections.all(initialized_only=True):
                if not connection.in_atomic_block:
                    connection.close()

    return await sync_to_async(apart)()
