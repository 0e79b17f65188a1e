"""Places that are few, and given to who waits for one by turns: first the addresses, then at each
address whoever asks from there. So who asks for a hundred things at once waits for their own, and
others for one or two of them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Visitor:
    address: str
    name: str  # at this address: a secret of theirs, or nothing


@dataclass
class _Waiting:
    """Of one address, in the order of their turns."""

    by_name: dict[str, deque[asyncio.Future[None]]] = field(default_factory=dict)

    def next(self) -> asyncio.Future[None]:
        name = next(iter(self.by_name))
        theirs = self.by_name.pop(name)
        first = theirs.popleft()
        if theirs:
            self.by_name[name] = theirs
        return first


class FairPlaces:
    def __init__(self, places: int) -> None:
        self._free = places
        self._by_address: dict[str, _Waiting] = {}

    async def acquire(self, visitor: Visitor) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._by_address.setdefault(visitor.address, _Waiting())
        waiting.by_name.setdefault(visitor.name, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # it had come at the same moment
                self.release()
            raise

    def release(self) -> None:
        while self._by_address:
            address = next(iter(self._by_address))
            waiting = self._by_address.pop(address)
            turn = waiting.next()
            if waiting.by_name:
                self._by_address[address] = waiting
            if not turn.done():  # who has gone away has no turn
                turn.set_result(None)
                return
        self._free += 1
