"""What the recorder does when the database, Redis, or a text is not as it should be."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError, InterfaceError, OperationalError

from console.engine.events import Event, EventType
from console.engine.provider import Request
from console.engine.reducer import apply
from console.engine.spec import Panelist
from console.engine.state import RunState
from console.models import Run
from console.record import eventlog
from console.worker import execution, recorder
from console.worker import worker as working
from console.worker.recorder import Recorder
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import PATIENT, StartRun
from tests.realtime.test_run_way import assert_log_equals_rows, in_background, rows, wait_for
from tests.upstream import Upstream

ASKED = (Panelist("good", "test"), Request("good", []))

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def fail(monkeypatch: pytest.MonkeyPatch, name: str, when: Callable[..., Exception | None]) -> None:
    """Lets a function of the database thread raise what `when` gives for its arguments."""
    module = recorder if name == "save" else execution
    real = getattr(module, name)

    def sometimes(*args: Any) -> Any:
        if error := when(*args):
            raise error
        return real(*args)

    monkeypatch.setattr(module, name, sometimes)


@pytest.mark.parametrize("kind", [OperationalError, InterfaceError])
def test_calls_wait_for_a_database_that_is_away_when_they_are_admitted(
    worker: Worker,
    upstream: Upstream,
    start: StartRun,
    monkeypatch: pytest.MonkeyPatch,
    kind: type[Exception],
) -> None:
    away = iter([kind("gone"), kind("gone")])
    sent: list[bool] = []

    def when(*args: Any) -> Exception | None:
        if args[-1]:  # calls being put on record as sent
            sent.append(True)
            return next(away, None)
        return None

    fail(monkeypatch, "save", when)
    run = start("good", "good", "good")
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert (state.status, state.attempt) == ("completed", 1)
    assert [c.reason for c in state.calls.values()] == [""] * 5
    assert len(sent) > 2 and len(upstream.calls_of("good")) == 3


def test_a_row_the_database_refuses_costs_its_own_call_only_and_the_run_ends(
    worker: Worker, upstream: Upstream, start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def when(*args: Any) -> Exception | None:
        refused = any(row.key == "panel-1-1" and row.text for _, row in args[2])
        return DataError("value too long") if refused else None

    fail(monkeypatch, "save", when)
    run = start("good", "good")
    thread = in_background(worker, run)
    thread.join(60)
    assert not thread.is_alive()
    state = rows(run)
    assert (state.status, state.reason) == ("failed", "internal")
    assert state.calls["panel-0-1"].is_usable


def test_a_credential_is_looked_up_again_when_the_database_was_away(
    worker: Worker, start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = iter([OperationalError("database is locked")] * 2)

    def keys_of(_: Any) -> Any:
        raise next(away)

    monkeypatch.setattr(working, "keys_of", keys_of)
    fail(monkeypatch, "_credential", lambda *_: next(away, None))
    run = start("good")
    carry_out(worker, str(run.pk))
    assert rows(run).status == "completed" and next(away, None) is None


def test_half_a_character_ends_neither_the_log_nor_the_rows(
    worker: Worker, start: StartRun
) -> None:
    run = start("good")
    Run.objects.filter(pk=run.pk).update(status="running", attempt=1)
    run.refresh_from_db()

    async def record() -> None:
        state = RunState()
        writer = make_recorder(worker, run, state)
        say(writer, state, Event(EventType.RUN_STARTED, 1.0, data={"attempt": 1}))
        say(writer, state, added())
        say(writer, state, Event(EventType.CALL_DELTA, 2.0, "panel-0-1", data={"text": "a\ud83d"}))
        say(writer, state, Event(EventType.RUN_CANCELLED, 3.0))
        await writer.finish()

    on_loop(worker, record())
    assert rows(run).calls["panel-0-1"].text == "a\ufffd"
    assert_log_equals_rows(run)


def test_what_comes_while_a_lost_log_is_written_anew_is_not_told_twice(
    worker: Worker, start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start("good")
    Run.objects.filter(pk=run.pk).update(status="running", attempt=1)
    run.refresh_from_db()

    async def record() -> None:
        state = RunState()
        writer = make_recorder(worker, run, state)
        real = writer._writer._ask
        lose = asyncio.Event()

        async def ask(*words: Any) -> Any:
            if lose.is_set():
                lose.clear()
                await worker.redis.flushall()
                answer = await real(*words)
                delta(writer, state, "second ")  # arrives while the answer is under way
                return answer
            return await real(*words)

        monkeypatch.setattr(writer._writer, "_ask", ask)
        say(writer, state, Event(EventType.RUN_STARTED, 1.0, data={"attempt": 1}))
        say(writer, state, added())
        await asyncio.sleep(0.1)
        lose.set()
        delta(writer, state, "first ")
        await asyncio.sleep(0.15)
        seen = await eventlog.read(worker.redis, run.pk)
        assert seen and seen.calls["panel-0-1"].text == "first second "
        await writer.close()

    on_loop(worker, record())


def test_the_end_of_a_run_is_not_told_before_it_is_saved(worker: Worker, start: StartRun) -> None:
    run = start("good")
    Run.objects.filter(pk=run.pk).update(status="running", attempt=1)
    run.refresh_from_db()

    async def record() -> None:
        state = RunState()
        writer = make_recorder(worker, run, state)
        say(writer, state, Event(EventType.RUN_STARTED, 1.0, data={"attempt": 1}))
        await asyncio.sleep(0.1)
        flush = asyncio.create_task(writer._append())
        say(writer, state, Event(EventType.RUN_CANCELLED, 3.0))  # before the batch is taken
        await flush
        seen = await eventlog.read(worker.redis, run.pk)
        assert seen and seen.status == "running"
        await writer.finish()
        seen = await eventlog.read(worker.redis, run.pk)
        assert seen and seen.status == "cancelled"

    on_loop(worker, record())


def test_snapshots_of_a_long_answer_become_rarer_as_it_grows(
    worker: Worker, start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventlog, "SNAPSHOT_AFTER_BYTES", 2_000)
    run = start("good")

    async def write() -> int:
        state = RunState()
        writer = eventlog.Writer(worker.redis, run.pk, 1)
        await writer.append([], apply(state, Event(EventType.RUN_STARTED, 1, data={"attempt": 1})))
        apply(state, added())
        written = 0
        for _ in range(200):
            event = Event(EventType.CALL_DELTA, 2.0, "panel-0-1", data={"text": "x" * 1000})
            apply(state, event)
            await writer.append([event], state)
            written += writer._snapshot_bytes if writer._since_snapshot == 0 else 0
        return written

    assert on_loop(worker, write()) < 3 * 200_000  # not a multiple of its square


def test_a_save_that_is_cancelled_half_way_is_made_at_the_next_checkpoint(
    worker: Worker, start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start("good")
    Run.objects.filter(pk=run.pk).update(status="running", attempt=1)
    begun, go_on = threading.Event(), threading.Event()
    real = recorder.rows_of

    def held(*args: Any, **how: Any) -> Any:
        begun.set()
        go_on.wait(60)
        return real(*args, **how)

    monkeypatch.setattr(recorder, "rows_of", held)

    async def record() -> None:
        state = RunState()
        writer = make_recorder(worker, run, state)
        say(writer, state, added())
        saving = asyncio.create_task(writer.save_as_sent({"panel-0-1": ASKED}))
        await asyncio.to_thread(begun.wait, 60)
        saving.cancel()
        await asyncio.gather(saving, return_exceptions=True)
        go_on.set()
        for _ in range(500):
            if await worker.db(run.calls.exists):
                break
            await asyncio.sleep(0.02)
        await writer.close()

    on_loop(worker, record())
    assert run.calls.exists()


def test_no_row_says_what_a_call_brought_before_the_call_says_that_it_ended(
    worker: Worker, start: StartRun
) -> None:
    run = start("good")
    Run.objects.filter(pk=run.pk).update(status="running", attempt=1)
    who = {"model": "good"}
    begun = {"judged": ["panel-0-1"], "judge": who, "synthesizer": who, "criteria": ""}
    analysis: dict[str, Any] = {"consensus": [], "blind_spots": ["What it costs"]}

    async def record() -> None:
        state = RunState()
        writer = make_recorder(worker, run, state)
        await writer.close()  # no checkpoint comes between
        say(writer, state, Event(EventType.FUSION_STARTED, 1.0, fusion=1, data=begun))
        for step, key in (("analysis", "analysis-f1-1"), ("synthesis", "synthesis-f1-1")):
            said = {"step": step, "number": 1, "cause": "first", "panelist": who}
            say(writer, state, Event(EventType.CALL_ADDED, 2.0, key, 1, data=said))
            say(writer, state, Event(EventType.CALL_SENT, 2.0, key, 1))
            await writer.save_as_sent({key: ASKED})
            if step == "analysis":
                ended = {"text": "{}", "analysis": analysis, "cost": "0.25"}
                say(writer, state, Event(EventType.CALL_COMPLETED, 3.0, key, 1, data=ended))
        await writer.close()

    on_loop(worker, record())
    state = rows(run)  # as whoever takes the run up finds it: the worker was lost just now
    assert state.fusions[1].analysis == analysis
    call = state.calls["analysis-f1-1"]
    assert (call.status, str(call.cost)) == ("completed", "0.25")


def test_a_run_deleted_in_mid_run_is_let_go(
    worker: Worker, upkeep: Any, upstream: Upstream, start: StartRun, settings: Any
) -> None:
    run = start("fault-hold", policy=PATIENT)
    thread = in_background(worker, run)
    wait_for(lambda: upstream.open_connections == 1)
    Run.objects.filter(pk=run.pk).delete()
    wait_for(lambda: upstream.open_connections == 0)
    thread.join(60)
    assert not thread.is_alive() and not worker.runs


def make_recorder(worker: Worker, run: Run, state: RunState) -> Recorder:
    return Recorder(
        run.pk,
        1,
        state,
        redis=worker.redis,
        db=worker.db,
        checkpoint=0.1,
        on_lost=lambda: None,
    )


def on_loop(worker: Worker, work: Any) -> Any:
    return asyncio.run_coroutine_threadsafe(work, worker.loop).result(60)


def say(writer: Recorder, state: RunState, event: Event) -> None:
    apply(state, event)
    writer.emit(event)


def delta(writer: Recorder, state: RunState, text: str) -> None:
    say(writer, state, Event(EventType.CALL_DELTA, 2.0, "panel-0-1", data={"text": text}))


def added() -> Event:
    data = {"step": "panel", "seat": 0, "number": 1, "cause": "first", "panelist": {"model": "m"}}
    return Event(EventType.CALL_ADDED, 1.5, "panel-0-1", data=data)
