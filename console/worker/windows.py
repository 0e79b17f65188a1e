"""The one window of the system: 33 ms, within which what is written is taken together.

Nobody notices them, and whatever is done once for all that came meanwhile is several times
cheaper than done for each token. Windows that are open at the same time end at the same time, so
that the process is woken once for all of them.
"""

from __future__ import annotations

import asyncio

WINDOW = 0.033


class Windows:
    """Of one event loop."""

    def __init__(self) -> None:
        self._open: list[asyncio.Event] = []

    def open(self, ended: asyncio.Event) -> None:
        """`ended` is set at its end, which is that of the first one that is open."""
        if not self._open:
            asyncio.get_running_loop().call_later(WINDOW, self._end)
        self._open.append(ended)

    def _end(self) -> None:
        opened, self._open = self._open, []
        for ended in opened:
            ended.set()
