"""Server-sent events: bytes in, events out.

Written here because ready-made line splitters also split at U+2028 and its
like, which JSON may hold. Any cutting of the same bytes gives the same events.

Some servers leave the blank line between events out. Where two lines of data in a row are a
whole JSON object each (or `[DONE]`), each is an event: as one they would be no JSON.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

LINE_END = re.compile(rb"\r\n|\r|\n")
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class ServerSentEvent:
    data: str
    event: str = ""


class Parser:
    """Never raises. What is longer than `limit` bytes is dropped and sets `overflowed`."""

    def __init__(self, limit: int = 1024 * 1024) -> None:
        self.overflowed = False
        self.comments = 0
        self._limit = limit
        self._tail = bytearray()  # a line whose end has not come
        self._dropping = False  # that line is too long already
        self._after_cr = False
        self._first = True
        self._data: list[str] = []
        self._size = 0
        self._event = ""
        self._unseparated = False

    def feed(self, data: bytes) -> list[ServerSentEvent]:
        if not data:
            return []
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]
        self._after_cr = data.endswith(b"\r")
        *lines, tail = LINE_END.split(data)
        events = []
        for line in lines:
            events += self._line(line)
        self._keep(tail)
        return events

    def close(self) -> list[ServerSentEvent]:
        """What an unfinished last line or event held; it may be cut anywhere."""
        return [*self._line(b""), *self._line(b"")]

    def _keep(self, tail: bytes) -> None:
        if self._dropping or len(self._tail) + len(tail) > self._limit:
            self._drop()
        else:
            self._tail += tail

    def _drop(self) -> None:
        self._tail.clear()
        self._dropping = self.overflowed = True

    def _line(self, rest: bytes) -> list[ServerSentEvent]:
        if self._tail or self._dropping or len(rest) > self._limit:
            self._keep(rest)
            line, dropped = bytes(self._tail), self._dropping
            self._tail.clear()
            self._dropping = False
        else:
            line, dropped = rest, False
        if self._first:
            self._first = False
            line = line.removeprefix(BOM)
        if dropped:
            return []
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        if not name:
            self.comments += 1
        elif name == b"data":
            return self._take(value)
        elif name == b"event":
            self._event = value.removeprefix(b" ").decode(errors="replace")
        return []

    def _take(self, value: bytes) -> list[ServerSentEvent]:
        """A line of data; the events that are whole by it."""
        before: list[ServerSentEvent] = []
        data = value.removeprefix(b" ").decode(errors="replace")
        # Of lines that have always been events of their own, nobody waits for the next.
        is_second = len(self._data) == 1 and (self._unseparated or _is_whole(self._data[0]))
        if is_second and _is_whole(data):
            before, self._unseparated = self._dispatch(), True
        self._size += len(value)
        if self._size <= self._limit:
            self._data.append(data)
        if self._unseparated and len(self._data) == 1 and _is_whole(data):
            return before + self._dispatch()
        return before

    def _dispatch(self) -> list[ServerSentEvent]:
        data, event, size = self._data, self._event, self._size
        self._data, self._event, self._size = [], "", 0
        if size > self._limit:
            self.overflowed = True
            return []
        return [ServerSentEvent("\n".join(data), event)] if data else []


def _is_whole(data: str) -> bool:
    data = data.strip()
    if not (data.startswith("{") and data.endswith("}")):
        return data == "[DONE]"
    try:
        json.loads(data)
    except (ValueError, RecursionError):
        return False
    return True
