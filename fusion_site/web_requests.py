"""Requests as they are read: how long a body may be, and how long anybody may take to send it.

Daphne calls Django when a request's whole body is there, on disk if need be,
so a limit of Django's own comes too late: by then anybody, signed in or not,
has filled the disk. Here a body is refused as soon as it is known to be too
large: by its Content-Length before a byte of it is asked for, otherwise when
it has grown too large. How large that is hangs on who sends it, which is asked
before it is read (console/api/http/bodies.py). Nor does anybody hold a connection
by sending a byte now and then.
"""

from __future__ import annotations

import logging
import re
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any

from . import reactor as installed  # noqa: F401 - first of all that is Twisted's

# isort: split
from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.internet import reactor
from twisted.internet.interfaces import IAddress, IDelayedCall
from twisted.internet.threads import deferToThread
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from .web_untaken import Untaken
from .web_writing import held_by, write_now

if TYPE_CHECKING:
    from console.api.http.bodies import EarlyRefusal

log = logging.getLogger(__name__)

# A client that is still sending sees a reset in the place of its answer when we close at once.
# So what comes is thrown away for a while: most clients listen only when they have sent all.
DRAIN_BYTES = 50_000_000
DRAIN_SECONDS = 10
# The head of a request is there after so long, and so is a body's beginning.
HEAD_SECONDS = 10
# The loop does what is due before it reads what came. Where the process itself was held up, that
# may be all that was waited for: it is read first.
READ_SECONDS = 0.2
# What anybody may send stays in memory; of the longer bodies, which stand on disk until they are
# answered, there are never more than so many bytes, in all web processes.
IN_MEMORY_BYTES = 64 * 1024
ON_DISK_BYTES = 200_000_000
# A target that names the server, too, as whoever takes us for a proxy sends it.
WHOLE_ADDRESS = re.compile(rb"https?://([^/?#]*)(.*)", re.IGNORECASE)


untaken = Untaken(reactor.callLater)


class Unread(Exception):
    """Leaves Twisted's decoder where it stands; it is not asked again."""

    def __init__(self, why: EarlyRefusal) -> None:
        super().__init__()
        self.why = why


class Body(SpooledTemporaryFile[bytes]):
    """Of a request. `on_disk` are those of all requests that may be long."""

    on_disk = 0

    def __init__(self, *, may_be_long: bool) -> None:
        super().__init__(max_size=IN_MEMORY_BYTES)
        self.may_be_long = may_be_long
        self.counted = 0

    def write(self, data: Any) -> int:
        if self.may_be_long:
            self.counted += len(data)
            Body.on_disk += len(data)
        return super().write(data)

    def close(self) -> None:
        Body.on_disk -= self.counted
        self.counted = 0
        super().close()


