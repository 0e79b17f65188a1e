"""One seat misbehaves, two answer well: what the reader sees, what is saved, what it cost."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from console.engine.findings.given import fused_answer
from console.engine.state import CallStatus
from console.engine.usage import Usage
from console.markdown import render
from tests.growth import BOUND, growth

from . import invariants, report
from .scenario import Scenario
from .stage import Stage, reason_of
from .tables import TABLE, on_both_transports


@pytest.mark.parametrize(("scenario", "transport", "uses"), on_both_transports(TABLE))
def test_a_seat_that_misbehaves(stage: Stage, scenario: Scenario, record_property: Any) -> None:
    outcome = stage.carry_out(scenario)
    tries = outcome.tries(scenario)
    last = tries[-1]
    sees = outcome.words.under("seat-0-head", "seat-0-note", "seat-0-sources", "seat-0-end")
    for words in scenario.sees:
        assert words in sees
    assert reason_of(last) == scenario.reason
    assert last.status == (CallStatus.FAILED if scenario.reason else CallStatus.COMPLETED)
    if scenario.text is None:
        assert last.text and scenario.sent.startswith(last.text)
    else:
        assert last.text == scenario.text
    assert last.reasoning == scenario.reasoning
    assert last.usage == Usage(**scenario.usage)
    assert last.cost == scenario.cost
    assert len(tries) == scenario.calls, [(t.reason, t.error, t.cause) for t in tries]
    assert all(t.cost is None and not t.was_billable for t in tries[:-1])
    seconds = report.took(outcome, scenario)
    assert scenario.waits <= seconds
    if scenario.peak_mib is not None:
        assert outcome.peak_mib < scenario.peak_mib
    assert outcome.state.status == "completed"
    assert fused_answer(outcome.state) == "The fused answer."
    judged = outcome.state.fusion.judged if outcome.state.fusion else []
    assert (last.key in judged) == (scenario.reason is None)
    if len(text := last.text) > 20_000:
        cost = growth(lambda size: functools.partial(render, text[:size]), len(text) // 2)
        assert cost < BOUND, "the page would hang"
    invariants.check(outcome)
    report.note(record_property, scenario, outcome, sees)
