"""Tasks that are begun as one and ended as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any

Work = Iterable[Coroutine[Any, Any, None]]


@asynccontextmanager
async def begun(work: Work) -> AsyncIterator[list[asyncio.Task[None]]]:
    """None of them outlives the block: however it is left, what is not done is cancelled and
    waited for. Then what came out of a task is raised, unless something is being raised."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


async def together(work: Work) -> None:
    """All of them to their ends; what comes out of one ends the others and is raised."""
    async with begun(work) as tasks:
        await asyncio.gather(*tasks)
