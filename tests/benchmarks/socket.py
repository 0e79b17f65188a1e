"""A websocket client that costs next to nothing, so that hundreds fit beside what they watch.

It speaks as much of RFC 6455 as is spoken here: no extensions, whole messages, masked by zeros.
"""

from __future__ import annotations

import asyncio
import base64
import os
import struct
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Refused(Exception):
    """The server did not open the socket."""


class Socket(asyncio.Protocol):
    """`on_text` is called with each message. `closed` is done, with the code, when it is over."""

    def __init__(self, head: bytes, on_text: Callable[[str], None]) -> None:
        loop = asyncio.get_running_loop()
        self._head, self._on_text = head, on_text
        self._buffer = bytearray()
        self._is_open = False
        self._reads = True
        self.opened: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[int] = loop.create_future()
        self.received = 0  # bytes, with what frames them

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._head)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(Refused("the connection was closed"))
        self._over(1006)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._is_open and not self._opens():
            return
        self.received += len(data)
        while (frame := self._frame()) is not None:
            kind, payload = frame
            if kind == TEXT:
                self._on_text(payload.decode())
            elif kind == PING:
                self._send(PONG, payload)
            elif kind == CLOSE:
                self._over(struct.unpack(">H", payload[:2])[0] if payload else 1005)
                self._transport.close()
                return

    def say(self, text: str) -> None:
        if not self.closed.done():
            self._send(TEXT, text.encode())

    def close(self) -> None:
        self._transport.abort()

    def _opens(self) -> bool:
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return False
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            self.opened.set_exception(Refused(bytes(head[:200]).decode("latin-1")))
            self._transport.close()
            return False
        self._is_open = True
        self._buffer = rest
        self.opened.set_result(None)
        return True

    def _frame(self) -> tuple[int, bytes] | None:
        """The next whole one."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, at = buffer[1] & 127, 2
        if length >= 126:
            wide = 2 if length == 126 else 8
            if len(buffer) < 2 + wide:
                return None
            length, at = int.from_bytes(buffer[2 : 2 + wide], "big"), 2 + wide
        if len(buffer) < at + length:
            return None
        kind, payload = buffer[0] & 15, bytes(buffer[at : at + length])
        del buffer[: at + length]
        return kind, payload

    def _send(self, kind: int, payload: bytes) -> None:
        size = len(payload)
        head = bytes([0x80 | kind, 0x80 | size]) if size < 126 else None
        head = head or bytes([0x80 | kind, 0xFE]) + struct.pack(">H", size)
        self._transport.write(head + b"\0\0\0\0" + payload)

    def _over(self, code: int) -> None:
        if not self.closed.done():
            self.closed.set_result(code)


async def connect(
    url: str, path: str, *, cookies: str, on_text: Callable[[str], None], patience: float = 120
) -> Socket:
    """At `path` of the site `url`, from a page of it."""
    place = urlsplit(url)
    key = base64.b64encode(os.urandom(16)).decode()
    head = (
        f"GET {path} HTTP/1.1\r\nHost: {place.netloc}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
        f"Origin: {url}\r\nCookie: {cookies}\r\n\r\n"
    )
    loop = asyncio.get_running_loop()
    _, socket = await loop.create_connection(
        lambda: Socket(head.encode(), on_text), str(place.hostname), place.port or 80
    )
    async with asyncio.timeout(patience):
        await socket.opened
    return socket
