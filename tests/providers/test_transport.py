"""The client itself, on both transports: whom it trusts, what it never sends twice."""

import asyncio
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from console.engine.errors import Reason
from console.providers._http import FAILURES, classify, make_client
from tests.upstream import Script


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
