"""The place of a page, or of a program's request, among those that are made or begun at once
(pages/gate.py), for who is about to wait.

Whoever waits takes nothing from others: the next one may have its turn meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

_leave: ContextVar[Callable[[], None] | None] = ContextVar("leave", default=None)


def begins(leave: Callable[[], None]) -> None:
    """For this request, and the threads that work for it: how its place is given back."""
    _leave.set(leave)


def leave() -> None:
    """Where there is a place; from any thread, and as often as one likes."""
    if how := _leave.get():
        how()
