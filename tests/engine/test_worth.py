"""Was it worth it: computed from what is on record, in ways a reader can do again by hand."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from console.engine.findings.families import kin
from console.engine.findings.worth import (
    agreement,
    best_of,
    beyond,
    changed,
    extra_cost,
    extra_seconds,
    lacking,
    novelty,
)
from console.engine.provider import Finish
from console.engine.spec import Panelist
from console.engine.state import RunState
from console.engine.usage import Usage
from tests.engine.conftest import ANALYSIS, RunEngine


def stated(**parts: int) -> dict[str, Any]:
    return {part: [{}] * count for part, count in parts.items()}


@pytest.mark.parametrize(
    ("analysis", "level"),
    [
        (stated(consensus=4, unique_insights=2), "high"),
        (stated(consensus=3, contradictions=1, partial_coverage=1), "mixed"),
        (stated(consensus=1, contradictions=1, unique_insights=1), "mixed"),
        (stated(consensus=1, contradictions=2, unique_insights=1), "low"),
        (stated(contradictions=1), "low"),
    ],
)
def test_agreement_is_the_share_of_points_that_several_state(
    analysis: dict[str, Any], level: str
) -> None:
    found = agreement(analysis)
    assert found and found.level == level
    assert found.shared == len(analysis.get("consensus", []))
    assert found.contradictions == len(analysis.get("contradictions", []))


def test_where_nothing_is_stated_there_is_no_level() -> None:
    assert agreement({"consensus": [], "blind_spots": ["All of it."]}) is None


BEST = "Water is wet and ice floats on water because it is lighter than water."


@pytest.mark.parametrize(
    ("text", "share"),
    [
        (BEST, 0),
        (BEST.upper().replace(" ", "  "), 0),
        ("Steam burns the skin badly.", 1),
        (BEST + " Steam burns.", 2 / 14),
        ("Wet.", 1),
        ("", 0),
    ],
)
def test_novelty_is_the_share_of_runs_of_three_words_the_other_has_not(
    text: str, share: float
) -> None:
    assert novelty(text, BEST) == pytest.approx(share)


def test_passages_that_do_not_rest_on_the_best_answer_are_found_by_their_marks() -> None:
    text = (
        "# Water\n\nWater is wet [^A,B]. Steam burns [^B]. Salt lowers the freezing point [^own].\n"
        "- **Ice** floats [^A]\n- Fog is water too [^C,B]"
    )
    found = beyond(text, 0)
    assert [(p.text, p.letters) for p in found] == [
        ("Steam burns.", "B"),
        ("Salt lowers the freezing point.", ""),
        ("Fog is water too", "CB"),
    ]
    assert [p.text for p in beyond(text, 1)] == [
        "Salt lowers the freezing point.",
        "Ice floats",
    ]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Use one [^A], since two are slow [^C].", [("Use one, since two are slow.", "C")]),
        ("It is so [^A]. That too. [^B]", [("That too.", "B")]),
        ("It is so. [^C] That too.[^B] And [^A].", [("It is so.", "C"), ("That too.", "B")]),
        ("Some, e.g. salt, melt [^C] it [^B,C] fast.", [("Some, e.g. salt, melt it fast.", "CB")]),
        ("It is 3.5 times [^C] so.", [("It is 3.5 times so.", "C")]),
        ("| No | Rule |\n|---|---|\n| 3 | Tenant **id** leads [^C] |", [("Tenant id leads", "C")]),
        ("| Key | order | yes [^C] |", [("Key: order: yes", "C")]),
        ("水是湿的。冰会浮[^C]。", [("冰会浮。", "C")]),
        ("1. **Note:** it is `so` [^C]", [("Note: it is so", "C")]),
        ("[^C]", []),
        ("Do it again.[^A,B] Install it beside.[^C]", [("Install it beside.", "C")]),
        ("Do it again.[^A][^B] Beside. [^C]", [("Do it again.", "B"), ("Beside.", "C")]),
        ("Shard late,\nbecause nobody has shown two [^C].\nNext.",
         [("Shard late, because nobody has shown two.", "C")]),
        ("Shard late [^C],\nbecause nobody has\nshown two. Next.",
         [("Shard late, because nobody has shown two.", "C")]),
        ("- Shard late,\n  because so [^C]\n- Or not", [("Shard late, because so", "C")]),
        ("# Head\nShard late [^C].", [("Shard late.", "C")]),
        ("Before\n\nShard late [^C]\n\nbecause", [("Shard late", "C")]),
        ("| a | b |\n|---|---|\n| x | y [^C] |\n| z | w |", [("x: y", "C")]),
        ("Mind the risks [^C]:\n- One [^B]", [("One", "B")]),
        ("水是湿的，\n因为冰会浮[^C]。\n好。", [("水是湿的， 因为冰会浮。", "C")]),
        ("x" * 5000 + " [^C] " + "y" * 5000, [("x" * 599 + " " + "y" * 599, "C")]),
    ],
)  # fmt: skip
def test_passages_are_sentences_and_no_fragments(text: str, read: list[tuple[str, str]]) -> None:
    assert [(p.text, p.letters) for p in beyond(text, 0)] == read


def test_what_the_best_answer_lacks_is_what_the_judge_found_in_others_only() -> None:
    analysis = {
        "partial_coverage": [{"point": "of B and C", "seats": [1, 2]}, {"point": "", "seats": [0]}],
        "unique_insights": [{"insight": "C's", "seat": 2}, {"insight": "A's", "seat": 0}],
    }
    assert lacking(analysis, 0) == ["of B and C", "C's"]


async def test_a_fusion_that_repeats_the_best_answer_has_not_changed_it(
    run_engine: RunEngine,
) -> None:
    import json

    def judges(text: str) -> Any:
        return lambda request: [json.dumps(ANALYSIS) if request.response_schema else text]

    panel = {"a": [BEST], "b": ["Ice is cold."]}
    for text, expected in ((BEST, False), ("Something else entirely is true.", True)):
        ran = await run_engine({**panel, "judge": judges(text)}, panel=["a", "b"])
        state: RunState = ran.state
        assert state.fusion
        best = best_of(state, state.fusion)
        assert best and best.seat == 0  # as much was found in both
        assert changed(state, state.fusion) is expected


async def test_a_run_without_a_fused_answer_changed_nothing(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": ["x"], "b": ["y"], "judge": [" "]}, panel=["a", "b"])
    state: RunState = ran.state
    assert state.fusion and state.fusion.best
    assert changed(state, state.fusion) is False


async def test_extra_time_and_cost_are_those_beyond_the_best_answer(run_engine: RunEngine) -> None:
    def costs(cents: int) -> Finish:
        return Finish("stop", Usage(1, 1), cost=Decimal(cents) / 100)

    def judge(request: Any) -> Any:
        import json

        text = json.dumps(ANALYSIS) if request.response_schema else "Fused."
        return [0.1, text, costs(10)]

    state: RunState = (
        await run_engine(
            {"a": ["x", costs(1)], "b": [0.2, "y", costs(2)], "judge": judge}, panel=["a", "b"]
        )
    ).state
    fusion = state.fusion
    assert fusion
    best = state.calls["panel-0-1"]
    assert extra_cost(state, fusion, best) == Decimal("0.22")
    seconds = extra_seconds(state, fusion, best)
    assert seconds is not None and 0.38 < seconds < 0.9
    assert best.started_at
    late = {"key": "panel-2-1", "seat": 2, "finished_at": best.started_at + 5}
    state.calls["panel-2-1"] = replace(best, **late)
    waited = extra_seconds(state, fusion, best)
    assert waited and waited > seconds + 4, "the straggler was waited for"
    del state.calls["panel-2-1"]
    state.calls["panel-1-1"].cost = None
    assert extra_cost(state, fusion, best) is None


def test_kin_are_named_in_few_words() -> None:
    panel = [Panelist("openai/gpt-5", "x"), Panelist("anthropic/claude-opus", "x")]
    gpt, opus, other = panel[0], panel[1], Panelist("anthropic/claude-haiku", "x")
    assert [k.badge for k in kin(panel, gpt, gpt)] == ["Judge on the panel"]
    assert [k.badge for k in kin(panel, other, opus)] == [
        "Judge related to B",
        "Writer on the panel",
    ]
    assert kin(panel, Panelist("deepseek/deepseek-v4", "x"), Panelist("x/y", "x")) == []


def test_what_rests_on_the_reader_s_words_is_theirs() -> None:
    text = "It is warm.[^you] It is wet.[^A] It is deep.[^own] It is old.[^B,you]"
    found = [(p.text, p.letters, p.is_yours) for p in beyond(text, 0, "AB")]
    assert found == [
        ("It is warm.", "", True),
        ("It is deep.", "", False),
        ("It is old.", "B", True),
    ]
