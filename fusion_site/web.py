"""The web server: Daphne as Fusion runs it, with a limit for what it takes from anybody.

Daphne calls Django when a request's whole body is there, on disk if need be,
so a limit of Django's own comes too late: by then anybody, signed in or not,
has filled the disk. Here a body is refused as soon as it is known to be too
large: by its Content-Length before a byte of it is asked for, otherwise when
it has grown too large.

Daphne has no option for that, and no place to put one. All that is used of its
and Twisted's inner parts is used here, and tests/live/test_body_limit.py fails
when a new version has changed them.
"""

from __future__ import annotations

import sys
from typing import Any
from urllib.parse import unquote

import daphne.server  # first of all that is Twisted's: it installs the reactor
from daphne.cli import CommandLineInterface
from daphne.http_protocol import HTTPFactory, WebRequest
from django.conf import settings
from twisted.internet.interfaces import IAddress, IDelayedCall
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from . import own_modules_last

# Quiet, because its access log would hold the tokens of share links. Closing a page need
# not wait for its consumer.
OPTIONS = ["--verbosity", "0", "--no-server-name", "--application-close-timeout", "3"]
# What a browser sends is small. The limits hold for both directions: console/live/consumers.py
# sends what is longer in parts.
OPTIONS += ["--websocket-max-message-size", "65536", "--websocket-max-frame-size", "65536"]

# A client that is still sending sees a reset in the place of its answer when we close at once.
# So what comes is thrown away for a while: most clients listen only when they have sent all.
DRAIN_BYTES = 50_000_000
DRAIN_SECONDS = 10
# Within the limit, too, nobody holds disk for ever by a byte now and then.
BODY_SECONDS = 300


class BodyTooLarge(Exception):
    """Leaves Twisted's decoder where it stands; it is not asked again."""


class Request(WebRequest):
    def handleContentChunk(self, data: bytes) -> None:
        if self.content.tell() + len(data) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            raise BodyTooLarge
        super().handleContentChunk(data)

    def handle_exception(self, exception: Exception) -> None:
        """Daphne would begin a second reply, refuse that itself, and look after no request any
        more. Broken off, a reply is none: its client sees that the end is missing."""
        if self._response_started and self.channel is not None:
            self.channel.forceAbortClient()
        else:
            super().handle_exception(exception)


class Channel(HTTPChannel):
    """A connection. Once it has refused a body it serves nothing more."""

    deadline: IDelayedCall | None = None
    to_drain: int | None = None  # bytes, once a body is refused

    def allHeadersReceived(self) -> None:
        if (self.length or 0) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            self.refuse()  # and no "100 Continue", which the rest of this method would say
            return
        super().allHeadersReceived()
        if self.length != 0:
            self.end_within(BODY_SECONDS)

    def rawDataReceived(self, data: bytes) -> None:
        if self.to_drain is None:
            try:
                super().rawDataReceived(data)
            except BodyTooLarge:
                self.refuse()
            return
        self.to_drain -= len(data)
        if self.to_drain < 0:
            self.transport.abortConnection()

    def allContentReceived(self) -> None:
        self.end_within(None)
        super().allContentReceived()

    def connectionLost(self, reason: Failure) -> None:
        self.end_within(None)
        super().connectionLost(reason)

    def refuse(self) -> None:
        request = self.requests[-1]
        if request.content is not None:
            request.content.close()  # its disk is free at once
        accepted = b",".join(request.requestHeaders.getRawHeaders(b"Accept", []))
        origin = request.requestHeaders.getRawHeaders(b"Origin", [b""])[0]
        head, body = refusal(self._path, origin, in_html=b"text/html" in accepted)
        self.transport.write(head if self._command == b"HEAD" else head + body)
        self.to_drain = DRAIN_BYTES
        self.setTimeout(None)  # that one begins anew with every byte
        self.end_within(DRAIN_SECONDS)
        self.transport.unregisterProducer()
        self.transport.loseWriteConnection()

    def end_within(self, seconds: float | None) -> None:
        if self.deadline is not None and self.deadline.active():
            self.deadline.cancel()
        self.deadline = self.callLater(seconds, self.forceAbortClient) if seconds else None


def refusal(address: bytes, origin: bytes, *, in_html: bool) -> tuple[bytes, bytes]:
    from console.api.http.fallback import (
        too_large,  # needs Django set up, which loading asgi.py does
    )

    path = unquote(address.partition(b"?")[0].decode("latin-1"))
    response = too_large(path, in_html=in_html, origin=origin.decode("latin-1"))
    response["Content-Length"] = str(len(response.content))
    response["Connection"] = "close"
    status = f"HTTP/1.1 {response.status_code} {response.reason_phrase}\r\n".encode()
    return status + response.serialize_headers() + b"\r\n\r\n", response.content


class Factory(HTTPFactory):
    # In the place of Twisted's choice between HTTP/1.1 and HTTP/2, which comes with TLS only.
    protocol = Channel

    def buildProtocol(self, addr: IAddress) -> Channel:
        channel: Channel = super().buildProtocol(addr)
        channel.requestFactory = Request
        return channel


class Server(daphne.server.Server):
    def run(self) -> None:
        daphne.server.HTTPFactory = Factory  # what `run` calls by this name
        self.ready_callable = self.must_be_limited
        super().run()

    def must_be_limited(self) -> None:
        if not isinstance(self.http_factory, Factory):
            raise SystemExit("This version of Daphne cannot be given a limit for what it takes.")


class Command(CommandLineInterface):
    server_class = Server

    def load_asgi_app(self, asgi_app_path: str) -> Any:
        own_modules_last()  # Daphne has put the working directory first
        return super().load_asgi_app(asgi_app_path)


def main() -> None:
    Command().run([*OPTIONS, *sys.argv[1:], "fusion_site.asgi:application"])


if __name__ == "__main__":
    main()
