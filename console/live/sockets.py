"""The live page's socket. It only reads: the event log, through a `Watch`.

Frames are described in docs/frames.md; static/console/run/frames.js applies them. The socket is an
ASGI application of its own: Channels' consumers begin a task for every message and have a thread
look for old database connections, and a page acknowledges every frame.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

from autobahn.exception import Disconnected
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.http import Http404, HttpRequest

from .. import access
from ..fragments import run_context, run_fragments
from ..models.shown import ALL, BY_LINK
from ..site.sessions import SessionStore
from .frames import Cursor
from .together import Together
from .watch import Watch, Watches

log = logging.getLogger(__name__)

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

# Codes of our own: Daphne lets a program end a socket by 1000 and by these only, and leaves it
# open on any other.
NOT_ALLOWED, NOT_UNDERSTOOD, NOT_READ, FAILED = 4404, 4400, 4408, 4500
# No character takes more than four bytes, and Daphne sends no message above 64 KiB
# (`OPTIONS` in fusion_site/web.py).
PART = 16_000
MORE, LAST = "+", "="  # begin a part; a frame that is sent whole begins with "{"
UNACKNOWLEDGED = 2  # frames; who is slower is sent fewer, bigger, newer ones
MAX_WANTS = 64
KEEP = "keep"  # what a page says of itself that knows that key of a text
ACKNOWLEDGE_WITHIN = 60.0
# As pages write it; what says the same in other words is read as JSON.
_ACKNOWLEDGEMENT = re.compile(rb'\{"ack":(\d{1,15})\}')
KEEP_ALIVE = 15.0

still_there = Together()
watches = Watches(
    lambda spec, state, shown, note, made: run_fragments(
        run_context(
            spec,
            state,
            show_costs=shown.costs,
            show_notes=shown.notes,
            names_runs=shown.inner,
            note=note,
        ),
        made,
    )
)


class RunSocket:
    shown = ALL

    def __init__(self, scope: dict[str, Any], send: Send) -> None:
        self.scope, self._send = scope, send
        self._sending: asyncio.Task[None] | None = None
        self._unacknowledged: set[int] = set()
        self._cursor = Cursor(self.shown)
        self._acknowledged = asyncio.Event()
        self._watch: Watch | None = None
        self._person = scope.get("user")  # as its session said a moment ago

    @classmethod
    async def serve(cls, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """One socket, as ASGI has it. In a task of its own: else each word of a page's would go
        through all that stands around this, limits, session and routes."""
        await asyncio.create_task(cls(scope, send)._serve(receive))

    async def _serve(self, receive: Receive) -> None:
        if listen := self.scope.get("extensions", {}).get("fusion.listen"):
            listen(self._is_acknowledgement)
        await receive()  # that somebody connects
        try:
            await self._open()
            while (message := await receive())["type"] == "websocket.receive":
                await self._take(message.get("text") or "")
        finally:
            self._stop_sending()

    async def _open(self) -> None:
        await self._send({"type": "websocket.accept"})
        run_id = await self._allowed()
        if run_id is None:
            await self._close(NOT_ALLOWED)
            return
        self._sending = asyncio.create_task(self._follow(run_id))

    async def _take(self, text: str) -> None:
        message = _message(text)
        if message is None:
            self._stop_sending()  # nothing is sent behind the end
            await self._close(NOT_UNDERSTOOD)
            return
        if "want" in message:
            wants = message["want"]
            self._cursor.wants = None if wants is None else frozenset(wants)
            if self._watch:
                self._watch.announce()
        if "ack" in message:
            self._acknowledge(message["ack"])

    def _is_acknowledgement(self, said: bytes) -> bool:
        """And takes it: it comes with every frame, and nothing needs to wait for it."""
        if found := _ACKNOWLEDGEMENT.fullmatch(said):
            self._acknowledge(int(found[1]))
        return found is not None

    def _acknowledge(self, step: int) -> None:
        self._unacknowledged.discard(step)
        self._acknowledged.set()

    def _stop_sending(self) -> None:
        if self._sending:
            self._sending.cancel()

    async def _close(self, code: int) -> None:
        await self._send({"type": "websocket.close", "code": code})

    async def _allowed(self) -> uuid.UUID | None:
        """The run's id as long as this viewer may see it."""
        return await database_sync_to_async(self._find)()

    def _find(self) -> uuid.UUID | None:
        run_id: uuid.UUID = self.scope["url_route"]["kwargs"]["run_id"]
        person, self._person = self._person or self._signed_in(), None
        return run_id if access.is_run_visible_to(person, run_id) else None

    def _signed_in(self) -> access.Viewer:
        """Asked anew each time but the first: what the scope knows is as old as the socket, and
        the session may have ended meanwhile, by signing out or a new password."""
        request = HttpRequest()
        request.session = SessionStore(self.scope["session"].session_key)
        return get_user(request)

    def _asks_as(self) -> tuple[Any, ...]:
        """All that `_find` hangs on."""
        return self.scope["session"].session_key, self.scope["url_route"]["kwargs"]["run_id"]

    def _asked(self, name: str) -> str:
        """Of its address: `after`, how far it was sent before its line broke; `can`."""
        query: dict[str, list[str]] = parse_qs(self.scope["query_string"].decode("latin-1"))
        return query.get(name, [""])[0]

    async def _follow(self, run_id: uuid.UUID) -> None:
        cursor = self._cursor
        cursor.keeps = self._asked("can") == KEEP
        loop = asyncio.get_running_loop()
        asked = spoken = now = loop.time()
        patience = settings.PERMISSION_SECONDS
        try:
            async with watches.watch(run_id, cursor) as watch:
                self._watch = watch
                watch.resume(cursor, self._asked("after"))
                while True:
                    if now - asked > patience:
                        asked = now
                        if await still_there.ask(self._asks_as(), self._find) is None:
                            await self._close(NOT_ALLOWED)
                            return
                    ended = watch.ended
                    if watch.gone:
                        await self._close(NOT_ALLOWED)
                        return
                    frame = await watch.frame(cursor) if watch.is_ready else ""
                    if ended and not watch.failed:
                        frame = (frame + "," if frame else "{") + '"end":true'
                    if frame or now - spoken > KEEP_ALIVE:
                        spoken = now
                        if not await self._send_frame(cursor.after if frame else 0, frame):
                            return
                    if ended:
                        await self._close(FAILED if watch.failed else 1000)
                        return
                    if not (frame and watch.has_more(cursor)):
                        await watch.changed()
                    now = loop.time()
        except asyncio.CancelledError:
            raise
        except Disconnected:
            return  # who left in the middle of a frame: their end is the next message
        except Exception:
            log.exception("the socket of run %s failed", run_id)
            await self._close(FAILED)

    async def _send_frame(self, step: int, frame: str) -> bool:
        """Waits while too much is unacknowledged; False when the browser never reads."""
        if step:
            self._unacknowledged.add(step)
        text = (frame or "{") + "}"
        for part in (text,) if len(text) <= PART else _parts(text):
            await self._send({"type": "websocket.send", "text": part})
        while len(self._unacknowledged) >= UNACKNOWLEDGED:
            self._acknowledged.clear()
            try:
                async with asyncio.timeout(ACKNOWLEDGE_WITHIN):
                    await self._acknowledged.wait()
            except TimeoutError:
                await self._close(NOT_READ)
                return False
        return True


