"""What two texts have in common and where they differ, as a reader is to see it: over the pairs of
texts in `tests/data/differences/pairs.toml`, which were written before what reads them.
"""

from __future__ import annotations

import re
import tomllib
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from console.engine.findings.differences import Differences
from console.engine.findings.evidence import verify
from console.engine.findings.passages import Statement
from console.markdown import render
from console.record.compared import ComparableText, Comparison, compare_texts
from tests.hostile_markdown import PAYLOADS

PAIRS = tomllib.loads(
    (Path(__file__).parent.parent / "data/differences/pairs.toml").read_text("utf-8")
)["pair"]
LISTS = {"same", "words", "reworded", "linked", "opposed", "left", "right"}
by_name = pytest.mark.parametrize("pair", PAIRS, ids=[pair["name"] for pair in PAIRS])


def test_the_pairs_have_names_of_their_own_and_say_nothing_unknown() -> None:
    names: set[str] = {pair["name"] for pair in PAIRS}
    assert len(names) == len(PAIRS) >= 30
    known: set[str] = {"name", "a", "b", "analysis"} | LISTS
    for pair in PAIRS:
        unknown: Any = set(pair) - known
        assert not unknown, pair["name"]


def analysis_of(pair: dict[str, Any]) -> dict[str, Any] | None:
    """In its stored form, its quotes looked up."""
    given = pair.get("analysis")
    if given is None:
        return None

    def quotes(of: list[list[str]]) -> dict[str, Any]:
        evidence = [{"seat": "abc".index(seat), "quote": quote} for seat, quote in of]
        return {"seats": sorted({one["seat"] for one in evidence}), "evidence": evidence}

    analysis = {
        "consensus": [
            {"claim": one["claim"], **quotes(one["quotes"])} for one in given.get("consensus", [])
        ],
        "contradictions": [
            {
                "topic": one["topic"],
                "stances": [{"stance": of[0][1], **quotes(of)} for of in one["stances"]],
            }
            for one in given.get("contradictions", [])
        ],
        "partial_coverage": [],
        "unique_insights": [],
        "blind_spots": [],
    }
    return verify(analysis, {0: pair["a"], 1: pair["b"]})


def compared(pair: dict[str, Any]) -> Comparison:
    left = ComparableText("A", "A", "seat", pair["a"], 0)
    right = ComparableText("B", "B", "seat", pair["b"], 1)
    return compare_texts(left, right, analysis_of(pair))


def seen(pair: dict[str, Any], found: Differences) -> dict[str, list[Any]]:
    """As the table writes it."""
    lists: dict[str, list[Any]] = {name: [] for name in LISTS}
    for of in found.pairs:
        left, right = found.left[of.left], found.right[of.right]
        if of.kind == "words":
            row: dict[str, Any] = {
                "left": left.text,
                "right": right.text,
                "a": [_said(left, span) for span in of.left_words],
                "b": [_said(right, span) for span in of.right_words],
            }
            row |= {"figures": True} if of.figures else {}
            lists["words"].append(row | ({"denial": True} if of.denial else {}))
        elif of.kind == "same" and left.text == right.text:
            lists["same"].append(left.text)
        else:
            lists[of.kind].append([left.text, right.text])
    for side, statements, states in (
        ("left", found.left, found.left_states),
        ("right", found.right, found.right_states),
    ):
        both = zip(statements, states, strict=True)
        lists[side] = [one.text for one, state in both if state == "only"]
    return lists


def _said(statement: Statement, span: tuple[int, int]) -> str:
    return statement.text[span[0] - statement.start : span[1] - statement.start]


def written(pair: dict[str, Any]) -> dict[str, list[Any]]:
    lists = {name: pair.get(name, []) for name in LISTS}
    same = [one[0] if isinstance(one, list) and one[0] == one[1] else one for one in lists["same"]]
    return lists | {"same": same}


@by_name
def test_of_every_pair_a_reader_sees_what_the_table_says(pair: dict[str, Any]) -> None:
    found, expected = seen(pair, compared(pair).differences), written(pair)
    for name in LISTS:
        assert sorted(found[name], key=repr) == sorted(expected[name], key=repr), name


def parts(html: str) -> list[tuple[str, str]]:
    """(tag, the text after it), in their order, without what was put in."""
    found = [("", "")]
    spans: list[bool] = []  # whether it is ours
    for tag, text in re.findall(r"(<(?:[^<>\"]|\"[^\"]*\")*>)|([^<]+)", html):
        is_ours = tag.startswith(("<mark", "</mark"))
        if tag.startswith("<span"):
            spans.append("data-said=" in tag)
            is_ours = spans[-1]
        elif tag == "</span>":
            is_ours = spans.pop()
        if text:
            found[-1] = (found[-1][0], found[-1][1] + unescape(text))
        elif not is_ours:
            found.append((tag, ""))
    assert not spans
    return found


def assert_nothing_but_marks(text: str, marked: str) -> None:
    assert parts(marked) == parts(render(text))


@by_name
def test_marks_add_nothing_to_a_text_and_take_nothing_from_it(pair: dict[str, Any]) -> None:
    of = compared(pair)
    assert_nothing_but_marks(pair["a"], of.left)
    assert_nothing_but_marks(pair["b"], of.right)


@by_name
def test_a_figure_or_a_not_is_marked_where_one_differs_and_nowhere_else(
    pair: dict[str, Any],
) -> None:
    of = compared(pair)
    is_marked = 'class="grave"' in of.left + of.right
    assert is_marked is any(one.is_grave for one in of.differences.pairs)


def test_what_is_hostile_is_as_harmless_with_marks_as_without() -> None:
    for payload in PAYLOADS:
        a, b = f"Before 1. {payload} after.", f"{payload}\n\nBefore 2. | {payload} |"
        of = compared({"a": a, "b": b})
        assert_nothing_but_marks(a, of.left)
        assert_nothing_but_marks(b, of.right)


@pytest.mark.parametrize(
    "text",
    [
        "a<br>b <sub>c</sub> [l](https://e.example/?a>b&c) `x < y` ~~d~~\n\n---\n\n> q\n> - r",
        "| a |\n|---|\n| |\n| **b** `c` |\n\n```\n\n  x\n\n```\n\n    indented\n",
        "$$\n\\sum_{i=0}^n x_i\n$$\n\nand $a$, $b$.\n\n|$c$|d|\n|-|-|\n|1|$e < f$|",
        "a" * 3000 + " " + "[" * 4000,
        "x. " * 100_000,
        "\u200f\u0000 \u2028 \ufeff.",
    ],
)
def test_of_any_text_nothing_is_lost(text: str) -> None:
    of = compared({"a": text, "b": text.replace("a", "z")})
    assert_nothing_but_marks(text, of.left)
    assert_nothing_but_marks(text.replace("a", "z"), of.right)
