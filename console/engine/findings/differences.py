"""Two texts side by side: what both say, what only one says, what is opposed.

    same      both say it; where it stands is no matter
    words     both say it but for some words, which are marked on either side
    reworded  paired by their words, of which most differ
    linked    the same in other words, by the analysis
    opposed   against each other, by the analysis
    only      nothing on the other side belongs to it

Of a pair that differs by a figure or a "not" this is said (`figures`, `denial`): these are the
differences that matter. `is_whole`: all of both was compared; of texts that are too long, the
rest is paired only where it is the same (`pairing`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest
from typing import Any, Literal

from .linked import ComparedText, Link, links
from .pairing import pair_up
from .passages import Span, Statement
from .word_differences import WordDifferences

PairKind = Literal["same", "words", "reworded", "linked", "opposed"]
State = Literal["same", "words", "reworded", "linked", "opposed", "only"]


@dataclass(frozen=True)
class StatementPair:
    """`left` and `right` number the statements; `claim`: what of the analysis links them;
    the words that differ are places in their passages, `…_grave` those at which it is a figure
    or a "not"."""

    kind: PairKind
    left: int
    right: int
    left_words: tuple[Span, ...] = ()
    right_words: tuple[Span, ...] = ()
    left_grave: tuple[Span, ...] = ()
    right_grave: tuple[Span, ...] = ()
    figures: bool = False
    denial: bool = False
    claim: str = ""

    @property
    def is_grave(self) -> bool:
        return self.kind == "words" and (self.figures or self.denial)


@dataclass(frozen=True)
class Differences:
    left: Sequence[Statement]
    right: Sequence[Statement]
    pairs: Sequence[StatementPair]
    is_whole: bool

    @cached_property
    def left_states(self) -> list[State]:
        return self._states([pair.left for pair in self.pairs], len(self.left))

    @cached_property
    def right_states(self) -> list[State]:
        return self._states([pair.right for pair in self.pairs], len(self.right))

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Pairs of each kind; `grave`: those of `words` that differ by a figure or a "not";
        `left` and `right`: what only one says."""
        counts: Counter[str] = Counter(pair.kind for pair in self.pairs)
        if grave := sum(pair.is_grave for pair in self.pairs):
            counts["grave"] = grave
        only = {"left": self.left_states.count("only"), "right": self.right_states.count("only")}
        return dict(counts) | only

    def _states(self, numbers: list[int], many: int) -> list[State]:
        states: list[State] = ["only"] * many
        for number, pair in zip(numbers, self.pairs, strict=True):
            if states[number] == "only" or pair.kind == "opposed":
                states[number] = pair.kind
        return states


def differences(
    left: ComparedText, right: ComparedText, analysis: Mapping[str, Any] | None = None
) -> Differences:
    same, alike, is_whole = pair_up(left.statements, right.statements)
    words = WordDifferences()
    pairs = [StatementPair("same", one, other) for one, other in same]
    pairs += [
        _alike(words, one, other, left.statements[one], right.statements[other])
        for one, other in alike
    ]
    if analysis:
        _add_links(pairs, links(analysis, left, right))
    pairs.sort(key=lambda pair: (pair.left, pair.right))
    return Differences(left.statements, right.statements, pairs, is_whole)


def _alike(
    words: WordDifferences, one: int, other: int, left: Statement, right: Statement
) -> StatementPair:
    marks = words.between(left, right)
    if marks is not None and not any(marks.words):
        return StatementPair("same", one, other)
    figures, denial = left.figures != right.figures, left.denials != right.denials
    if marks is None:
        return StatementPair("reworded", one, other, figures=figures, denial=denial)
    at_odds = [
        (statement, word)
        for statement, spans in zip((left, right), marks.grave, strict=True)
        for span in spans
        for word in statement.said_in(span)
    ]
    return StatementPair(
        "words",
        one,
        other,
        left_words=tuple(marks.words[0]),
        right_words=tuple(marks.words[1]),
        left_grave=tuple(marks.grave[0]),
        right_grave=tuple(marks.grave[1]),
        figures=figures or any(word in statement.figures for statement, word in at_odds),
        denial=denial or any(statement.denies(word) for statement, word in at_odds),
    )


def _add_links(pairs: list[StatementPair], found: Sequence[Link]) -> None:
    """What is the same word for word is not opposed, whatever an analysis says; what is paired by
    its words needs no other words for it, and nothing is linked that is opposed."""
    same = {(pair.left, pair.right) for pair in pairs if pair.kind == "same"}
    taken = {pair.left for pair in pairs}, {pair.right for pair in pairs}
    opposed: dict[tuple[int, int], StatementPair] = {}
    for link in found:
        if link.is_opposed:
            for one, other in _together(link):
                if (one, other) not in same:
                    opposed.setdefault(
                        (one, other), StatementPair("opposed", one, other, claim=link.claim)
                    )
    pairs += opposed.values()
    for link in found:
        for one, other in () if link.is_opposed else _together(link):
            is_new = one not in taken[0] or other not in taken[1]
            if is_new and (one, other) not in opposed:
                pairs.append(StatementPair("linked", one, other, claim=link.claim))
                taken[0].add(one)
                taken[1].add(other)


def _together(link: Link) -> list[tuple[int, int]]:
    """Of quotes that run over several statements, one for one; what is over goes with the last."""
    return [
        (link.left[-1] if one is None else one, link.right[-1] if other is None else other)
        for one, other in zip_longest(link.left, link.right)
    ]
