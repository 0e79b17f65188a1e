"""What holds for a site holds over both of its web processes, also where one of them is killed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator

import httpx
import pytest
from websockets.asyncio.client import connect

from tests.live.conftest import A_PERSON
from tests.live.member import Member, View
from tests.live.test_asking_for_frames import Asking
from tests.live.test_places_of_sockets import Sockets, sockets
from tests.prose import words
from tests.stack import PATIENCE, Stack, until
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.live


@pytest.fixture
def run_id(alice: Member, upstream: Upstream) -> Iterator[str]:
    """One that goes on for as long as this test takes."""
    upstream.script("slow", Script(text=words(6000), tokens_per_second=10))
    run_id = alice.ask("slow")
    yield run_id
    alice.post(f"/fusion/runs/{run_id}/cancel", {}, f"/fusion/runs/{run_id}")


async def test_a_persons_sockets_are_counted_over_both(
    both: tuple[int, int], alice: Member, run_id: str
) -> None:
    path = f"/ws/runs/{run_id}"
    async with sockets(both[0]) as here, sockets(both[1]) as there:
        for number in range(A_PERSON):
            side = (here, there)[number % 2]
            assert not await side.more(path, "192.0.2.1", alice)
        for side in (here, there):
            assert "Too many of your pages" in await side.more(path, "192.0.2.1", alice)
        await there.open.pop().close()
        await let_in(here, path, alice)


async def test_what_a_killed_process_had_open_is_forgotten(
    both: tuple[int, int], stack: Stack, alice: Member, run_id: str
) -> None:
    path = f"/ws/runs/{run_id}"
    async with sockets(both[0]) as here, sockets(both[1]) as there:
        for _ in range(A_PERSON):
            assert not await here.more(path, "192.0.2.1", alice)
        assert "Too many of your pages" in await there.more(path, "192.0.2.1", alice)
        stack.kill("one")
        await let_in(there, path, alice)


async def test_while_redis_is_away_each_lets_in_its_share(
    both: tuple[int, int], stack: Stack, alice: Member, run_id: str
) -> None:
    path = f"/ws/runs/{run_id}"
    stack.valkey.hang()
    try:
        async with sockets(both[0]) as here, sockets(both[1]) as there:
            for side in (here, there):
                for _ in range(A_PERSON // 2):
                    assert not await side.more(path, "192.0.2.1", alice)
                assert "Too many of your pages" in await side.more(path, "192.0.2.1", alice)
            stack.valkey.wake()
            # They tell it what they have: together that is all there may be.
            await refused(here, path, alice)
    finally:
        stack.valkey.wake()


async def test_a_run_that_is_watched_through_both_is_the_same(
    both: tuple[int, int], alice: Member, upstream: Upstream
) -> None:
    upstream.script("writes", Script(text=words(150), tokens_per_second=60))
    run = alice.ask("writes", "good")
    views = View(), View()

    async def watch(view: View, port: int) -> None:
        async with at(port, run, alice) as socket:
            await view.follow(socket)

    await asyncio.gather(*(watch(v, p) for v, p in zip(views, both, strict=True)))
    one, other = views
    assert one.status == other.status == "completed"
    for place in ("seat-0", "seat-1", "fused"):
        assert one.html(place) == other.html(place) != "", place
    assert one.fragments == other.fragments
    assert one.figures == other.figures
    page = alice.page(run)
    assert one.text("seat-0").split() == page.texts["seat-0"].split()


async def test_a_viewer_who_comes_back_to_the_other_is_shown_everything_right(
    both: tuple[int, int], alice: Member, upstream: Upstream
) -> None:
    upstream.script("waits", Script(text="Hello there world", hold_after=1))
    upstream.hold(everything=False)
    run = alice.ask("waits", "good")
    view = View()
    async with at(both[0], run, alice) as socket:
        await view.follow(socket, until=lambda v: "Hello" in v.text("seat-0"))
    upstream.release()
    async with at(both[1], run, alice, after=f"{view.watch}-{view.step}") as socket:
        await view.follow(socket)
    page = alice.page(run)
    assert view.status == page.status == "completed"
    for place in ("seat-0", "seat-1", "fused"):
        assert view.text(place).split() == page.texts[place].split(), place


def test_who_asks_now_one_and_now_the_other_sees_everything_right(
    both: tuple[int, int], alice: Member, upstream: Upstream
) -> None:
    upstream.script("writes", Script(text=words(120), tokens_per_second=80))
    run = alice.ask("writes", "good")
    cookies = {"sessionid": alice.http.cookies["sessionid"]}
    with contextlib.ExitStack() as stack:
        sides = [
            stack.enter_context(
                httpx.Client(base_url=f"http://127.0.0.1:{p}", cookies=cookies, timeout=PATIENCE)
            )
            for p in both
        ]
        asking = Asking(sides[0], f"/fusion/runs/{run}/frames")

        def asked() -> bool:
            sides.reverse()
            asking._http = sides[0]
            return bool(asking.ask().get("end"))

        until(asked, 90, every=0.3)
    page = alice.page(run)
    assert asking.view.status == page.status == "completed"
    for place in ("seat-0", "seat-1", "fused"):
        assert asking.view.text(place).split() == page.texts[place].split(), place


def at(port: int, run: str, member: Member, after: str = "") -> connect:
    return connect(
        f"ws://127.0.0.1:{port}/ws/runs/{run}?after={after}",
        additional_headers={"Cookie": f"sessionid={member.http.cookies['sessionid']}"},
        origin=f"http://127.0.0.1:{port}",  # type: ignore[arg-type]
        open_timeout=PATIENCE,
    )


async def let_in(side: Sockets, path: str, member: Member) -> None:
    async with asyncio.timeout(PATIENCE):
        while await side.more(path, "192.0.2.1", member):
            pass


async def refused(side: Sockets, path: str, member: Member) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await side.more(path, "192.0.2.1", member):
            await side.open.pop().close()
