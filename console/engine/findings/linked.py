"""What an analysis says of two texts: which of their statements say the same in other words, and
which are against each other.

A seat's statement belongs to a claim where a quote of the claim, found in that seat's answer,
stands in it. A text that is no seat's is not quoted by anybody: a statement of it belongs to a
claim where it has half of its words (`pairing.Measure`) in common with a quote of it or with the
claim, the same figures, and denies as that does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from .evidence import QuotableAnswer
from .pairing import Measure
from .passages import ReadPassage, Statement, statements

ALIKE = 0.5
MAX_CLAIMS = 60  # as many as an analysis has at most, and a few


@dataclass(frozen=True)
class ComparedText:
    """`seat`: whose answer it is; None where it is nobody's."""

    passages: Sequence[ReadPassage]
    seat: int | None = None
    statements: list[Statement] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "statements", statements(self.passages))

    @cached_property
    def _answer(self) -> QuotableAnswer:
        return QuotableAnswer("\n".join(passage.text for passage in self.passages))

    @cached_property
    def _begins(self) -> list[int]:
        begins = [0]
        for passage in self.passages:
            begins.append(begins[-1] + len(passage.text) + 1)
        return begins

    def quoted(self, quote: str) -> list[int]:
        """The statements in which it stands."""
        if (span := self._answer.find(quote)) is None:
            return []
        begins = self._begins
        return [
            number
            for number, one in enumerate(self.statements)
            if begins[one.passage] + one.start < span[1] and span[0] < begins[one.passage] + one.end
        ]


@dataclass(frozen=True)
class Link:
    """`claim`: what both say, or what they are at odds about."""

    is_opposed: bool
    claim: str
    left: list[int]
    right: list[int]


def links(analysis: Mapping[str, Any], left: ComparedText, right: ComparedText) -> list[Link]:
    finder = _Finder(left, right)
    found = [*_agreed(analysis, finder), *_opposed(analysis, finder)]
    return [link for link in found if link.left and link.right]


def _agreed(analysis: Mapping[str, Any], finder: _Finder) -> Iterator[Link]:
    for part, key in (("consensus", "claim"), ("partial_coverage", "point")):
        for item in analysis.get(part, [])[:MAX_CLAIMS]:
            stand = finder.where([(item[key], item.get("evidence", []))])
            yield Link(False, item[key], stand[0][0], stand[1][0])
    for item in analysis.get("contradictions", [])[:MAX_CLAIMS]:
        for stance, mine, theirs in zip(item["stances"], *finder.taken(item), strict=True):
            yield Link(False, stance["stance"], mine, theirs)


def _opposed(analysis: Mapping[str, Any], finder: _Finder) -> Iterator[Link]:
    for item in analysis.get("contradictions", [])[:MAX_CLAIMS]:
        left, right = finder.taken(item)
        for one, mine in enumerate(left):
            for other, theirs in enumerate(right):
                if one != other:
                    yield Link(True, item["topic"], mine, theirs)


Stances = Sequence[tuple[str, Sequence[Mapping[str, Any]]]]


class _Finder:
    def __init__(self, left: ComparedText, right: ComparedText) -> None:
        self._texts = left, right
        self._measure = Measure([*left.statements, *right.statements])

    def where(self, stances: Stances) -> tuple[list[list[int]], list[list[int]]]:
        """Of either text, for each stance the statements that take it."""
        left, right = (self._in(text, stances) for text in self._texts)
        return left, right

    def taken(self, contradiction: Mapping[str, Any]) -> tuple[list[list[int]], list[list[int]]]:
        stances = contradiction["stances"]
        return self.where([(of["stance"], of.get("evidence", [])) for of in stances])

    def _in(self, text: ComparedText, stances: Stances) -> list[list[int]]:
        if text.seat is None:
            return self._by_words(text, stances)
        return [
            sorted(
                {
                    number
                    for quote in evidence
                    if quote.get("verified") and quote["seat"] == text.seat
                    for number in text.quoted(quote["quote"])
                }
            )
            for _, evidence in stances
        ]

    def _by_words(self, text: ComparedText, stances: Stances) -> list[list[int]]:
        """Of stances that are themselves alike, whichever a statement has most in common with."""
        said = [
            statements([ReadPassage("prose", words) for words in _words_of(stance, evidence)])
            for stance, evidence in stances
        ]
        taken: list[list[int]] = [[] for _ in stances]
        for number, statement in enumerate(text.statements):
            common = [max((self._common(statement, s) for s in of), default=0.0) for of in said]
            best = max(common)
            if best >= ALIKE and common.count(best) == 1:
                taken[common.index(best)].append(number)
        return taken

    def _common(self, statement: Statement, said: Statement) -> float:
        if statement.figures != said.figures or statement.denials != said.denials:
            return 0.0
        return self._measure(statement, said) if statement.stems & said.stems else 0.0


def _words_of(stance: str, evidence: Sequence[Mapping[str, Any]]) -> list[str]:
    return [stance, *(quote["quote"] for quote in evidence if quote.get("verified"))]
