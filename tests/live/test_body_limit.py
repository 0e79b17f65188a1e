"""Bodies that are too large, from anybody and at every address: refused before they are read."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType

import httpx
import psutil
import pytest
from daphne.server import Server
from django.conf import settings
from twisted.web.http import HTTPChannel, Request

from tests.door import Door
from tests.live.member import Member
from tests.stack import PATIENCE, Stack, until

pytestmark = pytest.mark.live

LIMIT = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
HUGE = 1_500_000_000
MEGABYTE = b"x" * 1_000_000
FOR_PROGRAMS = ["/v1/chat/completions", "/v1/nothing", "/v1", "/mcp", "/mcp/?a=b"]
ADDRESSES = ["/healthz", "/sign-in", "/fusion", "/nothing", "/static/console/base.css"]
ADDRESSES += FOR_PROGRAMS


class Raw:
    """A connection whose every byte is the test's own."""

    def __init__(self, web: Web) -> None:
        self.socket = socket.create_connection(("127.0.0.1", web.port), timeout=60)

    def head(self, path: str, *lines: str, method: str = "POST") -> None:
        head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *lines]
        self.socket.sendall("\r\n".join([*head, "", ""]).encode())

    def chunk(self, data: bytes) -> None:
        self.socket.sendall(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def answer(self) -> tuple[int, dict[str, str], str]:
        """All up to the end that the server makes."""
        said = b""
        while piece := self.socket.recv(65536):
            said += piece
        head, _, body = said.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
        return int(status.split()[1]), headers, body.decode()


@dataclass(frozen=True)
class Web:
    """A web server, seen from the outside."""

    port: int
    process: psutil.Process

    def bytes_on_disk(self) -> int:
        """In its temporary files, which have no name any more."""
        size = 0
        for handle in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                if os.readlink(handle).endswith(" (deleted)"):
                    size += handle.stat().st_size
            except FileNotFoundError:
                pass  # closed meanwhile
        return size

    def holds(self, raw: Raw) -> bool:
        mine = raw.socket.getsockname()
        open_ones = self.process.net_connections("tcp4")
        return any(tuple(c.raddr) == mine for c in open_ones)


@pytest.fixture
def web(stack: Stack) -> Web:
    return Web(stack.port, psutil.Process(stack.processes["web"].pid))


@pytest.fixture
def raw(web: Web) -> Iterator[Raw]:
    raw = Raw(web)
    with raw.socket:
        yield raw


@pytest.fixture
def hurried(impatient: Web) -> Iterator[Raw]:
    raw = Raw(impatient)
    with raw.socket:
        yield raw


@pytest.fixture(scope="module")
def impatient(stack: Stack) -> Iterator[Web]:
    """A second web server of the stack, with hardly any patience."""
    main = "import fusion_site.web as w; w.BODY_SECONDS = 1; w.DRAIN_SECONDS = 0.3; w.main()"
    with Door() as door:
        process = stack.serve("impatient", door, "-c", main)
        url = f"http://127.0.0.1:{door.port}/healthz"
        assert httpx.get(url, timeout=PATIENCE).status_code == 200
        yield Web(door.port, psutil.Process(process.pid))
        stack.kill("impatient")


def refused(path: str, answer: tuple[int, dict[str, str], str]) -> None:
    status, headers, body = answer
    assert status == 413 and headers["connection"] == "close"
    assert int(headers["content-length"]) == len(body.encode())
    assert "default-src 'none'" in headers["content-security-policy"]
    if path in FOR_PROGRAMS:
        error = json.loads(body)["error"]
        assert error["code"] == "request_too_large" and error["type"] == "invalid_request_error"
        assert error["message"] == "What was sent is too large: at most 10 MB are read."
        assert headers["x-request-id"].startswith("req_")
    else:
        assert headers["content-type"].startswith("text/plain")
        assert body.startswith("What was sent is too large: at most 10 MB are read.")


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_length_above_the_limit_is_refused_by_the_head_alone(raw: Raw, path: str) -> None:
    raw.head(path, f"Content-Length: {HUGE}")
    refused(path, raw.answer())


@pytest.mark.parametrize("path", ADDRESSES)
def test_what_names_no_length_is_refused_when_it_has_grown_too_large(
    raw: Raw, path: str, web: Web
) -> None:
    raw.head(path, "Transfer-Encoding: chunked")
    for _ in range(LIMIT // len(MEGABYTE)):
        raw.chunk(MEGABYTE)
    until(lambda: web.bytes_on_disk() > LIMIT - len(MEGABYTE))
    raw.chunk(b"x")
    refused(path, raw.answer())
    assert web.bytes_on_disk() == 0, "the connection is still open on our side"


def test_what_is_refused_by_its_length_is_written_nowhere(raw: Raw, web: Web) -> None:
    memory = web.process.memory_info().rss
    raw.head("/healthz", f"Content-Length: {HUGE}")
    for _ in range(40):
        raw.socket.sendall(MEGABYTE)
        assert web.bytes_on_disk() == 0
    refused("/healthz", raw.answer())
    assert web.process.memory_info().rss - memory < LIMIT


def test_who_goes_on_sending_after_the_refusal_is_cut_off(raw: Raw) -> None:
    raw.head("/healthz", f"Content-Length: {HUGE}")
    sent = 0
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        while sent < HUGE:
            raw.socket.sendall(MEGABYTE)
            sent += len(MEGABYTE)
    assert sent < 100_000_000


def test_who_sends_nothing_more_and_stays_is_cut_off(impatient: Web, hurried: Raw) -> None:
    hurried.head("/healthz", f"Content-Length: {HUGE}")
    refused("/healthz", hurried.answer())
    until(lambda: not impatient.holds(hurried))


def test_a_body_that_drips_in_is_not_waited_for_without_end(impatient: Web, hurried: Raw) -> None:
    hurried.head("/healthz", f"Content-Length: {LIMIT}")
    hurried.socket.sendall(MEGABYTE)
    until(lambda: impatient.bytes_on_disk() > 0)

    def is_cut_off() -> bool:
        try:
            hurried.socket.sendall(b"x")
        except (BrokenPipeError, ConnectionResetError):
            return True
        return False

    until(is_cut_off)
    assert impatient.bytes_on_disk() == 0 and not impatient.holds(hurried)


def test_within_its_time_a_body_is_waited_for_and_then_the_answer(hurried: Raw) -> None:
    """The time is the body's own: the next request on the connection has it anew."""
    begun = time.monotonic()
    while time.monotonic() < begun + 1.5:
        hurried.head("/v1/runs", "Content-Length: 2")
        hurried.socket.sendall(b"{}")
        assert hurried.socket.recv(65536).startswith(b"HTTP/1.1 401")


def test_nobody_is_asked_to_continue_with_what_is_too_large(raw: Raw) -> None:
    raw.head("/healthz", "Expect: 100-continue", f"Content-Length: {LIMIT + 1}")
    refused("/healthz", raw.answer())


def test_the_limit_itself_may_be_sent_after_100_continue(raw: Raw) -> None:
    raw.head(
        "/v1/chat/completions",
        *("Expect: 100-continue", f"Content-Length: {LIMIT}", "Connection: close"),
    )
    assert raw.socket.recv(25, socket.MSG_WAITALL) == b"HTTP/1.1 100 Continue\r\n\r\n"
    for _ in range(LIMIT // len(MEGABYTE)):
        raw.socket.sendall(MEGABYTE)
    status, _, body = raw.answer()
    assert status == 401 and json.loads(body)["error"]["code"] == "missing_api_key"


def test_a_second_request_of_a_connection_is_refused_like_a_first(raw: Raw) -> None:
    raw.head("/healthz", method="GET")
    raw.head("/v1/runs", f"Content-Length: {HUGE}")
    said = b""
    while piece := raw.socket.recv(65536):
        said += piece
    first, second = said.split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"200") and second.startswith(b"413")


def test_head_is_refused_without_a_body(raw: Raw) -> None:
    raw.head("/healthz", f"Content-Length: {HUGE}", method="HEAD")
    status, headers, body = raw.answer()
    assert status == 413 and int(headers["content-length"]) > 0 and not body


def test_a_browser_is_told_by_a_page(stack: Stack) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml"}
    answer = httpx.post(f"{stack.url}/fusion", content=MEGABYTE * 30, headers=browser)
    assert answer.status_code == 413 and "<h1" in answer.text
    assert "at most 10 MB are read. Go back and shorten it." in answer.text
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("is_chunked", [False, True])
def test_what_is_just_within_the_limit_arrives(alice: Member, is_chunked: bool) -> None:
    key = alice.stack.manage("create_token", "alice").stdout.strip()
    padding = "x" * 9_900_000
    body = json.dumps({"model": "nobody-has-it", "messages": [], "user": padding}).encode()
    answer = httpx.post(
        f"{alice.stack.url}/v1/chat/completions",
        content=iter([body]) if is_chunked else body,
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 400 and answer.json()["error"]["param"] == "messages"


@pytest.mark.parametrize(
    ("function", "uses"),
    [
        (Server.run, {"HTTPFactory", "http_factory", "ready_callable"}),
        (HTTPChannel.lineReceived, {"requests", "_command", "_path", "allHeadersReceived"}),
        (HTTPChannel._maybeChooseTransferDecoder, {"length", "handleContentChunk"}),
        (HTTPChannel.allHeadersReceived, {"gotLength", "_send100Continue"}),
        (HTTPChannel.rawDataReceived, {"_transferDecoder", "dataReceived"}),
        (HTTPChannel._finishRequestBody, {"allContentReceived"}),
        (HTTPChannel.forceAbortClient, {"abortConnection"}),
        (Request.handleContentChunk, {"content"}),
        (Request.connectionLost, {"content", "close"}),
    ],
)
def test_daphne_and_twisted_are_inside_what_the_limit_is_built_on(
    function: FunctionType, uses: set[str]
) -> None:
    """What fusion_site/web.py takes for granted; look there when a new version fails here."""
    assert uses <= {*function.__code__.co_names, *function.__code__.co_varnames}
