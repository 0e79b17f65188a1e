"""Replies that their clients do not take.

What is not taken stays in memory, all of a page. Who takes next to nothing of it for a while is cut
off; and of all together no more is held than a bound, beyond which those are cut off who have had
theirs for longest: who reads at all has read a page by then.
"""

from __future__ import annotations

from typing import Protocol

from twisted.internet import reactor
from twisted.internet.interfaces import IDelayedCall

SECONDS = 30
TAKEN_BYTES = 30_000  # at least, in that time
HELD_BYTES = 100_000_000  # in all web processes


class Connection(Protocol):
    @property
    def left(self) -> int:
        """Bytes that were written and are not taken yet."""

    def forceAbortClient(self) -> None: ...


class Untaken:
    """Of one process."""

    def __init__(self) -> None:
        self._held: dict[Connection, IDelayedCall] = {}

    def add(self, connection: Connection) -> None:
        """It has something to take; said again when there is more."""
        if connection not in self._held:
            self._look_later(connection)
        self._make_room()

    def remove(self, connection: Connection) -> None:
        """It has taken all, or is gone."""
        if (look := self._held.pop(connection, None)) and look.active():
            look.cancel()

    def _look_later(self, connection: Connection) -> None:
        later: IDelayedCall = reactor.callLater(SECONDS, self._look, connection, connection.left)
        self._held[connection] = later

    def _look(self, connection: Connection, had: int) -> None:
        if had - connection.left < TAKEN_BYTES:
            self._cut_off(connection)
        else:
            self._look_later(connection)

    def _make_room(self) -> None:
        from console.site import processes

        beyond = sum(one.left for one in self._held) - processes.share(HELD_BYTES)
        for longest in list(self._held):
            if beyond <= 0:
                return
            beyond -= longest.left
            self._cut_off(longest)

    def _cut_off(self, connection: Connection) -> None:
        self.remove(connection)
        connection.forceAbortClient()


untaken = Untaken()
