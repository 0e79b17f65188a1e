"""Runs on Anthropic alone, and a seat of it that misbehaves beside others that do not."""

from __future__ import annotations

from typing import Any

import pytest

from console.engine.errors import Reason
from console.engine.findings.given import fused_answer
from console.engine.spec import Panelist
from console.engine.state import CallStatus, Step
from console.engine.usage import Usage
from tests.upstream import Script
from tests.upstream.anthropic import (
    PING,
    begin,
    block,
    close,
    delta,
    end,
    event,
    text,
    thinking,
)

from . import invariants
from .scenario import PRICE, Scenario, cost
from .stage import Stage, a_spec, credential, reason_of

SAID = "Rain is wet."
GIVEN = {"input_tokens": 4, "output_tokens": 1}
HALF = begin(given=GIVEN) + block(0, "text", text="") + delta(0, "text_delta", text="Rain ")
CITATION = {
    "type": "web_search_result_location",
    "url": "https://a.example/wet",
    "title": "On rain",
    "cited_text": "wet",
}


def answered(*parts: bytes, tokens: int = 3) -> Script:
    return Script(raw=[begin(given=GIVEN), *parts, end(tokens={"output_tokens": tokens})])


def test_a_whole_run_is_carried_out_on_anthropic_alone(stage: Stage) -> None:
    cited = block(1, "text", text="") + delta(1, "text_delta", text=SAID)
    cited += delta(1, "citations_delta", citation=CITATION) + close(1)
    stage.upstream.script("claude-opus-5", answered(PING, thinking("Let me see."), cited))
    busy = Script(status=529, error_message="Overloaded")
    stage.upstream.script("claude-haiku-4-5", busy, answered(text("It is ", "water.")))
    no = begin(given=GIVEN) + end("refusal", {"output_tokens": 0})
    stage.upstream.script("claude-mythos-5", Script(raw=[no]))
    credential("home", stage.upstream.url, kind="anthropic")
    panel = tuple(
        Panelist(model, "home", price=PRICE, reasoning_effort="high")
        for model in ("claude-opus-5", "claude-haiku-4-5", "claude-mythos-5")
    )
    judge = Panelist("judge", "home", price=PRICE)
    patience = {"first_token_timeout": 8, "stall_timeout": 8, "retries": 1}
    outcome = stage.carry_out_spec(a_spec(panel, judge, **patience), prompt="Is rain wet?")

    opus, haiku, mythos = (outcome.state.latest(Step.PANEL, seat=seat) for seat in range(3))
    assert opus and haiku and mythos
    assert (opus.text, opus.reasoning) == (SAID, "Let me see.")
    assert opus.citations == [{"url": "https://a.example/wet", "title": "On rain"}]
    assert (opus.usage, opus.cost) == (Usage(4, 3), cost(3))
    assert (haiku.text, haiku.number, haiku.cause) == ("It is water.", 2, "retry")
    assert (mythos.status, mythos.reason) == (CallStatus.FAILED, Reason.CONTENT_FILTER)
    assert outcome.state.status == "completed"
    assert fused_answer(outcome.state) == "The fused answer."
    assert outcome.state.fusion and outcome.state.fusion.analysis
    assert outcome.state.fusion.analysis["unique_insights"]
    assert "https://a.example/wet" in outcome.page
    invariants.check(outcome)

    asked = {request.model: request.body for request in outcome.requests}
    assert asked["claude-opus-5"]["thinking"]["type"] == "adaptive"
    assert asked["claude-haiku-4-5"]["thinking"]["type"] == "enabled"
    analysis, fused = (r.body for r in outcome.requests if r.model == "judge")
    assert analysis["output_config"]["format"]["type"] == "json_schema"
    assert "output_config" not in fused
    assert analysis["system"] and [t["role"] for t in analysis["messages"]] == ["user"]


