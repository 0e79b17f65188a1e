"""What two texts have in common and where they differ, as a reader is to see it: over the pairs of
texts in `tests/data/differences/pairs.toml`, which were written before what reads them.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from console.engine.findings.differences import Differences
from console.engine.findings.evidence import verify
from console.engine.findings.passages import Statement
from console.markdown import render
from console.record.compared import ComparableText, Comparison, compare_texts

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


@by_name
def test_marks_add_nothing_to_a_text_and_take_nothing_from_it(pair: dict[str, Any]) -> None:
    of = compared(pair)
    for text, html in ((pair["a"], of.left), (pair["b"], of.right)):
        bare = re.sub(r'</?mark[^>]*>|<span (?:id="\w+-\d+" )?data-said[^>]*>', "", html)
        # Its own spans, of colours and hosts, close as ours do: only their number is known.
        plain = render(text)
        assert Counter(_tags(bare)) - Counter({"</span>": _ours(html)}) == Counter(_tags(plain))
        assert _text(bare) == _text(plain)


def _tags(html: str) -> list[str]:
    return re.findall(r"<[^>]*>", html)


def _ours(html: str) -> int:
    return html.count("data-said=")


def _text(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))
