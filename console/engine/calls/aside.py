"""Work that grows with a text, done beside the event loop that all runs share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

LONG = 50_000  # characters; below, another thread would cost more than the work

P = ParamSpec("P")
T = TypeVar("T")


async def aside(size: int, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """At once where the texts are short, so that nothing else comes between. `work` reads only
    what nobody changes meanwhile."""
    if size < LONG:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
