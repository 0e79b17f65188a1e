"""Places where no answer comes from: what can go wrong before HTTP begins.

with refusing() as place: ...      # place.url; place.connections, those accepted
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Certificate = Literal["expired", "other-host", "self-signed"]


@dataclass
class Place:
    url: str
    connections: int = 0


@contextmanager
def refusing() -> Iterator[Place]:
    """A port nobody listens on, and nobody else can take."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield Place(_url(bound))


@contextmanager
def never_accepting() -> Iterator[Place]:
    with socket.socket() as full, socket.socket() as filler:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        filler.connect(full.getsockname())  # the queue of one is taken
        yield Place(_url(full))


@contextmanager
def unknown_host() -> Iterator[Place]:
    yield Place("http://no-such-host.invalid/v1")


@contextmanager
def slow_host() -> Iterator[Place]:
    """A name whose look-up hangs, where `socket.getaddrinfo` is told so (see `hanging_dns`)."""
    yield Place("http://slow-host.invalid/v1")


@contextmanager
def hanging_dns() -> Iterator[Callable[..., object]]:
    """For the place of `socket.getaddrinfo`: a name server that says nothing about names that
    are `.invalid`, all the while. Who waits for it waits in vain."""
    real = socket.getaddrinfo
    over = threading.Event()

    def getaddrinfo(host: object, *args: object, **kw: object) -> object:
        if (host.decode() if isinstance(host, bytes) else str(host)).endswith(".invalid"):
            over.wait()
        return real(host, *args, **kw)  # type: ignore[arg-type]

    try:
        yield getaddrinfo
    finally:
        over.set()


@contextmanager
def deaf() -> Iterator[Place]:
    """Accepts connections and never reads from them."""
    with _serving(lambda connection: None, receive_buffer=2048) as place:
        yield place


@contextmanager
def silent_tls() -> Iterator[Place]:
    """Takes the first bytes of a handshake and never answers."""
    with _serving(lambda connection: None, scheme="https") as place:
        yield place


@contextmanager
def plain_for_tls() -> Iterator[Place]:
    """Speaks plain HTTP where a handshake is expected."""

    def answer(connection: socket.socket) -> None:
        connection.recv(100)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with _serving(answer, scheme="https") as place:
        yield place


def tls(certificate: Certificate) -> Callable[[], contextlib.AbstractContextManager[Place]]:
    """A server whose certificate is not to be trusted, though its authority may be."""

    @contextmanager
    def server() -> Iterator[Place]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_made()[certificate])

        def answer(connection: socket.socket) -> None:
            with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True):
                pass

        with _serving(answer, scheme="https") as place:
            yield place

    return server


def trusted_authority() -> Path:
    """The authority behind `tls("expired")` and `tls("other-host")`."""
    return _made()["authority"]


@contextmanager
def _serving(
    answer: Callable[[socket.socket], None], *, scheme: str = "http", receive_buffer: int = 0
) -> Iterator[Place]:
    with socket.socket() as server, contextlib.ExitStack() as connections:
        if receive_buffer:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        server.bind(("127.0.0.1", 0))
        server.listen()
        place = Place(_url(server, scheme))

        def accept() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connections.enter_context(connection)
                place.connections += 1
                with contextlib.suppress(OSError):
                    answer(connection)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield place
        finally:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)  # wakes `accept`, which `close` would not
            thread.join(5)


def _url(bound: socket.socket, scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{bound.getsockname()[1]}/v1"


@cache
def _made() -> dict[str, Path]:
    """Name -> PEM file, made once a process."""
    folder = Path(tempfile.mkdtemp(prefix="fusion-tests-tls-"))
    authority_key, own_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    own = _certificate("127.0.0.1", own_key, own_key, "127.0.0.1")
    authority = _certificate("Test authority", authority_key, authority_key, "Test authority")
    here = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    expired = _certificate("127.0.0.1", own_key, authority_key, "Test authority", here, -2)
    elsewhere = x509.DNSName("elsewhere.example")
    other = _certificate("elsewhere.example", own_key, authority_key, "Test authority", elsewhere)
    pem = serialization.Encoding.PEM
    key = own_key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    files = {"authority": authority.public_bytes(pem)}
    for name, certificate in (("expired", expired), ("other-host", other), ("self-signed", own)):
        files[name] = key + certificate.public_bytes(pem)
    for name, content in files.items():
        (folder / f"{name}.pem").write_bytes(content)
    return {name: folder / f"{name}.pem" for name in files}


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    signed_by: ec.EllipticCurvePrivateKey,
    issuer: str,
    alternative: x509.GeneralName | None = None,
    valid_until_days: int = 2,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 9 * day)
        .not_valid_after(now + valid_until_days * day)
        .add_extension(x509.BasicConstraints(ca=name == issuer, path_length=None), critical=True)
    )
    if alternative:
        names = x509.SubjectAlternativeName([alternative])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(signed_by, hashes.SHA256())
