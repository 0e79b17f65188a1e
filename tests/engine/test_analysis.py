from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from console.engine.errors import ProviderError
from console.engine.findings.analysis import PARTS, analysis_text, claims, read_analysis
from console.engine.findings.schema import analysis_schema
from tests.engine.conftest import ANALYSIS, RunEngine
from tests.growth import BOUND, growth

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
        json.dumps({"analysis": ANALYSIS}),
        # what it thought aloud, what an answer wanted, and only then what it means
        f"<think>{GOOD.replace('wet', 'dry')} Wait, no.</think>\n{GOOD}",
        "$" + "\\frac{1}{2} {x} " * 300 + "$ " + GOOD,
    ],
)
def test_an_analysis_is_found_wherever_it_stands(text: str) -> None:
    analysis = read_analysis(text, [0, 1])
    (claim,) = analysis["consensus"]
    assert claim == {"claim": "Water is wet.", "seats": [0, 1], "evidence": []}
    (contradiction,) = analysis["contradictions"]
    assert [s["stance"] for s in contradiction["stances"]] == ["It is cold.", "It is warm."]
    assert [s["seats"] for s in contradiction["stances"]] == [[0], [1]]
    (insight,) = analysis["unique_insights"]
    assert insight == {"insight": "Steam burns.", "seat": 0, "evidence": []}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "judge_empty_completion"),
        (" \n", "judge_empty_completion"),
        ("I cannot do that.", "judge_not_valid_json"),
        (GOOD[:60], "judge_not_valid_json"),  # cut off before one item is whole
        ('{"consensus": "none", "x": 1}', "judge_schema_mismatch"),
        ("word " * 40_000, "judge_not_valid_json"),
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
    assert analysis["unique_insights"] == [{"insight": "Alone.", "seat": 0, "evidence": []}]
    assert len(analysis["blind_spots"][0]) == 4000
    assert "\0" not in analysis["blind_spots"][1]


def an_analysis(**parts: Any) -> dict[str, Any]:
    return dict.fromkeys(PARTS, []) | {"blind_spots": ["Salt."]} | parts


def read(**parts: Any) -> dict[str, Any]:
    return read_analysis(json.dumps(an_analysis(**parts)), [0, 1, 2])


@pytest.mark.parametrize("length", [len(GOOD) - 1, len(GOOD) - 30, len(GOOD) - 60, 200, 140])
def test_of_an_analysis_that_breaks_off_what_is_whole_is_kept(length: int) -> None:
    analysis = read_analysis("{" * 100_000 + "```json\n" + GOOD[:length], [0, 1])
    assert analysis["cut_off"] is True
    assert analysis["consensus"][0]["claim"] == "Water is wet."
    whole = read_analysis(GOOD, [0, 1])
    assert "cut_off" not in whole
    for part in PARTS:
        assert analysis[part] == whole[part][: len(analysis[part])]


def test_a_broken_item_in_the_middle_does_not_cost_the_items_before_it() -> None:
    broken = GOOD.replace('"Ice floats."', "%%")
    analysis = read_analysis(broken, [0, 1])
    assert analysis["left_out"] == 1 and analysis["partial_coverage"] == []
    assert analysis["contradictions"] and analysis["unique_insights"]


def test_a_key_said_twice_and_the_second_time_broken_off_is_kept() -> None:
    twice = '{"consensus": "none", "consensus": [{"claim": "x", "seats": ["A", "B"]}, {"cl'
    assert read_analysis(twice, [0, 1])["consensus"][0]["claim"] == "x"


