"""A proxy that ends TLS before the product, as people put one there: its own certificate, and
`X-Forwarded-Proto` to say how it was asked."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.door import Door

NAME = "localhost"


def certificate(folder: Path) -> Path:
    """For NAME, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "certificate.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


@contextlib.contextmanager
def tls_proxy(door: Door, certificate: Path, port: int) -> Iterator[None]:
    """At `door`, before what listens at `port`; at its end nothing of it is left open."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    under_way = set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        under_way.add(task)
        try:
            await _pass_on(reader, writer, port)
        finally:
            under_way.discard(task)

    async def stay(is_up: threading.Event) -> None:
        server = await asyncio.start_server(serve, sock=door.open(), ssl=context)
        is_up.set()
        await over.wait()
        server.close()
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    is_up = threading.Event()
    with asyncio.Runner() as runner:
        over, loop = asyncio.Event(), runner.get_loop()
        thread = threading.Thread(target=runner.run, args=(stay(is_up),))
        thread.start()
        is_up.wait()
        try:
            yield
        finally:
            loop.call_soon_threadsafe(over.set)
            thread.join()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(_closed, writer)
        stack.enter_context(contextlib.suppress(OSError, asyncio.IncompleteReadError))
        head = await reader.readuntil(b"\r\n\r\n")
        behind, before = await asyncio.open_connection("127.0.0.1", port)
        stack.push_async_callback(_closed, before)
        before.write(_forwarded(head))
        await asyncio.gather(_pump(reader, before), _pump(behind, writer))


async def _closed(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def _forwarded(head: bytes) -> bytes:
    """A request a connection, but for one that becomes a websocket."""
    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    is_socket = any(line.lower().startswith(b"upgrade:") for line in lines)
    kept = [line for line in lines if is_socket or not line.lower().startswith(b"connection:")]
    kept += [b"X-Forwarded-Proto: https", *([] if is_socket else [b"Connection: close"])]
    return b"\r\n".join(kept) + b"\r\n\r\n"


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()
