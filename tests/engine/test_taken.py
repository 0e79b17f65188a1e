"""Answers of an earlier run that are there before a panel is asked."""

from __future__ import annotations

from console.engine.answers_there import taken_call
from console.engine.spec import Panelist, Policy
from console.engine.state import CallState, CallStatus, RunState, Step
from console.engine.wait_for import first
from tests.engine.conftest import RunEngine
from tests.engine.virtual import run_in_virtual_time


def answer(seat: int) -> CallState:
    call = CallState(f"panel-{seat}-1", Step.PANEL, 1, "first", {}, seat, text="It is wet.")
    call.status = CallStatus.COMPLETED
    return call


def test_who_is_asked_is_waited_for_as_if_they_were_not_there(run_engine: RunEngine) -> None:
    state, seats = RunState(), [Panelist("a", "test"), Panelist("b", "test")]
    for seat in (0, 1):
        call = taken_call(answer(seat), seat, seats[seat], "earlier", 0)
        state.calls[call.key] = call
    slow = [20, "Another answer."]
    ran = run_in_virtual_time(
        run_engine(
            {"c": slow},
            panel=[*seats, "c"],
            state=state,
            policy=Policy(wait_for=first(1)),
        )
    )
    assert ran.state.status == "completed"
    assert ran.state.fusions[1].judged == ["panel-0-1", "panel-1-1", "panel-2-1"]
    assert "a" not in {request.model for request in ran.requests}
    assert ran.state.calls["panel-0-1"].taken_from == "earlier/panel-0-1"