class Request(WebRequest):
    channel: Channel | None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # Twisted would read every form a second time, here on the loop: of 10 MB for seconds, in
        # which nobody is served. Django reads it, in a thread.
        super().__init__(*args, parsePOSTFormSubmission=False, **kwargs)

    @property
    def is_waited_for(self) -> bool:
        """Its client has heard nothing of it yet."""
        is_open = self.channel is not None and self.channel.to_drain is None
        return is_open and not self._response_started

    def gotLength(self, length: int | None) -> None:
        super().gotLength(0)
        if length != 0:
            assert self.channel
            self.content = Body(may_be_long=self.channel.most > IN_MEMORY_BYTES)

    def handleContentChunk(self, data: bytes) -> None:
        from console.api.http import bodies
        from console.site import processes

        assert self.channel
        if self.content.tell() + len(data) > self.channel.most:
            raise Unread(self.channel.beyond)
        if self.content.may_be_long and Body.on_disk + len(data) > processes.share(ON_DISK_BYTES):
            raise Unread(bodies.too_many_at_once())
        self.channel.taken += len(data)
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

    _path: bytes
    deadline: IDelayedCall | None = None
    to_drain: int | None = None  # bytes, once a body is refused
    is_asking = False  # who sends this body; what comes meanwhile waits
    is_lost = False
    most = 0  # bytes of the body that are read, and why no more of them
    beyond: EarlyRefusal
    begun = 0.0
    taken = 0  # bytes of the body so far

    def connectionMade(self) -> None:
        super().connectionMade()
        self.end_within(HEAD_SECONDS)

    def dataReceived(self, data: bytes) -> None:
        if self.deadline is None and not (self._handlingRequest or self.is_asking):
            self.end_within(HEAD_SECONDS)  # a further request begins
        super().dataReceived(data)

    def allHeadersReceived(self) -> None:
        from console.api.http import bodies

        self.end_within(None)
        if whole := WHOLE_ADDRESS.fullmatch(self._path):
            # HTTP has every server take it, and believe its host before the header.
            self.requests[-1].requestHeaders.setRawHeaders(b"Host", [whole[1]])
            self._path = whole[2] if whole[2].startswith(b"/") else b"/" + whole[2]
        if self.length == 0:
            super().allHeadersReceived()
            return
        path = bodies.path_of(self._path.decode("latin-1"))
        most = bodies.largest(path)
        if self.length is not None and self.length > most:
            self.refuse(bodies.too_large_at(path))
        elif self.length is not None and self.length <= bodies.ANYBODYS_BYTES:
            self.read(bodies.ANYBODYS_BYTES, bodies.too_large_at(path))
        else:
            self.is_asking = True
            self.paused = True  # LineReceiver's own: what it has already stays with it
            self.transport.pauseProducing()
            headers = self.requests[-1].requestHeaders.getAllRawHeaders()
            known = {k.decode().lower(): b"; ".join(v).decode("latin-1") for k, v in headers}
            asked = deferToThread(bodies.not_known, path, known)
            asked.addCallbacks(partial(self.answered, path, most), self.not_answered)

    def answered(self, path: str, most: int, unknown: EarlyRefusal | None) -> None:
        from console.api.http import bodies

        if unknown is None:
            self.goes_on(partial(self.read, most, bodies.too_large_at(path)))
        elif self.length is None:
            self.goes_on(partial(self.read, bodies.ANYBODYS_BYTES, unknown))
        else:
            self.goes_on(partial(self.refuse, unknown))

    def not_answered(self, failure: Failure) -> None:
        from console.api.http import bodies

        log.error("who sends a long body could not be asked", exc_info=failure.value)
        self.goes_on(partial(self.refuse, bodies.not_to_be_known()))

    def goes_on(self, how: Any) -> None:
        self.is_asking = False
        if self.is_lost:
            return
        self.paused = False
        self.transport.resumeProducing()
        how()
        self.dataReceived(b"")

    def read(self, most: int, beyond: EarlyRefusal) -> None:
        self.most, self.beyond, self.taken = most, beyond, 0
        super().allHeadersReceived()  # says "100 Continue", if that is waited for
        self.begun = reactor.seconds()
        self.keep_pace()

    def keep_pace(self, *, is_read: bool = False) -> None:
        """At an even pace or not: what came in a burst is time to spare."""
        from console.api.http import bodies

        until = self.begun + HEAD_SECONDS + self.taken / bodies.BYTES_PER_SECOND
        if (left := until - reactor.seconds()) > 0:
            self.deadline = self.callLater(left, self.keep_pace)
        elif is_read:
            self.refuse(bodies.too_slow())
        else:
            self.deadline = self.callLater(READ_SECONDS, partial(self.keep_pace, is_read=True))

    def rawDataReceived(self, data: bytes) -> None:
        if self.to_drain is None:
            try:
                super().rawDataReceived(data)
            except Unread as unread:
                self.refuse(unread.why)
            return
        self.to_drain -= len(data)
        if self.to_drain < 0:
            self.transport.abortConnection()

    def allContentReceived(self) -> None:
        self.end_within(None)
        super().allContentReceived()

    @property
    def held(self) -> int:
        return held_by(self.transport)

    def pauseProducing(self) -> None:
        super().pauseProducing()
        untaken.add(self)

    def resumeProducing(self) -> None:
        super().resumeProducing()
        untaken.remove(self)

    def stopProducing(self) -> None:
        """The connection is lost, be it a websocket's by now, which is told so instead of this."""
        super().stopProducing()
        untaken.remove(self)

    def writeSequence(self, iovec: Any) -> None:
        """A piece of a reply whose length was not told, as streams are."""
        write_now(self.transport, b"".join(iovec))

    def connectionLost(self, reason: Failure) -> None:
        self.is_lost = True
        self.end_within(None)
        untaken.remove(self)
        super().connectionLost(reason)

    def refuse(self, why: EarlyRefusal) -> None:
        request = self.requests[-1]
        if request.content is not None:
            request.content.close()  # its disk is free at once
        head, body = refusal(self._path, request.requestHeaders, why)
        self.transport.write(head if self._command == b"HEAD" else head + body)
        self.to_drain = DRAIN_BYTES
        self.setTimeout(None)  # that one begins anew with every byte
        self.end_within(DRAIN_SECONDS)
        self.transport.unregisterProducer()
        self.transport.loseWriteConnection()

    def end_within(self, seconds: float | None) -> None:
        if self.deadline is not None and self.deadline.active():
            self.deadline.cancel()
        self.deadline = self.callLater(seconds, self.read_and_end) if seconds else None

    def read_and_end(self) -> None:
        self.deadline = self.callLater(READ_SECONDS, self.forceAbortClient)


def refusal(target: bytes, headers: Any, why: EarlyRefusal) -> tuple[bytes, bytes]:
    # They need Django set up, which loading asgi.py does.
    from console.api.http import bodies, fallback

    accepted = b",".join(headers.getRawHeaders(b"Accept", []))
    response = fallback.early_refusal(
        bodies.path_of(target.decode("latin-1")),
        why,
        in_html=b"text/html" in accepted,
        origin=headers.getRawHeaders(b"Origin", [b""])[0].decode("latin-1"),
    )
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
