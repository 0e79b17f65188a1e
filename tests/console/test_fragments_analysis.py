"""The parts of a page that change: an analysis while its judge writes it."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.engine.errors import Reason
from console.engine.events import EventType
from console.engine.state import Step, call_key
from tests.console.test_fragments import parts

from .story import ANALYSIS, Story

# ---- an analysis that is being written


def judging(text: str) -> Story:
    story = Story().begin()
    for seat in range(3):
        story.answer(seat, f"Answer {seat}.")
    key = call_key(Step.ANALYSIS, 1, 1)
    story.judge().wait(1).tell(EventType.CALL_SENT, key)
    return story.tell(EventType.CALL_DELTA, key, 1, text=text)


BEGUN = (
    '{"consensus": [{"claim": "Upkeep is a cost", "seats": ["A", "B"]}, '
    '{"claim": "It is late", "seats": ["B", "C"]}, {"claim": "No'
)


def test_claims_of_a_slow_judge_appear_as_they_are_completed() -> None:
    shown = parts(judging(BEGUN))
    assert "Upkeep is a cost" in shown["analysis"] and "is comparing 3 answers" in shown["analysis"]
    assert "none found" not in shown["analysis"], "nobody knows yet what will be found"
    assert "no quote found" not in shown["analysis"], "quotes are looked up in the whole"
    assert "≈" in shown["phases"] and "tok" in shown["phases"]
    assert "Upkeep" not in parts(judging(BEGUN[:40]))["analysis"]


def test_a_page_loaded_in_the_middle_of_an_analysis_shows_the_same(
    client: Client, alice: User
) -> None:
    story = judging(BEGUN)
    run = story.save(alice)
    client.force_login(alice)
    html = client.get(f"/fusion/runs/{run.pk}").content.decode()
    assert parts(story)["analysis"].strip() in html and "Upkeep is a cost" in html


def test_what_was_shown_of_an_analysis_stays_while_its_judge_is_asked_again() -> None:
    story = judging(BEGUN)
    failed = {"reason": Reason.JUDGE_NOT_VALID_JSON.value, "error": "Not JSON.", "final": False}
    first, second = call_key(Step.ANALYSIS, 1, 1), call_key(Step.ANALYSIS, 1, 2)
    story.tell(EventType.CALL_FAILED, first, 1, **failed, text=BEGUN)
    story.tell(EventType.CALL_RETRYING, first, 1, retry_at=story.now + 1, cause="repair")
    waiting = parts(story)["analysis"]
    assert "Upkeep is a cost" in waiting and "What was complete of it stands below." in waiting
    judge = story.spec.judge.to_dict()
    again = {"step": "analysis", "number": 2, "cause": "repair", "panelist": judge}
    story.tell(EventType.CALL_ADDED, second, 1, **again)
    story.tell(EventType.CALL_DELTA, second, 1, text=BEGUN[:90])
    assert "Upkeep is a cost" in parts(story)["analysis"]
    story.tell(EventType.CALL_COMPLETED, second, 1, analysis=ANALYSIS, text="{}")
    done = parts(story)["analysis"]
    assert "Upkeep is a real" in done and "is comparing" not in done


@pytest.mark.parametrize("how", ["fails", "is stopped"])
def test_what_was_complete_stays_where_an_analysis_never_comes_to_its_end(how: str) -> None:
    story = judging(BEGUN)
    if how == "fails":
        story.misjudge(Reason.JUDGE_UPSTREAM_ERROR)
    else:
        story.tell(EventType.RUN_CANCELLED)
    shown = parts(story)["analysis"]
    assert "Upkeep is a cost" in shown and "What was complete of it stands below." in shown


def test_an_analysis_that_comes_whole_is_shown_as_it_always_was() -> None:
    story = judging("")
    waiting = parts(story)["analysis"]
    assert "is comparing 3 answers" in waiting and "<table" not in waiting
    assert "none found" not in parts(story.analyse())["analysis"].partition("Consensus")[0]
