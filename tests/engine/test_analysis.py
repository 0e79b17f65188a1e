from __future__ import annotations

import json
from typing import Any

import pytest

from console.engine.analysis import PARTS, analysis_schema, analysis_text, read_analysis
from console.engine.errors import ProviderError
from tests.engine.conftest import ANALYSIS, RunEngine

GOOD = json.dumps(ANALYSIS)


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"```json\n{GOOD}\n```",
        f"Here is the analysis you asked for:\n\n{GOOD}\n\nI hope it helps {{really}}.",
        "﻿" + GOOD,
        'An example: {"consensus": []} and now the real one: ' + GOOD,
        GOOD.replace("Water is wet.", "Water\nis wet."),
    ],
)
def test_an_analysis_is_found_wherever_it_stands(text: str) -> None:
    analysis = read_analysis(text, [0, 1])
    assert analysis["consensus"] == [{"claim": "Water is wet.", "seats": [0, 1]}]
    assert analysis["contradictions"][0]["stances"][1] == {"seats": [1], "stance": "It is warm."}
    assert analysis["unique_insights"] == [{"insight": "Steam burns.", "seat": 0}]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "judge_empty_completion"),
        (" \n", "judge_empty_completion"),
        ("I cannot do that.", "judge_not_valid_json"),
        (GOOD[:-30], "judge_schema_mismatch"),  # cut off: only inner objects can be read
        ("[1, 2, 3]", "judge_not_valid_json"),
        ("{" * 5000, "judge_not_valid_json"),
        ('{"a":' * 5000, "judge_not_valid_json"),
        ("{}", "judge_schema_mismatch"),
        (json.dumps(dict.fromkeys(PARTS, "text")), "judge_schema_mismatch"),
        (json.dumps(dict.fromkeys(PARTS, [])), "judge_schema_mismatch"),
        (json.dumps(dict.fromkeys(PARTS, [1, None])), "judge_schema_mismatch"),
    ],
)
def test_what_cannot_be_used_has_a_typed_reason(text: str, reason: str) -> None:
    with pytest.raises(ProviderError) as caught:
        read_analysis(text, [0, 1])
    assert caught.value.reason == reason


def test_foreign_seats_are_dropped_and_lone_consensus_becomes_an_insight() -> None:
    said: dict[str, Any] = dict.fromkeys(PARTS, [])
    said = said | {
        "consensus": [
            {"claim": "Alone.", "seats": ["A", "Z", "A"]},
            {"claim": "x", "seats": ["Q"]},
        ],
        "blind_spots": ["x" * 10_000, "with \u0000 nul"],
    }
    analysis = read_analysis(json.dumps(said), [0, 2])
    assert analysis["consensus"] == []
    assert analysis["unique_insights"] == [{"insight": "Alone.", "seat": 0}]
    assert len(analysis["blind_spots"][0]) == 4000
    assert "\0" not in analysis["blind_spots"][1]


def _bounds(schema: Any) -> list[dict[str, Any]]:
    found = []
    if isinstance(schema, dict):
        if schema.get("type") in ("array", "string") and "enum" not in schema:
            found.append(schema)
        for value in schema.values():
            found += _bounds(value)
    return found


@pytest.mark.parametrize("limit", [None, 300, 16_000])
def test_every_array_and_string_of_the_schema_is_bounded_both_ways(limit: int | None) -> None:
    for part in _bounds(analysis_schema([0, 3], limit)):
        names = ("minItems", "maxItems") if part["type"] == "array" else ("minLength", "maxLength")
        assert all(name in part for name in names), part
        assert part[names[0]] <= part[names[1]]


def test_the_schema_names_the_seats_that_answered_and_no_other() -> None:
    schema = analysis_schema([0, 3], None)
    seat = schema["properties"]["unique_insights"]["items"]["properties"]["seat"]
    assert seat["enum"] == ["A", "D"]


def test_the_analysis_is_readable_text_for_the_synthesizer() -> None:
    text = analysis_text(read_analysis(GOOD, [0, 1]))
    assert "- Water is wet. (A, B)" in text and "  - B: It is warm." in text
    assert "Nobody spoke of salt." in text


async def test_a_judge_gets_one_chance_to_repair(run_engine: RunEngine) -> None:
    tries = []

    def judge(request: Any) -> list[str]:
        if not request.response_schema:
            return ["Fused."]
        tries.append(request)
        return ["not yet"] if len(tries) == 1 else [GOOD]

    ran = await run_engine({"a": ["x"], "b": ["y"], "judge": judge})
    assert ran.state.fusion.analysis and len(tries) == 2
    assert tries[1].messages[-2] == {"role": "assistant", "content": "not yet"}
    assert "could not be used" in tries[1].messages[-1]["content"]
