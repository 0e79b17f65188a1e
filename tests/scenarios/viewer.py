"""Somebody who watches a run from its first moment, as a browser would."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

from channels.db import database_sync_to_async
from django.db import connections

from console.fragments import SeatFragments, run_context, run_fragments
from console.live.frames import Cursor
from console.live.watch import Watch
from console.models.shown import ALL, Shown
from console.record import eventlog
from tests.live.member import View, read


class Viewer(threading.Thread):
    """`view` is what the browser shows when all frames have been applied."""

    def __init__(self, run_id: Any) -> None:
        super().__init__(daemon=True)
        self.view = View()
        self.failed: BaseException | None = None
        self._run_id = run_id
        self.start()

    def seen_to_the_end(self) -> View:
        self.join(60)
        assert not self.is_alive(), "the viewer was never told the end"
        if self.failed:
            raise self.failed
        return self.view

    def run(self) -> None:
        try:
            asyncio.run(self._watch())
        except BaseException as error:
            self.failed = error

    async def _watch(self) -> None:
        redis = eventlog.connect()
        watch = Watch(self._run_id, redis, _fragments)
        cursor = Cursor(ALL)
        watch.viewers.append(cursor)
        try:
            while True:
                ended = watch.ended
                self.view.apply(read(await watch.frame(cursor) if watch.is_ready else ""))
                if ended:
                    assert not watch.failed
                    return
                await watch.changed()
        finally:
            watch.close()
            await redis.aclose()
            await database_sync_to_async(connections.close_all)()


def _fragments(
    spec: Any, state: Any, shown: Shown, note: str, made: SeatFragments
) -> dict[str, str]:
    return run_fragments(run_context(spec, state, show_costs=shown.costs, note=note), made)
