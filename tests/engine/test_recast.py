"""A call's text that is replaced while, or after, it is written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from console.engine.events import Event, EventType
from console.engine.provider import Finish, ReasoningDelta, Recast
from console.engine.reducer import apply
from console.engine.state import CallState, RunState, Step
from tests.engine.conftest import ANALYSIS, RunEngine

KEY = "panel-0-1"
ADDED = {"step": "panel", "seat": 0, "number": 1, "cause": "first", "panelist": {"model": "m"}}


def told(*events: tuple[EventType, dict[str, Any]]) -> CallState:
    """The call after these, a second apart."""
    state = RunState()
    for second, (kind, data) in enumerate([(EventType.CALL_ADDED, ADDED), *events]):
        apply(state, Event(kind, float(second), KEY, data=data))
    return state.calls[KEY]


def writes(text: str) -> tuple[EventType, dict[str, Any]]:
    return EventType.CALL_DELTA, {"text": text}


def thinks(text: str) -> tuple[EventType, dict[str, Any]]:
    return EventType.CALL_REASONING_DELTA, {"text": text}


def recasts(text: str, reasoning: str = "") -> tuple[EventType, dict[str, Any]]:
    return EventType.CALL_RECAST, {"text": text, "reasoning": reasoning}


def test_text_and_reasoning_are_replaced_and_what_follows_goes_on_from_the_new() -> None:
    call = told(thinks("Hm."), writes("One "), recasts("Two ", "Well."), writes("three."))
    assert (call.text, call.reasoning) == ("Two three.", "Well.")
    assert call.status == "streaming" and call.first_token_at == 1


def test_a_text_that_comes_whole_before_its_first_delta_counts_as_its_first_word() -> None:
    call = told((EventType.CALL_SENT, {}), recasts("One."))
    assert call.status == "streaming" and call.first_token_at == 2


def test_a_call_that_has_ended_stays_ended() -> None:
    call = told(writes("One."), (EventType.CALL_COMPLETED, {"finish_reason": "stop"}), recasts("2"))
    assert call.status == "completed" and call.text == "2" and call.finished_at == 2


@pytest.mark.parametrize("who", ["a", "judge", "writer"])
async def test_what_a_call_takes_back_counts_for_nobody(run_engine: RunEngine, who: str) -> None:
    analysis = json.dumps(ANALYSIS)
    answer = analysis if who == "judge" else "Rain is wet."
    scripts: dict[str, Any] = {"a": ["Rain is wet."], "b": ["Rain is wet."]}
    scripts |= {"judge": [analysis], "writer": ["Rain is wet."]}
    scripts[who] = ["Thoughts {", Recast("", "Thoughts {"), answer[:3], answer[3:]]
    ran = await run_engine(scripts, writer="writer")
    state: RunState = ran.state
    assert state.fusion and state.fusion.analysis
    assert state.fusion.judged == ["panel-0-1", "panel-1-1"]
    assert {c.text for c in state.calls.values() if c.step != Step.ANALYSIS} == {"Rain is wet."}
    assert len(state.calls) == 4
    recasts = [e for e in ran.events if e.type is EventType.CALL_RECAST]
    # Of a judge's thoughts nobody is told.
    thoughts = "" if who == "judge" else "Thoughts {"
    assert [state.calls[e.call].reasoning for e in recasts] == [thoughts]


async def test_thoughts_up_to_the_limit_are_no_answer(run_engine: RunEngine) -> None:
    end = Finish("length")
    scripts = {"a": [ReasoningDelta("Hm."), end], "b": ["x", Recast("", "x"), end], "c": ["Yes."]}
    ran = await run_engine(scripts)
    calls = [ran.state.latest(Step.PANEL, seat=seat) for seat in (0, 1)]
    assert {(c.status, c.reason) for c in calls} == {("failed", "empty")}
    said = "The model thought until its output limit and gave no answer."
    assert {c.error for c in calls} == {said}
    assert ran.state.fusion.judged == ["panel-2-1"]
