"""Who reads a log as it is written, by a real Valkey: one connection, whatever becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any
from uuid import UUID, uuid4

import pytest

from console.engine.state import RunState
from console.record import eventlog
from console.record.eventlog import Entry, Writer
from tests.stack import PATIENCE

pytestmark = pytest.mark.usefixtures("valkey")


class Log:
    def __init__(self, redis: Any, run: UUID | None = None) -> None:
        self.redis, self.run = redis, run or uuid4()
        self._writer, self._state = Writer(redis, self.run, 1), RunState()

    async def append(self) -> None:
        assert await self._writer.append([], self._state)

    @asynccontextmanager
    async def read(self, quiet: float = 5) -> AsyncIterator[AsyncIterator[list[Entry]]]:
        batches = eventlog.tail(self.redis, self.run, quiet=quiet)
        async with aclosing(batches), asyncio.timeout(PATIENCE):
            yield batches


@pytest.fixture
async def log(valkey: str, settings: Any) -> AsyncIterator[Log]:
    settings.REDIS_URL = valkey
    redis = eventlog.connect()
    yield Log(redis)
    await redis.aclose()
    await asyncio.sleep(0)  # connections close with the loop's next turn


async def test_a_reader_takes_one_connection_and_gives_it_back(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool: Any = log.redis.connection_pool
    taken: list[Any] = []
    get, other = pool.get_connection, eventlog.connect()

    async def counted(*args: Any) -> Any:
        taken.append(await get(*args))
        return taken[-1]

    writer = Log(other, log.run)
    await writer.append()
    monkeypatch.setattr(pool, "get_connection", counted)
    async with log.read() as batches:
        assert [e.id for e in await anext(batches)] == ["1-1"]
        for number in range(2, 30):
            await writer.append()
            assert [e.id for e in await anext(batches)] == [f"1-{number}"]
        assert len(taken) == 1 and taken[0] in pool._in_use_connections
    assert not pool._in_use_connections
    await other.aclose()
    await asyncio.sleep(0)


async def test_a_silent_log_says_so_again_and_again(log: Log) -> None:
    async with log.read(quiet=0.01) as batches:
        assert [await anext(batches) for _ in range(3)] == [[], [], []]
        await log.append()
        assert [e.id for e in await anext(batches)] == ["1-1"]


async def test_a_reader_that_leaves_in_the_middle_leaves_no_answer_to_others(log: Log) -> None:
    await log.append()
    in_use = log.redis.connection_pool._in_use_connections
    assert len(in_use) == 1  # the writer's
    for number in range(2, 6):
        batches = eventlog.tail(log.redis, log.run, after=f"1-{number - 1}")
        waiting = asyncio.ensure_future(anext(batches))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await waiting
        await batches.aclose()
        await log.append()
        assert await eventlog.read(log.redis, log.run) is not None
        assert len(in_use) == 1


async def test_a_reader_whose_connection_is_cut_says_nothing_came_and_goes_on(log: Log) -> None:
    await log.append()
    async with log.read() as batches:
        assert [e.id for e in await anext(batches)] == ["1-1"]
        waiting = asyncio.ensure_future(anext(batches))
        await asyncio.sleep(0.05)
        await log.redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        assert await waiting == []
        await log.append()
        assert [e.id for e in await anext(batches)] == ["1-2"]


async def test_a_reader_without_redis_says_nothing_came(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    redis = eventlog.connect()
    async with Log(redis).read() as batches:
        assert [await anext(batches) for _ in range(2)] == [[], []]
    await redis.aclose()
