"""What each sentence of a fused answer rests on: seats by its marks, claims by its words."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from console.engine.findings.provenance import plain
from console.engine.findings.sourced import SourcedSentence, sourced

from ..growth import BOUND, growth


def quote(seat: int, words: str, *, found: bool = True) -> dict[str, Any]:
    return {"seat": seat, "quote": words, "verified": found}


ANALYSIS: dict[str, Any] = {
    "consensus": [
        {
            "claim": "The rack has to be changed by about 2031 in any case",
            "seats": [0, 1, 2],
            "evidence": [quote(1, "no plant of this kind lives beyond 2031")],
        },
        {"claim": "The loan costs 1.4 per cent a year", "seats": [0, 1], "evidence": []},
    ],
    "contradictions": [
        {
            "topic": "What to do with the rack now",
            "stances": [
                {"stance": "Replace it with CO2 now.", "seats": [0, 2], "evidence": []},
                {
                    "stance": "Retrofit, replace in 2031.",
                    "seats": [1],
                    "evidence": [quote(1, "Retrofit to R-448A this spring, and wait.")],
                },
            ],
        },
        {
            "topic": "May a small circuit still take new gas?",
            "stances": [
                {"stance": "No, not since January 2025.", "seats": [0], "evidence": []},
                {"stance": "Yes, below 40 t.", "seats": [1], "evidence": []},
            ],
        },
    ],
    "partial_coverage": [{"point": "Downtime is four days", "seats": [0, 1], "evidence": []}],
    "unique_insights": [
        {
            "insight": "Eleven of sixteen refills went into circuit 2",
            "seat": 2,
            "evidence": [quote(2, "invented words of nobody", found=False)],
        },
        {"insight": "制冷剂 会 在 2030 年 禁用", "seat": 1, "evidence": []},
    ],
    "blind_spots": ["Who services the plant during the change"],
}


def of(text: str, **more: Any) -> list[SourcedSentence]:
    return list(sourced(text, more.get("analysis", ANALYSIS), more.get("letters", "ABC")))


def claims_of(sentence: SourcedSentence) -> list[str]:
    return [use.claim for use in sentence.uses]


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("Water is wet. [^A] So is rain.", [("Water is wet.", "A"), ("So is rain.", "")]),
        ("Water is wet [^A,C]. So is rain [^B].", [("Water is wet.", "AC"), ("So is rain.", "B")]),
        ("Wet here [^B], and [^A] cold there.", [("Wet here, and cold there.", "AB")]),
        ("**Buy it.** [^A] Then wait. [^B]", [("**Buy it.**", "A"), ("Then wait.", "B")]),
        (
            "[^A] Rain is wet.\n\n[^B] Snow is cold.",
            [("Rain is wet.", "A"), ("Snow is cold.", "B")],
        ),
        ("[^A] [^B] Rain is wet.", [("Rain is wet.", "AB")]),
        ("- One thing [^A]\n- Another [^B]", [("One thing", "A"), ("Another", "B")]),
        ("1. [^A] One thing\n2. [^C] Another", [("One thing", "A"), ("Another", "C")]),
        ("| a | b |\n|---|---|\n| 1 [^A] | 2 [^B] |", [("| a | b |", ""), ("| 1 | 2 |", "AB")]),
        ("# A heading [^A]\n\nWords [^B].", [("Words.", "B")]),
        ("`[^A]` is code. [^B]", [("`[^A]` is code.", "B")]),
        ("Wet. [^H] Cold. [^A]", [("Wet.", ""), ("Cold.", "A")]),  # H has no seat here
        ("Wet.[^A]It is cold.", [("Wet.", "A"), ("It is cold.", "")]),
        ("Wet. [^A][^A,B]", [("Wet.", "AB")]),
        ("你好。[^A]再见。[^B]", [("你好。", "A"), ("再见。", "B")]),
        ("Wet 🎉 here. [^A] Cold. [^B]", [("Wet 🎉 here.", "A"), ("Cold.", "B")]),
        ("Words.\n\n```\ncode [^A]\n```\n\nMore. [^B]", [("Words.", ""), ("More.", "B")]),
        ("", []),
        ("   \n", []),
    ],
)
def test_a_mark_belongs_to_the_sentence_it_stands_in_or_behind(
    text: str, marked: list[tuple[str, str]]
) -> None:
    found = of(text)
    assert [(one.text, one.letters) for one in found] == marked
    bare = plain(text)
    assert all(bare[one.start : one.end] == one.text for one in found)


@pytest.mark.parametrize(
    ("text", "own"), [("Mine. [^own] Theirs. [^A]", [True, False]), ("Both. [^A,own]", [True])]
)
def test_what_the_writer_marks_as_its_own_is_said_to_be(text: str, own: list[bool]) -> None:
    assert [one.is_own for one in of(text)] == own


def test_what_rests_on_the_reader_is_said_to_and_linked_as_loosely_as_the_writers_own() -> None:
    mine, both = of("My brother services the plant during the change. [^you] Wet. [^A,you]")
    assert (mine.is_yours, mine.letters, claims_of(mine)) == (True, "", ["blind_spots-1"])
    assert (both.is_yours, both.letters) == (True, "A")


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        # of a seat that the mark names
        ("**Replace the rack with CO2, and order it now.** [^A,C]", ["contradictions-1"]),
        ("In any case the rack has to go by 2031. [^B]", ["consensus-1"]),
        ("Plants of this kind do not live beyond 2031, says the maker. [^B]", ["consensus-1"]),
        ("Retrofitting to R-448A this spring would only let you wait. [^B]", ["contradictions-1"]),
        ("A small circuit may take no new gas since January 2025. [^A]", ["contradictions-2"]),
        ("Of sixteen refills, eleven went into the second circuit. [^C]", ["unique_insights-1"]),
        ("制冷剂会在2030年禁用。[^B]", ["unique_insights-2"]),
        ("Nobody says who services the plant during the change. [^own]", ["blind_spots-1"]),
        # unmarked, by its words alone
        ("The downtime is four days.", ["partial_coverage-1"]),
        ("The rack has to be changed by 2031 in any case.", ["consensus-1"]),
        # neighbours that are not linked
        ("The downtime is five days.", ["partial_coverage-1"]),  # four is a word, not a figure
        ("Downtime is 5 days, not four.", []),
        ("The loan costs 2.9 per cent a year. [^A]", []),  # another figure
        ("The loan does not cost 1.4 per cent a year.", []),  # denies it
        ("Invented words of nobody. [^C]", []),  # of a quote that was not found
        ("The weather is fine, and so is the rack. [^A]", []),  # one word in common
        ("Ask your insurer first. [^A,B,C]", []),
        ("You would pay twice within seven years. [^own]", []),
    ],
)
def test_a_sentence_is_linked_to_the_claims_that_it_says_or_to_none(
    text: str, claims: list[str]
) -> None:
    (sentence,) = of(text)
    assert claims_of(sentence) == claims
    assert sentence.is_linked is bool(claims)


@pytest.mark.parametrize(
    ("text", "stance"),
    [
        ("Replace the rack with CO2 now. [^A]", 1),
        ("Retrofit now and replace the rack in 2031. [^B]", 2),
    ],
)
def test_of_a_contradiction_it_is_known_which_stance_a_sentence_takes(
    text: str, stance: int
) -> None:
    (sentence,) = of(text)
    uses = {use.claim: use.stance for use in sentence.uses}
    assert uses["contradictions-1"] == stance


def test_paragraphs_are_counted_as_a_reader_does() -> None:
    text = "One. Still one.\n\n## Head\n\nTwo.\n\n- three\n- three\n\n| a |\n|---|\n| b |\n\nFive."
    assert [one.paragraph for one in of(text)] == [1, 1, 2, 3, 3, 4, 4, 5]


@pytest.mark.parametrize("analysis", [None, {}, {"consensus": []}])
def test_without_claims_marks_are_told_all_the_same(analysis: dict[str, Any] | None) -> None:
    assert [(one.letters, one.uses) for one in of("Wet. [^A]", analysis=analysis)] == [("A", ())]


@pytest.mark.parametrize("text", ["Wet. [^A] " * 30_000, "Wet. " * 3_000])
def test_what_is_no_answer_to_people_is_not_looked_through(text: str) -> None:
    assert of(text) == []


def long_run(words: int) -> Callable[[], object]:
    chance = random.Random(11)
    letters = "abcdefghij"
    known = ["".join(letters[int(digit)] for digit in f"{n:03}") + "rel" for n in range(900)]

    def sentence(length: int) -> str:
        return " ".join(chance.choice(known) for _ in range(length)).capitalize() + "."

    claims = [
        {
            "claim": sentence(10),
            "seats": [0, 1, 2],
            "evidence": [quote(seat, sentence(14)) for seat in range(3)],
        }
        for _ in range(40)
    ]
    text = "\n\n".join(f"{sentence(15)} [^A,B] {sentence(15)}" for _ in range(words // 30))
    return lambda: sourced(text, {"consensus": claims}, "ABC")


def test_twice_the_text_costs_about_twice_as_much() -> None:
    assert growth(long_run, 3_000) < BOUND


@pytest.mark.parametrize(
    "text",
    ["`" * 20_000, "[^A]" * 4_000, "wet [^A] `" * 4_000, "- " * 3_000, "x " * 20_000 + "[^A]"],
)
def test_the_worst_of_texts_is_read_without_harm(text: str) -> None:
    assert all(one.text for one in of(text))
