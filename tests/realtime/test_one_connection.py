"""Who asks Redis at the same moment, by a real Valkey: over one connection, each its own answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from redis.exceptions import ConnectionError as ConnectionLost
from redis.exceptions import ResponseError

from console.engine import windows as windows_
from console.engine.state import RunState
from console.engine.windows import Windows, every
from console.record import eventlog
from console.record.eventlog import Writer
from console.record.one_connection import one_connection
from tests.stack import PATIENCE

PING = ("PING",)

pytestmark = pytest.mark.usefixtures("valkey")


@pytest.fixture
async def redis(valkey: str, settings: Any) -> AsyncIterator[Any]:
    settings.REDIS_URL = valkey
    client = eventlog.connect()
    yield client
    await client.aclose()
    await asyncio.sleep(0)  # connections close with the loop's next turn


async def test_each_has_its_own_answer_and_a_refusal_is_nobody_elses(redis: Any) -> None:
    ask, name = one_connection(redis).ask, f"n-{uuid4()}"
    asked = [ask("INCR", name) for _ in range(5)]
    said = await asyncio.gather(*asked, ask("NOTHING"), ask("INCR", name), return_exceptions=True)
    assert said[:5] == [1, 2, 3, 4, 5] and said[6] == 6
    assert isinstance(said[5], ResponseError)
    assert one_connection(redis).ask == ask
    assert len(redis.connection_pool._in_use_connections) == 1


async def test_a_connection_that_failed_while_it_was_idle_is_opened_again(redis: Any) -> None:
    """uvloop refuses to write to it, and the client takes it for open."""
    writer, state = Writer(redis, uuid4(), 1), RunState()
    assert await writer.append([], state)
    connection = one_connection(redis)._connection
    send = connection.send_packed_command

    async def refuses(*_: Any, **__: Any) -> None:
        connection.send_packed_command = send
        await connection.disconnect()
        raise RuntimeError("unable to perform operation; the handler is closed")

    connection.send_packed_command = refuses
    assert await writer.append([], state) and not writer.is_behind


async def test_a_connection_that_was_closed_meanwhile_is_opened_again(redis: Any) -> None:
    writer, state = Writer(redis, uuid4(), 1), RunState()
    assert await writer.append([], state)
    await redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert await writer.append([], state) and not writer.is_behind


async def test_a_redis_that_has_forgotten_the_script_is_told_it_again(redis: Any) -> None:
    writer, state = Writer(redis, uuid4(), 1), RunState()
    for _ in range(2):
        await redis.script_flush()
        assert await writer.append([], state) and not writer.is_behind


async def test_who_gives_up_takes_along_only_who_asked_with_it(redis: Any) -> None:
    ask, nothing = one_connection(redis).ask, f"nothing-{uuid4()}"
    before = asyncio.ensure_future(ask("BLPOP", nothing, 0))
    await asyncio.sleep(0.01)
    first, second = (asyncio.ensure_future(ask(*words)) for words in (("BLPOP", nothing, 0), PING))
    await asyncio.sleep(0.01)
    before.cancel()
    await asyncio.sleep(0.01)  # the two have gone out together
    first.cancel()
    with pytest.raises(ConnectionLost):
        await second
    assert await ask(*PING) == b"PONG"


async def test_what_runs_write_within_a_window_goes_out_at_one_moment() -> None:
    windows, (one, other) = Windows(), (asyncio.Event(), asyncio.Event())
    windows.before_writing(one)
    windows.before_writing(other)
    await one.wait()
    assert other.is_set()
    one.clear()
    windows.before_writing(one)
    await asyncio.wait_for(one.wait(), PATIENCE)


async def test_what_is_read_at_a_windows_end_goes_out_with_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    windows, read, to_write = Windows(), asyncio.Event(), asyncio.Event()

    async def reads() -> None:
        await read.wait()
        monkeypatch.setattr(windows_, "WINDOW", 600)  # there is no other end
        windows.before_writing(to_write)
        await to_write.wait()

    windows.before_reading(read)
    await asyncio.wait_for(reads(), PATIENCE)


@pytest.mark.parametrize(
    ("clock", "ends"),
    [
        # The window's number when it is opened, when its end is noticed, and so on.
        ([100.0, 101.0, 101.0, 102.0], 2),
        ([100.0, 101.7, 101.7, 103.7], 2),  # always late: the one between them has ended
        ([100.0, 102.1], 1),
        ([101.0, 102.7], 1),
        ([101.0, 101.99], 1),  # early: timers count milliseconds
        ([100.6, 102.0], 1),
    ],
)
async def test_who_waits_for_every_second_window_waits_for_those_of_an_even_number(
    monkeypatch: pytest.MonkeyPatch, clock: list[float], ends: int
) -> None:
    monkeypatch.setattr(windows_, "WINDOW", 0.001)
    moments = iter(clock)
    now = SimpleNamespace(monotonic=lambda: next(moments) * windows_.WINDOW)
    monkeypatch.setattr(windows_, "time", now)
    windows, second, noticed = Windows(), asyncio.Event(), 0

    async def every_end() -> None:
        nonlocal noticed
        every(1)
        while True:
            ended = asyncio.Event()
            windows.before_reading(ended)
            await ended.wait()
            noticed += 1

    async def every_second_end() -> None:
        every(2)
        windows.before_writing(second)
        await second.wait()

    counts = asyncio.create_task(every_end())
    await asyncio.wait_for(every_second_end(), PATIENCE)
    counts.cancel()
    assert noticed == ends and not [*moments]
