"""Few places, by turns: first of addresses, then of who asks there."""

from __future__ import annotations

import asyncio

import pytest

from console.site.fair_places import FairPlaces, Visitor


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


class Waiting:
    """Who waits for one place, and in which order they had it; each gives it back at once."""

    def __init__(self) -> None:
        self.places = FairPlaces(1)
        self.order: list[str] = []
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def add(self, *askers: str) -> None:
        for number, asker in enumerate(askers, len(self.tasks)):
            self.tasks[f"{asker} {number}"] = asyncio.ensure_future(self._one(asker))
        await settle()

    async def _one(self, asker: str) -> None:
        await self.places.acquire(Visitor(*asker.split("/")))
        self.order.append(asker)
        self.places.release()

    async def all_have_it(self) -> list[str]:
        self.places.release()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)
        return self.order


@pytest.fixture
async def waiting() -> Waiting:
    one = Waiting()
    await one.places.acquire(Visitor("", ""))
    return one


async def test_one_who_asks_has_their_turns_in_order(waiting: Waiting) -> None:
    await waiting.add("here/a", "here/a", "here/a")
    assert await waiting.all_have_it() == ["here/a"] * 3


async def test_who_asks_for_more_waits_for_who_asks_for_less(waiting: Waiting) -> None:
    await waiting.add("here/a", "here/a", "here/a", "here/b", "here/c")
    assert await waiting.all_have_it() == ["here/a", "here/b", "here/c", "here/a", "here/a"]


async def test_many_names_at_one_address_are_one_turn_of_addresses(waiting: Waiting) -> None:
    await waiting.add(*(f"here/{n}" for n in range(50)), "there/x", "there/y")
    assert [asker for asker in await waiting.all_have_it() if "there" in asker]
    assert waiting.order.index("there/x") == 1 and waiting.order.index("there/y") == 3


async def test_who_goes_away_takes_no_turn_and_keeps_no_place(waiting: Waiting) -> None:
    await waiting.add("here/a", "here/b", "there/c")
    for task in list(waiting.tasks.values())[:2]:
        task.cancel()
    await settle()
    assert await waiting.all_have_it() == ["there/c"]
    async with asyncio.timeout(5):
        await waiting.places.acquire(Visitor("", ""))  # it is free again


async def test_who_goes_away_takes_no_turn_of_who_stays(waiting: Waiting) -> None:
    await waiting.add(*["here/a"] * 11, "there/b", "there/b", "elsewhere/c")
    for task in list(waiting.tasks.values())[:10]:
        task.cancel()
    await settle()
    assert await waiting.all_have_it() == ["here/a", "there/b", "elsewhere/c", "there/b"]


async def test_who_goes_away_as_a_place_becomes_free_leaves_it_to_the_next(
    waiting: Waiting,
) -> None:
    await waiting.add("here/a", "here/b")
    next(iter(waiting.tasks.values())).cancel()  # and has not heard of it yet
    waiting.places.release()
    await settle()
    assert waiting.order == ["here/b"]


async def test_who_goes_away_just_as_the_turn_has_come_hands_it_on(waiting: Waiting) -> None:
    await waiting.add("here/a", "here/b")
    waiting.places.release()  # a has it, and does not know yet
    next(iter(waiting.tasks.values())).cancel()
    await settle()
    assert waiting.order == ["here/b"]
    async with asyncio.timeout(5):
        await waiting.places.acquire(Visitor("", ""))


async def test_as_many_as_there_are_places_go_at_once() -> None:
    places = FairPlaces(2)
    for _ in range(2):
        async with asyncio.timeout(5):
            await places.acquire(Visitor("here", "a"))
    third = asyncio.ensure_future(places.acquire(Visitor("here", "a")))
    await settle()
    assert not third.done()
    places.release()
    await third
