"""The one window of the system: 33 ms, within which what comes is taken together.

Nobody notices them, and whatever is done once for all that came meanwhile is several times
cheaper than done for each token. They end by the machine's clock: those of all runs of a worker,
and of several workers, at the same moment. First answers are read, then what they brought is
written, so that the process is woken once for all of it, and nothing waits for both.
"""

from __future__ import annotations

import asyncio
import time
from contextvars import ContextVar
from weakref import WeakKeyDictionary

WINDOW = 0.033
TURNS = 3  # of the event loop, within which what is there of an answer has been taken

_every: ContextVar[int] = ContextVar("every", default=1)


def every(number: int) -> None:
    """Window, or every second one, is what this task waits for, and those that it begins."""
    _every.set(number)


def until_end(number: int, at_least: float) -> float:
    """Seconds until a window's end, or every second one's: the first that is not nearer than
    `at_least` seconds."""
    each = number * WINDOW
    return each - (time.monotonic() + at_least) % each + at_least


class Windows:
    """Of one event loop."""

    def __init__(self) -> None:
        self._end: asyncio.TimerHandle | None = None
        # Of every window's end, and of every second one's.
        self._readers: dict[int, list[asyncio.Event]] = {1: [], 2: []}
        self._writers: dict[int, list[asyncio.Event]] = {1: [], 2: []}

    def before_reading(self, ended: asyncio.Event) -> None:
        """`ended` is set when the window has ended."""
        self._readers[_every.get()].append(ended)
        self._open()

    def before_writing(self, ended: asyncio.Event) -> None:
        """`ended` is set when the window has ended, and all who read have read."""
        self._writers[_every.get()].append(ended)
        self._open()

    def _open(self) -> None:
        if self._end is None:
            left = until_end(1, WINDOW / 2)
            self._end = asyncio.get_running_loop().call_later(left, self._read)

    def _read(self) -> None:
        self._end = None
        count = round(time.monotonic() / WINDOW)
        ends = [number for number in (1, 2) if not count % number]
        is_read = [_tell(self._readers[number]) for number in ends]
        self._write(ends, TURNS if any(is_read) else 0)
        if self._readers[2] or self._writers[2]:
            self._open()

    def _write(self, ends: list[int], turns: int) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self._write, ends, turns - 1)
            return
        for number in ends:
            _tell(self._writers[number])


def _tell(waiting: list[asyncio.Event]) -> bool:
    """Whether anybody waited."""
    told = bool(waiting)
    for ended in waiting:
        ended.set()
    waiting.clear()
    return told


_WINDOWS: WeakKeyDictionary[asyncio.AbstractEventLoop, Windows] = WeakKeyDictionary()


def windows() -> Windows:
    """Those of the loop that runs."""
    loop = asyncio.get_running_loop()
    if loop not in _WINDOWS:
        _WINDOWS[loop] = Windows()
    return _WINDOWS[loop]
