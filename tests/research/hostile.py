"""A web server of this machine, each of whose pages misbehaves in its own way."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field

Write = Callable[[bytes], Awaitable[None]]
HTML = b"<!doctype html><title>A page</title><main><p>Forty-two is the answer.</p></main>"


def said(
    body: bytes = HTML, type: str = "text/html; charset=utf-8", status: int = 200, **headers: str
) -> bytes:
    head = {"Content-Type": type, "Content-Length": str(len(body))} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items() if value)
    return f"HTTP/1.1 {status} OK\r\n{lines}\r\n".encode() + body


def to(where: str) -> bytes:
    return said(b"", status=302, Location=where)


async def _gigabyte_in_chunks(write: Write) -> None:
    await write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(1000):
        await write(b"100000\r\n" + b"a" * 0x100000 + b"\r\n")


async def _gigabyte_until_closed(write: Write) -> None:
    await write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    for _ in range(1000):
        await write(b"a" * 1_000_000)


async def _drip(write: Write) -> None:
    await write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(100_000):
        await write(b"a")
        await asyncio.sleep(0.05)


async def _slow_head(write: Write) -> None:
    for letter in b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX: " + b"a" * 10_000:
        await write(bytes([letter]))
        await asyncio.sleep(0.05)


async def _nothing(write: Write) -> None:
    await asyncio.sleep(600)


async def _bomb(write: Write) -> None:
    await write(said(gzip.compress(b"a" * 20_000_000, 1), Content_Encoding="gzip"))


Page = bytes | Callable[[Write], Awaitable[None]]
PAGES: dict[str, Page] = {
    "/good": said(),
    "/plain": said(b"Only text.", "text/plain"),
    "/markdown": said(b"# Title\n\nText.", "text/markdown"),
    "/json": said(b'{"a": 1}', "application/json"),
    "/untyped": said(type=""),
    "/packed": said(gzip.compress(HTML), Content_Encoding="gzip"),
    "/deflated": said(zlib.compress(HTML), Content_Encoding="deflate"),
    "/cookie": said(Set_Cookie="a=b"),
    "/moved": to("/good"),
    "/length": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1000000000\r\n\r\n",
    "/chunks": _gigabyte_in_chunks,
    "/until-closed": _gigabyte_until_closed,
    "/bomb": _bomb,
    "/torn": said(gzip.compress(HTML)[:-12], Content_Encoding="gzip"),
    "/brotli": said(b"abc", Content_Encoding="br"),
    "/no-gzip": said(b"abc", Content_Encoding="gzip"),
    "/drip": _drip,
    "/slow-head": _slow_head,
    "/silent": _nothing,
    "/circle": to("/circle-back"),
    "/circle-back": to("/circle"),
    "/nowhere": said(b"", status=302),
    "/to-file": to("file:///etc/passwd"),
    "/to-bracket": to("http://[good.test/good"),
    "/to-password": to("http://me:secret@good.test/good"),
    "/zip": said(b"PK", "application/zip"),
    "/picture": said(b"\x89PNG", "image/png"),
    "/svg": said(b"<svg onload='x()'/>", "image/svg+xml"),
    "/no-pdf": said(HTML, "application/pdf"),
    "/hidden-pdf": said(b"%PDF-1.7 <html>", "text/html"),
    "/binary": said(b"MZ\0\0\0", "text/plain"),
    "/empty": said(b"  "),
    "/404": said(status=404),
    "/500": said(status=500),
    "/garbage": b"SSH-2.0-OpenSSH\r\n",
    "/cut": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 500\r\n\r\n<p>a",
    "/long-head": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 300_000 + b"\r\n\r\n",
    "/not-for-robots": said(),
    "/robots.txt": said(b"User-agent: *\nDisallow: /not-for\n", "text/plain"),
    **{f"/hop-{n}": to(f"/hop-{n - 1}") for n in range(1, 8)},
    "/hop-0": said(),
}


@dataclass
class Hostile:
    port: int = 0
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    pages: dict[str, Page] = field(default_factory=lambda: dict(PAGES))

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def write(data: bytes) -> None:
            writer.write(data)
            await writer.drain()

        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            path = head[0].split(" ")[1].partition("?")[0]
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
            self.asked.append((path, headers))
            page = self.pages.get(path, said(b"none", "text/plain", 404))
            if isinstance(page, bytes):
                await write(page)
            else:
                await page(write)
        writer.close()


@contextlib.asynccontextmanager
async def hostile() -> AsyncIterator[Hostile]:
    here = Hostile()
    server = await asyncio.start_server(here.answer, "127.0.0.1", 0)
    here.port = server.sockets[0].getsockname()[1]
    try:
        yield here
    finally:
        server.close()
