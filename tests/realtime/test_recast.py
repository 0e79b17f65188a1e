"""A text that is replaced while somebody writes and somebody watches it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from console.engine.events import Event, EventType
from console.engine.state import RunState
from console.models import Call, Run
from console.record import eventlog
from console.worker.recorder import Recorder
from console.worker.worker import Worker
from tests.console.story import Story, a_spec
from tests.realtime.conftest import StartRun
from tests.realtime.test_live_rows import viewer_of, word
from tests.realtime.test_recorder_faults import added, delta, on_loop, say
from tests.realtime.test_run_way import assert_log_equals_rows, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def recast(text: str, reasoning: str = "") -> Event:
    data = {"text": text, "reasoning": reasoning}
    return Event(EventType.CALL_RECAST, 2.5, "panel-0-1", data=data)


def a_run_under_way(start: StartRun) -> Run:
    run = start("good")
    Run.objects.filter(pk=run.pk).update(status="running", attempt=1)
    run.refresh_from_db()
    return run


def recorder_of(worker: Worker, run: Run, state: RunState, checkpoint: float) -> Recorder:
    return Recorder(
        run.pk,
        1,
        state,
        redis=worker.redis,
        db=worker.db,
        checkpoint=checkpoint,
        on_lost=lambda: None,
    )


def test_deltas_before_and_after_a_replacement_are_told_apart(
    worker: Worker, start: StartRun
) -> None:
    run = a_run_under_way(start)

    async def record() -> None:
        state = RunState()
        writer = recorder_of(worker, run, state, checkpoint=0.1)
        say(writer, state, Event(EventType.RUN_STARTED, 1.0, data={"attempt": 1}))
        say(writer, state, added())
        await writer._append()  # the snapshot: all the rest comes in one batch of events
        for text in ("One ", "two "):
            delta(writer, state, text)
        say(writer, state, recast("Three ", "Hm."))
        for text in ("four ", "five"):
            delta(writer, state, text)
        await writer._append()
        seen = await eventlog.read(worker.redis, run.pk)
        assert seen and seen.to_dict() == state.to_dict()
        assert seen.calls["panel-0-1"].text == "Three four five"
        say(writer, state, Event(EventType.RUN_CANCELLED, 3.0))
        await writer.finish()

    on_loop(worker, record())
    assert_log_equals_rows(run)


def test_a_replacement_is_on_record_before_the_next_checkpoint(
    worker: Worker, start: StartRun
) -> None:
    run, state, writers = a_run_under_way(start), RunState(), []

    async def record() -> None:
        writers.append(writer := recorder_of(worker, run, state, checkpoint=3600))
        say(writer, state, Event(EventType.RUN_STARTED, 1.0, data={"attempt": 1}))
        say(writer, state, added())
        delta(writer, state, "One ")
        say(writer, state, recast("Two "))

    on_loop(worker, record())
    wait_for(lambda: Call.objects.filter(run=run, text="Two ").exists())
    on_loop(worker, writers[0].close())


def test_the_page_shows_the_new_text_in_place_of_the_old(alice: User, worker: Worker) -> None:
    story = Story(a_spec("maker/alpha")).begin().write(0, "One ")
    run = story.save(alice)

    async def watch_it() -> None:
        writer = eventlog.Writer(worker.redis, run.pk, 1)
        await writer.append([], story.state)
        async with viewer_of(run) as viewer:
            await viewer.sees("One")
            story.tell(EventType.CALL_RECAST, "panel-0-1", text="2 ", reasoning="")
            await writer.append([recast("2 ")], story.state)
            await viewer.sees("2")
            await writer.append([word("three")], story.write(0, "three").state)
            await viewer.sees("2 three")
            assert viewer.resets == 2  # the first frame, and the one that replaced it

    on_loop(worker, watch_it())
