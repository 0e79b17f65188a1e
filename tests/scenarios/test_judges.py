"""U-46, U-47: the judge misbehaves in every way a seat can, and in some of its own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from console.engine.errors import SENTENCES, Reason
from console.engine.findings.given import fused_answer
from console.engine.state import Step
from tests.upstream import Script

from . import invariants, report
from .scenario import Scenario
from .stage import SIBLING_TEXT, Stage
from .tables import LONG, TABLE

# The first usual one of each row, or all with FUSION_LONG_TESTS=1.
FIRST = {s.id: s for s in reversed(TABLE) if s.usual}
# The writer's request goes out on the connection that this one poisons: that one is lost.
NOT_FOR_A_JUDGE = "the body goes on beyond its promised length"
FOR_A_JUDGE = [
    replace(scenario, role="judge", id="U-46", title=f"{scenario.title} ({scenario.id}, the judge)")
    for scenario in (TABLE if LONG else sorted(FIRST.values(), key=lambda s: s.id))
    if scenario.title != NOT_FOR_A_JUDGE
]


def the_answers_stay_and_are_fused(stage: Stage, scenario: Scenario, record: Any) -> None:
    outcome = stage.carry_out(scenario)
    state = outcome.state
    assert state.status == "completed"
    assert [state.answer(seat).text for seat in (0, 1)] == [SIBLING_TEXT] * 2  # type: ignore[union-attr]
    assert all(len(state.calls_of(Step.PANEL, seat=seat)) == 1 for seat in (0, 1))
    assert fused_answer(state) == "The fused answer."
    assert state.fusion
    said = outcome.words.under("analysis")
    assert state.fusion.analysis is not None
    if state.fusion.analysis_by == "words":
        assert Reason(state.fusion.analysis_reason)
        assert "by their words alone" in said
        assert "Compared by words" in outcome.words.under("run-badges")
    assert len(state.calls_of(Step.ANALYSIS, fusion=1)) <= 3
    # A judge that stalls holds the run up no longer than its limits.
    invariants.check(outcome)
    report.note(record, scenario, outcome, f"{outcome.words.under('run-badges')} {said}".strip())


@pytest.mark.parametrize(
    ("scenario", "uses"), [pytest.param(s, s.uses, id=str(s)) for s in FOR_A_JUDGE]
)
def test_a_judge_that_misbehaves_costs_the_analysis_at_most(
    stage: Stage, scenario: Scenario, record_property: Any
) -> None:
    the_answers_stay_and_are_fused(stage, scenario, record_property)


CLAIM = {"claim": "It is so.", "seats": ["A", "B"]}
EMPTY = {
    "consensus": [],
    "contradictions": [],
    "partial_coverage": [],
    "unique_insights": [],
    "blind_spots": [],
}
ANALYSES = {
    "cut off in mid-word": '{"consensus": [{"claim": "It is',
    "plain prose": "I agree with everybody.",
    "a list": "[1, 2, 3]",
    "of the wrong types": json.dumps(dict.fromkeys(EMPTY, 7)),
    "right but for a seat there is not": json.dumps(
        EMPTY | {"consensus": [{"claim": "It is so.", "seats": ["A", "B", "Z", 99]}]}
    ),
    "about seats there are not only": json.dumps(
        EMPTY | {"consensus": [{"claim": "It is so.", "seats": ["Y", "Z"]}]}
    ),
    "told under one key twice": '{"consensus": [], '
    + json.dumps(EMPTY | {"consensus": [CLAIM]})[1:],
    "200 KB long": json.dumps(EMPTY | {"blind_spots": ["x" * 200_000]}),
    "nested 10,000 deep": "[" * 10_000,
    "blank": " \n ",
}


@pytest.mark.parametrize("name", ANALYSES)
def test_an_analysis_that_is_none_is_never_shown_as_one(
    stage: Stage, name: str, record_property: Any
) -> None:
    said = Script(text=ANALYSES[name])
    does = Script(text=ANALYSES[name], judge=said)
    scenario = Scenario("U-47", f"an analysis that is {name}", does, (), role="judge")
    the_answers_stay_and_are_fused(stage, scenario, record_property)


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Reason)
