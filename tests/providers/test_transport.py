"""The client itself, on both transports: whom it trusts, what it never sends twice."""

import asyncio
import gzip
import os
import socket
import ssl
import sys
import tracemalloc
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from console.engine import windows
from console.engine.errors import ProviderError, Reason
from console.engine.provider import Request
from console.providers.wire import transport
from console.providers.wire.http import FAILURES, classify, make_client
from tests.providers.asking import collect
from tests.upstream import Script, places

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
ENOUGH = Script(text="word " * 1000, tokens_per_second=100)


@asynccontextmanager
async def serving(answer, **options):
    """`answer(reader, writer)` for each connection; gives the server's address."""
    connections = []

    async def connected(reader, writer):
        connections.append(asyncio.current_task())
        try:
            await answer(reader, writer)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client is gone
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, **options)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for task in connections:
        task.cancel()
    await asyncio.gather(*connections, return_exceptions=True)
    await asyncio.sleep(0)


async def read_request(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
    return await reader.readexactly(int(length or 0))


async def failing(client, url, **options) -> ProviderError:
    with pytest.raises(FAILURES) as raised:
        await client.post(url, **options)
    return classify(raised.value, "the server")


def certificate(*names: str, days: int = 1) -> tuple[bytes, bytes]:
    """(certificate, key) in PEM, signed by itself; with negative days it has expired."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    end = datetime.now(UTC) + timedelta(days=days)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - timedelta(days=30))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    how = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(pem), key.private_bytes(pem, *how)


@pytest.mark.parametrize(
    ("names", "days", "trusted", "says"),
    [
        (["localhost"], 1, False, "self-signed"),
        (["localhost"], -1, True, "expired"),
        (["elsewhere.example"], 1, True, "mismatch"),
    ],
)
async def test_a_certificate_that_cannot_be_trusted_is_said_to_be_so(
    transport, tmp_path, names, days, trusted, says
):
    pem, key = certificate(*names, days=days)
    (tmp_path / "cert").write_bytes(pem)
    (tmp_path / "key").write_bytes(key)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    server = await asyncio.start_server(lambda r, w: None, "localhost", 0, ssl=served)
    port = server.sockets[0].getsockname()[1]
    tls = ssl.create_default_context()
    if trusted:
        tls.load_verify_locations(tmp_path / "cert")
    async with make_client(connect_timeout=2, transport=transport, tls=tls) as client:
        with pytest.raises(FAILURES) as raised:
            await client.post(f"https://localhost:{port}/")
    server.close()
    error = classify(raised.value, "the server")
    assert (error.reason, error.retryable) == (Reason.TLS, False)
    assert says in error.message.lower()


async def test_a_certificate_that_can_be_trusted_is(transport, tmp_path):
    pem, key = certificate("localhost")
    (tmp_path / "cert").write_bytes(pem)
    (tmp_path / "key").write_bytes(key)
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    tls = ssl.create_default_context(cafile=tmp_path / "cert")

    async def answer(reader, writer):
        await read_request(reader)
        writer.write(OK)

    async with (
        serving(answer, ssl=served) as where,
        make_client(transport=transport, tls=tls) as client,
    ):
        response = await client.post(where.replace("127.0.0.1", "https://localhost"), json={})
    assert response.json() == {}


async def test_plain_http_where_tls_is_expected(client):
    with places.plain_for_tls() as place:
        error = await failing(client, place.url)
    assert (error.reason, error.retryable, error.unconfirmed) == (Reason.TLS, False, False)


async def test_tls_where_plain_http_is_expected(client):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(bytes.fromhex("15030100020246"))  # an alert: this is no handshake
        writer.close()

    async with serving(answer) as where:
        error = await failing(client, f"http://{where}/")
    assert (error.reason, error.retryable) == (Reason.BAD_RESPONSE, False)


async def test_a_handshake_that_stalls_was_never_a_connection(client):
    with places.silent_tls() as place:
        error = await failing(client, place.url)
    assert (error.reason, error.retryable) == (Reason.UNREACHABLE, True)
    assert "in time" in error.message


async def test_a_name_that_is_nowhere_was_never_asked(transport):
    async with make_client(connect_timeout=5, transport=transport) as client:
        with pytest.raises(FAILURES) as raised:
            await client.post("http://no-such-host.invalid/")
    error = classify(raised.value, "the server")
    assert (error.reason, error.retryable) == (Reason.DNS, True)


async def test_a_cookie_is_never_sent_back(transport, up):
    up.script("/v1/cookie", Script(body="{}", headers={"Set-Cookie": "id=1; Path=/"}))
    async with make_client(transport=transport) as client:
        for _ in range(2):
            await client.post(f"{up.url}/cookie", json={})
    assert all("cookie" not in r.headers for r in up.requests)


async def test_a_request_that_vanished_may_have_been_billed(transport, up):
    up.script("/v1/gone", Script(wire=[]))
    async with make_client(transport=transport) as client:
        with pytest.raises(FAILURES) as raised:
            await client.post(f"{up.url}/gone", json={})
    error = classify(raised.value, "the server")
    assert (error.retryable, error.unconfirmed) == (False, True)
    assert len(up.requests) == 1  # nor does the client repeat it by itself


async def test_a_reset_before_the_headers_may_have_been_billed(client):
    seen = []

    async def answer(reader, writer):
        seen.append(await read_request(reader))
        writer.transport.abort()

    async with serving(answer) as where:
        error = await failing(client, f"http://{where}/", content=b"once")
    assert (error.reason, error.retryable) == (Reason.DISCONNECTED, False)
    assert error.unconfirmed
    assert seen == [b"once"]


async def test_a_kept_connection_that_is_closed_on_the_next_request_is_not_used_again(client):
    """aiohttp repeats a GET by itself in this case; what is asked here costs money."""
    seen = []

    async def answer(reader, writer):
        seen.append(await read_request(reader))
        writer.write(OK)
        seen.append(await read_request(reader))
        writer.close()

    async with serving(answer) as where:
        assert (await client.post(f"http://{where}/", content=b"one")).json() == {}
        error = await failing(client, f"http://{where}/", content=b"two")
    assert (error.reason, error.retryable, error.unconfirmed) == (Reason.DISCONNECTED, False, True)
    assert seen == [b"one", b"two"]


async def test_connections_closed_while_idle_never_cost_a_second_request(client):
    seen = []

    async def answer(reader, writer):
        seen.append(await read_request(reader))
        writer.write(OK)
        await asyncio.sleep(0.002)  # about when the next request sets out
        writer.close()

    async with serving(answer) as where:
        for n in range(40):
            try:
                await client.post(f"http://{where}/", content=b"%d" % n)
            except FAILURES as exc:
                assert not classify(exc).retryable
            await asyncio.sleep(0.0019)
    assert len(seen) == len(set(seen))


async def test_what_follows_an_answer_is_not_taken_for_the_next(client):
    poison = OK.replace(b"{}", b"[]")

    async def answer(reader, writer):
        await read_request(reader)
        writer.write(OK + poison)
        await asyncio.sleep(0.05)
        writer.write(poison)
        await reader.read()

    async with serving(answer) as where:
        for _ in range(3):
            assert (await client.post(f"http://{where}/", json={})).json() == {}
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(("words", "unconfirmed"), [(0, True), (2, False)])
async def test_only_what_gave_nothing_is_unconfirmed(ask, words, unconfirmed):
    got = await ask(Script(text="one two three", cut_after=words, cut="reset"))
    assert (got.reason, got.error.retryable) == (Reason.DISCONNECTED, False)
    assert got.error.unconfirmed == unconfirmed


async def test_an_earlier_failure_says_nothing_about_this_one(transport):
    """Calls are repeated while the failure before is still being handled."""

    async def answer(reader, writer):
        await read_request(reader)
        writer.close()

    # Time enough to connect on a busy machine: here it must be the answer that fails.
    async with (
        make_client(connect_timeout=10, transport=transport) as client,
        serving(answer) as where,
    ):
        with places.refusing() as place:
            try:
                await client.post(place.url)
            except FAILURES:
                error = await failing(client, f"http://{where}/")
    assert (error.reason, error.retryable) == (Reason.DISCONNECTED, False)


async def test_a_server_that_does_not_read_is_given_up_and_let_go(client):
    with places.deaf() as place:
        port = httpx.URL(place.url).port
        error = await failing(client, place.url, content=b"x" * 20_000_000)
        assert (error.reason, error.retryable, error.unconfirmed) == (Reason.TIMEOUT, False, True)

        def still_open():
            ours = psutil.Process(os.getpid()).net_connections("tcp")
            return [c for c in ours if c.raddr and c.raddr.port == port and c.status != "TIME_WAIT"]

        async with asyncio.timeout(20):
            while still_open():  # noqa: ASYNC110, there is nobody who would say it
                await asyncio.sleep(0.02)


async def test_a_long_prompt_taken_slowly_is_sent_whole(client):
    prompt = os.urandom(6_000_000)

    async def answer(reader, writer):
        await asyncio.sleep(0.3)
        taken = bytearray(await reader.readuntil(b"\r\n\r\n"))
        taken.clear()
        while len(taken) < len(prompt):
            taken += await reader.read(500_000)
            await asyncio.sleep(0.01)
        writer.write(OK.replace(b"{}", b"ok" if taken == prompt else b"no"))
        writer.close()

    async with serving(answer) as where:
        assert (await client.post(f"http://{where}/", content=prompt)).text == "ok"


async def test_headers_of_ordinary_size_are_taken(client):
    many = b"".join(b"X-Policy-%d: %s\r\n" % (n, b"p" * 100) for n in range(200))
    long = b"Content-Security-Policy: " + b"c" * 30_000 + b"\r\n"

    async def answer(reader, writer):
        await read_request(reader)
        writer.write(OK.replace(b"\r\n\r\n", b"\r\n" + many + long + b"\r\n"))
        writer.close()

    async with serving(answer) as where:
        assert (await client.post(f"http://{where}/")).json() == {}


async def test_a_status_line_that_is_no_text_is_a_bad_response_or_none(client):
    async def answer(reader, writer):
        await read_request(reader)
        writer.write(b"HTTP/1.1 500 \xff\xfe\r\nContent-Length: 2\r\n\r\n{}")
        writer.close()

    async with serving(answer) as where:
        try:
            assert (await client.post(f"http://{where}/")).status_code == 500
        except FAILURES as exc:
            assert classify(exc).reason == Reason.BAD_RESPONSE


@pytest.mark.parametrize("how", ["closed", "cancelled", "out of time"])
async def test_an_answer_nobody_wants_any_more_is_hung_up_on(provider, up, how):
    up.script("alpha", ENOUGH)
    request = Request("alpha", [{"role": "user", "content": "Why?"}])

    async def read(count=None):
        async with aclosing(provider.stream(request)) as chunks:
            seen = 0
            async for _ in chunks:
                seen += 1
                if seen == count:
                    return

    if how == "closed":
        await read(3)
    elif how == "cancelled":
        task = asyncio.create_task(read())
        await up.until(lambda: up.calls and up.calls[0].deltas_sent > 2)
        task.cancel()
        await asyncio.wait([task])
    else:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await read()
    await up.until(lambda: up.calls[0].closed_by_client and not up.open_connections, timeout=2)


async def test_comments_do_not_keep_a_deadline_alive(provider, up):
    up.script("alpha", Script(raw=[b": still here\n\n", 0.05] * 1000))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.4):
            await collect(provider)
    await up.until(lambda: up.calls[0].closed_by_client, timeout=2)


@pytest.mark.parametrize("kind", ["one line", "many lines", "gzip bomb"])
async def test_a_hundred_megabytes_take_no_memory(ask, up, kind):
    piece = b"x" * 65536 if kind == "one line" else b": " + b"x" * 65532 + b"\n\n"
    headers = {}
    if kind == "gzip bomb":
        piece, headers = gzip.compress(piece * 1600), {"Content-Encoding": "gzip"}
    script = Script(raw=[b"data: ", *[piece] * 1600], headers=headers)
    tracemalloc.start()
    try:
        got = await ask(script)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert got.error is not None
    assert peak < 20_000_000


@pytest.mark.parametrize("transport", ["aiohttp"])  # httpx leaves it to libuv, out of reach here
async def test_a_name_server_that_hangs_stops_no_other_answer(provider, make, up, monkeypatch):
    up.script("alpha", Script(text="word " * 60, tokens_per_second=50))
    with places.hanging_dns() as hanging, places.slow_host() as place:
        monkeypatch.setattr(socket, "getaddrinfo", hanging)
        sibling = asyncio.create_task(collect(provider))
        failed = await asyncio.gather(*(collect(make(url=place.url)) for _ in range(4)))
        assert (await sibling).text.split() == ["word"] * 60
    assert [(got.reason, got.error.retryable) for got in failed] == [(Reason.UNREACHABLE, True)] * 4
    assert all("in time" in got.error.message for got in failed)


async def test_names_are_found_while_many_others_are_not(monkeypatch, up):
    """Forty hosts whose look-up hangs are more than any pool of threads of a loop."""
    with places.hanging_dns() as hanging:
        monkeypatch.setattr(socket, "getaddrinfo", hanging)
        async with make_client(connect_timeout=5) as client:
            urls = [f"http://h{n}.invalid/" for n in range(40)]
            lost = [asyncio.create_task(failing(client, url)) for url in urls]
            found = await client.get(f"http://localhost:{up.port}/v1/models")
            assert found.status_code == 200
            assert {error.reason for error in await asyncio.gather(*lost)} == {Reason.UNREACHABLE}


async def test_these_tests_run_in_the_loop_of_a_worker():
    assert type(asyncio.get_running_loop()).__module__ == "uvloop"


async def test_a_label_that_no_name_can_have_is_not_found(client):
    error = await failing(client, f"http://{'a' * 70}.example/")
    assert error.reason in (Reason.DNS, Reason.CONFIGURATION)


async def test_without_aiohttp_httpx_asks_by_itself(monkeypatch, up):
    monkeypatch.setitem(sys.modules, "console.providers.wire.transport", None)
    async with make_client() as client:
        assert type(client._transport) is httpx.AsyncHTTPTransport
        assert (await client.get(f"{up.url}/models")).status_code == 200


async def test_what_comes_by_words_is_read_at_the_end_of_a_window_and_the_end_at_once(
    monkeypatch,
):
    monkeypatch.setattr(windows, "WINDOW", 600)
    monkeypatch.setattr(transport, "PAUSE", 600)
    windows.every(1)
    at_once = [b"%d" % n for n in range(transport.AT_ONCE + 1)]
    taken = asyncio.Semaphore(0)

    async def answer(reader, writer):
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for word in [*at_once, b"then", b"all", b"else"]:
            writer.write(b"%x\r\n%s\r\n" % (len(word), word))
            if word in at_once:
                await taken.acquire()
            await asyncio.sleep(0.001)
        writer.write(b"0\r\n\r\n")

    async with serving(answer) as at, make_client() as client:
        pieces = []
        async with asyncio.timeout(60), client.stream("POST", f"http://{at}/") as response:
            async for piece in response.aiter_raw():
                pieces.append(piece)
                taken.release()
    assert pieces == [*at_once, b"thenallelse"]


async def test_what_comes_after_a_pause_waits_for_no_window(monkeypatch):
    monkeypatch.setattr(windows, "WINDOW", 600)
    monkeypatch.setattr(transport, "PAUSE", 0)
    windows.every(1)
    words = [b"%d" % n for n in range(2 * transport.AT_ONCE)]
    taken = asyncio.Semaphore(0)

    async def answer(reader, writer):
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for word in words:
            writer.write(b"%x\r\n%s\r\n" % (len(word), word))
            await taken.acquire()
        writer.write(b"0\r\n\r\n")

    async with (
        serving(answer) as at,
        make_client() as client,
        asyncio.timeout(60),
        client.stream("POST", f"http://{at}/") as response,
    ):
        pieces = []
        async for piece in response.aiter_raw():
            pieces.append(piece)
            taken.release()
    assert pieces == words


@pytest.mark.parametrize("is_broken_off", [True, False])
async def test_a_body_that_waits_for_a_windows_end_hears_of_a_fault_then_and_may_be_left(
    monkeypatch, is_broken_off
):
    monkeypatch.setattr(windows, "WINDOW", 0.05 if is_broken_off else 600)
    monkeypatch.setattr(transport, "PAUSE", 600)
    windows.every(1)
    taken = asyncio.Semaphore(0)

    async def answer(reader, writer):
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(transport.AT_ONCE + 1):
            writer.write(b"1\r\nx\r\n")
            await taken.acquire()
        writer.write(b"1\r\ny\r\n")
        await writer.drain()
        if is_broken_off:
            writer.transport.abort()
        else:
            await reader.read()

    async def read(client, at):
        async with client.stream("POST", f"http://{at}/") as response:
            async for piece in response.aiter_raw():
                pieces.append(piece)
                taken.release()

    pieces = []
    async with serving(answer) as at, make_client() as client, asyncio.timeout(60):
        if is_broken_off:
            with pytest.raises(httpx.HTTPError):
                await read(client, at)
        else:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(read(client, at), 0.2)
    assert pieces[: transport.AT_ONCE + 1] == [b"x"] * (transport.AT_ONCE + 1)
