"""What sentences of a fused answer rest on, as programs are told it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User

from console.record.provenance import provenance
from console.record.public import run_object
from tests.layout.rich import ANALYSIS, FUSED, answer, panel, rich

from .story import Story

pytestmark = pytest.mark.django_db


def told(story: Story, alice: User) -> list[dict[str, Any]]:
    fusion = run_object(story.save(alice), story.spec, story.state).fusions[0]
    return [one.model_dump() for one in fusion.provenance]


def test_every_sentence_says_its_seats_and_only_claims_that_there_are(alice: User) -> None:
    story = rich()
    run = run_object(story.save(alice), story.spec, story.state)
    fusion = run.fusions[0]
    assert fusion.answer
    named = {
        f"{part}-{number}"
        for part in ("consensus", "contradictions", "partial_coverage", "unique_insights")
        for number in range(1, len(ANALYSIS[part]) + 1)
    }
    assert all(set(one.claims) <= named for one in fusion.provenance)
    assert all(one.linked is bool(one.claims) for one in fusion.provenance)
    first, second, *_ = fusion.provenance
    assert fusion.answer[first.start : first.end].startswith("**Replace the rack")
    assert (first.seats, first.claims) == (["A", "C"], ["contradictions-1"])
    assert (second.seats, second.linked) == (["A", "C", "D"], False)
    own = [fusion.answer[one.start : one.end] for one in fusion.provenance if one.own]
    assert own == ["You would pay twice\nwithin seven years."]


def test_an_answer_that_stands_in_or_is_not_whole_rests_on_nothing_yet(alice: User) -> None:
    story = panel(2)
    for seat in range(2):
        story.answer(seat, answer(seat))
    story.judge().analyse(ANALYSIS).synthesise("Wet. [^A]")
    assert told(story, alice) == []
    assert provenance(story.state, story.state.fusion) == ()


def test_it_is_read_once_for_everybody() -> None:
    story = rich()
    fusion = story.state.fusion
    assert provenance(story.state, fusion) is provenance(rich().state, fusion)
    assert FUSED and len(provenance(story.state, fusion)) > 25
