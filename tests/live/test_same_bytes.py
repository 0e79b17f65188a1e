"""However somebody watches, they are shown the same bytes: while an answer is written, at its end,
and as the page has them when it is read again."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.live.conftest import PASSWORD
from tests.live.member import Member, View, received
from tests.prose import words
from tests.stack import Stack
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

PLACES = ("seat-0", "seat-1", "fused")
HELD = "Hereitisheld"  # the last word before everything is held for a while
PATIENCE = 240.0
# After how long without its frames a line is let go, the first time and each time after: a busy
# machine may take long to say its first word.
LET_GO, LONGER = 2.0, 1.3

ROWS = "".join(f"| Thing {n} | {n * 3} | because of *{n}* |\n" for n in range(40))
LINES = "".join(f"    value_{n} = compute(previous[{n}])  # <{n}> & more\n" for n in range(60))

# What stands before the word and after it.
TEXTS = {
    "paragraphs, lists and headings": (
        f"# Title\n\n{words(30)}\n\n- one\n- two\n\n> said\n\n1. first\n",
        f"\n2. second\n\n## Again\n\n{words(30, of='more')}\n\nSee [it].\n\n[it]: https://x.example/\n",
    ),
    "a long table": (
        f"| a | b | c |\n|---|---|---|\n{ROWS}| ",
        f" | 1 | 2 |\n{ROWS}\nThat is all.\n",
    ),
    "a long block of code": (f"So:\n\n```python\n{LINES}    ", f"\n{LINES}```\n\nThat is all.\n"),
    "an endless line": (words(900), words(900, of="more")),
    "characters of two units": (
        f"| 😀 | 𝒳 |\n|---|---|\n{ROWS.replace('Thing', '😀 é')}| ",
        f" | 😀 |\n\n{words(40, of='😀')}\n",
    ),
    "what runs the other way, and formulas": (
        f"مرحبا بكم\n\n\\( x^2 \\) and\n\n$$\na = b\n$$\n\nمرحبا {words(10, of='م')}",
        "\n\n$$\nb\n= c\n$$\n\n**重要：**这\n",
    ),
}


@pytest.fixture(scope="module")
def alice(patient: Stack) -> Iterator[Member]:
    with Member(patient, "alice", PASSWORD) as alice:
        yield alice


@dataclass
class Viewer:
    """A page: what it shows, how far it is, and what it showed when all was held."""

    member: Member
    run: str
    view: View = field(default_factory=View)
    position: str = ""
    looks_at: tuple[str, ...] = PLACES[:2]
    held: dict[str, str] = field(default_factory=dict)
    has_held: asyncio.Event = field(default_factory=asyncio.Event)

    def socket(self) -> connect:
        cookies = "; ".join(f"{k}={v}" for k, v in self.member.http.cookies.items())
        url = f"ws://127.0.0.1:{self.member.stack.port}/ws/runs/{self.run}?after={self.position}&can=keep"
        origin = self.member.stack.url
        headers = {"Cookie": cookies}
        return connect(url, additional_headers=headers, origin=origin, open_timeout=60)  # type: ignore[arg-type]

    def take(self, frame: dict[str, object]) -> None:
        self.view.apply(frame)
        watch = frame.get("watch") or self.position.partition("-")[0]
        if "at" in frame:
            self.position = f"{watch}-{frame['at']}"
        panel = {place: self.view.html(place) for place in self.looks_at}
        if not self.held and all(HELD in html for html in panel.values()):
            self.held = panel
            self.has_held.set()

    async def read(self, line: ClientConnection) -> None:
        self.take(await received(line))

    async def acknowledge(self, line: ClientConnection) -> None:
        step = self.position.partition("-")[2]
        await line.send(json.dumps({"ack": int(step)}))

    def forget(self) -> None:
        """As a page does that is loaded anew."""
        self.view, self.position = View(), ""


async def stays(viewer: Viewer) -> None:
    async with viewer.socket() as line:
        while not viewer.view.ended:
            await viewer.read(line)
            with contextlib.suppress(Exception):
                await viewer.acknowledge(line)


async def comes_late(viewer: Viewer) -> None:
    """When everything that is held has been written."""
    while (await asyncio.to_thread(viewer.member.page, viewer.run)).html.count(HELD) < 2:  # noqa: ASYNC110, of another process
        await asyncio.sleep(0.2)
    await stays(viewer)


async def _comes_again(viewer: Viewer, frames: int, before: Callable[[], None]) -> None:
    for turn in itertools.count():
        if viewer.view.ended:
            return
        before()
        with contextlib.suppress(TimeoutError, OSError, ConnectionClosed, InvalidHandshake):
            async with viewer.socket() as line, asyncio.timeout(LET_GO * LONGER**turn):
                for _ in range(frames):
                    await viewer.read(line)
                    if viewer.view.ended:
                        return
                    await viewer.acknowledge(line)


async def reloads(viewer: Viewer) -> None:
    await _comes_again(viewer, 3, viewer.forget)


async def sleeps(viewer: Viewer) -> None:
    """Its line is cut after every other frame, and it goes on from there."""
    await _comes_again(viewer, 2, lambda: None)


async def reads_slowly(viewer: Viewer) -> None:
    async with viewer.socket() as line:
        while not viewer.view.ended:
            await viewer.read(line)
            await asyncio.sleep(0.3)
            with contextlib.suppress(Exception):
                await viewer.acknowledge(line)


async def hides_and_shows(viewer: Viewer) -> None:
    """One column, none, all, and again."""

    async def wishes() -> None:
        for want in itertools.cycle((["seat-1", "fused"], [], None)):
            await line.send(json.dumps({"want": want}))
            await asyncio.sleep(0.3)

    async with viewer.socket() as line:
        wishing = asyncio.create_task(wishes())
        try:
            while not viewer.view.ended:
                await viewer.read(line)
                with contextlib.suppress(Exception):
                    await viewer.acknowledge(line)
        finally:
            wishing.cancel()


async def hides_and_sleeps(viewer: Viewer) -> None:
    """Nobody remembers where its hidden column was left, so it asks without a position."""
    for turn, want in enumerate(itertools.cycle((["seat-1", "fused"], None))):
        if viewer.view.ended:
            return
        viewer.position = ""
        with contextlib.suppress(TimeoutError, OSError, ConnectionClosed, InvalidHandshake):
            async with viewer.socket() as line, asyncio.timeout(LET_GO * LONGER**turn):
                await line.send(json.dumps({"want": want}))
                for _ in range(4):
                    await viewer.read(line)
                    await viewer.acknowledge(line)


async def _asks(viewer: Viewer, *wants: str | None) -> None:
    wanted: str | None = None
    cookies = dict(viewer.member.http.cookies)
    async with httpx.AsyncClient(
        base_url=viewer.member.stack.url, cookies=cookies, timeout=60
    ) as http:
        for want in itertools.cycle(wants):
            if viewer.view.ended:
                return
            if want != wanted:  # as with a socket
                wanted, viewer.position = want, ""
            query = {"after": viewer.position} | ({} if want is None else {"want": want})
            answer = await http.get(f"/fusion/runs/{viewer.run}/frames", params=query)
            assert answer.status_code == 200, answer.text[:500]
            viewer.take(answer.json())
            await asyncio.sleep(0.1)


async def has_no_socket(viewer: Viewer) -> None:
    await _asks(viewer, None)


async def has_no_socket_and_hides(viewer: Viewer) -> None:
    await _asks(viewer, "seat-0", "seat-0", "", None, None)


async def has_no_socket_and_one_column(viewer: Viewer) -> None:
    """It is sent the other at the end."""
    viewer.looks_at = ("seat-1",)
    await _asks(viewer, "seat-1,fused")


HABITS: list[Callable[[Viewer], Coroutine[None, None, None]]] = [
    *(stays, comes_late, reloads, sleeps, reads_slowly),
    *(hides_and_shows, hides_and_sleeps),
    *(has_no_socket, has_no_socket_and_hides, has_no_socket_and_one_column),
]


@pytest.mark.parametrize("kind", TEXTS)
async def test_whoever_watches_is_shown_the_same_bytes(
    alice: Member, upstream: Upstream, kind: str
) -> None:
    before, after = TEXTS[kind]
    first = re.findall(r"\s*\S+|\s+", before)
    deltas = [*first, HELD, *re.findall(r"\s*\S+|\s+", after)]
    held = Script(deltas=deltas, tokens_per_second=400, hold_after=len(first) + 1)
    upstream.script("held", held)
    upstream.script("pen", Script(deltas=deltas, tokens_per_second=400))
    upstream.hold(everything=False)
    run = alice.ask("held", "held", judge="pen")
    viewers = {habit.__name__: Viewer(alice, run) for habit in HABITS}
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        for habit, viewer in zip(HABITS, viewers.values(), strict=True):
            group.create_task(habit(viewer))
        await asyncio.gather(*(viewer.has_held.wait() for viewer in viewers.values()))
        upstream.release()
    html = alice.page(run).html
    for name, viewer in viewers.items():
        assert viewer.held.items() <= viewers["stays"].held.items(), name
        assert viewer.view.status == "completed", name
        assert _fragments(viewer) == _fragments(viewers["stays"]), name
        assert viewer.view.figures == viewers["stays"].view.figures, name
        for place in PLACES:
            assert viewer.view.html(place) == _of_the_page(html, place), f"{name}, {place}"
    for place in PLACES:
        assert HELD in viewers["stays"].view.html(place)


def _fragments(viewer: Viewer) -> dict[str, str]:
    """At the end. What could be done before goes from the page with it."""
    return {name: html for name, html in viewer.view.fragments.items() if name != "fuse-now"}


def _of_the_page(html: str, place: str) -> str:
    found = re.search(
        rf'data-text="{place}"><div data-final>(.*?)</div><div data-block></div></div>',
        html,
        re.DOTALL,
    )
    assert found, place
    return found[1]
