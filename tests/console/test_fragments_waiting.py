"""The parts of a page that change: who is waited for, asked again, and stood in for."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from console.engine.errors import Reason
from console.engine.events import EventType
from console.engine.state import Step, call_key
from console.engine.usage import Price
from console.fragments.fusions import fuse_again
from console.services.expected import expected_fusion
from tests.console.test_fragments import parts

from .story import Story, a_spec


def test_a_straggler_is_counted_down_until_it_is_silent_or_writes() -> None:
    story = Story().begin()
    assert "run-grace" not in parts(story)["run-status"]
    assert "Fuse now" in parts(story)["fuse-now"] and "data-offered" not in parts(story)["fuse-now"]
    story.answer(0, "One.").answer(1, "Two.")
    fragments = parts(story)
    assert "waiting for C to begin" in fragments["run-status"]
    assert "data-until" not in fragments["run-status"]
    assert "Fuse without C" in fragments["fuse-now"] and "data-offered" in fragments["fuse-now"]
    story.tell(EventType.PANEL_GRACE, until=1_790_000_020.0, usable=2)
    status = parts(story)["run-status"]
    # Nobody knows how long it usually takes: it is silent after a minute.
    assert 'data-until="1790000060.000"' in status and "for C to begin" in status
    story.write(2, "Half")
    status = parts(story)["run-status"]
    assert "C is still writing" in status
    assert "data-until" not in status and "to begin" not in status
    story.answer(2)
    assert "run-grace" not in parts(story)["run-status"]
    assert "data-offered" not in parts(story)["fuse-now"]


@pytest.mark.parametrize("begins", ["thinks aloud", "gives a sign of life", "is known to think"])
def test_who_thinks_is_not_silent(begins: str) -> None:
    spec = a_spec()
    if begins == "is known to think":
        spec = replace(spec, panel=(*spec.panel[:2], replace(spec.panel[2], reasons=True)))
    story = Story(spec).begin().answer(0, "One.").answer(1, "Two.")
    if begins == "thinks aloud":
        story.think(2, "Hm.")
    elif begins == "gives a sign of life":
        story.tell(EventType.CALL_ALIVE, call_key(Step.PANEL, 2, 1))
    story.tell(EventType.PANEL_GRACE, until=1_790_000_020.0, usable=2)
    status = parts(story)["run-status"]
    assert "C is still thinking" in status and "to begin" not in status


def test_of_one_that_was_fused_without_the_page_says_that_it_goes_on_and_that_it_came() -> None:
    story = Story().begin().answer(0, "One.").answer(1, "Two.").write(2, "Half")
    key = call_key(Step.PANEL, 2, 1)
    story.judge(without=[key]).analyse().synthesise("Fused.")
    fragments = parts(story)
    assert "C is still writing" in fragments["run-status"]
    assert "begun without it. It goes on." in fragments["seat-2-end"]
    assert "data-offered" not in fragments["fuse-now"]
    story.tell(EventType.CALL_COMPLETED, call_key(Step.SYNTHESIS, 1, 1), 1, **Story._receipt({}))
    story.tell(EventType.FUSION_COMPLETED, "", 1)
    fragments = parts(story)
    assert "Done, from 2 of 3 answers" in fragments["run-status"]
    assert "C is still writing" in fragments["run-status"]
    story.answer(2).tell(EventType.RUN_COMPLETED)
    fragments = parts(story)
    assert "came when the fused answer had been begun" in fragments["seat-2-end"]
    assert "Written from A and B, without the answer of C." in fragments["fused-note"]
    assert "still writing" not in fragments["run-status"]


def test_fusing_with_who_came_late_is_offered_with_its_price_by_what_the_fusion_took() -> None:
    price = Price(Decimal(10), Decimal(20))
    spec = a_spec()
    story = Story(replace(spec, judge=replace(spec.judge, price=price)))
    story.begin().answer(0, "One.").answer(1, "Two.").write(2, "Half")
    story.judge(without=[call_key(Step.PANEL, 2, 1)]).analyse().synthesise("Fused.").wait(1)
    key = call_key(Step.SYNTHESIS, 1, 1)
    story.tell(EventType.CALL_COMPLETED, key, 1, **Story._receipt({})).answer(2)
    story.tell(EventType.RUN_COMPLETED)
    expected = expected_fusion(story.spec, story.state, "Why?", {})
    # Twice 212 tokens and C's 1,184 to read, 1,184 to write.
    cost = 2 * (Decimal(212 + 1184) * 10 + Decimal(1184) * 20) / 1_000_000
    assert (expected.low, expected.high) == (cost, cost)
    again = fuse_again(story.spec, story.state, expected)
    assert (again.label, again.price) == ("Fuse with C too", expected.words)


def test_what_is_compared_first_does_not_promise_a_fusion() -> None:
    story = Story(replace(a_spec(), stop_after="panel")).begin().answer(0, "One.").write(1, "Two")
    assert "Go on without B, C" in parts(story)["fuse-now"]


def test_of_several_stragglers_each_is_told_apart() -> None:
    spec = a_spec()
    story = Story(replace(spec, panel=(*spec.panel, *spec.panel)[:5]))
    story.begin().answer(0, "One.").write(1, "Half").think(3, "Hm.")
    story.tell(EventType.PANEL_GRACE, until=1_790_000_020.0, usable=1)
    status = parts(story)["run-status"]
    assert "B is still writing" in status and "D is still thinking" in status
    assert "for C and E to begin" in status
    assert status.count("data-until") == 1


def test_a_straggler_that_is_cut_off_says_so() -> None:
    story = Story().begin().answer(0, "One.").answer(1, "Two.")
    story.tell(EventType.PANEL_GRACE, until=1_790_000_020.0, usable=2)
    story.fail(2, Reason.CUT_OFF)
    assert "cut off" in parts(story)["seat-2-head"]
    assert "was not compared" in parts(story)["seat-2-note"]


def test_a_failed_call_that_is_asked_again_says_so_until_it_is() -> None:
    story = Story().begin().fail(0, Reason.RATE_LIMITED)
    key = call_key(Step.PANEL, 0, 1)
    story.tell(EventType.CALL_RETRYING, key, retry_at=1_790_000_009.0, cause="retry")
    fragments = parts(story)
    assert "trying again" in fragments["seat-0-head"]
    assert "Try 2 follows." in fragments["seat-0-note"]
    assert "without it" not in fragments["seat-0-note"]
    assert "failed" not in fragments["run-status"]
    assert 'data-until="1790000009.000"' in fragments["seat-0-note"]
    story.ask(0, number=2, cause="retry").answer(0, "At last.", number=2)
    fragments = parts(story)
    assert "asked again" in fragments["seat-0-head"]
    assert "Earlier tries (1)" in fragments["seat-0-note"]
    assert "limiting requests" in fragments["seat-0-note"]


def test_a_phase_in_which_only_a_retry_is_waited_for_goes_on() -> None:
    story = Story().begin().answer(0, "One.").answer(1, "Two.").fail(2, Reason.RATE_LIMITED)
    retry_at = story.now + 9
    story.tell(EventType.PANEL_GRACE, until=story.now + 8, usable=2)
    story.tell(
        EventType.CALL_RETRYING, call_key(Step.PANEL, 2, 1), retry_at=retry_at, cause="retry"
    )
    fragments = parts(story)
    panel = fragments["phases"].split("</li>")[1]
    assert 'data-state="running"' in panel and "data-since" in panel
    assert "for C to begin" in fragments["run-status"]
    story.ask(2, number=2, cause="retry").answer(2, "Three.", number=2).judge()
    panel = parts(story)["phases"].split("</li>")[1]
    assert 'data-state="done"' in panel


def test_a_judge_and_a_synthesizer_that_are_asked_again_say_when() -> None:
    story = Story().begin().answer(0, "One.").answer(1, "Two.").answer(2, "Three.").judge()
    broken = {"reason": Reason.UPSTREAM_ERROR.value, "error": "It broke.", "final": False}
    story.tell(EventType.CALL_FAILED, call_key(Step.ANALYSIS, 1, 1), 1, **broken)
    story.tell(
        EventType.CALL_RETRYING,
        call_key(Step.ANALYSIS, 1, 1),
        1,
        retry_at=1_790_000_009.0,
        cause="retry",
    )
    fragments = parts(story)
    assert "alpha is asked again" in fragments["analysis"]
    assert 'data-until="1790000009.000"' in fragments["analysis"]
    assert "✕" not in fragments["phases"] and 'data-state="failed"' not in fragments["phases"]
    story = Story().begin().answer(0, "One.").answer(1, "Two.").answer(2, "Three.")
    story.judge().analyse().synthesise()
    key = call_key(Step.SYNTHESIS, 1, 1)
    story.tell(EventType.CALL_FAILED, key, 1, reason="rate_limited", error="Too many.")
    story.tell(EventType.CALL_RETRYING, key, 1, retry_at=1_790_000_012.0, cause="fallback")
    fragments = parts(story)
    assert "Its fallback is asked next." in fragments["fused-note"]
    assert 'data-until="1790000012.000"' in fragments["fused-note"]
    assert 'data-state="failed"' not in fragments["phases"]
