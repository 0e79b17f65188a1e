"""Websockets as Daphne and Autobahn have them, with a short way for what comes and goes most
often."""

from __future__ import annotations

import time
from collections.abc import Callable

from daphne.ws_protocol import WebSocketFactory, WebSocketProtocol

from .short_text import framed, short_texts
from .web_writing import write_now


class Socket(WebSocketProtocol):
    """Without the sentences that Autobahn puts together, in colours, for a log that nobody keeps:
    with every message that comes or goes."""

    listener: Callable[[bytes], bool] | None = None  # takes what it knows, and says so

    def listen(self, listener: Callable[[bytes], bool]) -> None:
        """An extension of ASGI's: what pages say with every frame need not go through queue, task
        and turn of the loop."""
        self.listener = listener

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.listener = None  # or each would keep the other, and all that was watched
        super().onClose(wasClean, code, reason)

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        if isBinary or self.listener is None or not self.listener(payload):
            super().onMessage(payload, isBinary)
        else:
            self.last_ping = time.time()  # as Daphne does with whatever comes

    def dataReceived(self, data: bytes) -> None:
        texts = short_texts(data) if self.is_between_messages() else None
        if texts is None:
            self._dataReceived(data)
            return
        for text in texts:
            self.onMessage(text, False)

    def is_between_messages(self) -> bool:
        """With nothing begun, and no answer to a ping waited for."""
        if self.state != self.STATE_OPEN or self.autoPingTimeoutCall is not None:
            return False
        return not (self.data or self.current_frame or self.inside_message)

    def serverSend(self, content: str | bytes, binary: bool = False) -> None:
        is_plain = self.state == self.STATE_OPEN and not (binary or self._perMessageCompress)
        if is_plain and (data := framed(content)):
            self.sendData(data)
        else:
            super().serverSend(content, binary)

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        if sync or chopsize or self.send_queue:
            super().sendData(data, sync, chopsize)
        else:
            write_now(self.transport, data)


class SocketFactory(WebSocketFactory):
    protocol = Socket
