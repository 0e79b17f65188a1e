"""httpx on aiohttp, which takes less than half the CPU for each chunk of an answer.

What httpx-aiohttp leaves out is added here: look-ups of names that hang alone,
a limit on sending, and no error that is not httpx's. `http` imports it when
the first client is made, since aiohttp takes its time to load.

No other module imports aiohttp. Some of what is used here are its inner names, which no
version promises to keep: `tests/providers/test_private_names.py` lists them, each with
what to do when it has changed.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import httpx
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler
from aiohttp.client_reqrep import ConnectionKey
from aiohttp.http_exceptions import HttpProcessingError
from httpx_aiohttp import AiohttpTransport
from httpx_aiohttp.transport import AiohttpResponseStream

from console.engine.windows import WINDOW, are_waited_for, windows

PIECE = 64 * 1024
# Times a body is read as soon as something comes: a model's first word is mostly among them. So is
# what comes after a pause.
AT_ONCE = 4
PAUSE = 3 * WINDOW
A_FEW_WORDS = 4096  # bytes
# httpx takes 100 KB of headers in all; aiohttp's own limits are 8 KB a line and 128 lines.
HEAD_LIMIT = 64 * 1024
HEADERS_LIMIT = 1000


class Transport(AiohttpTransport):
    """Its session is made by the first request, within that one's event loop."""

    def __init__(self, tls: ssl.SSLContext, *, keepalive: float) -> None:
        def session() -> aiohttp.ClientSession:
            connector = Connector(
                ssl=tls, limit=0, keepalive_timeout=keepalive, resolver=Resolver()
            )
            return aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                max_line_size=HEAD_LIMIT,
                max_field_size=HEAD_LIMIT,
                max_headers=HEADERS_LIMIT,
            )

        super().__init__(verify=tls, trust_env=False, client=session)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            async with asyncio.timeout(None) as patience:
                response = await super().handle_async_request(_in_pieces(request, patience))
        except TimeoutError as exc:
            raise httpx.WriteTimeout("the request was not taken in time") from exc
        except (aiohttp.ClientError, UnicodeError) as exc:  # a status line may be no UTF-8
            raise httpx.RemoteProtocolError(str(exc)) from exc
        if isinstance(response.stream, AiohttpResponseStream):
            response.stream = Body(response.stream._aiohttp_response)
        return response


class Garbled(aiohttp.ClientError):
    """What arrived is not HTTP."""


class Handler(ResponseHandler):
    def set_exception(self, exc: BaseException, exc_cause: BaseException | None = None) -> None:
        """A reader of the body is told too: aiohttp lets it wait where a chunk's size is none."""
        body = self._payload
        if isinstance(exc, HttpProcessingError) and body and not body.is_eof():
            body.set_exception(Garbled(str(exc)))
        if exc_cause is None:
            super().set_exception(exc)
        else:
            super().set_exception(exc, exc_cause)


class Connector(aiohttp.TCPConnector):
    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = functools.partial(Handler, loop=self._loop)  # type: ignore[assignment]

    def _release(
        self, key: ConnectionKey, protocol: ResponseHandler, *, should_close: bool = False
    ) -> None:
        """What is closed is dropped: aiohttp would first wait until the rest of a request is
        sent, for ever where the server does not read."""
        ends = should_close or protocol.should_close
        if ends:
            protocol.abort()
        super()._release(key, protocol, should_close=ends)


class Body(AiohttpResponseStream):
    """What comes by words is read at the end of a window, with all other bodies that do: what is
    made of it waits for that end anyway, and to take each word apart by itself costs more than
    all that is done with it."""

    _whole = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._aiohttp_response.content
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        content.on_eof(ended.set)
        times, read_at, may_wait = 0, 0.0, are_waited_for()
        try:
            async for data in content.iter_any():
                times, before, read_at = times + 1, read_at, loop.time()
                yield data
                comes_by_words = len(data) < A_FEW_WORDS and read_at - before < PAUSE
                if may_wait and times > AT_ONCE and comes_by_words and not content.is_eof():
                    ended.clear()
                    windows().before_reading(ended)
                    await ended.wait()
            self._whole = True
        except aiohttp.ClientError as exc:
            if content._buffer:  # arrived before the fault, and not yet read
                yield content._read_nowait(-1)
            if isinstance(exc, aiohttp.ClientPayloadError):
                raise httpx.ReadError(str(exc)) from exc
            raise httpx.RemoteProtocolError(str(exc)) from exc

    async def aclose(self) -> None:
        """What is left unread belongs to no later answer: its connection goes with it."""
        response = self._aiohttp_response
        if self._whole:
            response.release()
        else:
            response.close()


class BodyPieces(httpx.AsyncByteStream):
    """A body whose every piece must be taken within `limit` seconds of the one before."""

    def __init__(self, body: bytes, limit: float, patience: asyncio.Timeout) -> None:
        self._body = body
        self._limit = limit
        self._patience = patience

    async def __aiter__(self) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        for start in range(0, len(self._body), PIECE):
            self._wait_until(loop.time() + self._limit)
            yield self._body[start : start + PIECE]
        self._wait_until(None)

    def _wait_until(self, when: float | None) -> None:
        try:
            self._patience.reschedule(when)
        except RuntimeError:
            pass  # answered, or given up, before the body was sent


def _in_pieces(request: httpx.Request, patience: asyncio.Timeout) -> httpx.Request:
    limit = request.extensions.get("timeout", {}).get("write")
    if not request.content or limit is None:
        return request
    return httpx.Request(
        request.method,
        request.url,
        headers=request.headers,
        stream=BodyPieces(request.content, limit, patience),
        extensions=request.extensions,
    )


class Resolver(AbstractResolver):
    """Each look-up has a thread to itself, and none is waited for at exit.

    The few threads of an event loop (uvloop's are four) are soon all taken by a
    name server that does not answer, and then no name at all is found.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[ResolveResult]] = loop.create_future()

        def settle(addresses: list[ResolveResult], error: Exception | None) -> None:
            if found.done():
                return  # nobody waits any more
            if error is None:
                found.set_result(addresses)
            else:
                found.set_exception(error)

        def look_up() -> None:
            addresses: list[ResolveResult] = []
            error = None
            try:
                addresses = _addresses(host, port, family)
            except (OSError, UnicodeError) as exc:
                error = exc if isinstance(exc, OSError) else _not_a_name(exc)
            try:
                loop.call_soon_threadsafe(settle, addresses, error)
            except RuntimeError:
                pass  # the loop has been closed meanwhile

        threading.Thread(target=look_up, name=f"look-up of {host}", daemon=True).start()
        return await found

    async def close(self) -> None:
        pass  # there is nothing to close


def _addresses(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    return [
        ResolveResult(
            hostname=host,
            host=str(address[0]),
            port=port,
            family=family,
            proto=proto,
            flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
        )
        for family, _, proto, _, address in socket.getaddrinfo(
            host, port, family, socket.SOCK_STREAM
        )
    ]


def _not_a_name(exc: UnicodeError) -> socket.gaierror:
    """A label of 64 letters and its like: Python says so before any name server is asked."""
    return socket.gaierror(socket.EAI_NONAME, str(exc))
