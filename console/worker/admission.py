"""The door of a run: a free place with a call's credential, and the call on record as sent, with
the money for it held."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ..engine.errors import LeaseLost, ProviderError, Reason
from ..engine.events import Event, EventType
from ..engine.provider import Request
from ..engine.spec import Panelist
from ..engine.state import RunState
from ..money.asking import Answer, Denied
from .recorder import Recorder


class Places(asyncio.Semaphore):
    """Calls at a time with one credential, shared by all runs of this worker process."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.limit = limit


class AllPlaces:
    """Those of every credential that has a limit."""

    def __init__(self) -> None:
        self._places: dict[str, Places] = {}

    def of(self, slug: str) -> Places | None:
        return self._places.get(slug)

    def limit(self, slug: str, limit: int | None) -> None:
        """Calls under way keep the places they have; a changed limit is for those that follow."""
        known = self._places.get(slug)
        if limit is None:
            self._places.pop(slug, None)
        elif known is None or known.limit != limit:
            self._places[slug] = Places(limit)


class RunAdmission:
    """Waits for a free place with a call's credential, and puts calls on record as sent
    before their first byte goes out. Calls that ask at the same time share one transaction.
    """

    def __init__(
        self,
        state: RunState,
        recorder: Recorder,
        places: AllPlaces,
        *,
        emit: Callable[[Event], None],
        is_stopped: Callable[[], bool],
    ) -> None:
        self._state, self._recorder, self._places = state, recorder, places
        self._emit, self._is_stopped = emit, is_stopped
        self._waiting: dict[str, tuple[Panelist, Request]] = {}
        self._answers: dict[str, Answer] = {}
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def place(self, key: str, panelist: Panelist) -> AsyncIterator[None]:
        places = self._places.of(panelist.credential)
        if places is None:
            yield
            return
        if places.locked():
            now = round(time.time(), 3)
            fusion = self._state.calls[key].fusion or 0
            self._emit(Event(EventType.CALL_QUEUED, now, key, fusion, {"limit": places.limit}))
        async with places:
            yield

    async def record(self, key: str, panelist: Panelist, request: Request) -> int | None:
        self._waiting[key] = (panelist, request)
        async with self._lock:
            await asyncio.sleep(0)  # whoever asks in the same moment is let in with it
            if key in self._waiting:
                asking, self._waiting = self._waiting, {}
                if self._is_stopped():
                    raise LeaseLost
                try:
                    self._answers |= await self._recorder.save_as_sent(asking)
                except BaseException:
                    # What one call was refused or stopped for is not the others' fault:
                    # each asks again.
                    self._waiting |= {k: asked for k, asked in asking.items() if k != key}
                    raise
        answer = self._answers.pop(key, None)
        if answer is None:
            raise LeaseLost
        if isinstance(answer, Denied):
            raise ProviderError(Reason.BUDGET_EXCEEDED, answer.sentence)
        return answer.output_limit
