"""The synthesizer misbehaves in every way a seat can: answers and analysis stay, and a
fallback, or the best single answer, stands in."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from console.engine.findings.given import fused_answer
from console.engine.state import CallState, CallStatus, Step
from tests.upstream import Script

from . import invariants
from .scenario import PRICE, Scenario, good
from .stage import SIBLING_TEXT, Outcome, Panelist, Stage, a_spec, credential, reason_of
from .tables import LONG, TABLE
from .test_judges import FIRST, NOT_FOR_A_JUDGE

FOR_A_SYNTHESIZER = [
    replace(scenario, role="synthesizer")
    for scenario in (TABLE if LONG else sorted(FIRST.values(), key=lambda s: s.id))
    if scenario.title != NOT_FOR_A_JUDGE
]


def the_rest_stays(outcome: Outcome) -> None:
    state = outcome.state
    assert state.status == "completed"
    assert [state.answer(seat).text for seat in (0, 1)] == [SIBLING_TEXT] * 2  # type: ignore[union-attr]
    assert state.fusion and state.fusion.analysis
    for step, seat, fusion in ((Step.PANEL, 0, None), (Step.PANEL, 1, None)):
        assert len(state.calls_of(step, seat=seat, fusion=fusion)) == 1
    assert len(state.calls_of(Step.ANALYSIS, fusion=1)) == 1


def it_says_so(outcome: Outcome, last: CallState) -> None:
    """The best answer stands in, labelled, and what the synthesizer wrote is not shown as fused."""
    state = outcome.state
    assert state.fusion and state.fusion.best in ("panel-0-1", "panel-1-1")
    assert fused_answer(state) == SIBLING_TEXT
    assert state.reason == "synthesis_failed"
    assert "Best single answer" in outcome.words.under("run-badges")
    said = outcome.words.under("run-notice", "fused")
    assert "could not be written" in said and last.error.split(".")[0] in said


@pytest.mark.parametrize(
    ("scenario", "uses"), [pytest.param(s, s.uses, id=str(s)) for s in FOR_A_SYNTHESIZER]
)
def test_a_synthesizer_that_misbehaves_costs_nobody_s_answer(
    stage: Stage, scenario: Scenario
) -> None:
    outcome = stage.carry_out(scenario)
    the_rest_stays(outcome)
    tries = outcome.tries(scenario)
    last = tries[-1]
    assert len(tries) == scenario.calls
    assert reason_of(last) == scenario.reason
    if scenario.reason:
        assert last.status is CallStatus.FAILED
        it_says_so(outcome, last)
    else:
        assert last.text == scenario.text
        assert outcome.state.final_call is last and not outcome.state.reason
    invariants.check(outcome)


@pytest.mark.parametrize(
    ("second", "stands_in"), [(good("The second writes."), False), (good(cut_after=1), True)]
)
def test_a_synthesizer_cut_off_after_its_first_words_has_its_fallback_write(
    stage: Stage, second: Script, stands_in: bool, record_property: Any
) -> None:
    stage.upstream.script("first", good("one two three", cut_after=2))
    stage.upstream.script("second", second)
    credential("good", stage.upstream.url)
    sibling = Panelist("sibling", "good", price=PRICE)
    writer = Panelist(
        "first", "good", price=PRICE, fallback=Panelist("second", "good", price=PRICE)
    )
    judge = Panelist("judge", "good", price=PRICE)
    outcome = stage.carry_out_spec(a_spec((sibling, sibling), judge, writer), prompt="Why?")
    the_rest_stays(outcome)
    calls = outcome.state.calls_of(Step.SYNTHESIS, fusion=1)
    assert [(c.cause, c.text) for c in calls][0] == ("first", "one two")
    assert calls[1].cause == "fallback" and len(calls) == 2
    if stands_in:
        it_says_so(outcome, calls[1])
    else:
        assert fused_answer(outcome.state) == "The second writes."
        assert "fallback for first" in outcome.words.under("fused-head")
    invariants.check(outcome)
