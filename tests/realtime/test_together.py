"""What many sockets ask at the same moment is asked once, in one turn of a thread."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from console.live.together import Together

# The threads that answer close what they find broken.
pytestmark = pytest.mark.django_db


def test_who_asks_the_same_at_the_same_moment_shares_an_answer_and_none_is_remembered() -> None:
    asked: list[str] = []
    threads: list[int] = []

    def find(who: str) -> str:
        asked.append(who)
        threads.append(threading.get_ident())
        if who == "gone":
            raise LookupError(who)
        return f"for {who}"

    async def all_of_them() -> list[Any]:
        together = Together()
        everybody = ["alice", "bob", "gone", "alice", "bob", "gone", "alice"]
        asking = [
            asyncio.create_task(together.ask(who, lambda who=who: find(who))) for who in everybody
        ]
        await asyncio.sleep(0)
        asking.pop().cancel()  # who leaves takes no answer from the others
        first = await asyncio.gather(*asking, return_exceptions=True)
        return [*first, await together.ask("alice", lambda: find("alice"))]

    alice, bob, gone, *same, later = asyncio.run(all_of_them())
    assert (alice, bob, str(gone)) == ("for alice", "for bob", "gone")
    assert same == [alice, bob, gone] and later == alice
    assert asked == ["alice", "bob", "gone", "alice"]
    assert threading.get_ident() not in threads


def test_an_answer_that_was_asked_for_before_is_nobody_elses() -> None:
    """Who asks while a question is on its way may be told something else by then."""
    begun, told = threading.Event(), threading.Event()
    answers = iter(["yes", "no"])

    def find() -> str:
        answer = next(answers)
        begun.set()
        told.wait(30)
        return answer

    async def two() -> list[str]:
        together = Together()
        first = asyncio.create_task(together.ask("alice", find))
        await asyncio.to_thread(begun.wait, 30)
        second = asyncio.create_task(together.ask("alice", find))
        await asyncio.sleep(0)
        told.set()
        return [await first, await second]

    assert asyncio.run(two()) == ["yes", "no"]
