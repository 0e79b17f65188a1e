"""Who is let through to the pages' threads, in which order, and what the others are told."""

from __future__ import annotations

import asyncio
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils.safestring import SafeString

from console.api.http.disconnect import begun
from console.fragments.renderings import Renderings
from console.pages import gate
from console.pages.gate import AT_ONCE, BEGINNINGS, Gate
from console.site import page_place

PAGES = [
    "/",
    "/fusion",
    "/fusion/runs",
    "/fusion/runs/0b9c6a55-4f8e-4b57-9a52-1d9a6f3f7a11",
    "/fusion/shared/framesframes",
    "/fusion/keys",
    "/admin/console/run/",
    "/sign-in",
    "/healthz/and/more",
    "/staticky",
    "/v12",
]
PAST = [
    ("GET", "/static/console/app.123.css"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/robots.txt"),
    ("GET", "/fusion/runs/0b9c6a55-4f8e-4b57-9a52-1d9a6f3f7a11/frames"),
    ("GET", "/fusion/shared/token/frames"),
    ("GET", "/v1/runs"),
    ("GET", "/v1/runs/0b9c6a55-4f8e-4b57-9a52-1d9a6f3f7a11/events"),
    ("GET", "/v1"),
    ("POST", "/sign-in"),
    ("POST", "/password"),
    ("POST", "/claim/token"),
]


class Pages:
    """They go on until they are let end."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.going_on = self.most = 0
        self.may_end, self.four_have_begun = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.begun.append(scope["path"])
        if len(self.begun) == 4:
            self.four_have_begun.set()
        self.going_on += 1
        self.most = max(self.most, self.going_on)
        try:
            await self.may_end.wait()
            if scope["path"].endswith("broken"):
                raise ZeroDivisionError
        finally:
            self.going_on -= 1


class Asked:
    def __init__(
        self,
        asked: Gate,
        path: str,
        method: str = "GET",
        accept: bytes = b"",
        address: str = "",
        cookie: str = "sessionid=somebodys",
        **headers: str,
    ) -> None:
        self.sent: list[dict[str, Any]] = []
        headers["cookie"] = cookie
        given = [(b"accept", accept), *((k.encode(), v.encode()) for k, v in headers.items())]
        scope = {"type": "http", "method": method, "path": path, "headers": given}
        scope["client"] = (address, 1)
        self.task = asyncio.ensure_future(asked(scope, None, self._send))

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.parametrize("path", PAGES)
async def test_no_more_than_two_pages_are_made_at_once_and_all_in_their_order(path: str) -> None:
    pages = Pages()
    through = Gate(pages)
    asked = [Asked(through, path if n == 3 else f"/fusion/{n}") for n in range(6)]
    await settle()
    assert pages.begun == ["/fusion/0", "/fusion/1"]
    pages.may_end.set()
    await asyncio.gather(*(one.task for one in asked))
    assert len(pages.begun) == 6 and pages.begun[3] == path
    assert pages.most == AT_ONCE


async def test_who_asks_for_much_at_once_keeps_others_waiting_for_a_turn_or_two() -> None:
    pages = Pages()
    through = Gate(pages)
    much = [Asked(through, f"/fusion/{n}", cookie="sessionid=mallory") for n in range(20)]
    many = [Asked(through, f"/fusion/shared/{n}", cookie="") for n in range(20)]
    bobs = Asked(through, "/fusion/bobs", cookie="theme=dark; sessionid=bob")
    elsewhere = Asked(through, "/fusion/elsewhere", address="198.51.100.7")
    await settle()
    pages.may_end.set()
    await asyncio.gather(*(one.task for one in [*much, *many, bobs, elsewhere]))
    # By turns of two addresses, of whom the first has three who ask.
    expected = ["2", "elsewhere", "shared/0", "bobs", "3"]
    assert pages.begun[AT_ONCE:][:5] == [f"/fusion/{page}" for page in expected]


async def test_who_comes_without_a_session_never_has_all_places() -> None:
    pages = Pages()
    through = Gate(pages)
    readers = [
        Asked(through, f"/fusion/shared/{n}", cookie="theme=dark", address=f"198.51.100.{n}")
        for n in range(20)
    ]
    await settle()
    assert pages.begun == ["/fusion/shared/0"]
    bobs = Asked(through, "/fusion/bobs")
    await settle()
    assert pages.begun == ["/fusion/shared/0", "/fusion/bobs"]
    for one in readers[5:10]:
        one.task.cancel()
    readers[1].task.cancel()  # whose turn among them is next, and waits for a place
    pages.may_end.set()
    await asyncio.gather(bobs.task, *(one.task for one in readers), return_exceptions=True)
    assert pages.begun[2:] == [f"/fusion/shared/{n}" for n in (*range(2, 5), *range(10, 20))]
    assert pages.most == AT_ONCE


async def test_who_comes_without_a_session_takes_half_of_the_time_at_most() -> None:
    began, ended = [], []

    async def page(scope: dict[str, Any], receive: Any, send: Any) -> None:
        began.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0.05)
        ended.append(asyncio.get_running_loop().time())

    through = Gate(page)
    await asyncio.gather(*(Asked(through, "/fusion/shared/x", cookie="").task for _ in range(3)))
    for n in range(2):
        took = ended[n] - began[n]
        assert began[n + 1] - ended[n] > min(took, gate.RESTS_AT_MOST) * 0.9


async def test_a_network_of_ipv6_is_one_address() -> None:
    pages = Pages()
    through = Gate(pages)
    much = [Asked(through, f"/fusion/{n}", address=f"2001:db8::{n:x}") for n in range(20)]
    other = Asked(through, "/fusion/other", address="198.51.100.7")
    await settle()
    pages.may_end.set()
    await asyncio.gather(*(one.task for one in [*much, other]))
    assert pages.begun.index("/fusion/other") == AT_ONCE + 1


async def test_so_it_is_of_programs_by_their_tokens() -> None:
    begun: list[str] = []

    async def begins(scope: dict[str, Any], receive: Any, send: Any) -> None:
        begun.append(dict(scope["headers"])[b"authorization"].decode())
        await settle()

    through = Gate(begins)
    many = [Asked(through, BEGINNINGS[0], "POST", authorization="Bearer one") for _ in range(20)]
    other = Asked(through, BEGINNINGS[1], "POST", authorization="Bearer other")
    await asyncio.gather(*(one.task for one in [*many, other]))
    assert begun.index("Bearer other") <= 2


@pytest.mark.parametrize(("method", "path"), PAST)
async def test_what_is_no_page_goes_past_and_holds_no_place(method: str, path: str) -> None:
    pages = Pages()
    through = Gate(pages)
    held = [Asked(through, "/fusion") for _ in range(AT_ONCE)]
    past = [Asked(through, path, method) for _ in range(5)]
    await settle()
    assert pages.begun.count(path) == 5
    pages.may_end.set()
    await asyncio.gather(*(one.task for one in [*held, *past]))

    pages.may_end.clear()
    past = [Asked(through, path, method) for _ in range(5)]
    page = Asked(through, "/fusion")
    await settle()
    assert pages.begun[-1] == "/fusion"
    pages.may_end.set()
    await asyncio.gather(page.task, *(one.task for one in past))


@pytest.mark.parametrize(
    ("accept", "method", "body"),
    [(b"text/html,*/*", "GET", True), (b"*/*", "POST", True), (b"text/html", "HEAD", False)],
)
async def test_who_waits_too_long_is_told_when_to_come_again(
    monkeypatch: pytest.MonkeyPatch, accept: bytes, method: str, body: bool
) -> None:
    monkeypatch.setattr(gate, "PATIENCE", 0.01)
    pages = Pages()
    through = Gate(pages)
    held = [Asked(through, "/fusion") for _ in range(AT_ONCE)]
    await settle()
    refused = Asked(through, "/fusion/runs", method, accept)
    await refused.task
    start, rest = refused.sent
    headers = dict(start["headers"])
    assert start["status"] == 503 and int(headers[b"retry-after"]) > 0
    assert headers[b"cache-control"] == b"no-store" and b"content-security-policy" in headers
    assert (b"did not get its turn" in rest["body"]) == body
    assert (b"<html" in rest["body"]) == (body and b"html" in accept)
    # Who has gone away unserved holds no place.
    pages.may_end.set()
    await asyncio.gather(*(one.task for one in held))
    await asyncio.gather(*(Asked(through, "/fusion").task for _ in range(2 * AT_ONCE)))


async def test_a_page_that_waits_for_somebody_else_lets_the_next_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate, "HELD_AT_MOST", 0.01)
    pages = Pages()
    through = Gate(pages)
    asked = [Asked(through, f"/fusion/{n}") for n in range(2 * AT_ONCE)]
    async with asyncio.timeout(60):
        await pages.four_have_begun.wait()
    pages.may_end.set()
    await asyncio.gather(*(one.task for one in asked))
    # Each has given back one place, not two.
    monkeypatch.setattr(gate, "HELD_AT_MOST", 60)
    pages.may_end.clear()
    asked = [Asked(through, f"/fusion/{n}") for n in range(2 * AT_ONCE)]
    await settle()
    assert pages.going_on == AT_ONCE
    pages.may_end.set()
    await asyncio.gather(*(one.task for one in asked))


async def test_who_waits_for_a_rendering_that_another_page_makes_lets_the_next_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate, "HELD_AT_MOST", 60)
    begun, may_end = threading.Event(), threading.Event()

    def make(text: str, **_: Any) -> SafeString:
        begun.set()
        assert may_end.wait(60)
        return SafeString(text)

    rendered = Renderings(make)
    ended: list[str] = []

    async def page(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["path"] != "/fusion/other":
            await asyncio.to_thread(rendered, "the worst text")
        ended.append(scope["path"])

    through = Gate(page)
    makes = Asked(through, "/fusion/makes")
    await asyncio.to_thread(begun.wait, 60)
    waiting = [Asked(through, f"/fusion/waits-{n}") for n in range(5)]
    async with asyncio.timeout(60):
        await Asked(through, "/fusion/other").task
    assert ended == ["/fusion/other"]
    may_end.set()
    await asyncio.gather(makes.task, *(one.task for one in waiting))
    assert len(ended) == 7


@pytest.mark.parametrize("path", BEGINNINGS)
async def test_programs_runs_begin_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(gate, "BEGINS_WITHIN", 60)
    begun: asyncio.Queue[asyncio.Event] = asyncio.Queue()
    may_end = asyncio.Event()

    async def begins(scope: dict[str, Any], receive: Any, send: Any) -> None:
        has_begun = asyncio.Event()
        begun.put_nowait(has_begun)
        await has_begun.wait()
        await asyncio.to_thread(page_place.leave)
        await may_end.wait()

    through = Gate(begins)
    asked = [Asked(through, path, "POST") for _ in range(4)]
    await settle()
    asked[1].task.cancel()
    async with asyncio.timeout(60):
        for _ in range(3):
            has_begun = await begun.get()
            await settle()
            assert begun.empty()
            has_begun.set()
        may_end.set()
        await asyncio.gather(asked[0].task, *(one.task for one in asked[2:]))

        # One that takes long lets the next one in.
        monkeypatch.setattr(gate, "BEGINS_WITHIN", 0.01)
        asked = [Asked(through, path, "POST") for _ in range(2)]
        for has_begun in [await begun.get(), await begun.get()]:
            has_begun.set()
        await asyncio.gather(*(one.task for one in asked))


@pytest.mark.django_db
async def test_what_a_program_began_gives_its_place_back_before_it_is_waited_for() -> None:
    given_back: list[bool] = []
    call: Any = SimpleNamespace(started=[])
    page_place.begins(lambda: given_back.append(True))
    assert await begun(call, lambda call: len(given_back)) == 0 and given_back
    given_back.clear()
    with pytest.raises(ZeroDivisionError):
        await begun(call, lambda call: 1 // len(call.started))
    assert given_back


async def test_a_page_that_breaks_or_is_left_gives_its_place_back() -> None:
    pages = Pages()
    through = Gate(pages)
    left, broken = Asked(through, "/fusion/left"), Asked(through, "/fusion/broken")
    waiting = Asked(through, "/fusion/waiting")
    await settle()
    left.task.cancel()
    await settle()
    assert pages.begun[-1] == "/fusion/waiting"
    given_up, last = Asked(through, "/fusion/given-up"), Asked(through, "/fusion/last")
    await settle()
    given_up.task.cancel()
    pages.may_end.set()
    with pytest.raises(ZeroDivisionError):
        await broken.task
    await asyncio.gather(waiting.task, last.task)
    assert pages.begun[-1] == "/fusion/last" and "/fusion/given-up" not in pages.begun
