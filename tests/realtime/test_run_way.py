"""A run's way from queue to rows, seen from the rows, the log, and the upstream."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from console.engine.findings.given import fused_answer
from console.engine.state import RunState, Step
from console.models import Run
from console.record import eventlog
from console.record.rows import state_from_rows
from console.services.runs import run_cancel
from console.worker.upkeep import Upkeep, left_behind
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import PATIENT, StartRun
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def folded(run: Run) -> RunState:
    """The state as a fresh reader of the event log folds it."""

    async def read() -> RunState:
        redis = eventlog.connect()
        state = RunState()
        try:
            async for entries in eventlog.tail(redis, run.pk, quiet=0.2):
                for entry in entries:
                    state = entry.fold(state)
                if not entries:
                    return state
        finally:
            await redis.aclose()
        raise AssertionError

    return asyncio.run(read())


def rows(run: Run) -> RunState:
    return state_from_rows(Run.objects.get(pk=run.pk))


def comparable(state: RunState) -> dict[str, Any]:
    data = state.to_dict()
    for call in data["calls"]:
        if "cost" in call:
            call["cost"] = float(call["cost"])
    data["calls"].sort(key=lambda c: c["key"])
    return data


def in_background(worker: Worker, run: Run) -> threading.Thread:
    thread = threading.Thread(target=carry_out, args=[worker, str(run.pk)], daemon=True)
    thread.start()
    return thread


def wait_for(condition: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, condition
        time.sleep(0.02)


def assert_log_equals_rows(run: Run) -> None:
    assert comparable(folded(run)) == comparable(rows(run))


def test_the_pages_an_answer_cites_are_on_record_with_it(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    pages = ["https://a.example/1", "https://b.example/2"]
    upstream.script("good", Script(text="Rain is wet [1][2].", chunk={"citations": pages}))
    run = start("good", "echo")
    carry_out(worker, str(run.pk))
    assert_log_equals_rows(run)
    good, echo = (rows(run).latest(Step.PANEL, seat=seat) for seat in (0, 1))
    assert good and [c["url"] for c in good.citations] == pages
    assert echo and echo.citations == []


def test_three_answers_an_analysis_and_a_fused_answer_are_saved(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    upstream.script("judge", Script(text="The fused answer."))
    run = start("good", "markdown", "echo")
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed"
    assert [c.status for c in state.calls_of(Step.PANEL, seat=0)] == ["completed"]
    assert state.latest(Step.PANEL, seat=2).text == "What is the answer?"  # type: ignore[union-attr]
    assert fused_answer(state) == "The fused answer."
    assert state.fusion and state.fusion.analysis
    assert_log_equals_rows(run)


def test_the_judge_sees_every_usable_answer_and_no_model_name(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    for name in ("model-one", "model-two"):
        upstream.script(name, Script(text=f"Text of number {name[-3:]}."))
    upstream.script("judge-x", Script(text="Written."))
    run = start("model-one", "model-two", "fault-empty", judge="judge-x")
    carry_out(worker, str(run.pk))
    analysis, synthesis = upstream.calls_of("judge-x")
    seen = str(analysis.body["messages"])
    assert "Text of number one." in seen and "Text of number two." in seen
    for name in ("model-one", "model-two", "fault-empty", "judge-x"):
        assert name not in seen and name not in str(synthesis.body["messages"])
    claim = rows(run).fusion.analysis["blind_spots"]  # type: ignore[union-attr, index]
    assert all(sentence in synthesis.body["messages"][1]["content"] for sentence in claim)


def test_a_seat_that_fails_or_stalls_never_stops_another(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    upstream.script("stalls", Script(text="One two three four five.", stall_after=3))
    run = start("good", "stalls", "fault-reset-at-once", "fault-401", "good")
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed"
    reasons = [state.latest(Step.PANEL, seat=s).reason for s in range(5)]  # type: ignore[union-attr]
    assert reasons[0] == reasons[4] == ""
    assert reasons[1] == "stalled" and reasons[3] == "unauthorized"
    stalled = state.latest(Step.PANEL, seat=1)
    assert stalled and stalled.text  # what had arrived is kept
    assert stalled.text not in str(upstream.calls_of("judge")[0].body["messages"])
    assert_log_equals_rows(run)


def test_the_same_model_twice_makes_two_calls_and_two_seats(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    upstream.script("twin", Script(text="first of the two"), Script(text="second of the two"))
    run = start("twin", "twin")
    carry_out(worker, str(run.pk))
    texts = {rows(run).latest(Step.PANEL, seat=s).text for s in (0, 1)}  # type: ignore[union-attr]
    assert texts == {"first of the two", "second of the two"}
    assert len(upstream.calls_of("twin")) == 2


def test_when_the_judge_fails_the_fused_answer_is_still_written(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    upstream.script("judge", Script(text="Fused all the same.", judge=Script(text="not JSON")))
    run = start("good", "good")
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed" and fused_answer(state) == "Fused all the same."
    assert state.fusion and state.fusion.analysis and state.fusion.analysis_by == "words"
    assert state.fusion.analysis_reason == "judge_not_valid_json"
    assert len(state.calls_of(Step.ANALYSIS, fusion=1)) == 2  # one repair was asked for
    assert_log_equals_rows(run)


def test_one_usable_answer_is_fused_without_an_analysis(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    run = start("good", "fault-500")
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed" and fused_answer(state)
    assert state.fusion and state.fusion.judged == ["panel-0-1"]
    assert len(upstream.calls_of("judge")) == 1


def test_no_usable_answer_fails_the_run_and_names_every_seat(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    run = start("fault-401", "fault-empty")
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert (state.status, state.reason) == ("failed", "all_panels_failed")
    assert "A (fault-401)" in state.error and "B (fault-empty)" in state.error
    assert not upstream.calls_of("judge")
    assert_log_equals_rows(run)


def test_stop_closes_every_connection_and_keeps_what_had_arrived(
    worker: Worker, upkeep: Upkeep, upstream: Upstream, start: StartRun
) -> None:
    run = start("fault-hold", "fault-hold", policy=PATIENT)
    thread = in_background(worker, run)
    wait_for(lambda: len(upstream.calls) == 2)

    def has_words(seat: int) -> bool:
        call = rows(run).latest(Step.PANEL, seat=seat)
        return bool(call and call.text)

    wait_for(lambda: has_words(0) and has_words(1))
    run_cancel(run=run)
    wait_for(lambda: upstream.open_connections == 0)
    thread.join(60)
    state = rows(run)
    assert state.status == "cancelled"
    call = state.latest(Step.PANEL, seat=0)
    assert call and call.status == "cancelled" and call.text
    assert_log_equals_rows(run)


def test_a_second_delivery_does_nothing(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    run = start("good")
    carry_out(worker, str(run.pk))
    before = len(upstream.calls)
    carry_out(worker, str(run.pk))
    assert len(upstream.calls) == before


def test_a_lost_worker_s_run_is_taken_over_and_finished_calls_are_kept(
    worker: Worker, upstream: Upstream, start: StartRun, settings: Any
) -> None:
    settings.LEASE_SECONDS = 0.3
    run = start("good", "hold--hold_after=1", policy=PATIENT)
    thread = in_background(worker, run)
    wait_for(lambda: rows(run).calls.get("panel-0-1") and rows(run).calls["panel-0-1"].is_usable)
    lost = worker.runs[str(run.pk)]
    lost.stopped_by = "lost"  # as if its process were gone: it writes nothing more
    worker.loop.call_soon_threadsafe(lost._task.cancel)  # type: ignore[union-attr]
    thread.join(60)
    wait_for(lambda: run.pk in left_behind())
    upstream.release()
    upstream.script("hold--hold_after=1", Script(text="At the second try."))
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed" and state.attempt == 2
    assert len(upstream.calls_of("good")) == 1  # never bought twice
    interrupted, again = state.calls_of(Step.PANEL, seat=1)
    assert interrupted.reason == "worker_lost" and again.cause == "resume"
    assert again.text == "At the second try."
    assert_log_equals_rows(run)


def test_a_log_that_is_lost_in_mid_run_comes_back_whole(
    worker: Worker, upstream: Upstream, start: StartRun
) -> None:
    async def flush() -> None:
        redis = eventlog.connect()
        await redis.flushall()
        await redis.aclose()

    run = start("good-slow", "good-slow")
    thread = in_background(worker, run)
    for _ in range(3):
        time.sleep(0.25)
        asyncio.run(flush())
    thread.join(60)
    assert rows(run).status == "completed"
    assert_log_equals_rows(run)


def test_a_planted_key_is_in_no_row_and_no_log_entry(
    worker: Worker, upstream: Upstream, start: StartRun, credential: Any
) -> None:
    from console.providers.secret import Secret

    credential.secret = Secret("sk-planted-0123456789")
    credential.save()
    run = start("good", "fault-401", "echo")
    carry_out(worker, str(run.pk))
    assert "sk-planted" in str(upstream.calls[0].headers)  # it did go out
    assert "sk-planted" not in str(rows(run).to_dict()) + str(folded(run).to_dict())
    assert "sk-planted" not in str(Run.objects.values().get(pk=run.pk))
