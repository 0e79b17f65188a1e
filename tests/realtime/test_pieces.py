"""Of what models write within a window there is one event, in log, rows and state alike."""

from __future__ import annotations

from typing import Any

import pytest

from console.engine import windows
from console.engine.events import Event
from console.engine.reducer import apply
from console.engine.state import RunState
from console.worker import recorder
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.prose import words
from tests.realtime.conftest import StartRun
from tests.realtime.test_run_way import assert_log_equals_rows, in_background, rows, wait_for
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db(transaction=True)


def test_tokens_of_a_window_make_one_event(
    worker: Worker, upstream: Upstream, start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Event] = []

    def counted(state: RunState, event: Event) -> RunState:
        told.append(event)
        return apply(state, event)

    monkeypatch.setattr(recorder, "apply", counted)
    text = words(600)
    for model in ("one", "two"):
        upstream.script(model, Script(text=text, tokens_per_second=1000))
    run = start("one", "two")
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed"
    assert state.calls["panel-0-1"].text == state.calls["panel-1-1"].text == text
    of_seats = [e for e in told if e.call.startswith("panel")]
    assert of_seats and all(e.type.is_delta for e in of_seats)
    assert len(of_seats) < 600, "of 1,200 tokens"
    assert_log_equals_rows(run)


def test_what_was_written_before_a_seat_is_stopped_is_kept(
    worker: Worker, upstream: Upstream, start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(windows, "WINDOW", 30)
    upstream.script("stalls", Script(text="One two three four five.", stall_after=4))
    run = start("good", "stalls")
    carry_out(worker, str(run.pk))
    call = rows(run).calls["panel-1-1"]
    assert (call.reason, call.text.split()) == ("stalled", ["One", "two", "three", "four"])
    assert_log_equals_rows(run)


def test_a_worker_that_is_told_to_end_hands_on_all_that_was_written(
    worker: Worker,
    upstream: Upstream,
    start: StartRun,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(windows, "WINDOW", 600)
    settings.CHECKPOINT_SECONDS = 600
    upstream.script("waits", Script(text="One two three four five.", hold_after=3))
    run = start("waits")
    thread = in_background(worker, run)

    def pieces() -> Any:
        held = worker.runs.get(str(run.pk))
        return held and sum(map(len, held.recorder._kept.values()))

    wait_for(lambda: pieces() == 2)
    worker.loop.call_soon_threadsafe(worker.runs[str(run.pk)].stop, "shutdown")
    thread.join(60)
    assert rows(run).calls["panel-0-1"].text.split() == ["One", "two", "three"]
