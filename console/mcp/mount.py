"""`/mcp`: the tools over streamable HTTP, for whoever shows an API token.

Every request stands alone (no sessions), so any number of web processes may serve them.
The token is checked before anything else, and travels with the request to the tools.
"""

from __future__ import annotations

import asyncio
import io
import json
import logging
import uuid
import weakref
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from asgiref.sync import ThreadSensitiveContext
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest

from ..api.http.amount import refuse_crowded
from ..api.http.base import authenticate, error_of
from ..api.http.db import db_then_wait
from ..api.http.encodings import unpacked
from ..api.http.errors import ApiError
from ..api.http.limits import take
from ..providers.nearby import SIGN
from .callers import Program

if TYPE_CHECKING:
    from mcp.server.mcpserver import Context
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]
CALLER = "fusion.caller"


class Mount:
    """The session manager needs a running loop and nobody says when one starts or ends (Daphne
    sends no lifespan), so each loop's own is started by its first request."""

    def __init__(self) -> None:
        self._managers: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, asyncio.Future[StreamableHTTPSessionManager]
        ] = weakref.WeakKeyDictionary()
        self._holding: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = f"req_{uuid.uuid4().hex}"
        # A thread of the request's own: one that asks a slow server holds up nobody else.
        async with ThreadSensitiveContext():
            try:
                request = ASGIRequest(scope, io.BytesIO())
                scope[CALLER] = await _caller(request)
                if request.method == "GET":
                    # For a stream of what is told unasked. Without sessions there is nothing: it
                    # would stand open in silence, without a status even, until the client goes.
                    raise ApiError("method_not_allowed", headers={"Allow": "POST"})
                receive = await _read(request, scope, receive)
                manager = await self._manager()
            except Exception as error:
                await _refuse(error_of(error, request_id), request_id, send)
                return
            await manager.handle_request(scope, receive, send)

    async def _manager(self) -> StreamableHTTPSessionManager:
        loop = asyncio.get_running_loop()
        made = self._managers.get(loop)
        if made is None or (made.done() and made.exception()):
            made = self._managers[loop] = loop.create_future()
            task = loop.create_task(_hold(made), name="mcp")
            self._holding.add(task)
            task.add_done_callback(self._holding.discard)
        return await asyncio.shield(made)


async def _hold(made: asyncio.Future[StreamableHTTPSessionManager]) -> None:
    try:
        manager = await asyncio.to_thread(_make)
        async with manager.run():
            made.set_result(manager)
            await asyncio.Event().wait()
    except Exception as error:
        log.exception("the MCP server cannot run")
        if not made.done():
            made.set_exception(error)


def _make() -> StreamableHTTPSessionManager:
    # Seconds to import, and most processes never serve it.
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from .server import make_server

    server = make_server(_caller_of)
    return StreamableHTTPSessionManager(
        app=server._lowlevel_server,
        stateless=True,
        # Host and origin are checked before, by the rules of the rest of the site.
        max_request_body_size=settings.API_BODY_BYTES,
    )


def _caller_of(context: Context[Any, Any]) -> Program:
    request: Any = context.request_context.request
    caller: Program = request.scope[CALLER]
    return caller


async def _caller(request: ASGIRequest) -> Program:
    _must_be_from_here(request)
    token = await authenticate(request, ask=db_then_wait)
    await take(token, spending=False)
    return Program(token, request)


async def _read(request: ASGIRequest, scope: Scope, receive: Receive) -> Receive:
    """What gives a request's body as it was before it was packed. Raises ApiError."""
    raw = bytearray()
    while (message := await receive())["type"] == "http.request":
        # The web server has seen to its size.
        raw += message.get("body", b"")
        if not message.get("more_body"):
            break
    body = await asyncio.to_thread(unpacked, request, bytes(raw))
    await asyncio.to_thread(refuse_crowded, body)
    packed = (b"content-encoding", b"content-length")
    if "Content-Encoding" in request.headers:
        scope["headers"] = [(name, value) for name, value in scope["headers"] if name not in packed]
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_read() -> Any:
        return waiting.pop() if waiting else await receive()

    return receive_read


def _must_be_from_here(request: ASGIRequest) -> None:
    """A page elsewhere must not reach us through its reader's browser (DNS rebinding)."""
    try:
        host = request.get_host()
    except DisallowedHost:
        raise ApiError("bad_request", "This host name is not served here.") from None
    origin = request.headers.get("Origin", "")
    ours = [settings.BASE_URL, *settings.CSRF_TRUSTED_ORIGINS, f"{request.scheme}://{host}"]
    if origin and origin not in ours:
        raise ApiError("forbidden_origin")


async def _refuse(error: ApiError, request_id: str, send: Send) -> None:
    headers = {
        "content-type": "application/json",
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "x-request-id": request_id,
        SIGN: "1",
        **error.headers,
    }
    await send(
        {
            "type": "http.response.start",
            "status": error.condition.status,
            "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": json.dumps(error.body()).encode()})
