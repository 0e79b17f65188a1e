"""A writer goes on with what its tools said: one more call, whatever happens to the worker."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from console.engine.provider import Request
from console.engine.spec import Panelist
from console.engine.state import RunState, RunStatus, Step
from tests.prose import words

from .conftest import RunEngine

CALLED = {"id": "t1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
SAID = [
    {"role": "assistant", "content": "", "tool_calls": [CALLED]},
    {"role": "tool", "content": "42", "tool_call_id": "t1"},
]
SCRIPTS: dict[str, Any] = {"a": ["A."], "b": ["B."], "pen": ["Fused."]}


async def fused(run_engine: RunEngine) -> RunState:
    state: RunState = (await run_engine(SCRIPTS, writer="pen")).state
    return state


def with_turn(state: RunState, number: int, **request: Any) -> RunState:
    """As the rows have it when a program has sent what its tools said."""
    before = state.fusions[number - 1]
    root = before.turn.get("root", 1)
    turn = {"root": root, "after": number - 1, "messages": SAID, "request": request}
    state.fusions[number] = replace(
        before, number=number, turn=turn, best="", poll=[], status=RunStatus.QUEUED
    )
    return state


async def test_only_the_writer_is_asked_with_all_that_was_said_since(
    run_engine: RunEngine,
) -> None:
    state = await fused(run_engine)
    first = await run_engine(SCRIPTS, writer="pen", state=with_turn(state, 2, temperature=0.3))
    ran = await run_engine(
        SCRIPTS | {"pen": ["At last."]}, writer="pen", state=with_turn(first.state, 3)
    )
    assert [r.model for r in first.requests + ran.requests] == ["pen", "pen"]
    assert first.requests[0].temperature == 0.3
    assert ran.requests[0].messages[-4:] == SAID + SAID
    assert ran.state.status is RunStatus.COMPLETED and not ran.state.reason
    assert {f.status for f in ran.state.fusions.values()} == {RunStatus.COMPLETED}
    assert ran.state.fused and ran.state.fused.text == "At last."
    assert ran.state.of_turn(2).fused is not ran.state.fused


async def test_what_was_condensed_for_the_panel_s_fusion_is_not_bought_again(
    run_engine: RunEngine,
) -> None:
    def judge(request: Request) -> Any:
        return ["{}"] if request.response_schema else ["Short."]

    long = [words(3000, of="water")[:13_800]]
    scripts = {"a": long, "b": long, "judge": judge, "pen": ["Fused."]}
    small = Panelist("judge", "fake", context_length=6000)
    pen = Panelist("pen", "fake", context_length=6000)
    state = (await run_engine(scripts, panel=["a", "b"], judge=small, writer=pen)).state
    ran = await run_engine(
        scripts, panel=["a", "b"], judge=small, writer=pen, state=with_turn(state, 2)
    )
    assert [r.model for r in ran.requests] == ["pen"]
    assert "Short." in ran.requests[0].messages[1]["content"]


async def test_a_turn_that_fails_is_no_answer_and_takes_none_away(run_engine: RunEngine) -> None:
    state = with_turn(await fused(run_engine), 2)
    ran = await run_engine(SCRIPTS | {"pen": [" "]}, writer="pen", state=state)
    assert ran.state.reason == "synthesis_failed" and "could not go on" in ran.state.error
    assert not ran.state.fusions[2].best
    assert ran.state.answering(ran.state.fusions[2]) is None
    given = ran.state.answering(ran.state.fusions[1])
    assert given and given.text == "Fused."


async def test_another_worker_goes_on_with_a_turn_where_one_was_lost(
    run_engine: RunEngine,
) -> None:
    state = with_turn(await fused(run_engine), 2)
    state.fusions[2].status = RunStatus.RUNNING
    state.status = RunStatus.RUNNING
    ran = await run_engine(SCRIPTS | {"pen": ["On."]}, writer="pen", state=state)
    assert [r.model for r in ran.requests] == ["pen"]
    assert len(ran.state.calls_of(Step.SYNTHESIS, fusion=2)) == 1
