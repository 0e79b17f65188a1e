"""Bodies and heads that come too slowly: who sends them is waited for as long as is said."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx
import psutil
import pytest

from console.api.http.bodies import ANYBODYS_BYTES
from tests.door import Door
from tests.live import test_body_limit
from tests.live.test_body_limit import HUGE, MEGABYTE, Raw, Web, bearer, refused
from tests.stack import PATIENCE, Stack, until

pytestmark = pytest.mark.live

token = test_body_limit.token  # the fixture


@pytest.fixture
def hurried(impatient: Web) -> Iterator[Raw]:
    raw = Raw(impatient)
    with raw.socket:
        yield raw


@pytest.fixture(scope="module")
def impatient(stack: Stack) -> Iterator[Web]:
    """A second web server of the stack, with hardly any patience, and little disk."""
    main = "from fusion_site import web, web_requests as w; w.HEAD_SECONDS = 1; "
    main += "w.DRAIN_SECONDS = 0.3; w.ON_DISK_BYTES = 1_500_000; web.main()"
    with Door() as door:
        process = stack.serve("impatient", door, "-c", main)
        url = f"http://127.0.0.1:{door.port}/healthz"
        assert httpx.get(url, timeout=PATIENCE).status_code == 200
        yield Web(door.port, psutil.Process(process.pid))
        stack.kill("impatient")


def test_who_sends_nothing_more_and_stays_is_cut_off(impatient: Web, hurried: Raw) -> None:
    hurried.head("/healthz", f"Content-Length: {HUGE}")
    refused("/healthz", hurried.answer())
    until(lambda: not impatient.holds(hurried))


@pytest.mark.parametrize("begun", [b"", b"G", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"])
def test_a_head_that_drips_in_is_not_waited_for(impatient: Web, hurried: Raw, begun: bytes) -> None:
    hurried.socket.sendall(begun)
    until(lambda: dripping(hurried, b"x" if begun else b""))
    assert not impatient.holds(hurried)


def test_nor_is_that_of_a_second_request(impatient: Web, hurried: Raw) -> None:
    hurried.head("/healthz", method="GET")
    assert hurried.socket.recv(65536).startswith(b"HTTP/1.1 200")
    hurried.socket.sendall(b"GET /healthz HTTP/1.1\r\n")
    until(lambda: dripping(hurried, b"x"))


def dripping(raw: Raw, drop: bytes) -> bool:
    """Whether it is cut off."""
    try:
        raw.socket.sendall(drop)
        raw.socket.settimeout(0.01)
        return raw.socket.recv(65536) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_drips_in_is_told_so_and_not_waited_for(
    impatient: Web, hurried: Raw, token: str, chunked: bool
) -> None:
    how = "Transfer-Encoding: chunked" if chunked else "Content-Length: 100000"
    hurried.head("/v1/runs", bearer(token), how)
    hurried.socket.settimeout(0.05)
    said = b""

    def answered() -> bool:
        nonlocal said
        try:
            # In pieces that are more of frame than of body, too.
            hurried.socket.sendall(b"1;" + b"x" * 500 + b"\r\nx\r\n" if chunked else b"x")
            said += hurried.socket.recv(65536)
        except TimeoutError:
            pass
        return b"\r\n\r\n" in said

    until(answered)
    assert said.startswith(b"HTTP/1.1 408") and b"request_timeout" in said
    until(lambda: not impatient.holds(hurried))


def test_within_its_time_a_body_is_waited_for_and_then_the_answer(hurried: Raw) -> None:
    """The time is the body's own: the next request on the connection has it anew."""
    begun = time.monotonic()
    while time.monotonic() < begun + 1.5:
        hurried.head("/v1/runs", "Content-Length: 2")
        hurried.socket.sendall(b"{}")
        assert hurried.socket.recv(65536).startswith(b"HTTP/1.1 401")


def test_who_keeps_the_pace_may_take_longer(hurried: Raw, token: str) -> None:
    hurried.head("/v1/runs", bearer(token), f"Content-Length: {ANYBODYS_BYTES}")
    for _ in range(16):
        hurried.socket.sendall(b" " * (ANYBODYS_BYTES // 16))
        time.sleep(0.1)  # what is tried is the time itself
    assert hurried.socket.recv(65536).startswith(b"HTTP/1.1 400")


def test_what_stands_on_disk_of_all_together_is_bounded(
    impatient: Web, hurried: Raw, token: str
) -> None:
    hurried.head("/v1/runs", bearer(token), "Content-Length: 1400000")
    hurried.socket.sendall(MEGABYTE)
    until(lambda: impatient.bytes_on_disk() == len(MEGABYTE))
    others = [Raw(impatient), Raw(impatient)]
    others[0].head("/v1/runs", bearer(token), "Content-Length: 1000000")
    others[0].socket.sendall(MEGABYTE)
    status, headers, body = others[0].answer()
    assert status == 503 and headers["retry-after"] == "10"
    assert json.loads(body)["error"]["code"] == "not_ready"
    others[1].head("/v1/runs", bearer(token), "Content-Length: 2")
    others[1].socket.sendall(b"{}")
    assert others[1].socket.recv(65536).startswith(b"HTTP/1.1 400"), "what is short passes"
    hurried.socket.sendall(b"x" * 400_000)
    assert hurried.socket.recv(65536).startswith(b"HTTP/1.1 400"), "and so does who came first"
    until(lambda: impatient.bytes_on_disk() == 0)
    for other in others:
        other.socket.close()


def test_what_came_while_the_server_itself_was_held_up_is_read(
    impatient: Web, hurried: Raw
) -> None:
    until(lambda: impatient.holds(hurried))
    impatient.process.suspend()
    try:
        hurried.head("/healthz", method="GET")
        time.sleep(1.5)  # what is tried is the time itself
    finally:
        impatient.process.resume()
    assert hurried.socket.recv(65536).startswith(b"HTTP/1.1 200")
