"""U-44, U-45: most seats fail, each in its own way, or all of them."""

from __future__ import annotations

from typing import Any

from console.engine.findings.given import fused_answer
from console.engine.spec import Panelist
from console.engine.state import Step
from tests.upstream import Script

from . import invariants, report
from .scenario import PRICE
from .stage import SIBLING_TEXT, Outcome, Stage, a_spec, credential

FAULTS = {
    "refused": (Script(status=401), "failed"),
    "poor": (Script(status=402), "failed"),
    "unknown": (Script(status=404), "failed"),
    "broken": (Script(status=500), "failed"),
    "cut": (Script(cut_after=2), "cut off"),
    "stalled": (Script(stall_after=2), "stalled"),
    "blank": (Script(text=" "), "empty"),
    "page": (Script(body="<html><h1>Welcome</h1></html>", content_type="text/html"), "failed"),
}


def asked(stage: Stage, *models: str) -> Outcome:
    for name, (script, _) in FAULTS.items():
        stage.upstream.script(name, script)
    credential("good", stage.upstream.url)
    panel = tuple(Panelist(model, "good", price=PRICE) for model in models)
    spec = a_spec(panel, Panelist("judge", "good", price=PRICE), retries=0)
    outcome = stage.carry_out_spec(spec, prompt="Is anybody there?")
    for seat, model in enumerate(models):
        word = FAULTS[model][1] if model in FAULTS else "done"
        assert word in outcome.words.under(f"seat-{seat}-head"), model
    invariants.check(outcome)
    return outcome


def test_eight_seats_fail_in_eight_ways_and_nobody_judges(
    stage: Stage, record_property: Any
) -> None:
    outcome = asked(stage, *FAULTS)
    assert outcome.state.status == "failed"
    assert outcome.state.reason == "insufficient_credits"  # what a person can do something about
    assert not any(r.model == "judge" for r in outcome.requests)
    said = outcome.words.under("run-notice")
    assert "credit" in said
    report.note_panel(record_property, "U-44", "eight seats fail in eight ways", outcome, said)


def test_one_answer_of_eight_is_shown_and_not_compared(stage: Stage, record_property: Any) -> None:
    outcome = asked(stage, *list(FAULTS)[:7], "sibling")
    assert outcome.state.status == "completed"
    assert not outcome.state.calls_of(Step.ANALYSIS, fusion=1)
    said = outcome.words.under("run-badges")
    assert "From a single answer" in said
    report.note_panel(record_property, "U-45", "seven of eight seats fail", outcome, said)


def test_two_answers_of_eight_are_fused_and_the_judge_is_told_of_no_other(
    stage: Stage, record_property: Any
) -> None:
    outcome = asked(stage, *list(FAULTS)[:6], "sibling", "sibling")
    assert fused_answer(outcome.state) == "The fused answer."
    assert "2 of 8 answered" in outcome.words.under("run-badges")
    judged = next(r for r in outcome.requests if r.model == "judge")
    assert str(judged.body["messages"]).count(SIBLING_TEXT) == 2
    fusion = outcome.state.fusion
    assert fusion and [outcome.state.calls[key].seat for key in fusion.judged] == [6, 7]
    said = outcome.words.under("run-badges")
    report.note_panel(record_property, "U-45", "six of eight seats fail", outcome, said)