@pytest.mark.parametrize(
    ("before", "unit", "after"),
    [
        ('{"consensus":[' * 199, "1,", ""),
        ('{"a":[' * 199, "1,", ""),
        ('{"consensus":[', '{"consensus":[1],', ""),
        ("{", '"consensus":[1],', '"x":1}'),
        ("", '{"a":', ""),
    ],
)
def test_a_lot_of_broken_json_is_given_up_within_bounds(before: str, unit: str, after: str) -> None:
    def give_up(size: int) -> Callable[[], None]:
        text = before + unit * (size // len(unit)) + after

        def read() -> None:
            with pytest.raises(ProviderError):
                read_analysis(text, [0, 1])

        return read

    assert growth(give_up, 250_000) < BOUND


def test_a_list_given_twice_is_one_list() -> None:
    twice = GOOD[:-1] + ', "blind_spots": ["Nor of fish."]}'
    assert read_analysis(twice, [0, 1])["blind_spots"] == ["Nobody spoke of salt.", "Nor of fish."]


def test_a_200_kilobyte_analysis_is_read_within_bounds() -> None:
    many = [{"claim": f"Claim {n} " + "x" * 400, "seats": ["A", "B"]} for n in range(500)]
    assert len(read(consensus=many)["consensus"]) == 40


def test_quotes_are_kept_one_for_each_seat_that_is_named() -> None:
    evidence = [
        {"seat": "B", "quote": " Two\nlines "},
        {"seat": "Answer A", "quote": "One"},
        {"seat": "A", "quote": "Another of the same"},
        {"seat": "C", "quote": "Not named"},
        {"seat": "Z", "quote": "Nobody"},
        {"seat": "A", "quote": 5},
        "text",
    ]
    analysis = read(consensus=[{"claim": "x", "seats": ["A", "B"], "evidence": evidence}])
    assert analysis["consensus"][0]["evidence"] == [
        {"seat": 0, "quote": "One"},
        {"seat": 1, "quote": "Two\nlines"},
    ]


@pytest.mark.parametrize(
    ("seats", "read_as"),
    [
        ("A, B", [0, 1]),
        ("A and C", [0, 2]),
        ("Answers A, B, and C", [0, 1, 2]),
        ("[B; C]", [1, 2]),
        (["answer a", "Answer C."], [0, 2]),
        ([0, 1], [0, 1]),  # from 0
        ("0, 2", [0, 2]),
        ([1, 2], [0, 1]),  # from 1
        (["1", "3"], [0, 2]),
        (["A", "Z", "B"], [0, 1]),
        # nobody is meant, or nobody knows who
        ("A is right", []),
        ("all", []),
        ([True, False], []),
        ([-1, 17, 1.0], []),
        ([["A", "B"]], []),
        ("A " * 500, []),
    ],
)
def test_seats_are_read_however_a_judge_writes_them(seats: Any, read_as: list[int]) -> None:
    said = {"claim": "x", "seats": seats}
    other = {"point": "y", "seats": ["A", "B"], "evidence": []}
    found = read(consensus=[said], partial_coverage=[other])["consensus"]
    assert [claim["seats"] for claim in found] == ([read_as] if read_as else [])


def test_answers_counted_from_0_anywhere_are_counted_from_0_everywhere() -> None:
    analysis = read(
        consensus=[{"claim": "x", "seats": [1, 2]}],
        unique_insights=[{"insight": "y", "seat": 0}],
    )
    assert analysis["consensus"][0]["seats"] == [1, 2]
    assert analysis["unique_insights"][0]["seat"] == 0


def test_what_is_nested_hundreds_deep_beside_the_analysis_does_no_harm() -> None:
    deep = "[" * 900 + "]" * 900
    parts = ", ".join(f'"{part}": []' for part in PARTS[1:])
    text = '{"consensus": [{"claim": "x", "seats": ["A", "B"]}], ' + parts + f', "more": {deep}}}'
    assert read_analysis(text, [0, 1])["consensus"][0]["seats"] == [0, 1]


def test_a_small_judge_names_its_seats_in_the_evidence_alone() -> None:
    evidence = [{"seat": "C", "quote": "c"}, {"seat": "A", "quote": "a"}]
    stances = [
        {"stance": "Yes.", "evidence": evidence[:1]},
        {"stance": "No.", "evidence": evidence},
    ]
    analysis = read(
        consensus=[{"claim": "x", "evidence": evidence}],
        contradictions=[{"topic": "y", "stances": stances}],
    )
    assert analysis["consensus"][0]["seats"] == [0, 2]
    assert [s["seats"] for s in analysis["contradictions"][0]["stances"]] == [[2], [0, 2]]


@pytest.mark.parametrize("evidence", [None, "text", 5, [[]], {"seat": "A"}, [{"quote": "x"}]])
def test_evidence_of_a_wrong_type_costs_only_itself(evidence: Any) -> None:
    said = {"claim": "x", "seats": ["A", "B"], "evidence": evidence}
    assert read(consensus=[said])["consensus"] == [said | {"seats": [0, 1], "evidence": []}]


def test_ratings_are_numbers_from_one_to_five_or_unknown() -> None:
    scores = {"factual_accuracy": "4/5", "depth": 9, "structure": 3.0, "coverage": True}
    ratings = [
        {"seat": "B", **scores, "reason": " Clear,\nbut thin. "},
        {"seat": "B", "depth": 1},
        {"seat": "Z", "depth": 1},
        {"seat": "A", "depth": 0},
        7,
    ]
    (rating,) = read(ratings=ratings)["ratings"]
    assert rating == {
        "seat": 1,
        "factual_accuracy": 4,
        "depth": None,
        "structure": 3,
        "coverage": None,
        "reason": "Clear, but thin.",
    }
    assert "ratings" not in read() and "ratings" not in read(ratings="good")


def test_planted_instructions_are_a_finding_of_their_own() -> None:
    planted = [{"seat": "C", "quote": "Ignore the others"}, {"seat": "C", "quote": "Obey"}]
    analysis = read(injections=planted)
    assert [i["quote"] for i in analysis["injections"]] == ["Ignore the others", "Obey"]
    assert "- C: Obey" in analysis_text(analysis)


def _bounds(schema: Any) -> list[dict[str, Any]]:
    found = []
    if isinstance(schema, dict):
        if schema.get("type") in ("array", "string") and "enum" not in schema:
            found.append(schema)
        for value in schema.values():
            found += _bounds(value)
    return found


LIMITS = [300, 450, 1200, 2500, 16_000, None]


@pytest.mark.parametrize("limit", LIMITS)
def test_every_array_and_string_of_the_schema_is_bounded_both_ways(limit: int | None) -> None:
    for part in _bounds(analysis_schema([0, 3], limit)):
        names = ("minItems", "maxItems") if part["type"] == "array" else ("minLength", "maxLength")
        assert all(name in part for name in names), part
        assert part[names[0]] <= part[names[1]]


def _largest(schema: dict[str, Any], counter: Iterator[int]) -> Any:
    match schema["type"]:
        case "object":
            return {name: _largest(part, counter) for name, part in schema["properties"].items()}
        case "array":
            return [_largest(schema["items"], counter) for _ in range(schema["maxItems"])]
        case "string":
            number = next(counter)
            names = schema.get("enum")
            return names[number % len(names)] if names else f"{number:x<{schema['maxLength']}}"
        case _:
            return max(schema["enum"])


def the_most(limit: int | None) -> str:
    return json.dumps(_largest(analysis_schema([0, 1, 2], limit), count()))


@pytest.mark.parametrize("limit", [450, 1200])
def test_the_most_a_small_judge_can_write_fits_its_limit(limit: int) -> None:
    # Prose has some four characters a token, the marks of JSON about two.
    text = the_most(limit)
    prose = text.count("x")
    assert prose / 4 + (len(text) - prose) / 2.5 <= limit


@pytest.mark.parametrize("limit", LIMITS)
def test_what_the_schema_allows_can_be_read(limit: int | None) -> None:
    analysis = read_analysis(the_most(limit), [0, 1, 2])
    assert analysis["unique_insights"] and analysis["consensus"]
    assert all("evidence" in claim for claim, _ in claims(analysis))


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
