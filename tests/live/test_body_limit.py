"""Bodies that are too large for whoever sends them, or come too slowly: refused before they are
read, at every address."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FunctionType

import httpx
import psutil
import pytest
from autobahn.twisted.websocket import WebSocketServerProtocol
from daphne.server import Server
from daphne.ws_protocol import WebSocketProtocol
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory
from twisted.internet._newtls import ConnectionMixin
from twisted.internet.abstract import FileDescriptor
from twisted.internet.asyncioreactor import AsyncioSelectorReactor
from twisted.protocols.basic import LineReceiver
from twisted.web.http import HTTPChannel, Request

from console.api.http.bodies import ANYBODYS_BYTES
from fusion_site.short_text import framed, short_texts
from tests.live.conftest import PASSWORD
from tests.live.member import Member
from tests.stack import PATIENCE, Stack, until

pytestmark = pytest.mark.live

API, FORM = settings.API_BODY_BYTES, settings.FORM_BODY_BYTES
FILES = settings.FILES_BODY_BYTES
HUGE = 2_000_000_000
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


@pytest.fixture(scope="module")
def token(alice: Member) -> str:
    return alice.stack.token("alice")


def bearer(token: str) -> str:
    return f"Authorization: Bearer {token}"


def cookie(member: Member) -> str:
    return f"Cookie: sessionid={member.http.cookies['sessionid']}"


def refused(path: str, answer: tuple[int, dict[str, str], str], limit: str = "") -> None:
    """As a body that is larger than anybody's may be there."""
    status, headers, body = answer
    # Files may stand in the form of a question.
    of_forms = "45 MB" if path == "/fusion" else "5 MB"
    limit = limit or ("10 MB" if path in FOR_PROGRAMS else of_forms)
    assert status == 413 and headers["connection"] == "close"
    assert int(headers["content-length"]) == len(body.encode())
    assert "default-src 'none'" in headers["content-security-policy"]
    if path in FOR_PROGRAMS:
        error = json.loads(body)["error"]
        assert error["code"] == "request_too_large" and error["type"] == "invalid_request_error"
        assert error["message"] == f"What was sent is too large: at most {limit} are read."
        assert headers["x-request-id"].startswith("req_")
    else:
        assert headers["content-type"].startswith("text/plain")
        assert body.startswith(f"What was sent is too large: at most {limit} are read.")


def refused_as_unknown(path: str, answer: tuple[int, dict[str, str], str], code: str) -> None:
    """Programs are told what is wrong with their token: on "too large" agents forget things."""
    if path not in FOR_PROGRAMS:
        refused(path, answer, "64 KB")
        assert "Sign in" in answer[2]
        return
    status, headers, body = answer
    assert status == 401 and json.loads(body)["error"]["code"] == code
    assert headers["connection"] == "close" and headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ADDRESSES)
def test_a_length_above_the_limit_is_refused_by_the_head_alone(raw: Raw, path: str) -> None:
    raw.head(path, f"Content-Length: {HUGE}")
    refused(path, raw.answer())


@pytest.mark.parametrize("path", ADDRESSES)
def test_of_whoever_is_not_known_little_is_read(raw: Raw, path: str) -> None:
    raw.head(path, f"Content-Length: {ANYBODYS_BYTES + 1}")
    refused_as_unknown(path, raw.answer(), "missing_api_key")


