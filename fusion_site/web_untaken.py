"""Replies that their clients do not take. They stay in memory, all of a page: of those of all
clients together no more is held than a bound, beyond which the largest are cut off.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

HELD_BYTES = 100_000_000  # in all web processes
# Each piece of each stream is told of: to look at all that is held costs more than to write it.
LOOKED_AT_EVERY = 0.25  # seconds


class Connection(Protocol):
    @property
    def held(self) -> int:
        """Bytes that were written and are in memory still."""

    def forceAbortClient(self) -> None: ...


class Untaken:
    """Of one process. `call_later`: the reactor's."""

    def __init__(self, call_later: Callable[..., Any]) -> None:
        self._call_later = call_later
        self._connections: dict[Connection, None] = {}  # those first that have waited for longest
        self._is_to_look = False

    def add(self, connection: Connection) -> None:
        """It has something to take; said again when there is more."""
        self._connections[connection] = None
        if not self._is_to_look:
            self._is_to_look = True
            self._call_later(LOOKED_AT_EVERY, self._make_room)

    def remove(self, connection: Connection) -> None:
        """It has taken all, or is gone."""
        self._connections.pop(connection, None)

    def _make_room(self) -> None:
        from console.site import processes

        self._is_to_look = False
        held = {one: one.held for one in self._connections}
        beyond = sum(held.values()) - processes.share(HELD_BYTES)
        for largest in sorted(held, key=held.__getitem__, reverse=True):
            if beyond <= 0:
                return
            beyond -= held[largest]
            self.remove(largest)
            largest.forceAbortClient()
