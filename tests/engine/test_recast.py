"""A call's text that is replaced while, or after, it is written."""

from __future__ import annotations

from typing import Any

from console.engine.events import Event, EventType
from console.engine.reducer import apply
from console.engine.state import CallState, RunState

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