@pytest.mark.parametrize("path", ADDRESSES)
def test_what_names_no_length_is_refused_when_it_has_grown_too_large(
    raw: Raw, path: str, web: Web
) -> None:
    raw.head(path, "Transfer-Encoding: chunked")
    for _ in range(4):
        raw.chunk(b"x" * (ANYBODYS_BYTES // 4))
        assert web.bytes_on_disk() == 0, "of whoever is not known nothing is written"
    raw.chunk(b"x")
    refused_as_unknown(path, raw.answer(), "missing_api_key")
    assert web.bytes_on_disk() == 0, "the connection is still open on our side"


@pytest.mark.parametrize("chunked", [False, True])
def test_gigabytes_of_nobody_are_written_nowhere(raw: Raw, web: Web, chunked: bool) -> None:
    memory = web.process.memory_info().rss
    how = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {HUGE}"
    raw.head("/healthz", how)
    sent = 0
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        while sent < HUGE:
            raw.chunk(MEGABYTE) if chunked else raw.socket.sendall(MEGABYTE)
            sent += len(MEGABYTE)
            assert web.bytes_on_disk() == 0
    assert sent < 100_000_000, "who goes on after the refusal is cut off"
    assert web.process.memory_info().rss - memory < 10_000_000


def a_garbled(stack: Stack) -> str:
    return bearer("fus_" + "x" * 49)


def a_revoked(stack: Stack) -> str:
    token = stack.token("bob")
    revoke = "from console.models import ApiToken as T; T.objects.filter(owner__username='bob')"
    stack.shell(f"{revoke}.update(revoked_at='2026-01-01T00:00Z')")
    return bearer(token)


def a_signed_out(stack: Stack) -> str:
    with Member(stack, "bob", PASSWORD) as bob:
        line = cookie(bob)
        bob.post("/sign-out", {}, token_from="/fusion")
    return line


@pytest.mark.parametrize(
    ("path", "known_by"),
    [
        ("/v1/chat/completions", a_garbled),
        ("/v1/chat/completions", a_revoked),
        ("/mcp", a_revoked),
        ("/fusion", a_signed_out),
        ("/fusion", lambda stack: "Cookie: sessionid=abcdefghijklmnopqrstuvwxyz012345"),
    ],
)
def test_who_is_known_no_more_is_not_known(
    stack: Stack, web: Web, path: str, known_by: Callable[[Stack], str]
) -> None:
    line = known_by(stack)
    raw = Raw(web)
    with raw.socket:
        raw.head(path, line, f"Content-Length: {ANYBODYS_BYTES + 1}")
        refused_as_unknown(path, raw.answer(), "invalid_api_key")


def test_a_token_is_none_for_pages_and_a_session_none_for_programs(
    web: Web, alice: Member, token: str
) -> None:
    for path, line in [("/fusion", bearer(token)), ("/v1/runs", cookie(alice))]:
        raw = Raw(web)
        with raw.socket:
            raw.head(path, line, f"Content-Length: {ANYBODYS_BYTES + 1}")
            assert raw.answer()[0] == (413 if path == "/fusion" else 401)


def test_who_has_a_token_sends_as_much_as_a_conversation_takes(
    web: Web, raw: Raw, token: str
) -> None:
    raw.head("/v1/chat/completions", bearer(token), "Transfer-Encoding: chunked")
    for _ in range(API // len(MEGABYTE)):
        raw.chunk(MEGABYTE)
    until(lambda: web.bytes_on_disk() > API - len(MEGABYTE))
    raw.chunk(b"x")
    refused("/v1/chat/completions", raw.answer())
    assert web.bytes_on_disk() == 0


@pytest.mark.parametrize(("path", "limit"), [("/sign-in", FORM), ("/fusion", FILES)])
def test_who_is_signed_in_sends_as_much_as_the_longest_prompt_and_files_take(
    raw: Raw, alice: Member, path: str, limit: int
) -> None:
    raw.head(path, cookie(alice), f"Content-Length: {limit + 1}")
    refused(path, raw.answer())


def test_the_longest_prompt_of_all_arrives(alice: Member) -> None:
    prompt = "\U0001f600" * settings.MAX_PROMPT_CHARACTERS
    assert len(prompt) * 12 < FORM
    form = {"prompt": prompt + "x", "preset": "custom", "panel": ["a"], "judge": "judge"}
    page = alice.post("/fusion", form)
    assert "The prompt has 400,001 characters" in page.text, page.text[:500]


def test_nobody_is_asked_to_continue_with_what_is_not_read(web: Web) -> None:
    for length in (ANYBODYS_BYTES + 1, FORM + 1):
        raw = Raw(web)
        with raw.socket:
            raw.head("/healthz", "Expect: 100-continue", f"Content-Length: {length}")
            refused("/healthz", raw.answer(), "64 KB" if length < FORM else "5 MB")


def test_the_limit_itself_may_be_sent_after_100_continue(raw: Raw, token: str) -> None:
    raw.head(
        "/v1/chat/completions",
        *("Expect: 100-continue", f"Content-Length: {API}", "Connection: close", bearer(token)),
    )
    assert raw.socket.recv(25, socket.MSG_WAITALL) == b"HTTP/1.1 100 Continue\r\n\r\n"
    for _ in range(API // len(MEGABYTE)):
        raw.socket.sendall(MEGABYTE)
    status, _, body = raw.answer()
    assert status == 400 and json.loads(body)["error"]["code"] == "invalid_json"


def test_what_anybody_may_send_arrives(raw: Raw) -> None:
    raw.head("/v1/runs", f"Content-Length: {ANYBODYS_BYTES}", "Connection: close")
    raw.socket.sendall(b" " * ANYBODYS_BYTES)
    status, headers, _ = raw.answer()
    assert status == 401 and "content-security-policy" in headers, "a view has answered"


@pytest.mark.parametrize("form", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_a_body_that_is_called_a_form_is_read_by_the_view_alone(
    web: Web, raw: Raw, token: str, form: str
) -> None:
    """curl calls everything one. Read as a form by the web server, 3 MB took half a second."""
    body = b'{"a&a&a":' + b"a&" * 1_500_000
    raw.head(
        "/v1/runs",
        *(bearer(token), f"Content-Type: {form}; boundary=x", f"Content-Length: {len(body)}"),
        "Connection: close",
    )
    raw.socket.sendall(body)
    status, _, said = raw.answer()
    assert status == 400 and json.loads(said)["error"]["code"] == "invalid_json"


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("http://127.0.0.1/v1/runs", 401),
        ("HTTP://127.0.0.1", 302),
        ("http://127.0.0.1?a=b", 302),
        ("http://evil.test/v1/runs", 400),
        ("http:///v1/runs", 400),
    ],
)
def test_an_address_that_names_the_server_is_one_of_ours_or_none(
    raw: Raw, target: str, status: int
) -> None:
    raw.head(target, "Connection: close", method="GET")
    assert raw.answer()[0] == status


def test_its_limit_is_that_of_what_it_leads_to(raw: Raw) -> None:
    raw.head("http://127.0.0.1/v1/chat/completions", f"Content-Length: {ANYBODYS_BYTES + 1}")
    refused_as_unknown("/v1/chat/completions", raw.answer(), "missing_api_key")


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
    answer = httpx.post(f"{stack.url}/sign-in", content=MEGABYTE * 30, headers=browser)
    assert answer.status_code == 413 and "<h1" in answer.text
    assert "at most 5 MB are read. Go back and shorten it." in answer.text
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("is_chunked", [False, True])
def test_what_is_just_within_the_limit_arrives(stack: Stack, token: str, is_chunked: bool) -> None:
    padding = "x" * 9_900_000
    body = json.dumps({"model": "nobody-has-it", "messages": [], "user": padding}).encode()
    answer = httpx.post(
        f"{stack.url}/v1/chat/completions",
        content=iter([body]) if is_chunked else body,
        headers={"Authorization": f"Bearer {token}"},
        timeout=PATIENCE,
    )
    assert answer.status_code == 400 and answer.json()["error"]["param"] == "messages"


def test_files_are_taken_by_no_form() -> None:
    """They would be written before anybody knows who sends them."""
    file = SimpleUploadedFile("a.txt", MEGABYTE * 4)
    request = RequestFactory().post("/fusion", {"prompt": "What?", "file": file})
    assert request.POST["prompt"] == "What?" and not request.FILES
    assert not request.upload_handlers


def test_a_short_message_that_came_whole_is_read_at_once() -> None:
    hello = bytes.fromhex("818537fa213d7f9f4d5158")  # RFC 6455, 5.7
    assert short_texts(hello) == [b"Hello"] and short_texts(hello * 2) == [b"Hello", b"Hello"]
    broken = (hello[:-1], b"\x01" + hello[1:], hello[:6] + b"\xff" + hello[7:], hello[:1])
    for else_ in (*broken, *(hello + part for part in broken), hello * 30):
        assert short_texts(else_) is None


@pytest.mark.parametrize(
    ("text", "head"),
    [("Hello", "8105"), ("é" * 62, "817c"), ("é" * 63, "817e007e"), ("x" * 65_535, "817effff")],
)
def test_a_message_is_framed_once_for_all_as_any(text: str, head: str) -> None:
    assert framed(text) == bytes.fromhex(head) + text.encode() and framed(text) is framed(text)
    assert framed("x" * 65_536) is None  # longer than any may be: for Autobahn to refuse


@pytest.mark.parametrize(
    ("function", "uses"),
    [
        (Server.run, {"HTTPFactory", "http_factory", "WebSocketFactory", "ready_callable"}),
        (WebSocketServerProtocol.dataReceived, {"log", "_dataReceived"}),
        (Server.create_application, {"application_instance"}),
        (Server.handle_reply, {"connections", "check_headers_type", "handle_reply"}),
        (WebSocketProtocol.onMessage, {"muted", "last_ping"}),
        (WebSocketProtocol.serverSend, {"STATE_CONNECTING", "sendMessage"}),
        (WebSocketServerProtocol.sendMessage, {"STATE_OPEN", "_perMessageCompress", "sendFrame"}),
        (AsyncioSelectorReactor.addReader, {"callWithLogger", "_readOrWrite"}),
        (AsyncioSelectorReactor._readOrWrite, {"method", "_disconnectSelectable"}),
        (WebSocketServerProtocol.sendData, {"log", "send_queue", "transport", "write"}),
        (WebSocketServerProtocol.processData, {"data", "current_frame", "inside_message"}),
        (WebSocketServerProtocol.onFrameEnd, {"autoPingTimeoutCall", "inside_message"}),
        (FileDescriptor.write, {"_tempDataBuffer", "startWriting"}),
        (FileDescriptor.doWrite, {"dataBuffer", "_tempDataBuffer", "writeSomeData"}),
        (ConnectionMixin.write, {"TLS"}),
        (HTTPChannel.lineReceived, {"requests", "_command", "_path", "allHeadersReceived"}),
        (HTTPChannel._maybeChooseTransferDecoder, {"length", "handleContentChunk"}),
        (HTTPChannel.allHeadersReceived, {"gotLength", "_send100Continue"}),
        (HTTPChannel.rawDataReceived, {"_transferDecoder", "dataReceived"}),
        (HTTPChannel.allContentReceived, {"_handlingRequest"}),
        (HTTPChannel._finishRequestBody, {"allContentReceived"}),
        (LineReceiver.dataReceived, {"paused", "_buffer", "rawDataReceived"}),
        (LineReceiver.setLineMode, {"dataReceived"}),
        (HTTPChannel.forceAbortClient, {"abortConnection"}),
        (Request.gotLength, {"content"}),
        (Request.handleContentChunk, {"content"}),
        (Request._cleanup, {"content", "close"}),
        (Request.connectionLost, {"content", "close"}),
    ],
)
def test_daphne_and_twisted_are_inside_what_the_limit_is_built_on(
    function: FunctionType, uses: set[str]
) -> None:
    """What fusion_site/web_*.py take for granted; look there when a new version fails here."""
    assert uses <= {*function.__code__.co_names, *function.__code__.co_varnames}