def test_a_judge_that_takes_no_schema_judges_without_one(stage: Stage) -> None:
    def judge(body: dict[str, Any]) -> Script:
        if "format" in body.get("output_config", {}):
            grammar = "The compiled grammar is too large. Simplify your tool schemas."
            return Script(status=400, error_message=grammar)
        if "temperature" in body:
            deprecated = "`temperature` is deprecated for this model."
            return Script(status=400, error_message=deprecated)
        return Script(text="The fused answer.")

    credential("home", stage.upstream.url, kind="anthropic")
    panel = (Panelist("sibling", "home", price=PRICE), Panelist("sibling", "home", price=PRICE))
    spec = a_spec(panel, Panelist("picky", "home", price=PRICE), first_token_timeout=8)
    stage.upstream.script("picky", judge)
    outcome = stage.carry_out_spec(spec, prompt="Is rain wet?")
    causes = [c.cause for c in outcome.state.calls_of(Step.ANALYSIS, fusion=1)]
    assert causes == ["first", "adapt", "adapt"]
    assert outcome.state.fusion and outcome.state.fusion.analysis
    assert fused_answer(outcome.state) == "The fused answer."
    invariants.check(outcome)


def seat(id: str, title: str, does: Script, *sees: str, **more: Any) -> Scenario:
    return Scenario(id, title, does, sees, kind="anthropic", **more)


def fails(
    id: str, title: str, does: bytes | Script, reason: Reason, *sees: str, **more: Any
) -> Any:
    script = does if isinstance(does, Script) else Script(raw=[does])
    return seat(id, title, script, *sees, reason=reason, **more)


THREE = {"usage": {"input_tokens": 4, "output_tokens": 3}, "cost": cost(3), "text": SAID}
RAIN = text("Rain ", "is wet.")
TABLE = [
    seat("A-1", "unknown events and blocks", answered(event("aside"), block(5, "hologram"), RAIN),
         "done", **THREE),
    seat("A-2", "no message_stop", Script(raw=[begin(given=GIVEN) + RAIN
         + end().split(b"event: message_stop")[0]]), "done", **THREE),
    fails("A-3", "cut in a thought", begin(given=GIVEN) + block(0, "thinking", thinking="")
          + delta(0, "thinking_delta", thinking="Hm"), Reason.TRUNCATED, "cut off", reasoning="Hm"),
    fails("A-4", "an error after a few words", HALF + event("error", error={
          "type": "overloaded_error", "message": "Overloaded"}), Reason.UPSTREAM_ERROR,
          "Overloaded", text="Rain "),
    fails("A-5", "begun twice", HALF + begin() + RAIN + end(), Reason.BAD_RESPONSE,
          "a second time", text="Rain "),
    fails("A-6", "nothing was said", begin(given=GIVEN) + end(tokens={"output_tokens": 0}),
          Reason.EMPTY, "empty", usage={"input_tokens": 4, "output_tokens": 0}, cost=cost(0)),
    fails("A-7", "no money", Script(status=400, error_message="Your credit balance is too low to "
          "access the Anthropic API."), Reason.INSUFFICIENT_CREDITS, "out of credit"),
    fails("A-8", "pings and then silence", Script(raw=[begin(given=GIVEN), *[0.1, PING] * 3, 60.0]),
          Reason.TIMEOUT, "nothing but signs of life"),
]  # fmt: skip


@pytest.mark.parametrize("scenario", TABLE, ids=str)
def test_a_seat_that_misbehaves(stage: Stage, scenario: Scenario) -> None:
    outcome = stage.carry_out(scenario)
    (call,) = outcome.tries(scenario)
    sees = outcome.words.under("seat-0-head", "seat-0-note", "seat-0-end")
    assert all(words in sees for words in scenario.sees), sees
    assert (reason_of(call), call.text, call.reasoning) == (
        scenario.reason,
        scenario.text,
        scenario.reasoning,
    )
    assert (call.usage, call.cost) == (Usage(**scenario.usage), scenario.cost)
    assert fused_answer(outcome.state) == "The fused answer."
    invariants.check(outcome)
