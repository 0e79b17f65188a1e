"""The one client that fetches pages, for which everything it meets is hostile.

A name is looked up once; each of its addresses must be public (or listed by the operator), and
the connection goes to that very address, so an answer that changes changes nothing. Redirects
are followed by hand, each vetted like the first. What comes is counted while it is read, packed
and unpacked, and all of it has one time. No cookie, no proxy of the environment, no connection
is used twice: one that was made for a name never serves another.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urljoin

import httpx

from ..providers.wire.http import trusted
from . import robots
from .addresses import PORTS, Address, Allowed, is_public, literal

AGENT = "Fusion (research; reads robots.txt)"
LONGEST = 2_000  # characters of an address
REDIRECTS = 5
TRIES = 3  # addresses of a name
BROKE = "Its server broke off, or does not speak HTTP."
MOVED = (301, 302, 303, 307, 308)
ROBOTS_KEPT = 3600.0  # seconds
ORIGINS_KEPT = 500
TYPES = {
    "text/html": "html", "application/xhtml+xml": "html", "application/pdf": "pdf",
    "text/plain": "text", "text/markdown": "text", "text/x-markdown": "text",
    "application/json": "text", "text/csv": "text", "text/xml": "text", "application/xml": "text",
}  # fmt: skip
_FAILURES = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError)

Resolve = Callable[[str, int], Awaitable[list[str]]]


class NotFetched(Exception):
    """Says why, in a sentence for people."""


@dataclass(frozen=True)
class Limits:
    seconds: float = 15
    bytes: int = 5_000_000  # unpacked
    heeds_robots: bool = True


@dataclass(frozen=True)
class Fetched:
    """`address` is where it came from in the end, `type` one of html, text and pdf."""

    address: str
    type: str
    charset: str
    body: bytes


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: httpx.Headers
    body: bytes


async def look_up(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))


@dataclass
class Client:
    allowed: Allowed = Allowed()
    limits: Limits = Limits()
    resolve: Resolve = look_up
    _robots: dict[str, tuple[float, robots.Robots]] = field(default_factory=dict)

    async def fetch(self, address: str) -> Fetched:
        """Raises NotFetched."""
        try:
            async with asyncio.timeout(self.limits.seconds):
                return await self._follow(address)
        except TimeoutError:
            seconds = f"{self.limits.seconds:g} s"
            raise NotFetched(f"The page was not there whole after {seconds}.") from None
        except _FAILURES as error:
            raise NotFetched(_why(error)) from None

    async def _follow(self, address: str) -> Fetched:
        url = _vetted(address)
        seen = {str(url)}
        for _ in range(REDIRECTS + 1):
            path = url.raw_path.decode("ascii") or "/"
            if self.limits.heeds_robots and not (await self._asks(url)).allows(path):
                raise NotFetched("Its site asks programs not to read this page (robots.txt).")
            answer = await self._get(url, self.limits.bytes)
            if answer.status not in MOVED:
                return _page(url, answer)
            url = _next(url, answer)
            if str(url) in seen:
                raise NotFetched("The page redirects in a circle.")
            seen.add(str(url))
        raise NotFetched(f"The page redirects more than {REDIRECTS} times.")

    async def _asks(self, url: httpx.URL) -> robots.Robots:
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        now = time.monotonic()
        kept = self._robots.get(origin)
        if kept is None or kept[0] < now:
            if len(self._robots) >= ORIGINS_KEPT:
                self._robots.clear()
            kept = now + ROBOTS_KEPT, await self._read_robots(_vetted(f"{origin}/robots.txt"))
            self._robots[origin] = kept
        return kept[1]

    async def _read_robots(self, url: httpx.URL) -> robots.Robots:
        for _ in range(REDIRECTS + 1):
            answer = await self._get(url, robots.LARGEST, is_cut=True)
            if answer.status in MOVED:
                url = _next(url, answer)
            elif answer.status >= 500:
                raise NotFetched("Its site cannot say whether programs may read it (robots.txt).")
            elif answer.status == 200:
                return robots.read(answer.body.decode("utf-8", "replace"))
            else:
                return robots.EVERYTHING
        return robots.EVERYTHING

    async def _get(self, url: httpx.URL, most: int, *, is_cut: bool = False) -> _Answer:
        addresses = await self._addresses(url)
        for number, address in enumerate(addresses, 1):
            try:
                return await _get_from(url, address, most, is_cut=is_cut)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if number == len(addresses):
                    raise
        raise NotFetched("The name of its host leads nowhere.")

    async def _addresses(self, url: httpx.URL) -> list[Address]:
        """Where the connection may go. Of several addresses a single private one refuses all: no
        honest name has both."""
        host, port = _host(url), _port(url)
        is_listed = self.allowed.has_place(host, port)
        try:
            known = literal(host)
            found = [known] if known else await self._looked_up(host, port)
        except ValueError:
            raise NotFetched("Its host is a number, which hides where it leads.") from None
        for address in found:
            if not (is_listed or is_public(address) or self.allowed.has_address(address)):
                raise NotFetched("It leads to an address that is not public.")
        by_network = all(map(self.allowed.has_address, found))
        if port not in PORTS[url.scheme] and not (is_listed or by_network):
            raise NotFetched(f"Port {port} is none that web pages are served at.")
        return found[:TRIES]

    async def _looked_up(self, host: str, port: int) -> list[Address]:
        try:
            names = await self.resolve(host, port)
        except (OSError, UnicodeError):
            names = []
        if not names:
            raise NotFetched("The name of its host leads nowhere.")
        return [ipaddress.ip_address(name.partition("%")[0]) for name in names]


async def _get_from(url: httpx.URL, address: Address, most: int, *, is_cut: bool) -> _Answer:
    pinned = url.copy_with(host=str(address))
    extensions = {"sni_hostname": _host(url)} if url.scheme == "https" else {}
    headers = {"Host": url.netloc.decode("ascii"), "Connection": "close"}
    async with (
        _client() as client,
        client.stream("GET", pinned, headers=headers, extensions=extensions) as answer,
    ):
        if answer.status_code in MOVED:
            return _Answer(answer.status_code, answer.headers, b"")
        length = answer.headers.get("content-length", "")
        if not is_cut and length.isdecimal() and int(length) > most:
            raise NotFetched(_too_large(most))
        body = bytearray()
        async for piece in _unpacked(answer, most):
            body += piece
            if len(body) > most:
                if is_cut:
                    break
                raise NotFetched(_too_large(most))
        return _Answer(answer.status_code, answer.headers, bytes(body[:most]))


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=trusted(),
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        headers={"User-Agent": AGENT, "Accept-Encoding": "gzip", "Accept": ", ".join(TYPES)},
        limits=httpx.Limits(max_keepalive_connections=0),
        timeout=httpx.Timeout(None, connect=10),
    )


async def _unpacked(answer: httpx.Response, most: int) -> AsyncIterator[bytes]:
    """Never more at a time than may come at all, however it is packed."""
    packed = answer.headers.get("content-encoding", "identity").strip().lower()
    if packed in ("", "identity"):
        async for piece in answer.aiter_raw():
            yield piece
        return
    if packed not in ("gzip", "x-gzip", "deflate"):
        raise NotFetched("The page is packed in a way that was not asked for.")
    unpacking = zlib.decompressobj(47 if packed != "deflate" else zlib.MAX_WBITS)
    async for piece in answer.aiter_raw():
        try:
            yield unpacking.decompress(piece, most + 1)
        except zlib.error:
            raise NotFetched("The page is packed, and cannot be unpacked.") from None
        if unpacking.unconsumed_tail:
            raise NotFetched(_too_large(most))
    if not unpacking.eof:
        raise NotFetched("The page ended before it was whole.")


def _vetted(address: str) -> httpx.URL:
    if len(address) > LONGEST:
        raise NotFetched("Its address is too long.")
    try:
        url = httpx.URL(address.strip())
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise NotFetched("Its address cannot be read.") from None
    if url.port is not None and not 0 < url.port < 65536:
        raise NotFetched("Its address cannot be read.")
    if url.scheme not in PORTS:
        raise NotFetched("Only pages of http and https are read.")
    if url.userinfo:
        raise NotFetched("Its address holds a name or a password.")
    if not url.host:
        raise NotFetched("Its address names no host.")
    return url.copy_with(fragment=None)


def _next(url: httpx.URL, answer: _Answer) -> httpx.URL:
    where = answer.headers.get("location", "")
    if not where:
        raise NotFetched("The page redirects without saying where to.")
    return _vetted(urljoin(str(url), where))


def _page(url: httpx.URL, answer: _Answer) -> Fetched:
    if answer.status != 200 or not answer.body.strip():
        empty = "The page is empty."
        raise NotFetched(empty if answer.status == 200 else f"Its server answered {answer.status}.")
    said = answer.headers.get("content-type", "")
    named = said.partition(";")[0].strip().lower()
    type = TYPES.get(named) if named else _guessed(answer.body)
    if type is None:
        raise NotFetched(f"It is no page of text ({named or 'of an unknown type'}).")
    if (type == "pdf") != answer.body.startswith(b"%PDF-"):
        raise NotFetched("It is something else than its server says.")
    if type == "text" and b"\0" in answer.body[:4096]:
        raise NotFetched("It is no page of text.")
    return Fetched(str(url), type, _charset(said), answer.body)


def _charset(said: str) -> str:
    return said.lower().partition("charset=")[2].partition(";")[0].strip(" \"'")


def _guessed(body: bytes) -> str | None:
    start = body[:1024].lstrip().lower()
    if start.startswith(b"%pdf-"):
        return "pdf"
    return "html" if start.startswith((b"<!doctype html", b"<html")) else None


def _too_large(most: int) -> str:
    return f"The page is larger than {most / 1e6:g} MB."


def _why(error: Exception) -> str:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return "Its server cannot be reached."
    is_address = isinstance(error, httpx.InvalidURL | ValueError)
    return "Its address cannot be read." if is_address else BROKE


def _host(url: httpx.URL) -> str:
    return url.raw_host.decode("ascii").strip("[]").rstrip(".").lower()


def _port(url: httpx.URL) -> int:
    return url.port or (443 if url.scheme == "https" else 80)
