"""Which of a run's two records a reader is shown, the log or the rows, by real ones of both."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.engine.events import Event, EventType
from console.models import Run
from console.record import eventlog
from console.record.follow import Seen, follow, read
from console.record.rows import call_row, run_fields
from console.worker.saving import save
from console.worker.worker import Worker
from tests.console.story import Story, a_spec
from tests.realtime.test_recorder_faults import on_loop
from tests.stack import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)


class Both:
    """A run with its rows, its log, and one reader of them."""

    def __init__(self, run: Run, story: Story, worker: Worker) -> None:
        self.run, self.story, self.worker = run, story, worker
        self.writer = eventlog.Writer(worker.redis, run.pk, 1)
        self.numbers = 0

    async def log(self, *events: Event) -> None:
        """Without events, all of the state."""
        await self.writer.append(list(events), self.story.state)

    async def rows(self, *, at: str) -> None:
        calls = [(None, call_row(self.run.pk, call)) for call in self.story.state.calls.values()]
        fields: dict[str, Any] = run_fields(self.story.state) | {"log_position": at}
        await self.worker.db(save, self.run.pk, 1, calls, [], fields)

    def says(self, word: str) -> Event:
        self.story.write(0, word)
        return Event(EventType.CALL_DELTA, 2.0, "panel-0-1", data={"text": word})

    @asynccontextmanager
    async def reader(self, **how: Any) -> AsyncIterator[AsyncIterator[str]]:
        following = follow(
            self.run.pk, redis=self.worker.redis, db=self.worker.db, quiet=0.1, **how
        )

        async def texts(changes: AsyncIterator[Seen]) -> AsyncIterator[str]:
            last = None
            async for seen in changes:
                call = seen.state.calls.get("panel-0-1")
                shown = (call.text if call else "", seen.state.status.value)
                if shown != last:
                    last = shown
                    yield " ".join(filter(None, [shown[0].strip(), f"({shown[1]})"]))

        async with aclosing(following) as changes, asyncio.timeout(PATIENCE):
            yield texts(changes)


@pytest.fixture
def both(alice: User, worker: Worker) -> Both:
    story = Story(a_spec("maker/alpha")).begin().write(0, "One ")
    return Both(story.save(alice), story, worker)


def test_a_reading_of_the_rows_is_gone_with_who_read_it(both: Both) -> None:
    """Of a silent run they are read every two seconds, with all that was written."""
    gc.disable()  # or it may clear what is to be seen
    try:
        run, _ = read(both.run.pk)
        row = weakref.ref(run)
        del run
        assert row() is None
    finally:
        gc.enable()


def test_rows_ahead_of_the_log_are_shown_until_it_says_as_much(both: Both) -> None:
    async def read() -> None:
        async with both.reader() as texts:
            assert await anext(texts) == "One (running)"
            await both.log()
            two = both.says("two ")
            await both.rows(at="1-3")
            assert await anext(texts) == "One two (running)"
            await both.log(two)  # number 2: not yet what the rows say
            three = both.says("three ")
            await both.log(three)
            assert await anext(texts) == "One two three (running)"

    on_loop(both.worker, read())


def test_rows_that_lag_behind_the_log_take_nothing_back(both: Both) -> None:
    async def read() -> None:
        await both.rows(at="1-1")
        await both.log()
        await both.log(both.says("two "))
        async with both.reader() as texts:
            # Nor are they told first: what the log says comes a moment later.
            assert await anext(texts) == "One two (running)"
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):  # the rows are asked meanwhile
                    await anext(texts)

    on_loop(both.worker, read())


def test_the_end_that_only_the_rows_tell_is_told(both: Both) -> None:
    async def read() -> None:
        await both.log()
        async with both.reader() as texts:
            assert await anext(texts) == "One (running)"
            both.story.tell(EventType.RUN_CANCELLED)
            await both.rows(at="")
            assert [text async for text in texts] == ["One (cancelled)"]

    on_loop(both.worker, read())


def test_who_tells_events_is_given_the_log_of_a_run_that_is_over(both: Both) -> None:
    async def read() -> None:
        await both.log()
        both.story.tell(EventType.RUN_CANCELLED)
        await both.writer.append(
            [Event(EventType.RUN_CANCELLED, 3.0)], both.story.state, ended=True
        )
        await both.rows(at="1-2")
        following = follow(both.run.pk, redis=both.worker.redis, db=both.worker.db, log_first=True)
        async with aclosing(following) as changes:
            seen = [entry.id async for change in changes for entry in change.entries]
        assert seen == ["1-1", "1-2"]

    on_loop(both.worker, read())


def test_who_has_begun_a_run_reads_no_rows_while_its_log_speaks(both: Both) -> None:
    """And while it is silent, no calls that say nothing new."""
    both.run.attempt = 0  # as it was when it was begun
    asked: list[str] = []

    async def db(work: Any, *args: Any) -> Any:
        def counted() -> Any:
            with CaptureQueriesContext(connection) as queries:
                found = work(*args)
            asked.extend(query["sql"] for query in queries)
            return found

        return await both.worker.db(counted)

    async def read() -> None:
        await both.log()
        following = follow(
            both.run.pk,
            redis=both.worker.redis,
            db=db,
            quiet=0.1,
            log_first=True,
            begun=both.run,
        )
        async with aclosing(following) as changes, asyncio.timeout(PATIENCE):
            assert (await anext(changes)).state.calls["panel-0-1"].text == "One "
            await both.log(both.says("two "))
            assert (await anext(changes)).state.calls["panel-0-1"].text == "One two "
            assert asked == []
            assert (await anext(changes)).is_silent
            assert len(asked) == 1
            assert 'FROM "console_run"' in asked[0]
            await both.rows(at="1-3")
            while not (seen := await anext(changes)).is_of_rows:
                pass
            assert seen.state.calls["panel-0-1"].text == "One two "

    on_loop(both.worker, read())


def test_a_long_log_of_a_run_that_is_over_is_given_to_its_end(both: Both) -> None:
    async def read() -> None:
        await both.log()
        for _ in range(150):  # more than are read at once
            await both.log(both.says("on "))
        both.story.tell(EventType.RUN_CANCELLED)
        end = Event(EventType.RUN_CANCELLED, 3.0)
        await both.writer.append([end], both.story.state, ended=True)
        await both.rows(at="1-152")
        following = follow(both.run.pk, redis=both.worker.redis, db=both.worker.db, log_first=True)
        async with aclosing(following) as changes:
            seen = [entry.id async for change in changes for entry in change.entries]
        assert seen == [f"1-{n}" for n in range(1, 153)]

    on_loop(both.worker, read())


def test_a_run_that_is_deleted_is_gone_while_its_log_speaks(both: Both, settings: Any) -> None:
    settings.PERMISSION_SECONDS = 0.1

    async def read() -> None:
        await both.log()
        async with both.reader() as texts:
            assert await anext(texts) == "One (running)"
            await both.worker.db(lambda: Run.objects.filter(pk=both.run.pk).delete())
            with pytest.raises(Run.DoesNotExist):
                while True:
                    await both.log(both.says("more "))
                    await anext(texts)

    on_loop(both.worker, read())


class Refused(Exception):
    pass


def test_a_reader_that_may_not_is_told_nothing_more(both: Both, settings: Any) -> None:
    settings.PERMISSION_SECONDS = 0.1
    allowed = True

    def may() -> None:
        if not allowed:
            raise Refused

    async def read() -> None:
        nonlocal allowed
        await both.log()
        async with both.reader(may=may) as texts:
            assert await anext(texts) == "One (running)"
            allowed = False
            with pytest.raises(Refused):
                while True:
                    await both.log(both.says("more "))
                    await anext(texts)

    on_loop(both.worker, read())
