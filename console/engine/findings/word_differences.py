"""Which words differ within two statements that belong together.

Of a row, whole cells, each against the one in the column of the same name, or place. Of all
else, words; a usual one between two that differ goes with them, so that nobody reads confetti.

Grave is where a figure or a "not" differs. One that only moved along with a word beside it is not
("in 2024" at the end of a sentence instead of its beginning), one that moved alone is ("from 5 to
7", "from 7 to 5").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise

from .passages import Span, Statement
from .whole_sentences import is_usual

# Looks that finding what stands in both takes: of one pair, and of all pairs together.
MOST_LOOKS, MOST_LOOKS_IN_ALL = 40_000, 2_000_000
MOST_CHANGED = 0.60  # of the words of both; where more differ, no word is marked

Places = tuple[list[Span], list[Span]]


@dataclass(frozen=True)
class WordMarks:
    """Places in the passages of either side; `grave`: those of them."""

    words: Places
    grave: Places


class WordDifferences:
    """Of one comparison of two texts, which is why it counts."""

    def __init__(self) -> None:
        self._looks = 0

    def between(self, left: Statement, right: Statement) -> WordMarks | None:
        """Where in either passage; None where so much differs that marks would say nothing."""
        if left.kind == right.kind == "row":
            return _cells(left, right)
        if not self._may_look(left, right):
            return None
        matcher = SequenceMatcher(None, left.said, right.said, autojunk=False)
        mine, others = set(range(len(left.words))), set(range(len(right.words)))
        for block in matcher.get_matching_blocks():
            mine -= set(range(block.a, block.a + block.size))
            others -= set(range(block.b, block.b + block.size))
        if len(mine) + len(others) > MOST_CHANGED * (len(left.words) + len(right.words)):
            return None
        runs = _runs(left, mine), _runs(right, others)
        return WordMarks(runs, (_grave(left, right, *runs), _grave(right, left, *reversed(runs))))

    def _may_look(self, left: Statement, right: Statement) -> bool:
        """A long sentence of words that all stand there many times costs their product."""
        counts = Counter(left.said), Counter(right.said)
        looks = sum(count * counts[1][word] for word, count in counts[0].items())
        looks += len(left.words) + len(right.words)
        if looks > MOST_LOOKS or self._looks + looks > MOST_LOOKS_IN_ALL:
            return False
        self._looks += looks
        return True


def _runs(statement: Statement, changed: set[int]) -> list[Span]:
    glued = {
        number + 1
        for number in changed
        if number + 2 in changed and is_usual(statement.words[number + 1].text)
    }
    runs: list[Span] = []
    last = -2
    for number in sorted(changed | glued):
        word = statement.words[number]
        if number == last + 1:
            runs[-1] = (runs[-1][0], word.end)
        else:
            runs.append((word.start, word.end))
        last = number
    return runs


def _grave(one: Statement, other: Statement, own: list[Span], others: list[Span]) -> list[Span]:
    """Of the places of one side; a word with the same company among those of the other moved."""
    company = {pair for span in others for pair in pairwise(other.said_in(span))}

    def has_moved(said: Sequence[str], n: int) -> bool:
        return any(pair in company for pair in pairwise(said[max(0, n - 1) : n + 2]))

    return [
        span
        for span in own
        if any(
            one.is_grave(word) and not has_moved(one.said_in(span), n)
            for n, word in enumerate(one.said_in(span))
        )
    ]


def _cells(left: Statement, right: Statement) -> WordMarks:
    columns = _columns(left, right)
    differing = [(a, b) for a, b in columns if left.by_cell[a] != right.by_cell[b]]
    mine = {a for a, _ in differing} | set(range(len(left.cells))) - {a for a, _ in columns}
    others = {b for _, b in differing} | set(range(len(right.cells))) - {b for _, b in columns}
    harmless = [(a, b) for a, b in differing if _graves(left, a) == _graves(right, b)]
    grave_left = {a for a in mine - {a for a, _ in harmless} if _graves(left, a)}
    grave_right = {b for b in others - {b for _, b in harmless} if _graves(right, b)}
    return WordMarks(
        (_said(left, mine), _said(right, others)),
        (_said(left, grave_left), _said(right, grave_right)),
    )


def _graves(row: Statement, cell: int) -> list[str]:
    return list(filter(row.is_grave, row.by_cell[cell]))


def _said(row: Statement, cells: set[int]) -> list[Span]:
    """An empty cell has nothing that could be marked."""
    return [row.cells[number] for number in sorted(cells) if row.by_cell[number]]


def _columns(left: Statement, right: Statement) -> list[tuple[int, int]]:
    """Which cell answers which: by the names of their columns; what has none of these, in its
    order, where both have as many."""
    places = {head: number for number, head in enumerate(right.heads) if head}
    named = [(n, places.pop(head)) for n, head in enumerate(left.heads) if head in places]
    rest_left = _without(range(len(left.cells)), {a for a, _ in named})
    rest_right = _without(range(len(right.cells)), {b for _, b in named})
    if not named or len(rest_left) == len(rest_right):
        named += zip(rest_left, rest_right, strict=False)
    return named


def _without(numbers: Sequence[int], gone: set[int]) -> list[int]:
    return [number for number in numbers if number not in gone]
