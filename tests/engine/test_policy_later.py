"""What is done later to a run: taken up by another worker, fused and asked again."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from console.engine.events import Event, EventType
from console.engine.findings.given import fused_answer
from console.engine.provider import Request
from console.engine.reducer import apply
from console.engine.spec import Policy
from console.engine.state import CallStatus, FusionState, RunState, RunStatus, Step
from tests.engine.conftest import ANALYSIS, Ran, RunEngine
from tests.engine.test_policy import QUICK, busy, causes
from tests.engine.virtual import now

# a run taken up again


def interrupted(**more: Any) -> RunState:
    return RunState(status=RunStatus.RUNNING, attempt=1, started_at=1.0, **more)


async def test_a_call_nobody_was_asked_for_is_carried_out_under_its_own_name(
    run_engine: RunEngine,
) -> None:
    first = await run_engine({"a": ["x"], "b": ["y"]})
    state = interrupted(calls={"panel-0-1": first.state.calls["panel-0-1"]})
    waiting = first.state.calls["panel-1-1"]
    waiting.status, waiting.sent_at, waiting.text = CallStatus.QUEUED, None, ""
    state.calls["panel-1-1"] = waiting
    ran = await run_engine({"a": ["x"], "b": ["y"]}, state=state)
    assert [r.model for r in ran.requests] == ["b", "judge", "judge"]
    assert causes(ran, 1) == ["first"] and ran.state.status == "completed"


async def test_a_retry_decided_on_before_the_worker_was_lost_is_made(run_engine: RunEngine) -> None:
    first = await run_engine({"a": ["x"], "b": [busy()]}, policy=Policy(retries=0))
    failed = first.state.calls["panel-1-1"]
    failed.retry_at, failed.retry_cause = 1.0, "retry"
    state = interrupted(calls={k: first.state.calls[k] for k in ("panel-0-1", "panel-1-1")})
    ran = await run_engine({"a": ["x"], "b": ["y"]}, state=state)
    assert causes(ran, 1) == ["first", "retry"]
    assert "a" not in [r.model for r in ran.requests]


async def test_a_retry_that_was_awaited_when_the_run_was_stopped_is_not_made_later(
    run_engine: RunEngine,
) -> None:
    first = await run_engine({"a": ["x"], "b": [busy()]}, policy=Policy(retries=0))
    failed = first.state.calls["panel-1-1"]
    failed.retry_at, failed.retry_cause = now() + 60, "retry"
    apply(first.state, Event(EventType.RUN_CANCELLED, now()))
    first.state.fusions[2] = FusionState(2, seats=[0], status=RunStatus.QUEUED)
    ran = await run_engine({"a": ["x"], "b": ["y"]}, state=first.state)
    assert [r.model for r in ran.requests] == ["judge"] and ran.state.status == "completed"


async def test_judging_goes_on_with_the_answers_it_began_with(run_engine: RunEngine) -> None:
    first = await run_engine({"a": ["x"], "b": ["y"], "slow": [9]}, policy=QUICK)
    state = interrupted(
        calls={k: c for k, c in first.state.calls.items() if c.step is Step.PANEL},
        fusions={1: FusionState(1, **_judging(first), judged=["panel-0-1", "panel-1-1"])},
    )
    ran = await run_engine({"a": ["x"], "b": ["y"], "slow": ["z"]}, state=state)
    assert [r.model for r in ran.requests] == ["judge", "judge"]


async def test_a_repair_that_was_interrupted_is_asked_for_again_and_nothing_else(
    run_engine: RunEngine,
) -> None:
    scripts = {"a": ["x"], "b": ["y"]}

    def judges(request: Request) -> Any:
        if not request.response_schema:
            return ["Fused."]
        return [json.dumps(ANALYSIS)] if len(request.messages) > 2 else ["no JSON"]

    first = await run_engine({**scripts, "judge": judges})
    calls = {k: c for k, c in first.state.calls.items() if c.step is not Step.SYNTHESIS}
    repair = calls["analysis-f1-2"]
    repair.status, repair.text, repair.finished_at = CallStatus.STREAMING, "", None
    fusion = FusionState(1, **_judging(first), judged=["panel-0-1", "panel-1-1"])
    ran = await run_engine(
        {**scripts, "judge": judges}, state=interrupted(calls=calls, fusions={1: fusion})
    )
    analysis, _ = ran.requests
    assert "no JSON" in str(analysis.messages)
    assert [c.cause for c in ran.state.calls_of(Step.ANALYSIS, fusion=1)] == [
        "first",
        "repair",
        "resume",
    ]
    assert ran.state.fusion.analysis


def _judging(ran: Ran) -> dict[str, Any]:
    return {"judge": ran.state.fusion.judge, "synthesizer": ran.state.fusion.synthesizer}


# many fusions


async def test_another_fusion_makes_only_its_own_calls(run_engine: RunEngine) -> None:
    scripts = {"a": ["x"], "b": ["y"], "c": ["z"]}
    first = await run_engine(scripts)
    before = {k: c.to_dict() for k, c in first.state.calls.items()}
    old = dict(vars(first.state.fusions[1]))
    first.state.fusions[2] = FusionState(
        2, judge={"model": "other", "credential": "fake"}, seats=[0, 2], status=RunStatus.QUEUED
    )
    await asyncio.sleep(20)  # it lies finished
    ran = await run_engine(
        {**scripts, "other": [json.dumps(ANALYSIS)]}, state=first.state, panel=["a", "b", "c"]
    )
    assert [r.model for r in ran.requests] == ["other", "judge"]
    assert ran.state.fusions[2].judged == ["panel-0-1", "panel-2-1"]
    assert vars(ran.state.fusions[1]) == old
    assert {k: ran.state.calls[k].to_dict() for k in before} == before
    assert ran.state.idle_seconds == pytest.approx(20)


async def test_compare_first_stops_after_the_panel(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": ["x"], "b": ["y"]}, stop_after="panel")
    assert ran.state.status == "completed" and not ran.state.fusions
    assert ran.requests_to("judge") == []


async def test_a_run_may_end_with_its_analysis_and_be_fused_later(run_engine: RunEngine) -> None:
    scripts = {"a": ["x"], "b": ["y"]}
    ran = await run_engine(scripts, stop_after="analysis")
    assert ran.state.status == "completed" and ran.state.fusion.analysis
    assert ran.state.fusion.status == "completed" and ran.state.fused is None
    assert len(ran.requests_to("judge")) == 1 and not fused_answer(ran.state)
    ran.state.fusions[2] = FusionState(2, status=RunStatus.QUEUED)
    later = await run_engine(scripts, state=ran.state, stop_after="analysis")
    assert [r.model for r in later.requests] == ["judge", "judge"]
    assert fused_answer(later.state) == "Fused." and later.state.fusions[1].analysis


async def test_a_run_that_ends_with_its_analysis_does_so_too_where_another_worker_takes_it_up(
    run_engine: RunEngine,
) -> None:
    scripts = {"a": ["x"], "b": ["y"]}
    whole = await run_engine(scripts, stop_after="analysis")
    left = RunState()
    for event in whole.events:
        if event.type in (EventType.CALL_COMPLETED, EventType.RUN_COMPLETED):
            break
        apply(left, event)
    ran = await run_engine(scripts, state=left, stop_after="analysis")
    assert ran.state.status == "completed" and list(ran.state.fusions) == [1]
    assert ran.state.fusions[1].analysis and ran.state.fused is None


async def test_of_one_answer_there_is_no_analysis_to_end_with(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": ["x"]}, stop_after="analysis")
    assert ran.state.status == "completed" and ran.requests_to("judge") == []
    assert ran.state.fusion.analysis is None and ran.state.fused is None


async def test_a_seat_asked_again_makes_its_own_call_and_keeps_the_older_answer(
    run_engine: RunEngine,
) -> None:
    first = await run_engine({"a": ["x"], "b": ["y"]})
    asked = type(first.state.calls["panel-0-1"])(
        key="panel-1-2",
        step=Step.PANEL,
        seat=1,
        number=2,
        cause="asked",
        panelist={"model": "c", "credential": "fake"},
    )
    first.state.calls["panel-1-2"] = asked
    ran = await run_engine({"c": ["z"]}, panel=["a", "b"], state=first.state)
    assert [r.model for r in ran.requests] == ["c"]
    assert ran.state.answer(1).text == "z" and ran.state.calls["panel-1-1"].text == "y"
    assert len(ran.state.fusions) == 1 and ran.state.status == "completed"


async def test_each_seat_may_have_a_history_of_its_own(run_engine: RunEngine) -> None:
    said = [{"role": "user", "content": "earlier"}, {"role": "user", "content": "now"}]
    ran = await run_engine({"a": ["x"], "b": ["y"]}, histories={1: said})
    assert ran.requests_to("b")[0].messages == said
    assert len(ran.requests_to("a")[0].messages) == 1
