"""Sockets beyond what a person, an address or a process may have: told why, let in later."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from console.live.places import TOO_MANY
from tests.door import Door
from tests.live.member import Member, received
from tests.prose import words
from tests.stack import PATIENCE, Stack
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.live

A_PERSON, AN_ADDRESS, A_PROCESS = 2, 4, 6


@pytest.fixture(scope="module")
def small(stack: Stack) -> Iterator[int]:
    """The port of a web server of the stack that has few places, behind a proxy of ours."""
    limits = {
        "FUSION_SOCKETS_PER_PERSON": str(A_PERSON),
        "FUSION_SOCKETS_PER_ADDRESS": str(AN_ADDRESS),
        "FUSION_SOCKETS_PER_PROCESS": str(A_PROCESS),
        "FUSION_TRUSTED_PROXIES": "127.0.0.1",
    }
    with Door() as door:
        stack.serve("small", door, "-m", "fusion_site.web", **limits)
        url = f"http://127.0.0.1:{door.port}/healthz"
        assert httpx.get(url, timeout=PATIENCE).status_code == 200
        yield door.port
        stack.kill("small")


@pytest.fixture
def run_id(alice: Member, upstream: Upstream) -> Iterator[str]:
    """One that goes on for as long as this test takes."""
    upstream.script("slow", Script(text=words(6000), tokens_per_second=10))
    run_id = alice.ask("slow")
    yield run_id
    alice.post(f"/fusion/runs/{run_id}/cancel", {}, f"/fusion/runs/{run_id}")


class Sockets:
    """Of one server; all that are open are closed in the end."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.open: list[ClientConnection] = []

    async def more(self, path: str, address: str, member: Member | None = None) -> str:
        """ "" where it was let in, and else what it was told."""
        headers = {"X-Forwarded-For": address}
        if member:
            headers["Cookie"] = f"sessionid={member.http.cookies['sessionid']}"
        origin = f"http://127.0.0.1:{self.port}"
        socket = await connect(
            f"ws://127.0.0.1:{self.port}{path}",
            additional_headers=headers,
            origin=origin,  # type: ignore[arg-type]
            open_timeout=PATIENCE,
        )
        frame = await received(socket)
        if "every two seconds instead" not in json.dumps(frame):
            self.open.append(socket)
            return ""
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == TOO_MANY
        assert list(frame["fragments"]) == ["run-asking"]
        return str(frame["fragments"]["run-asking"])


@contextlib.asynccontextmanager
async def sockets(port: int) -> AsyncIterator[Sockets]:
    all_of_them = Sockets(port)
    try:
        yield all_of_them
    finally:
        await asyncio.gather(*(socket.close() for socket in all_of_them.open))


async def test_a_person_has_places_wherever_they_ask_from_and_another_has_their_own(
    small: int, alice: Member, bob: Member, run_id: str
) -> None:
    alice.post(f"/fusion/runs/{run_id}/share", {"visibility": "team"}, f"/fusion/runs/{run_id}")
    path = f"/ws/runs/{run_id}"
    async with sockets(small) as all_of_them:
        for n in range(A_PERSON):
            assert not await all_of_them.more(path, f"192.0.2.{n}", alice)
        refused = await all_of_them.more(path, "192.0.2.99", alice)
        assert "Too many of your pages" in refused
        assert not await all_of_them.more(path, "192.0.2.1", bob)
        await all_of_them.open.pop(0).close()
        await until_let_in(all_of_them, path, "192.0.2.99", alice)


async def test_an_address_has_places_and_all_of_them_together_have(
    small: int, alice: Member, run_id: str
) -> None:
    page = f"/fusion/runs/{run_id}"
    made = alice.post(f"{page}/share", {"visibility": "link"}, page)
    [token] = set(re.findall(r"/fusion/shared/([\w-]+)", made.text))
    path = f"/ws/shared/{token}"
    async with sockets(small) as all_of_them:
        for _ in range(AN_ADDRESS):
            await until_let_in(all_of_them, path, "192.0.2.1")
        assert "from your address" in await all_of_them.more(path, "192.0.2.1")
        for n in range(2, 2 + A_PROCESS - AN_ADDRESS):
            assert not await all_of_them.more(path, f"192.0.2.{n}")
        assert "than can be served" in await all_of_them.more(path, "192.0.2.77", alice)
        for socket in all_of_them.open:
            assert socket.close_code is None, "who was there stays"


async def until_let_in(
    all_of_them: Sockets, path: str, address: str, member: Member | None = None
) -> None:
    """As soon as the server has noticed that others have left."""
    async with asyncio.timeout(PATIENCE):
        while await all_of_them.more(path, address, member):
            pass
