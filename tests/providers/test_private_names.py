"""The inner names of aiohttp and httpx-aiohttp that the transport relies on.

No version promises to keep them. When one of these tests fails after an update, its
sentence says what the name was for and what to do about it; until then stay with the
version that the lock had.
"""

import ast
import asyncio
import functools
import inspect
from collections import deque
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.client_proto import ResponseHandler
from httpx_aiohttp.transport import AiohttpResponseStream

from console.providers.wire import http, transport
from tests.providers.asking import KEY

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Open:
    """An answer that is being read, and what it is read by."""

    stream: AiohttpResponseStream
    response: aiohttp.ClientResponse
    handler: ResponseHandler
    plain: aiohttp.TCPConnector  # as aiohttp makes it, beside the one in use


@dataclass(frozen=True)
class Name:
    name: str
    relied_on: str
    holds: Callable[[Open], Any]
    package: str = "aiohttp"


def _buffer_can_be_taken(answer: Open) -> bool:
    content = answer.response.content
    content.feed_data(b"late")
    return (
        isinstance(content._buffer, deque)
        and content._read_nowait(-1).endswith(b"late")
        and not content._buffer
    )


NAMES = [
    Name(
        "AiohttpResponseStream._aiohttp_response",
        "is how Transport gets at aiohttp's answer behind httpx's, to read it by Body. Find "
        "where httpx-aiohttp keeps the answer now, or read it in handle_async_request.",
        lambda answer: answer.stream._aiohttp_response is answer.response,
        "httpx-aiohttp",
    ),
    Name(
        "BaseConnector._factory",
        "is what makes the handler of a connection; Connector puts Handler in its place, without "
        "which a garbled chunk leaves its reader waiting for ever. Find what makes handlers now.",
        lambda answer: (
            isinstance(answer.plain._factory, functools.partial)
            and answer.plain._factory.func is ResponseHandler
            and set(answer.plain._factory.keywords) == {"loop"}
            and isinstance(answer.handler, transport.Handler)
        ),
    ),
    Name(
        "BaseConnector._loop",
        "is the loop that a handler is made for. Take asyncio.get_running_loop() instead if a "
        "connector is still made inside of one.",
        lambda answer: answer.plain._loop is asyncio.get_running_loop(),
    ),
    Name(
        "BaseConnector._release",
        "is where a connection that ends is dropped at once: aiohttp would wait until a server "
        "that does not read has taken the rest. Override whatever gives a connection back now, "
        "or drop the override if closing has stopped waiting.",
        lambda answer: (
            list(inspect.signature(aiohttp.BaseConnector._release).parameters)
            == list(inspect.signature(transport.Connector._release).parameters)
            == ["self", "key", "protocol", "should_close"]
        ),
    ),
    Name(
        "ResponseHandler._payload",
        "is the body being read, which Handler tells of a fault in the protocol. If aiohttp "
        "tells it itself now, Handler can go; else find where a handler keeps it.",
        lambda answer: (
            ResponseHandler(asyncio.get_running_loop())._payload is None
            and answer.handler._payload is answer.response.content
        ),
    ),
    Name(
        "StreamReader._buffer",
        "says whether something had arrived before a fault, which Body then still hands out. "
        "Find what holds it now; without it the last words before a fault are lost.",
        _buffer_can_be_taken,
    ),
    Name(
        "StreamReader._read_nowait",
        "takes what had arrived before a fault; the public read_nowait raises the fault instead. "
        "Find another way to what is held.",
        _buffer_can_be_taken,
    ),
    Name(
        "ResponseHandler.abort",
        "drops a connection without sending what is left. It is not documented: its transport's "
        "abort() does the same.",
        lambda answer: not inspect.signature(answer.handler.abort).parameters,
    ),
    Name(
        "ResponseHandler.should_close",
        "says that a connection is not to be used again. It is not documented: Connector._release "
        "needs another way to know.",
        lambda answer: answer.handler.should_close is True,
    ),
    Name(
        "ResponseHandler.set_exception",
        "is how aiohttp tells a handler of a fault; Handler passes it on to the reader of the "
        "body. It is not documented: find what tells of a garbled chunk now.",
        lambda answer: (
            list(inspect.signature(ResponseHandler.set_exception).parameters)
            == ["self", "exc", "exc_cause"]
        ),
    ),
]
# Of the classes in transport.py itself.
OWN = {"_body", "_limit", "_patience", "_wait_until", "_whole"}


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name.name)
async def test_an_inner_name_is_what_the_transport_takes_it_for(up, name):
    try:
        async with answering(up.url) as answer:
            holds, why = name.holds(answer), ""
    except (AttributeError, TypeError, ValueError) as error:
        holds, why = False, f" ({error!r})"
    if not holds:
        version = metadata.version(name.package)
        pytest.fail(f"{name.package} {version} has changed {name.name}{why}. It {name.relied_on}")


@asynccontextmanager
async def answering(url):
    """Reached by public names alone, so that each test blames only its own name."""
    asking = {"model": "fault-hold", "messages": [], "stream": True}
    async with (
        aiohttp.TCPConnector() as plain,
        aiohttp.ClientSession(connector=transport.Connector()) as session,
        session.post(
            f"{url}/chat/completions", json=asking, headers={"Authorization": f"Bearer {KEY}"}
        ) as response,
    ):
        stream = AiohttpResponseStream(response)
        yield Open(stream, response, response.connection.protocol, plain)
        response.close()


def test_every_inner_name_that_the_transport_uses_stands_in_this_list():
    tree = ast.parse(Path(transport.__file__).read_text())
    private = {
        node.attr if isinstance(node, ast.Attribute) else node.name
        for scope in ast.walk(tree)
        if isinstance(scope, ast.ClassDef)
        for node in ast.walk(scope)
        if isinstance(node, ast.Attribute | ast.FunctionDef | ast.AsyncFunctionDef)
    }
    private = {n for n in private if n.startswith("_") and not n.startswith("__")}
    listed = {name.name.partition(".")[2] for name in NAMES}
    assert private - OWN == {name for name in listed if name.startswith("_")}


def test_only_the_transport_knows_aiohttp():
    knowing = set()
    for path in [*ROOT.glob("console/**/*.py"), *ROOT.glob("fusion_site/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Import(names=names):
                    modules = [alias.name for alias in names]
                case ast.ImportFrom(module=str(module)):
                    modules = [module]
                case _:
                    continue
            if {m.partition(".")[0] for m in modules} & {"aiohttp", "httpx_aiohttp"}:
                knowing.add(path)
    assert knowing == {Path(transport.__file__)}


def test_the_errors_that_are_told_apart_by_their_names_have_those_names():
    """`classify` asks for them without importing aiohttp."""
    strings = {
        node.value
        for node in ast.walk(ast.parse(Path(http.__file__).read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    names = {s for s in strings if s.isidentifier() and s.endswith("Error") and s[0].isupper()}
    assert {"ClientConnectorError", "ClientPayloadError"} <= names
    assert {n for n in names if not hasattr(aiohttp, n)} == set(), "see classify in wire/http.py"
