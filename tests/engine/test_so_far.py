"""An analysis that is being written is read as far as it is complete, and nothing that was shown
is taken away by what follows."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from console.engine.events import EventType
from console.engine.findings.analysis import read_analysis, read_so_far, statements
from console.engine.provider import Recast
from console.engine.reducer import apply
from console.engine.state import RunState, Step
from tests.engine.conftest import ANALYSIS, RunEngine

WHOLE: dict[str, Any] = {
    "consensus": [
        {"claim": "Rain is wet.", "seats": ["A", "B"], "evidence": [{"seat": "A", "quote": "wet"}]},
        {"claim": 'It is "cold", they say; {really}', "seats": ["A", "B", "C"]},
        {"claim": "Only A says this", "seats": ["A"]},
    ],
    "contradictions": [
        {
            "topic": "Cost",
            "stances": [
                {"seats": ["A"], "stance": "It is high."},
                {"seats": ["B"], "stance": "It is low."},
            ],
        },
        {"topic": "One stance alone", "stances": [{"seats": ["A"], "stance": "Yes."}]},
    ],
    "partial_coverage": [
        {"point": "Two of them", "seats": ["A", "B"]},
        {"point": "All of them", "seats": ["A", "B", "C"]},
    ],
    "unique_insights": [{"insight": "C alone", "seat": "C"}, {"insight": "A A A", "seat": "A"}],
    "blind_spots": ["Snow", "Hail"],
    "ratings": [{"seat": "A", "factual_accuracy": 4, "reason": "So."}],
}


def in_order(*parts: str) -> str:
    return json.dumps({part: WHOLE[part] for part in parts}, ensure_ascii=False)


TEXTS = {
    "as asked": json.dumps(WHOLE),
    "indented": json.dumps(WHOLE, indent=2),
    "in a fence, with words around": f"Here it is:\n```json\n{json.dumps(WHOLE)}\n```\nDone.",
    "another order": in_order(
        "blind_spots", "unique_insights", "partial_coverage", "contradictions", "consensus"
    ),
    "single quotes and commas too many": json.dumps(WHOLE).replace('"', "'").replace("]", ",]"),
    "within another object": json.dumps({"analysis": WHOLE}),
    "by seat": json.dumps(WHOLE | {"unique_insights": {"A": ["A alone"], "C": "C alone"}}),
    "a stranger's letter": json.dumps(WHOLE | {"unique_insights": [{"insight": "x", "seat": "H"}]}),
    "thoughts before it": f"<think>{{maybe}}</think>{json.dumps(WHOLE)}",
}
SEATS = [0, 1, 2]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_what_is_shown_grows_and_is_in_the_whole(text: str) -> None:
    whole = read_analysis(text, SEATS)
    shown: list[str] = []
    most = 0
    for end in range(len(text) + 1):
        found = read_so_far(text[:end], SEATS)
        now = statements(found) if found else []
        assert set(shown) <= set(now), text[:end][-60:]
        assert set(now) <= set(statements(whole)), text[:end][-60:]
        for part in ("consensus", "contradictions", "partial_coverage", "unique_insights"):
            for item in found[part] if found else []:
                same = [w for w in whole[part] if w | {"evidence": 0} == item | {"evidence": 0}]
                assert same or part == "contradictions"
        shown, most = now, max(most, len(now))
    assert most >= len(statements(whole)) - 1, "it does not stand still until the end"


def test_parts_are_shown_long_before_the_end() -> None:
    text = json.dumps(WHOLE)
    half = read_so_far(text[: len(text) // 2], SEATS)
    assert half and half["consensus"][0]["claim"] == "Rain is wet."
    assert half["consensus"][0]["evidence"] == [], "quotes are looked up in the whole"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Let me see.",
        '{"consensus": [',
        '{"consensus": [{"claim": "Rain is wet.", "seats": ["A", "B"]}',  # what follows may be its
        '{"consensus": [{"claim": "Rain", "seats": [1, 2]}, {"claim": "x", "seats": [1]}, ',
        '{"consensus": "none", "blind_spots": ["Snow", ',
        '{"consensus": [], "contradictions": []',
        json.dumps(WHOLE) + " " * 100_000,
    ],
    ids=str,
)
def test_of_what_is_not_certain_nothing_is_shown(text: str) -> None:
    assert read_so_far(text, SEATS) is None


@pytest.mark.parametrize(
    ("text", "is_anew"),
    [
        (json.dumps(WHOLE), False),
        (json.dumps({"analysis": WHOLE}), False),
        (f"{json.dumps(WHOLE)}\nBetter:\n{json.dumps(WHOLE | {'consensus': []})}", True),
        (f'{{"note": []}} {json.dumps(WHOLE)}', False),
    ],
)
def test_that_an_analysis_was_written_twice_is_said(text: str, is_anew: bool) -> None:
    assert read_analysis(text, SEATS).get("written_anew", False) is is_anew


async def test_a_judges_text_is_told_as_it_comes_and_ends_as_it_did(run_engine: RunEngine) -> None:
    text = json.dumps(ANALYSIS)
    pieces = [text[at : at + 7] for at in range(0, len(text), 7)]

    def judge(request: Any) -> Any:
        return pieces if request.response_schema else ["Fused."]

    ran = await run_engine({"a": ["x"], "b": ["y"], "judge": judge}, panel=["a", "b"])
    (call,) = ran.state.calls_of(Step.ANALYSIS, fusion=1)
    told = [
        e.data["text"] for e in ran.events if e.type is EventType.CALL_DELTA and e.call == call.key
    ]
    assert len(told) > 3 and "".join(told) == call.text == text
    assert call.first_token_at is not None
    folded = RunState()
    for event in ran.events:
        apply(folded, event)
    assert folded.to_dict() == ran.state.to_dict()
    assert ran.state.fusion and statements(ran.state.fusion.analysis or {})


@pytest.mark.parametrize("cut", [1, 5, 11, 20, 23])
async def test_the_mark_of_the_fence_is_in_nothing_that_is_told(
    run_engine: RunEngine, cut: int
) -> None:
    marks: list[str] = []

    def judge(request: Any) -> Any:
        if not request.response_schema:
            return ["Fused."]
        asked = str(request.messages[-1]["content"])
        mark = re.findall(r"[0-9a-f]{24}", asked)[0]
        marks.append(mark)
        head, tail = json.dumps(ANALYSIS)[:-1], f', "note": "{mark[:cut]}'
        return [head, tail, f'{mark[cut:]} and on"', "}"]

    ran = await run_engine({"a": ["x"], "b": ["y"], "judge": judge}, panel=["a", "b"])
    (call,) = ran.state.calls_of(Step.ANALYSIS, fusion=1)
    told = "".join(
        e.data["text"] for e in ran.events if e.type is EventType.CALL_DELTA and e.call == call.key
    )
    assert marks and marks[0] not in told and marks[0] not in call.text
    assert told and ran.state.fusion and ran.state.fusion.analysis


async def test_a_judge_whose_text_turns_out_to_be_thoughts_is_read_without_them(
    run_engine: RunEngine,
) -> None:
    text = json.dumps(ANALYSIS)

    def judge(request: Any) -> Any:
        if not request.response_schema:
            return ["Fused."]
        return ["Let me see ", Recast("", "Let me see "), text]

    ran = await run_engine({"a": ["x"], "b": ["y"], "judge": judge}, panel=["a", "b"])
    (call,) = ran.state.calls_of(Step.ANALYSIS, fusion=1)
    assert call.text == text and call.reasoning == ""
