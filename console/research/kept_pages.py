"""Pages that a worker has read and may be asked for again, by another run or another seat: for a
quarter of an hour, and as many as fit."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from urllib.parse import urldefrag

from ..engine.pool import PageRead

SECONDS = 900.0
CHARACTERS = 10_000_000  # of all texts together


@dataclass
class KeptPages:
    now: Callable[[], float] = time.monotonic
    most: int = CHARACTERS
    _pages: dict[str, tuple[float, PageRead]] = field(default_factory=dict)
    _under_way: dict[str, tuple[asyncio.Lock, int]] = field(
        default_factory=dict
    )  # and for how many
    _size: int = 0

    async def read(self, url: str, fetch: Callable[[str], Awaitable[PageRead]]) -> PageRead:
        """As it was read, or by `fetch`: whoever asks meanwhile waits. Of what cannot be read
        nothing is kept. Raises what `fetch` raises."""
        url = urldefrag(url).url
        if page := self._kept(url):
            return page
        lock, waiting = self._under_way.get(url, (asyncio.Lock(), 0))
        self._under_way[url] = lock, waiting + 1
        try:
            async with lock:
                page = self._kept(url)
                if page is None:
                    page = await fetch(url)
                    self._keep(url, page)
                return page
        finally:
            # The last one out takes the lock away: between two who wait nobody holds it.
            _, waiting = self._under_way.pop(url)
            if waiting > 1:
                self._under_way[url] = lock, waiting - 1

    def _kept(self, url: str) -> PageRead | None:
        until, page = self._pages.get(url, (0.0, None))
        return page if until > self.now() else None

    def _keep(self, url: str, page: PageRead) -> None:
        self._drop(url)
        self._pages[url] = self.now() + SECONDS, page
        self._size += len(page.text)
        for oldest in [*self._pages]:
            if self._size <= self.most and self._pages[oldest][0] > self.now():
                break
            self._drop(oldest)

    def _drop(self, url: str) -> None:
        if gone := self._pages.pop(url, None):
            self._size -= len(gone[1].text)
