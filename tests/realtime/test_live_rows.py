"""A watch that really follows: a real log, and rows that are ahead of it where it stands still,
is forgotten, or is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User

from console.engine.events import Event, EventType
from console.live.frames import Cursor
from console.live.watch import Watch, Watches
from console.models import Run
from console.models.shown import ALL
from console.record import eventlog
from console.record.rows import call_row, run_fields
from console.worker.saving import save
from console.worker.worker import Worker
from tests.console.story import Story, a_spec
from tests.live.member import View, read
from tests.realtime.test_recorder_faults import on_loop
from tests.stack import PATIENCE
from tests.upstream import places

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log counts as silent sooner."""
    monkeypatch.setattr("console.live.watch.QUIET", 0.1)
    monkeypatch.setattr("console.live.watch.BEAT", 0.1)


@pytest.fixture
def story() -> Story:
    return Story(a_spec("maker/alpha")).begin().write(0, "One ")


class Viewer:
    def __init__(self, watch: Watch, cursor: Cursor) -> None:
        self._watch, self._cursor, self._view = watch, cursor, View()
        self.resets = 0

    async def sees(self, text: str, status: str = "running") -> None:
        seen = ""
        try:
            async with asyncio.timeout(PATIENCE):
                while (seen, self._view.status) != (text, status):
                    await self._watch.changed()
                    if self._watch.is_ready:
                        frame = read(await self._watch.frame(self._cursor))
                        self.resets += sum("reset" in t for t in frame.get("texts", []))
                        self._view.apply(frame)
                        seen = self._view.text("seat-0").strip()
        except TimeoutError:
            raise AssertionError(f"it shows {seen!r}, {self._view.status}") from None


@asynccontextmanager
async def viewer_of(run: Run) -> AsyncIterator[Viewer]:
    watches, cursor = Watches(lambda *_: {}), Cursor(ALL)
    try:
        async with watches.watch(run.pk, cursor) as watch:
            yield Viewer(watch, cursor)
        watch.close()  # it would stay for a while, for who comes back
    finally:
        assert watches._redis
        await watches._redis.aclose()


async def save_rows(worker: Worker, run: Run, story: Story, *, at: str) -> None:
    calls = [(None, call_row(run.pk, call)) for call in story.state.calls.values()]
    fields = run_fields(story.state) | {"log_position": at}
    await worker.db(save, run.pk, 1, calls, [], fields)


def word(text: str) -> Event:
    return Event(EventType.CALL_DELTA, 1_790_000_000.0, "panel-0-1", data={"text": text})


@pytest.mark.parametrize("forgotten", [False, True], ids=["stands still", "is forgotten"])
def test_rows_ahead_of_a_log_are_shown_until_it_goes_on(
    alice: User, worker: Worker, story: Story, forgotten: bool
) -> None:
    run = story.save(alice)

    async def watch_it() -> None:
        writer = eventlog.Writer(worker.redis, run.pk, 1)
        await writer.append([], story.state)
        async with viewer_of(run) as viewer:
            await viewer.sees("One")
            await writer.append([word("two ")], story.write(0, "two ").state)
            await viewer.sees("One two")
            if forgotten:
                await worker.redis.flushall()
            await save_rows(worker, run, story.write(0, "three "), at="1-3")
            await viewer.sees("One two three")
            # Where the log was lost, its writer learns it now and tells all in its next batch.
            await writer.append([word("three ")], story.state)
            await writer.append([word("four ")], story.write(0, "four ").state)
            await viewer.sees("One two three four")
            assert viewer.resets == 1  # the first frame; nothing was taken back
            await save_rows(worker, run, story.tell(EventType.RUN_CANCELLED), at="1-9")
            await viewer.sees("One two three four", "cancelled")

    on_loop(worker, watch_it())


def test_with_redis_away_the_rows_alone_are_shown(
    alice: User, worker: Worker, story: Story, settings: LazySettings
) -> None:
    run = story.save(alice)

    async def watch_it() -> None:
        async with viewer_of(run) as viewer:
            await viewer.sees("One")
            await save_rows(worker, run, story.write(0, "two "), at="1-1")
            await viewer.sees("One two")
            await save_rows(worker, run, story.write(0, "three "), at="1-2")
            await viewer.sees("One two three")
            assert viewer.resets == 1
            await save_rows(worker, run, story.tell(EventType.RUN_CANCELLED), at="1-9")
            await viewer.sees("One two three", "cancelled")

    with places.refusing() as nowhere:
        settings.REDIS_URL = nowhere.url.replace("http://", "redis://").partition("/v1")[0]
        on_loop(worker, watch_it())
