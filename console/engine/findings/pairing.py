"""Which statements of two texts belong together, by their words, in whatever order they stand.

First those that say the same, one for one. Then those that share enough: of both their stems
(`passages.Statement.stems`), each weighed by how rare it is in both texts, twice what they share
of what they have (Dice), less `APART` times how far from each other they stand. The best pair is
taken first; below `LEAST` there is none. A row whose first cell is the same is the same row.

What a comparison costs is bounded: a stem that stands in more than `EVERYWHERE` statements leads
to none, each looks at the `BEST` that share most, and after `MOST_STEPS` looks the rest is paired
only where it is the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from heapq import nlargest
from math import log

from .passages import Statement

LEAST, APART = 0.40, 0.02
SAME_ROW = 0.50  # what a row with the same first cell has in common at the least
EVERYWHERE, BEST = 60, 20
MOST_STEPS = 600_000
_FEW = 20  # among fewer statements it says little how rare a word is

Pairs = list[tuple[int, int]]


def pair_up(left: Sequence[Statement], right: Sequence[Statement]) -> tuple[Pairs, Pairs, bool]:
    """(those that say the same, those that are alike, whether all were looked at)."""
    same = list(_the_same(left, right))
    taken = [{one for one, _ in same}, {other for _, other in same}]
    open_left = [n for n in range(len(left)) if n not in taken[0]]
    open_right = [n for n in range(len(right)) if n not in taken[1]]
    measure = Measure([*left, *right])
    candidates = _Candidates(right, open_right, measure)
    found: list[tuple[float, int, int]] = []
    for one in open_left:
        for other in candidates.of(left[one]):
            alike = measure(left[one], right[other])
            if alike >= LEAST:
                nearness = alike - APART * abs(left[one].at - right[other].at)
                found.append((-nearness, one, other))
    alike_pairs: Pairs = []
    for _, one, other in sorted(found):
        if one not in taken[0] and other not in taken[1]:
            taken[0].add(one)
            taken[1].add(other)
            alike_pairs.append((one, other))
    return same, sorted(alike_pairs), candidates.steps <= MOST_STEPS


def _the_same(left: Sequence[Statement], right: Sequence[Statement]) -> Iterator[tuple[int, int]]:
    places: defaultdict[object, list[int]] = defaultdict(list)
    for number in range(len(right) - 1, -1, -1):
        places[right[number].key].append(number)
    for number, statement in enumerate(left):
        if others := places.get(statement.key):
            yield number, others.pop()


class Measure:
    """How much two statements have in common, from 0 to 1; `all_of`: both texts'."""

    def __init__(self, all_of: Sequence[Statement]) -> None:
        counts = Counter(stem for statement in all_of for stem in statement.stems)
        many = max(len(all_of), _FEW)
        self._rarity = {stem: log(1 + many / count) for stem, count in counts.items()}
        self._unknown = log(1 + many)

    def __call__(self, one: Statement, other: Statement) -> float:
        shared = self._weight(one.stems & other.stems)
        both = self._weight(one.stems) + self._weight(other.stems)
        common = 2 * shared / both if both else 0.0
        if one.kind == other.kind == "row" and one.by_cell and other.by_cell:
            first = one.by_cell[0]
            if first and first == other.by_cell[0]:
                return max(common, SAME_ROW)
        return common

    def rarity(self, stem: str) -> float:
        return self._rarity.get(stem, self._unknown)

    def _weight(self, stems: frozenset[str]) -> float:
        return sum(map(self.rarity, stems))


class _Candidates:
    """Those of `right` that share something with a statement, the most promising ones."""

    def __init__(self, right: Sequence[Statement], numbers: list[int], measure: Measure) -> None:
        self._measure, self.steps = measure, 0
        self._with: Mapping[tuple[str, str], list[int]] = defaultdict(list)
        for number in numbers:
            for stem in right[number].stems:
                self._with[right[number].kind, stem].append(number)

    def of(self, statement: Statement) -> list[int]:
        shared: Counter[int] = Counter()
        for stem in statement.stems:
            numbers = self._with.get((statement.kind, stem), ())
            if len(numbers) > EVERYWHERE:
                continue
            self.steps += len(numbers) + 1
            if self.steps > MOST_STEPS:
                return []
            rarity = self._measure.rarity(stem)
            for number in numbers:
                shared[number] += rarity  # type: ignore[assignment]
        return nlargest(BEST, shared, key=lambda number: (shared[number], -number))
