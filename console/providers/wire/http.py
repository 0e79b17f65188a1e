"""The one HTTP client, and what its failures mean.

Whether a failed call may have been billed decides whether it may be repeated:
only when no connection was made is it certain that nothing was sent.
"""

from __future__ import annotations

import functools
import socket
import ssl
from collections.abc import Iterator
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Literal

import httpx

from console.engine.errors import ProviderError, Reason

# What the client and its transports may raise while a request is under way.
FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError)
KEEPALIVE = 15  # seconds an idle connection is kept
# Within every handshake; a cause only in that the connection was still waiting.
HANDSHAKE_GOES_ON = (ssl.SSLWantReadError, ssl.SSLWantWriteError)


def make_client(
    *,
    connect_timeout: float = 10,
    write_timeout: float = 30,
    transport: Literal["aiohttp", "httpx"] = "aiohttp",
    tls: ssl.SSLContext | None = None,
) -> httpx.AsyncClient:
    """One for all calls of an event loop; the caller closes it.

    It follows no redirect and no proxy variable (either would carry keys to
    another host), keeps no cookie, asks for no compression, and waits for an
    answer for ever: deadlines are the engine's. Connecting includes finding
    the address and the TLS handshake. Nothing is sent twice. Without aiohttp
    it is httpx all the way down, with the same behaviour.
    """
    tls = tls or trusted()
    return httpx.AsyncClient(
        transport=_aiohttp_transport(tls) if transport == "aiohttp" else None,
        verify=tls,
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"Accept-Encoding": "identity", "User-Agent": "Fusion"},
        limits=httpx.Limits(
            max_connections=None, max_keepalive_connections=100, keepalive_expiry=KEEPALIVE
        ),
        # httpx-aiohttp bounds only the sockets by `connect`, and all up to a connection by `pool`.
        timeout=httpx.Timeout(
            connect=connect_timeout, read=None, write=write_timeout, pool=connect_timeout
        ),
    )


@functools.cache
def trusted() -> ssl.SSLContext:
    """Whom to trust: the authorities that come with httpx and those of this machine. Made once
    in a process, since reading them takes longer than many a call."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _aiohttp_transport(tls: ssl.SSLContext) -> httpx.AsyncBaseTransport | None:
    try:
        from .transport import Transport
    except ModuleNotFoundError:
        return None
    return Transport(tls, keepalive=KEEPALIVE)


def classify(
    exc: BaseException, host: str = "the provider", *, answered: bool = False
) -> ProviderError:
    """What a failure of the client means; `answered` when some of an answer had come.

    A cause from aiohttp is believed before the type httpx gave it: behind
    httpx-aiohttp even a connection lost in mid-answer is a `ConnectTimeout`.
    """
    causes = list(_causes(exc))
    names = {
        parent.__name__
        for cause in causes
        if type(cause).__module__.startswith("aiohttp")
        for parent in type(cause).__mro__
    }
    if names:
        never_made = bool(names & {"ClientConnectorError", "ConnectionTimeoutError"})
    else:
        never_made = isinstance(exc, (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout))
    if never_made:
        return _never_made(exc, causes, host)
    if isinstance(
        exc, (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeError)
    ):
        message = "The provider's address or key holds something that cannot be sent."
        return ProviderError(Reason.CONFIGURATION, message)
    reason = _lost(exc, names)
    vanished = reason != Reason.BAD_RESPONSE and not answered
    return ProviderError(reason, unconfirmed=vanished)


def _lost(exc: BaseException, names: set[str]) -> Reason:
    """How it ended once a connection was made."""
    message = str(exc)
    if "ClientPayloadError" in names:
        # aiohttp keeps of a broken connection only its words: "... OSError(104, 'Connection".
        return Reason.DISCONNECTED if "Error(" in message else Reason.TRUNCATED
    if "complete message body" in message:
        return Reason.TRUNCATED
    if "ClientResponseError" in names:
        return Reason.BAD_RESPONSE
    if isinstance(exc, httpx.RemoteProtocolError) and "disconnected" not in message.lower():
        return Reason.BAD_RESPONSE
    if isinstance(exc, (httpx.TimeoutException, TimeoutError)) and not names:
        return Reason.TIMEOUT
    return Reason.DISCONNECTED


def _never_made(exc: BaseException, causes: list[BaseException], host: str) -> ProviderError:
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return ProviderError(Reason.DNS, f"The host name of {host} was not found.", retryable=True)
    for cause in causes:
        if isinstance(cause, ssl.SSLError) and not isinstance(cause, HANDSHAKE_GOES_ON):
            why = next(filter(None, map(_why, causes)), "the handshake failed")
            message = f"The connection to {host} could not be secured: {why}."
            return ProviderError(Reason.TLS, message)
    slow = isinstance(exc, httpx.TimeoutException) and not any(
        isinstance(cause, OSError) and cause.errno is not None for cause in causes
    )
    how = "did not answer in time" if slow else "could not be reached"
    return ProviderError(Reason.UNREACHABLE, f"{host} {how}.", retryable=True)


def _why(cause: BaseException) -> str:
    # aiohttp's own error is an SSLError too, without the reason of the one it wraps.
    return getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or ""


def _causes(exc: BaseException) -> Iterator[BaseException]:
    """Not what was merely being handled meanwhile, which may be the failure of another request:
    it would make of a lost answer a connection that was never made."""
    following = [exc]
    while following:
        current = following.pop()
        yield current
        if isinstance(current, BaseExceptionGroup):
            following += current.exceptions
        cause = current.__cause__
        if cause is None and type(current).__module__.startswith("httpcore"):
            cause = current.__context__  # its pool raises the cause away: `raise exc from None`
        if cause is not None:
            following.append(cause)
