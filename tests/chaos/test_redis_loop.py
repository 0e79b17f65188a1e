"""Redis killed, emptied, filled up and hung, each in mid-run with several watched runs."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable

import pytest
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError

from console.engine.state import RunState
from console.record import eventlog
from tests.stack import Stack, Valkey

from .questions import Questions, over
from .witness import Witness

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]

RUNS = 3
BALLAST = 64 * 1024


@contextlib.asynccontextmanager
async def killed(valkey: Valkey, luck: random.Random) -> AsyncIterator[None]:
    """It keeps nothing on disk: what comes back is empty."""
    valkey.kill()
    try:
        yield
        await asyncio.sleep(luck.uniform(0.2, 3))
    finally:
        await asyncio.to_thread(valkey.start)


@contextlib.asynccontextmanager
async def emptied(valkey: Valkey, luck: random.Random) -> AsyncIterator[None]:
    valkey.do("FLUSHALL")
    yield
    await asyncio.sleep(luck.uniform(0, 2))
    valkey.do("FLUSHALL")


@contextlib.asynccontextmanager
async def filled(valkey: Valkey, luck: random.Random) -> AsyncIterator[None]:
    used = valkey.do("INFO", "memory")["used_memory"]
    valkey.do("CONFIG", "SET", "maxmemory-policy", "noeviction", "maxmemory", used + 4 * BALLAST)
    with pytest.raises(OutOfMemoryError):
        for n in range(100):
            valkey.do("SET", f"ballast-{n}", "x" * BALLAST)
    try:
        yield
        await asyncio.sleep(luck.uniform(0.5, 3))
    finally:
        valkey.do("CONFIG", "SET", "maxmemory", 0)
        valkey.do("DEL", *(f"ballast-{n}" for n in range(100)))


@contextlib.asynccontextmanager
async def hung(valkey: Valkey, luck: random.Random) -> AsyncIterator[None]:
    valkey.hang()
    try:
        yield
        await asyncio.sleep(luck.uniform(0.5, 6))
    finally:
        valkey.wake()


Fault = Callable[[Valkey, random.Random], contextlib.AbstractAsyncContextManager[None]]


@pytest.mark.parametrize("fault", [killed, emptied, filled, hung])
@pytest.mark.rounds(short=1, long=10)
async def test_watched_runs_survive_what_happens_to_redis(
    stack: Stack,
    questions: Questions,
    luck: random.Random,
    figures: defaultdict[str, list[float]],
    fault: Fault,
    round_number: int,
) -> None:
    name = getattr(fault, "__name__", "")
    questions.pace = 3
    async with questions.in_flight(RUNS) as witnesses, contextlib.AsyncExitStack() as later:
        await asyncio.sleep(luck.uniform(0, 2))
        async with fault(stack.valkey, luck):
            # Asked while nobody can be rung for.
            another = asyncio.create_task(asyncio.to_thread(questions.ask))
        back = time.time()
        witnesses.append(await later.enter_async_context(Witness(questions.alice, await another)))
        await over(witnesses)
    assert stack.processes["worker"].poll() is None and stack.processes["web"].poll() is None
    rows = await asyncio.to_thread(questions.look)
    logs = await _logs(stack, questions)
    figures[f"Redis {name}, {RUNS} runs in flight and one asked meanwhile"].append(1)
    for witness in witnesses:
        run = witness.run
        questions.assert_completed(run, rows[run])
        assert rows[run].run["attempt"] == 1, "Redis is no reason for another attempt"
        assert questions.unsent(run, rows[run]) == 0
        witness.assert_saw_all(questions.alice.page(run), rows[run])
        # A log that was away at the end may be silent about it, never wrong.
        if (logged := logs[run]) and logged.status.is_final:
            assert _comparable(logged) == _comparable(rows[run].state)
            figures[f"Redis {name}: logs equal to rows at the end"].append(1)
        figures[f"Redis {name}: seconds to the end, once it is back"].append(
            max(0, rows[run].run["finished_at"] - back)
        )
        figures[f"Redis {name}: calls on record"].append(len(rows[run].calls))
        figures[f"Redis {name}: requests upstream saw"].append(len(questions.requests(run)))


async def _logs(stack: Stack, questions: Questions) -> dict[str, RunState | None]:
    async with Redis.from_url(stack.valkey.url) as redis:
        return {run: await eventlog.read(redis, run) for run in questions.asked}


def _comparable(state: RunState) -> dict[str, object]:
    data = state.to_dict()
    for call in data["calls"]:
        if "cost" in call:
            call["cost"] = float(call["cost"])
    data["calls"].sort(key=lambda call: call["key"])
    return data
