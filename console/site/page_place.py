"""The place of a page, or of a program's request, among those that are made or begun at once
(pages/gate.py), for who is about to wait.

Whoever waits takes nothing from others: the next one may have its turn meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Protocol


class Releasable(Protocol):
    def release(self) -> None: ...


class PagePlace:
    """One of each of `places`, taken; after `seconds` it is another's, whatever goes on in it."""

    def __init__(self, seconds: float, *places: Releasable) -> None:
        self._places, self._is_left = places, False
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.call_later(seconds, self.leave)

    def leave_from_anywhere(self) -> None:
        self._loop.call_soon_threadsafe(self.leave)

    def leave(self) -> None:
        if not self._is_left:
            self._is_left = True
            self._until.cancel()
            for places in self._places:
                places.release()


_leave: ContextVar[Callable[[], None] | None] = ContextVar("leave", default=None)


def begins(leave: Callable[[], None]) -> None:
    """For this request, and the threads that work for it: how its place is given back."""
    _leave.set(leave)


def leave() -> None:
    """Where there is a place; from any thread, and as often as one likes."""
    if how := _leave.get():
        how()
