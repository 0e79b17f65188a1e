"""A page's socket, as ASGI has it: what it takes from the page, and what that costs."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from autobahn.exception import Disconnected

from console.live import sockets
from console.live.sockets import NOT_UNDERSTOOD, RunSocket
from console.live.watch import Watch, Watches
from console.site.sessions import SessionStore
from tests.console.story import Story
from tests.realtime.test_live_frames import said
from tests.stack import PATIENCE

RUN = uuid.uuid4()


class Line:
    """Between a page and its socket."""

    def __init__(self, *, is_ours: bool = False) -> None:
        self._is_ours = is_ours  # as fusion_site/web_sockets.py has it
        self._listener: Callable[[bytes], bool] = lambda said: False
        self.sent: list[dict[str, Any]] = []
        self._from_the_page: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._come = asyncio.Event()

    async def send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        self._come.set()

    def listen(self, listener: Callable[[bytes], bool]) -> None:
        self._listener = listener

    def say(self, text: str | None) -> None:
        if text is not None and self._listener(text.encode()):
            return
        kind = "disconnect" if text is None else "receive"
        self._from_the_page.put_nowait({"type": f"websocket.{kind}", "text": text})

    async def until(self, there: Callable[[], Any]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not there():
                self._come.clear()
                await self._come.wait()

    @property
    def closed(self) -> list[int]:
        return [m["code"] for m in self.sent if m["type"] == "websocket.close"]

    @property
    def frames(self) -> list[str]:
        return [m["text"] for m in self.sent if m["type"] == "websocket.send"]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[asyncio.Task[None]]:
        self._from_the_page.put_nowait({"type": "websocket.connect"})
        scope: dict[str, Any] = {"query_string": b"", "url_route": {"kwargs": {"run_id": RUN}}}
        if self._is_ours:
            scope["extensions"] = {"fusion.listen": self.listen}
        task = asyncio.create_task(RunSocket.serve(scope, self._from_the_page.get, self.send))
        yield task
        self.say(None)
        async with asyncio.timeout(PATIENCE):
            await task


Watched = Callable[[], Awaitable[Watch]]


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    """Waits for the watch of the socket, which is told by hand what happens in the run."""
    begun: asyncio.Queue[Watch] = asyncio.Queue()

    async def idle(self: Watch) -> None:
        begun.put_nowait(self)
        await asyncio.sleep(60)

    async def allowed(self: RunSocket) -> uuid.UUID:
        return RUN

    monkeypatch.setattr(Watch, "_follow_to_the_end", idle)
    monkeypatch.setattr("console.record.eventlog.connect", lambda: None)
    monkeypatch.setattr("console.live.watch.LINGER", 0)
    monkeypatch.setattr(sockets, "watches", Watches(lambda *_: {}))
    monkeypatch.setattr(RunSocket, "_allowed", allowed)

    async def watched() -> Watch:
        async with asyncio.timeout(PATIENCE):
            return await begun.get()

    return watched


async def shows(watch: Watch, words: int) -> None:
    watch._spec = Story().spec
    await watch._step(said(*["one "] * words), "", {"panel-0-1"} if words > 1 else set())


@pytest.mark.parametrize("is_ours", [False, True])
async def test_an_acknowledgement_is_taken_without_a_thread(
    watched: Watched, monkeypatch: pytest.MonkeyPatch, is_ours: bool
) -> None:
    """A page sends one for every frame."""
    line, handed = Line(is_ours=is_ours), list[Any]()
    async with line.open():
        watch = await watched()
        await shows(watch, 1)
        await line.until(lambda: line.frames)
        loop = asyncio.get_running_loop()
        with monkeypatch.context() as patch:
            patch.setattr(loop, "run_in_executor", lambda *a: handed.append(a))
            for number in range(2, 50):
                line.say(f'{{"ack":{number - 1}}}')
                await shows(watch, number)
                await line.until(lambda n=number: len(line.frames) == n)
    assert not handed


@pytest.mark.parametrize(
    ("message", "codes"),
    [
        ('{"ack":1}', []),
        ('{"want":["seat-0"]}', []),
        ('{"want":null}', []),
        ('{"ack":1,"want":[]}', []),
        ("{}", [NOT_UNDERSTOOD]),
        ("", [NOT_UNDERSTOOD]),
        ("5", [NOT_UNDERSTOOD]),
        ("nonsense", [NOT_UNDERSTOOD]),
        ("[" * 60_000, [NOT_UNDERSTOOD]),
        ('{"ack":[1]}', [NOT_UNDERSTOOD]),
        ('{"want":"seat-0"}', [NOT_UNDERSTOOD]),
    ],
)
async def test_what_is_not_understood_ends_the_socket_once(
    watched: Watched, message: str, codes: list[int]
) -> None:
    line = Line(is_ours=True)
    async with line.open():
        await asyncio.sleep(0)
        line.say(message)
        line.say('{"ack":1}')
    assert line.closed == codes


async def test_a_page_that_goes_leaves_nobody_at_its_run(watched: Watched) -> None:
    line = Line()
    async with line.open():
        watch = await watched()
        assert len(watch.viewers) == 1
    await asyncio.sleep(0)
    assert not watch.viewers and not line.closed


async def test_who_leaves_in_the_middle_of_a_frame_is_no_fault(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    """Between a page's leaving and the message that says so, Daphne refuses what is sent."""

    class Gone(Line):
        async def send(self, message: dict[str, Any]) -> None:
            await super().send(message)
            if message["type"] != "websocket.accept":
                raise Disconnected("Attempt to send on a closed protocol")

    line = Gone()
    async with line.open() as serving:
        watch = await watched()
        await shows(watch, 1)
        await line.until(lambda: line.sent[1:])
        await shows(watch, 2)
    assert serving.exception() is None
    assert [message["type"] for message in line.sent] == ["websocket.accept", "websocket.send"]
    assert not caplog.records


def test_who_opens_a_socket_is_looked_up_again_only_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its session has been read to open it, and may have ended when it is asked next."""
    asked: list[object] = []
    monkeypatch.setattr(sockets.access, "is_run_visible_to", lambda who, _: asked.append(who))
    monkeypatch.setattr(sockets, "get_user", lambda request: request.session.session_key)
    at = {"url_route": {"kwargs": {"run_id": RUN}}}
    socket = RunSocket(at | {"user": "alice", "session": SessionStore("herown18")}, Line().send)
    for _ in range(3):
        socket._find()
    assert asked == ["alice", "herown18", "herown18"]
