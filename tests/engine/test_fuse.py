from __future__ import annotations

import asyncio

import pytest

from console.engine.errors import ProviderError, Reason
from console.engine.events import EventType
from console.engine.findings.given import fused_answer
from console.engine.provider import Complete, Finish, ReasoningDelta
from console.engine.spec import Policy
from console.engine.state import RunState, Step
from tests.engine.conftest import RunEngine
from tests.engine.virtual import now


async def test_seats_are_asked_at_once_and_the_slowest_sets_the_time(
    run_engine: RunEngine,
) -> None:
    began = now()
    ran = await run_engine({m: [15, "x", 15] for m in ("a", "b", "c")}, policy=Policy())
    assert now() - began == pytest.approx(30)
    assert ran.state.status == "completed"


async def test_every_delta_is_an_event_in_the_order_it_came(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": ["one ", "two ", "three"], "b": ["x"]})
    deltas = [e.data["text"] for e in ran.events if e.call == "panel-0-1" and e.type.is_delta]
    assert deltas == ["one ", "two ", "three"]


async def test_a_stall_a_silence_and_a_total_are_told_apart(run_engine: RunEngine) -> None:
    policy = Policy(first_token_timeout=0.3, stall_timeout=0.15, total_timeout=0.5)
    ran = await run_engine(
        {
            "stalls": ["a", 9],
            "silent": [9],
            "drips": ["a", *[x for _ in range(9) for x in (0.1, "b")]],
            "well": ["fine"],
        },
        policy=policy,
    )
    calls = [ran.state.latest(Step.PANEL, seat=s) for s in range(4)]
    assert [c.reason for c in calls] == ["stalled", "timeout", "timeout", ""]
    assert calls[0].text == "a" and "0.15 s" in calls[0].error
    assert "0.3 s of asking" in calls[1].error
    assert "0.5 s" in calls[2].error and calls[2].text.startswith("abb")
    assert ran.state.status == "completed"


async def test_an_answer_that_is_whole_does_not_stall_while_its_receipt_is_late(
    run_engine: RunEngine,
) -> None:
    script = ["All said.", Complete(), 0.4, Finish("stop", model="late")]
    ran = await run_engine({"late": script, "well": ["fine"]})  # a stall is 0.2 s
    call = ran.state.latest(Step.PANEL, seat=0)
    assert (call.status, call.text, call.model) == ("completed", "All said.", "late")


async def test_reasoning_alone_is_no_answer(run_engine: RunEngine) -> None:
    ran = await run_engine({"thinks": [ReasoningDelta("hmm")], "says": ["yes"]})
    call = ran.state.latest(Step.PANEL, seat=0)
    assert (call.reason, call.reasoning) == ("empty", "hmm")


async def test_blank_filtered_and_tool_answers_are_not_usable(run_engine: RunEngine) -> None:
    ran = await run_engine(
        {
            "blank": ["  \n "],
            "filtered": ["half of", Finish("content_filter")],
            "tools": [Finish("tool_calls")],
            "cut": ["until the limit", Finish("length")],
        }
    )
    calls = [ran.state.latest(Step.PANEL, seat=s) for s in range(4)]
    assert [c.reason for c in calls] == ["empty", "content_filter", "empty", ""]
    assert calls[1].text == "half of"
    assert calls[3].is_usable and calls[3].finish_reason == "length"


async def test_an_error_nobody_foresaw_ends_one_seat_only(run_engine: RunEngine) -> None:
    ran = await run_engine({"broken": [RuntimeError("a bug")], "well": ["fine"]})
    assert ran.state.latest(Step.PANEL, seat=0).reason == "internal"
    assert "a bug" not in ran.state.latest(Step.PANEL, seat=0).error
    assert ran.state.status == "completed"


async def test_the_run_says_credits_when_that_is_what_stopped_a_seat(
    run_engine: RunEngine,
) -> None:
    ran = await run_engine(
        {
            "a": [ProviderError(Reason.INSUFFICIENT_CREDITS)],
            "b": [ProviderError(Reason.UNREACHABLE)],
        }
    )
    assert (ran.state.status, ran.state.reason) == ("failed", "insufficient_credits")
    assert "out of credit" in ran.state.error and "could not be reached" in ran.state.error


async def test_a_synthesizer_of_its_own_writes_and_the_judge_does_not(
    run_engine: RunEngine,
) -> None:
    ran = await run_engine({"a": ["x"], "b": ["y"], "pen": ["Written by pen."]}, writer="pen")
    assert fused_answer(ran.state) == "Written by pen."
    assert len(ran.requests_to("judge")) == 1


async def test_a_synthesis_that_fails_keeps_answers_and_analysis(run_engine: RunEngine) -> None:
    ran = await run_engine(
        {"a": ["x"], "b": ["y"], "pen": ["half", ProviderError(Reason.DISCONNECTED)]}, writer="pen"
    )
    assert (ran.state.status, ran.state.reason) == ("completed", "synthesis_failed")
    assert ran.state.fusion.analysis and ran.state.fused.text == "half"
    assert fused_answer(ran.state) == "x"  # as much was found in either: the first seat
    assert "best single answer" in ran.state.error


async def test_the_fence_is_unknown_to_answers_and_the_order_is_the_seed_s(
    run_engine: RunEngine,
) -> None:
    scripts = {name: [f"text of {name}"] for name in ("p", "q", "r", "s", "t")}
    first = await run_engine(scripts)
    again = await run_engine(scripts)
    asked = first.requests_to("judge")[0].messages[1]["content"]
    assert asked == again.requests_to("judge")[0].messages[1]["content"]
    order = [asked.index(f"text of {name}") for name in ("p", "q", "r", "s", "t")]
    assert order != sorted(order)
    assert asked.count("=== ") >= 12  # prompt and five answers, each opened and closed


async def test_the_judge_is_told_which_answers_were_cut(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": ["whole"], "b": ["not who", Finish("length")]})
    system, material = (m["content"] for m in ran.requests_to("judge")[0].messages)
    assert system.endswith("Cut off at the length limit: B.") and "length limit" not in material


async def test_a_brace_in_an_answer_is_not_filled_in(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": ["{fence} {letters}"], "b": ["y"]})
    asked = ran.requests_to("judge")[0].messages[1]["content"]
    assert "{fence} {letters}" in asked


async def test_cancelling_closes_every_stream(run_engine: RunEngine) -> None:
    task = asyncio.create_task(run_engine({"a": ["x", 9], "b": ["y", 9]}))
    await asyncio.sleep(0.1)
    task.cancel()
    results = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert len(asyncio.all_tasks()) == 1


async def test_what_is_finished_is_never_bought_again(run_engine: RunEngine) -> None:
    first = await run_engine({"a": ["x"], "b": ["y"]})
    state = RunState.from_dict(first.state.to_dict())
    again = await run_engine({"a": ["other"], "b": ["other"]}, state=state)
    assert again.requests == []
    assert fused_answer(again.state) == fused_answer(first.state)


async def test_events_end_with_the_run_and_every_call_ends(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": ["x"], "b": [ProviderError(Reason.UNREACHABLE)]})
    assert ran.events[0].type is EventType.RUN_STARTED
    assert ran.events[-1].type is EventType.RUN_COMPLETED
    assert all(c.status.is_final for c in ran.state.calls.values())


async def test_an_empty_answer_that_was_billed_counts_in_the_cost_of_the_run(
    run_engine: RunEngine,
) -> None:
    from decimal import Decimal

    from console.engine.usage import Usage

    thoughts = Finish("length", usage=Usage(10, 8000), cost=Decimal("0.25"))
    answer = Finish("stop", usage=Usage(10, 5), cost=Decimal("0.5"))
    ran = await run_engine({"thinks": [thoughts], "says": ["yes", answer]})
    known, _ = ran.state.cost()
    assert ran.state.latest(Step.PANEL, seat=0).reason == "empty"
    assert known == Decimal("0.75")
