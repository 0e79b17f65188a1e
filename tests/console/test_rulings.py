"""What may be ruled on an analysis, and what is refused in the reader's words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import User

from console.engine.spec import HEEDS_WISHES
from console.engine.state import RunStatus
from console.fragments import run_context, run_fragments
from console.mcp.results import fusion_run
from console.models import Credential, Fusion, Preset, Run
from console.providers.secret import Secret
from console.record.asked import asked
from console.record.portable import bring_in, read, to_json, write
from console.record.public import run_object
from console.record.rows import state_from_rows
from console.services.errors import Refused
from console.services.follow import run_follow
from console.services.fusions import run_fuse
from console.services.rulings import ReaderWish, Ruled

from .story import ANALYSIS, Story


@pytest.fixture
def run(alice: User) -> Run:
    credential = Credential.objects.get(slug="openrouter")
    credential.secret = Secret("sk-or-for-the-judge")
    credential.save()
    return Story().whole().save(alice)


def ended(run: Run) -> Run:
    """As a worker leaves it."""
    run.fusions.exclude(status="completed").update(status="completed")
    Run.objects.filter(pk=run.pk).update(status="completed")
    run.refresh_from_db()
    return run


def again(run: Run, *rulings: Ruled, **wish: Any) -> Fusion:
    others = {k: wish.pop(k) for k in ("judge", "synthesizer", "criteria", "seats") if k in wish}
    return run_fuse(run=run, wish=ReaderWish(rulings=rulings or None, **wish), **others)


RULED = Ruled("contradictions-1", "stance-2", "The lease runs out.")


def test_what_was_ruled_is_kept_in_its_words_with_the_judge_s_work(run: Run) -> None:
    fusion = again(run, RULED, Ruled("consensus-1", "wrong"), facts=["A fact.", " A fact. "])
    first = run.fusions.get(number=1)
    assert fusion.wish == {
        "rulings": [
            {
                "on": 1,
                "claim": "contradictions-1",
                "text": "Do it this year?",
                "verdict": "stance-2",
                "note": "The lease runs out.",
                "stances": ["Yes, in two steps.", "Not this year."],
            },
            {
                "on": 1,
                "claim": "consensus-1",
                "text": ANALYSIS["consensus"][0]["claim"],
                "verdict": "wrong",
            },
        ],
        "facts": ["A fact."],
        "on": 1,
        "root": 1,
    }
    assert (fusion.judged, fusion.analysis) == (first.judged, first.analysis)
    assert fusion.synthesizer.items() >= HEEDS_WISHES.items()


def test_what_is_empty_asks_for_nothing(run: Run) -> None:
    fusion = again(run, Ruled("consensus-1"), Ruled("blind_spots-1", "", "  "), facts=["", "  "])
    assert not fusion.wish.get("rulings") and not fusion.wish.get("facts")


COPIED: dict[str, tuple[dict[str, Any], bool]] = {
    "as it was": ({}, True),
    "the same seats": ({"seats": [0, 1, 2]}, True),
    "the same judge by its name": ({"judge": "openrouter:maker/alpha"}, True),
    "another writer": ({"synthesizer": "openrouter:maker/gamma"}, True),
    "another judge": ({"judge": "openrouter:maker/beta"}, False),
    "other criteria": ({"criteria": "Brevity."}, False),
    "fewer seats": ({"seats": [0, 1]}, False),
    "the analysis only": ({"analysis_only": True}, False),
}


@pytest.mark.parametrize("name", COPIED)
def test_the_analysis_is_copied_where_its_judge_would_read_the_same_again(
    run: Run, name: str
) -> None:
    asks, is_copied = COPIED[name]
    fusion = again(run, facts=["It is so."], **asks)
    assert bool(fusion.analysis) is is_copied
    assert ("root" in fusion.wish) is (is_copied)
    assert fusion.wish["facts"] == ["It is so."]


LONG = "x" * 5001
REFUSED: dict[str, tuple[list[Ruled], dict[str, Any], str]] = {
    "no such claim": ([Ruled("consensus-2", "right")], {}, "has no claim “consensus-2”"),
    "no such part": ([Ruled("ratings-1", "right")], {}, "has no claim “ratings-1”"),
    "no such stance": ([Ruled("contradictions-1", "stance-3")], {}, "has 2 stances"),
    "a contradiction is not right": (
        [Ruled("contradictions-1", "right")],
        {},
        "one of its stances",
    ),
    "a claim has no stance": ([Ruled("consensus-1", "stance-1")], {}, "is neither"),
    "a verdict of one's own": ([Ruled("consensus-1", "perhaps")], {}, "is right or wrong"),
    "ruled on twice": ([RULED, Ruled("contradictions-1", "none")], {}, "ruled on twice"),
    "a long note": ([Ruled("consensus-1", "", "x" * 501)], {}, "at most 500 characters"),
    "many facts": ([], {"facts": [str(n) for n in range(21)]}, "At most 20 facts"),
    "a long fact": ([], {"facts": ["x" * 1001]}, "at most 1,000 characters"),
    "a long instruction": ([], {"instruction": LONG}, "at most 2,000 characters"),
    "no such fusion": ([RULED], {"on": 7}, "There is no fusion 7."),
    "no such way": ([], {"way": "dice"}, "no way “dice”"),
    "a vote on an open question": ([], {"way": "vote"}, "closed questions"),
    "nothing to choose": ([], {"way": "best", "analysis_only": True}, "nothing to choose"),
    "nothing to write": ([], {"way": "best", "instruction": "Short."}, "nothing is written"),
    "no such preset": ([], {"preset": "none"}, "no preset “none”"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_said_and_nothing_becomes_of_the_run(alice: User, name: str) -> None:
    rulings, wish, sentence = REFUSED[name]
    answers = "One long answer after another, and none that ends in a word that could be counted."
    credential = Credential.objects.get(slug="openrouter")
    credential.secret = Secret("sk-or-for-the-judge")
    credential.save()
    run = Story().whole(answer=answers).save(alice)
    if name == "a vote on an open question":
        for seat, call in enumerate(run.calls.filter(step="panel")):
            call.text += f" That was seat {seat} and no other, as one sees by what it has said."
            call.save()
    with pytest.raises(Refused, match=sentence):
        again(run, *rulings, **wish)
    run.refresh_from_db()
    assert run.status == "completed" and run.fusions.count() == 1


def test_a_fusion_without_an_analysis_cannot_be_ruled_on(run: Run) -> None:
    run.fusions.update(analysis=None)
    with pytest.raises(Refused, match="Fusion 1 has no analysis to rule on"):
        again(run, RULED)
    assert again(run, facts=["It is so."]).wish == {"facts": ["It is so."], "on": 1}


def test_rulings_stay_with_the_question_until_they_are_taken_back(run: Run) -> None:
    again(run, RULED, facts=["A fact."])
    third = run_fuse(run=ended(run), judge="openrouter:maker/beta")
    assert [r["claim"] for r in third.wish["rulings"]] == ["contradictions-1"]
    assert third.wish["facts"] == ["A fact."] and third.analysis is None
    ended(run)
    fourth = run_fuse(run=run, wish=ReaderWish(rulings=[], facts=[]))
    assert not {"rulings", "facts"} & fourth.wish.keys()


def test_a_ruling_may_be_on_an_earlier_fusion_than_the_others(run: Run) -> None:
    run_fuse(run=run)
    run.fusions.filter(number=2).update(analysis=ANALYSIS)
    fusion = again(ended(run), RULED, Ruled("consensus-1", "wrong", on=1), on=2)
    assert [r["on"] for r in fusion.wish["rulings"]] == [2, 1]


def test_a_preset_lends_judge_writer_and_criteria_but_no_seats(run: Run) -> None:
    preset = Preset.objects.get(slug="quality")
    credential = Credential.objects.get(slug="openrouter")
    Preset.objects.filter(pk=preset.pk).update(
        judge_model="maker/beta", judge_credential=credential, judge_writes=False,
        synthesizer_model="maker/gamma", synthesizer_credential=credential, criteria="Brevity.",
        judge_fallback_model="", synthesizer_fallback_model="",
    )  # fmt: skip
    preset.panelists.update(model="maker/alpha", credential=credential, fallback_model="")
    fusion = again(run, preset="quality")
    assert fusion.judge["model"] == "maker/beta" and fusion.synthesizer["model"] == "maker/gamma"
    assert fusion.criteria == "Brevity." and fusion.wish["preset"] == "quality"
    assert fusion.analysis is None and run.frozen_spec.panel == Story().spec.panel
    other = again(ended(run), preset="quality", judge="openrouter:maker/alpha", criteria="Depth.")
    assert other.judge["model"] == "maker/alpha" and other.criteria == "Depth."
    Preset.objects.filter(pk=preset.pk).update(enabled=False)
    with pytest.raises(Refused, match="is switched off"):
        again(ended(run), preset="quality")


def test_where_the_judge_writes_another_judge_writes_too(run: Run) -> None:
    fusion = again(run, judge="openrouter:maker/beta", facts=["It is so."])
    assert fusion.judge["model"] == fusion.synthesizer["model"] == "maker/beta"
    other = again(ended(run), synthesizer="openrouter:maker/gamma", facts=["It is so."])
    kept = again(ended(run), on=other.number, judge="openrouter:maker/alpha")
    assert (kept.judge["model"], kept.synthesizer["model"]) == ("maker/alpha", "maker/gamma")


def test_a_judge_that_is_not_asked_needs_no_key(run: Run) -> None:
    Credential.objects.filter(slug="openrouter").update(enabled=False)
    assert again(run, way="best").wish["way"] == "best"
    with pytest.raises(Refused, match="is switched off"):
        again(ended(run), facts=["It is so."])


def test_what_is_asked_on_goes_with_what_was_ruled_as_said_by_the_user(run: Run) -> None:
    again(run, RULED, facts=["The lake is heated."])
    later = run_follow(run=ended(run), owner=run.owner, prompt="And then?", follows_from="seat-0")
    *_, answer, question = asked(later).messages
    assert answer["role"] == "assistant" and question["role"] == "user"
    for words in ("I hold: position 2 is right", "The lease runs out.", "The lake is heated."):
        assert words in question["content"]
    assert question["content"].endswith("\n\nAnd then?")
    before = run_follow(run=Run.objects.get(pk=run.pk), owner=run.owner, prompt="Why?")
    run.fusions.filter(number=2).update(wish={})
    plain = run_follow(run=ended(run), owner=run.owner, prompt="Why?")
    assert asked(plain).messages[-1]["content"] == "Why?"
    assert asked(before).messages[-1]["role"] == "user"


def test_a_run_that_is_taken_along_has_what_was_ruled(run: Run, bob: User) -> None:
    again(run, RULED, facts=["A fact."], instruction="Short.")
    later = run_follow(run=ended(run), owner=run.owner, prompt="And then?")
    Run.objects.filter(pk=later.pk).update(status="failed")
    later.refresh_from_db()
    document = read(to_json(write([run, later])).encode())
    brought, after = bring_in(document, owner=bob, visibility="private", origin="page")
    assert brought.fusions.get(number=2).wish == run.fusions.get(number=2).wish
    assert asked(after).messages == asked(later).messages


def test_programs_are_told_of_it(run: Run) -> None:
    again(run, RULED, facts=["A fact."], way="best")
    state = state_from_rows(run)
    first, second = run_object(run, run.frozen_spec, state).fusions
    assert first.wish is None and second.wish
    assert second.wish.way == "best" and second.wish.on == 1 and second.wish.facts == ["A fact."]
    told = second.wish.rulings[0]
    assert (told.claim, told.verdict, told.note) == ("contradictions-1", "stance-2", RULED.note)
    assert state.fusions[2].status is RunStatus.QUEUED


# ---- how the page tells of it ----


def ended_as(story: Story, wish: dict[str, Any], **more: Any) -> dict[str, str]:
    """The page's parts after a second fusion with this wish, which copied the analysis."""
    first = story.state.fusions[1]
    second = replace(first, number=2, wish=wish, status=RunStatus.COMPLETED, **more)
    story.state.fusions[2] = second
    if wish.get("way") == "vote":
        counted = replace(
            story.state.calls["synthesis-f1-1"],
            key="synthesis-f2-1",
            fusion=2,
            sent_at=None,
            panelist=story.spec.writer.to_dict() | {"judges": False},
            text="**Paris** (2 of 3 answers)",
        )
        story.state.calls[counted.key] = counted
    elif not (wish.get("way") or wish.get("analysis_only")):
        again = replace(story.state.calls["synthesis-f1-1"], key="synthesis-f2-1", fusion=2)
        story.state.calls[again.key] = again
    return run_fragments(run_context(story.spec, story.state, show_costs=True))


def test_an_agent_is_told_that_a_reader_chose_the_answer(run: Run) -> None:
    again(run, way="best")
    run.fusions.filter(number=2).update(status="completed", best="panel-0-1")
    found = fusion_run(ended(run), run.frozen_spec, state_from_rows(run), run_url="")
    assert found.answer == "An answer." and "chose it" in (found.answer_note or "")


def test_the_page_says_what_came_of_it() -> None:
    best = ended_as(Story().whole(), {"way": "best", "root": 1}, best="panel-0-1")
    assert "A · alpha, chosen as it is" in best["fused-head"]
    assert "Best single answer" not in best["run-badges"]
    vote = ended_as(Story().whole(), {"way": "vote", "root": 1})
    assert "counted from the answers" in vote["fused-head"]
    assert "no model was asked" in vote["fused-note"]
    only = ended_as(Story().whole(), {"analysis_only": True})
    assert "answers compared, not fused" in only["run-status"]
    ruled = [{"on": 1, "claim": "consensus-1", "verdict": "wrong", "text": "x"}]
    again = ended_as(Story().whole(), {"rulings": ruled, "facts": ["A", "B"], "root": 1})
    assert "written by alpha with 1 ruling and 2 facts" in again["fused-head"]
