"""Quorum, grace, retries, fallbacks and limits: who is waited for, asked again, or left out."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from console.engine.calls.context import Control
from console.engine.errors import ProviderError, Reason
from console.engine.events import EventType
from console.engine.findings.given import fused_answer
from console.engine.provider import Finish, Request
from console.engine.spec import Panelist, Policy
from console.engine.state import CallStatus, Step
from console.engine.usage import Usage
from console.engine.wait_for import ALL_BUT_ONE, at_least
from tests.engine.conftest import ANALYSIS, Ran, RunEngine

QUICK = Policy(
    wait_for=ALL_BUT_ONE,
    first_token_timeout=5,
    stall_timeout=5,
    total_timeout=9,
    grace=0.1,
    grace_factor=0,
    silent_seconds=1,
)


def turns(*answers: Any) -> Any:
    """A script for each call in turn, the last for all that follow."""
    left = list(answers)
    return lambda request: left.pop(0) if len(left) > 1 else left[0]


def busy(after: float | None = 0.01) -> ProviderError:
    return ProviderError(Reason.RATE_LIMITED, retryable=True, status_code=429, retry_after=after)


def causes(ran: Ran, seat: int) -> list[str]:
    return [c.cause for c in ran.state.calls_of(Step.PANEL, seat=seat)]


# who is waited for


async def test_stragglers_have_a_grace_period_once_the_quorum_is_in(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": ["x"], "b": ["y"], "slow": [9]}, policy=QUICK)
    cut = ran.state.latest(Step.PANEL, seat=2)
    assert (cut.status, cut.reason, cut.text) == ("failed", "cut_off", "")
    assert ran.state.fusion.judged == ["panel-0-1", "panel-1-1"]
    (grace,) = [e for e in ran.events if e.type == EventType.PANEL_GRACE]
    assert grace.data["usable"] == 2 and abs(grace.data["until"] - grace.at - 0.1) < 0.01
    assert ran.state.status == "completed" and ran.state.grace_until is None


async def test_a_straggler_who_makes_it_within_the_grace_is_compared(run_engine: RunEngine) -> None:
    policy = Policy(wait_for=ALL_BUT_ONE, grace=5)
    ran = await run_engine({"a": ["x"], "b": ["y"], "slow": [0.1, "z"]}, policy=policy)
    assert len(ran.state.fusion.judged) == 3


async def test_a_slow_panel_gives_a_longer_grace(run_engine: RunEngine) -> None:
    policy = Policy(wait_for=ALL_BUT_ONE, grace=0, grace_factor=2, silent_seconds=0)
    ran = await run_engine({"a": [0.1, "x"], "b": ["y"], "slow": [0.2, "z"]}, policy=policy)
    assert len(ran.state.fusion.judged) == 3


async def test_only_usable_answers_make_a_quorum(run_engine: RunEngine) -> None:
    panel = {
        "blank": [" "],
        "tools": [Finish("tool_calls")],
        "cut at nothing": [Finish("length")],
        "refused": ["no", Finish("content_filter")],
        "slow": [0.2, "z"],
        "good": ["x"],
    }
    policy = Policy(wait_for=at_least(2), grace=0, grace_factor=0, silent_seconds=0)
    ran = await run_engine(panel, policy=policy)
    assert ran.state.fusion.judged == ["panel-4-1", "panel-5-1"]


async def test_all_but_one_leaves_one_out_from_three_seats_on() -> None:
    assert [ALL_BUT_ONE.quorum_of(n) for n in range(1, 6)] == [1, 2, 2, 3, 4]
    assert at_least(5).quorum_of(3) == 3


async def test_the_panel_as_a_whole_has_a_limit(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": ["x"], "b": ["y", 9]}, policy=Policy(panel_timeout=0.2))
    assert ran.state.latest(Step.PANEL, seat=1).reason == "timeout"
    assert "0.2 s" in ran.state.latest(Step.PANEL, seat=1).error
    assert ran.state.status == "completed"


async def test_readers_may_fuse_now_with_what_is_there(run_engine: RunEngine) -> None:
    control = Control()
    asyncio.get_running_loop().call_later(0.1, lambda: control.tell(fuse_now=True, stopped=set()))
    policy = Policy(silent_seconds=0)
    scripts = {"a": ["x"], "b": ["half", 9], "c": [9]}
    ran = await run_engine(scripts, control=control, policy=policy)
    assert ran.state.fusion.judged == ["panel-0-1"] and ran.state.fusion.without == ["panel-1-1"]
    on, cut = [ran.state.latest(Step.PANEL, seat=s) for s in (1, 2)]
    assert (cut.status, cut.reason, cut.text) == ("failed", "cut_off", "")
    assert (on.status, on.text) == ("completed", "half")
    assert "half" not in str([r.messages for r in ran.requests_to("judge")])


async def test_what_is_compared_first_ends_whole_when_a_reader_does_not_wait_for_the_rest(
    run_engine: RunEngine,
) -> None:
    control = Control()
    asyncio.get_running_loop().call_later(0.1, lambda: control.tell(fuse_now=True, stopped=set()))
    ran = await run_engine({"a": ["x"], "b": ["half", 9]}, control=control, stop_after="panel")
    cut = ran.state.latest(Step.PANEL, seat=1)
    assert (cut.reason, cut.text, ran.state.status) == ("cut_off", "half", "completed")


async def test_one_seat_can_be_stopped(run_engine: RunEngine) -> None:
    control = Control()
    asyncio.get_running_loop().call_later(0.1, lambda: control.tell(fuse_now=False, stopped={1}))
    ran = await run_engine({"a": ["x"], "b": ["y", 9], "c": [0.2, "z"]}, control=control)
    stopped = ran.state.latest(Step.PANEL, seat=1)
    assert (stopped.status, stopped.text) == (CallStatus.CANCELLED, "y")
    assert len(ran.state.fusion.judged) == 2


# who is asked again


async def test_a_busy_provider_is_asked_again_when_it_says(run_engine: RunEngine) -> None:
    ran = await run_engine({"busy": turns([busy(0.15)], [busy(None)], ["at last"]), "b": ["y"]})
    first, second, third = ran.state.calls_of(Step.PANEL, seat=0)
    assert causes(ran, 0) == ["first", "retry", "retry"]
    assert first.retry_cause == "retry" and third.text == "at last"
    assert second.started_at - first.finished_at >= 0.14
    assert ran.state.status == "completed"


async def test_there_is_an_end_to_trying(run_engine: RunEngine) -> None:
    ran = await run_engine({"busy": [busy()], "b": ["y"]}, policy=Policy(retries=2))
    assert causes(ran, 0) == ["first", "retry", "retry"]
    assert ran.state.latest(Step.PANEL, seat=0).retry_at is None


async def test_as_many_retries_are_made_as_the_policy_says(run_engine: RunEngine) -> None:
    policy = Policy(retries=4, max_retry_wait=0.01)
    ran = await run_engine({"busy": [busy(None)], "b": ["y"]}, policy=policy)
    assert causes(ran, 0) == ["first", *["retry"] * 4]


async def test_nobody_waits_longer_than_the_policy_allows(run_engine: RunEngine) -> None:
    ran = await run_engine({"busy": [busy(31)], "b": ["y"]})
    assert causes(ran, 0) == ["first"]


async def test_a_wait_as_long_as_allowed_is_waited(run_engine: RunEngine) -> None:
    policy = Policy(max_retry_wait=0.2)
    ran = await run_engine({"busy": turns([busy(0.2)], ["x"]), "b": ["y"]}, policy=policy)
    assert causes(ran, 0) == ["first", "retry"]


@pytest.mark.parametrize(
    "reason", [Reason.UNAUTHORIZED, Reason.INVALID_MODEL, Reason.BAD_REQUEST, Reason.DISCONNECTED]
)
async def test_what_would_fail_again_or_may_have_been_billed_is_not_repeated(
    run_engine: RunEngine, reason: Reason
) -> None:
    ran = await run_engine({"a": [ProviderError(reason)], "b": ["y"]})
    assert causes(ran, 0) == ["first"]


async def test_a_request_refused_for_its_form_is_made_in_another_which_is_no_retry(
    run_engine: RunEngine,
) -> None:
    refused = ProviderError(Reason.BAD_REQUEST, adapted=True)
    scripts = {"a": turns([refused], [busy(0)], [refused], ["x"]), "b": ["y"]}
    ran = await run_engine(scripts, policy=Policy(retries=1))
    assert causes(ran, 0) == ["first", "adapt", "retry", "adapt"]
    assert ran.state.answer(0).text == "x"


async def test_a_provider_that_is_always_refused_is_given_up(run_engine: RunEngine) -> None:
    refused = ProviderError(Reason.BAD_REQUEST, adapted=True)
    ran = await run_engine({"a": [refused], "b": ["y"]})
    assert causes(ran, 0) == ["first", *["adapt"] * 8]


async def test_a_form_the_judge_does_not_take_spares_its_retry(run_engine: RunEngine) -> None:
    refused = ProviderError(Reason.BAD_REQUEST, adapted=True)
    broken = ProviderError(Reason.UPSTREAM_ERROR)
    whole = json.dumps(ANALYSIS)
    judge = turns([refused], [broken], ["{"], [whole], ["Fused."])
    ran = await run_engine({"a": ["x"], "b": ["y"], "judge": judge})
    assert ran.state.fusions[1].analysis
    calls = ran.state.calls_of(Step.ANALYSIS, fusion=1)
    assert [c.cause for c in calls] == ["first", "adapt", "retry", "repair"]


async def test_every_request_counts_towards_the_limit_on_calls(run_engine: RunEngine) -> None:
    refused = ProviderError(Reason.BAD_REQUEST, adapted=True)
    scripts = {"a": turns([refused], [refused], ["x"]), "b": ["y"]}
    ran = await run_engine(scripts, policy=Policy(max_calls=3))
    assert len(ran.requests) == 3


async def test_nothing_is_repeated_after_the_first_token(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": ["one", busy()], "b": ["y"]})
    assert causes(ran, 0) == ["first"]


@pytest.mark.parametrize("allowed", [True, False])
async def test_a_request_that_vanished_is_repeated_where_the_preset_allows(
    run_engine: RunEngine, allowed: bool
) -> None:
    vanished = ProviderError(Reason.DISCONNECTED, unconfirmed=True)
    ran = await run_engine(
        {"a": turns([vanished], ["x"]), "b": ["y"]}, policy=Policy(repeat_unconfirmed=allowed)
    )
    assert causes(ran, 0) == (["first", "retry"] if allowed else ["first"])


# who stands in


async def test_a_fallback_takes_the_seat_of_a_model_that_failed(run_engine: RunEngine) -> None:
    seat = Panelist("down", "fake", fallback=Panelist("spare", "fake"))
    ran = await run_engine(
        {"down": [ProviderError(Reason.UNAUTHORIZED)], "spare": ["z"], "b": ["y"]},
        panel=[seat, "b"],
    )
    assert causes(ran, 0) == ["first", "fallback"]
    answer = ran.state.answer(0)
    assert answer.panelist["model"] == "spare" and answer.text == "z"
    assert ran.state.calls["panel-0-1"].retry_cause == "fallback"
    assert answer.key in ran.state.fusion.judged


async def test_a_fallback_has_retries_of_its_own(run_engine: RunEngine) -> None:
    seat = Panelist("down", "fake", fallback=Panelist("spare", "fake"))
    ran = await run_engine(
        {"down": [busy()], "spare": turns([busy()], ["z"]), "b": ["y"]},
        panel=[seat, "b"],
        policy=Policy(retries=1),
    )
    assert causes(ran, 0) == ["first", "retry", "fallback", "retry"]


async def test_a_judge_that_breaks_is_asked_once_more_then_its_fallback(
    run_engine: RunEngine,
) -> None:
    broken = ["{", ProviderError(Reason.DISCONNECTED)]
    spare = Panelist("spare", "fake")
    ran = await run_engine(
        {"a": ["x"], "b": ["y"], "spare": [json.dumps(ANALYSIS)], "judge": broken},
        panel=["a", "b"],
        judge=Panelist("judge", "fake", fallback=spare),
        writer="a",
    )
    tries = ran.state.calls_of(Step.ANALYSIS, fusion=1)
    assert [(c.cause, c.panelist["model"]) for c in tries] == [
        ("first", "judge"),
        ("retry", "judge"),
        ("fallback", "spare"),
    ]
    assert ran.state.fusion.analysis and not ran.state.fusion.analysis_reason


async def test_without_a_judge_the_fused_answer_is_written_all_the_same(
    run_engine: RunEngine,
) -> None:
    def judges(request: Request) -> Any:
        return [ProviderError(Reason.UPSTREAM_ERROR)] if request.response_schema else ["Fused."]

    ran = await run_engine({"a": ["x"], "b": ["y"], "judge": judges})
    assert ran.state.fusion.analysis_reason == "judge_upstream_error"
    assert fused_answer(ran.state) == "Fused." and ran.state.status == "completed"


async def test_another_synthesizer_writes_when_the_first_fails(run_engine: RunEngine) -> None:
    spare = Panelist("spare", "fake")
    ran = await run_engine(
        {
            "a": ["x"],
            "b": ["y"],
            "pen": ["half", ProviderError(Reason.STALLED)],
            "spare": ["Written by the spare."],
        },
        panel=["a", "b"],
        writer=Panelist("pen", "fake", fallback=spare),
    )
    assert fused_answer(ran.state) == "Written by the spare."
    assert ran.state.reason == "" and ran.state.fusion.best == ""


# limits


async def test_no_call_is_made_beyond_the_limit_on_calls(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": ["x"], "b": ["y"], "c": ["z"]}, policy=Policy(max_calls=3))
    assert len(ran.requests) == 3
    assert ran.state.fusion.analysis_reason == "budget_exceeded"
    assert "at most 3 calls" in ran.state.fused.error
    assert ran.state.status == "completed" and fused_answer(ran.state) == "x"


async def test_tokens_are_set_aside_before_a_call(run_engine: RunEngine) -> None:
    panel = [Panelist(m, "fake", max_output_tokens=100) for m in ("a", "b", "c")]
    used = Finish("stop", Usage(10, 20))
    ran = await run_engine(
        {m: [0.05, "x", used] for m in ("a", "b", "c")}, panel=panel, policy=Policy(max_tokens=250)
    )
    reasons = [ran.state.latest(Step.PANEL, seat=s).reason for s in range(3)]
    assert sorted(reasons) == ["", "", "budget_exceeded"]
    assert len([r for r in ran.requests if r.model in ("a", "b", "c")]) == 2


async def test_tokens_nobody_reports_are_estimated_prompt_and_all(run_engine: RunEngine) -> None:
    """Of 8,000 characters each, two calls are 4,000 tokens and more."""
    unsaid = Finish("stop", Usage())
    scripts = {"a": ["x", unsaid], "b": [0.05, "y", unsaid], "judge": ["z"]}
    ran = await run_engine(scripts, policy=Policy(max_tokens=4_100), prompt="word " * 1_600)
    assert [r.model for r in ran.requests] == ["a", "b"]
    assert ran.state.fusion.analysis_reason == Reason.BUDGET_EXCEEDED
    assert fused_answer(ran.state) == "x"


async def test_what_was_refused_uses_no_tokens_up(run_engine: RunEngine) -> None:
    scripts = {"a": turns([busy(0)], ["x", Finish("stop", Usage())]), "b": ["y"]}
    policy = Policy(max_tokens=4_100)
    ran = await run_engine(scripts, policy=policy, prompt="word " * 1_600)
    assert ran.state.answer(0) and ran.state.answer(1)
