"""Places that are few, and given to who waits for one by turns: first the addresses, then at each
address whoever asks from there. So who asks for a hundred things at once waits for their own, and
others for one or two of them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class Visitor:
    address: str
    name: str  # at this address: a secret of theirs, or nothing


class HalfTheTime:
    """One of `places` that has been taken: given back, it rests for as long as it was taken, at
    most `seconds`, before the next has it. So half of the time is left to whoever needs none."""

    def __init__(self, places: FairPlaces, seconds: float) -> None:
        self._places, self._at_most = places, seconds
        self._loop = asyncio.get_running_loop()
        self._taken_at = self._loop.time()

    def release(self) -> None:
        taken = self._loop.time() - self._taken_at
        self._loop.call_later(min(taken, self._at_most), self._places.release)


class FairPlaces:
    def __init__(self, places: int) -> None:
        self._free = places
        # By address, then by name, both in the order of their turns.
        self._waiting: dict[str, dict[str, deque[asyncio.Future[None]]]] = {}

    async def acquire(self, visitor: Visitor) -> None:
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        at_address = self._waiting.setdefault(visitor.address, {})
        at_address.setdefault(visitor.name, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._forget(visitor, turn)
            else:  # it had come at the same moment
                self.release()
            raise

    def release(self) -> None:
        while self._waiting:
            address, names = next(iter(self._waiting.items()))
            name, turns = next(iter(names.items()))
            del self._waiting[address], names[name]
            turn = turns.popleft()
            if turns:
                names[name] = turns
            if names:
                self._waiting[address] = names
            if not turn.done():  # or it is given up at this moment
                turn.set_result(None)
                return
        self._free += 1

    def _forget(self, visitor: Visitor, turn: asyncio.Future[None]) -> None:
        """Who goes away has no turn, and takes none of who stays."""
        names = self._waiting.get(visitor.address, {})
        turns = names.get(visitor.name, deque())
        if turn in turns:
            turns.remove(turn)
        if not turns:
            names.pop(visitor.name, None)
        if not names:
            self._waiting.pop(visitor.address, None)