class SharedRunSocket(RunSocket):
    """For whoever has the link: no account, and what the link shows."""

    shown = BY_LINK

    def _find(self) -> uuid.UUID | None:
        try:
            link = access.link_open(self.scope["url_route"]["kwargs"]["token"])
        except (Http404, access.LinkEnded):
            return None
        self._cursor.shown = link.shown  # a link's own never changes
        return link.run_id

    def _asks_as(self) -> tuple[Any, ...]:
        return (self.scope["url_route"]["kwargs"]["token"],)


def _message(text: str) -> dict[str, Any] | None:
    """What a page says: {"ack": the step of a frame it has shown} and {"want": the places whose
    texts it shows, null for all}."""
    try:
        message = json.loads(text)
        ack, wants = message.get("ack", 0), message.get("want")
    except (ValueError, AttributeError, RecursionError):
        return None
    if not isinstance(ack, int) or not ("ack" in message or "want" in message):
        return None
    if wants is not None and not _are_places(wants):
        return None
    return dict(message)


def _are_places(wants: Any) -> bool:
    return (
        isinstance(wants, list)
        and len(wants) <= MAX_WANTS
        and all(isinstance(place, str) and len(place) <= 40 for place in wants)
    )


def _parts(text: str) -> Iterator[str]:
    for start in range(0, len(text), PART):
        yield (MORE if start + PART < len(text) else LAST) + text[start : start + PART]
