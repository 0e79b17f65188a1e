"""The one window of the system: 33 ms, within which what comes is taken together.

Nobody notices them, and whatever is done once for all that came meanwhile is several times
cheaper than done for each token. They end by the machine's clock: those of all runs of a worker,
and of several workers on one machine, at the same moment. First answers are read, then what they
brought is written, so that the process is woken once for all of it, and nothing waits for both.
"""

from __future__ import annotations

import asyncio
import time
from contextvars import ContextVar
from weakref import ref

WINDOW = 0.033
TURNS = 3  # of the event loop, within which what is there of an answer has been taken

_every: ContextVar[int] = ContextVar("every", default=0)


def every(number: int) -> None:
    """Window, or every second one, is what this task waits for, and those that it begins."""
    _every.set(number)


def are_waited_for() -> bool:
    """By this task: by whoever carries out a run."""
    return bool(_every.get())


class Windows:
    """Of one event loop."""

    def __init__(self) -> None:
        self._is_open = False
        self._ended = 0  # the number of the last one
        # Of every window's end, and of every second one's.
        self._readers: dict[int, set[asyncio.Event]] = {1: set(), 2: set()}
        self._writers: dict[int, set[asyncio.Event]] = {1: set(), 2: set()}

    def before_reading(self, ended: asyncio.Event) -> None:
        """`ended` is set when the window has ended."""
        self._readers[_every.get() or 1].add(ended)
        self._open()

    def before_writing(self, ended: asyncio.Event) -> None:
        """`ended` is set when the window has ended, and all who read have read."""
        self._writers[_every.get() or 1].add(ended)
        self._open()

    def _open(self) -> None:
        """The next one whose end is not too near to be worth it."""
        if not self._is_open:
            self._is_open, now = True, time.monotonic()
            self._ended = max(self._ended, int(now / WINDOW))
            number = int((now + WINDOW / 2) / WINDOW) + 1
            asyncio.get_running_loop().call_later(number * WINDOW - now, self._read, number)

    def _read(self, number: int) -> None:
        self._is_open = False
        # Of those that have ended since, one may have been a second one: a loop may be late.
        before, self._ended = self._ended, max(number, int(time.monotonic() / WINDOW))
        ends = (1, 2) if self._ended // 2 > before // 2 else (1,)
        is_read = [_tell(self._readers[each]) for each in ends]
        self._write(ends, TURNS if any(is_read) else 0)
        if self._readers[2] or self._writers[2]:
            self._open()

    def _write(self, ends: tuple[int, ...], turns: int) -> None:
        if turns:
            asyncio.get_running_loop().call_soon(self._write, ends, turns - 1)
            return
        for each in ends:
            _tell(self._writers[each])


def _tell(waiting: set[asyncio.Event]) -> bool:
    """Whether anybody waited."""
    told = bool(waiting)
    for ended in waiting:
        ended.set()
    waiting.clear()
    return told


# A worker has one loop. Windows of a loop that ran before hold it, and are given up with it.
_latest: tuple[ref[asyncio.AbstractEventLoop], Windows] | None = None


def windows() -> Windows:
    """Those of the loop that runs."""
    global _latest
    loop = asyncio.get_running_loop()
    if _latest is None or _latest[0]() is not loop:
        _latest = ref(loop), Windows()
    return _latest[1]
