"""A ring, as a worker hears it, waited for."""

from __future__ import annotations

import asyncio

from console.worker.worker import Worker


def carry_out(worker: Worker, run_id: str) -> None:
    """Returns when what the ring led to has ended; what went wrong is in the log."""
    asyncio.run_coroutine_threadsafe(_heard(worker, run_id), worker.loop).result()


async def _heard(worker: Worker, run_id: str) -> None:
    before = set(worker.under_way)
    worker.hear(run_id)
    while True:
        # Another thread may ring at the same moment.
        begun = [t for t in worker.under_way - before if t.get_name() == run_id]
        if begun:
            await asyncio.wait(begun)
            return
        await asyncio.sleep(0)
