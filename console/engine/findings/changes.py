"""What changed between two runs of one question: claims that are new or gone or say another thing,
what all agreed on and no longer do, figures that moved. What is only worded otherwise is no change.

The claims are those of the two analyses; where one has none, the sentences of both fused answers.
They are paired by what their roots have in common (`gist.Likeness`), the best pair first: from
`ALIKE` on they are about the same, and may have turned or hold another figure; from `MAYBE` on they
are too alike for one to be called new. What a judge does not list, some answer may say all the
same: a claim is new only where no sentence of the earlier run holds most of it (`HELD`), and gone
only where none of the later one does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar

from .analysis import PARTS, TEXTS
from .gist import Gist, Likeness, gist, gists_of, moved, turned

T = TypeVar("T")
ChangeKind = Literal["broke", "turned", "figures", "settled", "new", "dropped"]
KINDS: tuple[ChangeKind, ...] = ("broke", "turned", "figures", "settled", "new", "dropped")
ALIKE, MAYBE, HELD = 0.40, 0.25, 0.70
# A denial in one of two may be about something beside: they must be rather the same.
TURNS = 0.55
MAX_CLAIMS = 60
MAX_SENTENCES = 500  # of an answer


@dataclass(frozen=True)
class SaidByRun:
    """`answers`: what its panelists said; `fused`: what was made of it, as text."""

    analysis: Mapping[str, Any] | None
    answers: Sequence[str] = ()
    fused: str = ""


@dataclass(frozen=True)
class ClaimChange:
    """`before` and `now` are empty where there is none; of a contradiction its topic."""

    kind: ChangeKind
    before: str
    now: str


@dataclass(frozen=True)
class _Claim:
    part: str
    gist: Gist
    seats: int = 0
    topic: int = -1  # of a stance: of which contradiction


@dataclass(frozen=True)
class _Contradiction:
    topic: Gist
    stances: list[_Claim]
    whole: Gist


@dataclass
class _Side:
    said: SaidByRun
    claims: list[_Claim] = field(default_factory=list)
    contradictions: list[_Contradiction] = field(default_factory=list)

    @cached_property
    def answers(self) -> list[list[Gist]]:
        return [gists_of([answer])[:MAX_SENTENCES] for answer in self.said.answers]

    @cached_property
    def claimed(self) -> list[Gist]:
        stances = [s.gist for one in self.contradictions for s in one.stances]
        return [*(c.gist for c in self.claims), *stances]

    @cached_property
    def all(self) -> list[Gist]:
        """Its claims, and every sentence, which nobody has to know where all is paired."""
        fused = gists_of([self.said.fused])[:MAX_SENTENCES]
        return [*self.claimed, *fused, *(s for answer in self.answers for s in answer)]


def changes(before: SaidByRun, after: SaidByRun) -> list[ClaimChange]:
    """The gravest kinds first, each in the order of the analysis."""
    by_analysis = bool(before.analysis and after.analysis)
    old, new = _side(before, by_analysis=by_analysis), _side(after, by_analysis=by_analysis)
    found = [*_Compared(old, new)]
    return sorted(found, key=lambda change: KINDS.index(change.kind))


def _side(said: SaidByRun, *, by_analysis: bool) -> _Side:
    side = _Side(said)
    if not by_analysis:
        side.claims = [_Claim("consensus", one) for one in gists_of([said.fused])[:MAX_CLAIMS]]
        return side
    analysis = said.analysis or {}
    for part in PARTS:
        if part == "contradictions":
            side.contradictions = [
                _contradiction(number, item)
                for number, item in enumerate(analysis.get(part, [])[:MAX_CLAIMS])
            ]
        elif part != "blind_spots":
            items = analysis.get(part, [])[:MAX_CLAIMS]
            side.claims += [_Claim(part, gist(item[TEXTS[part]])) for item in items]
    return side


def _contradiction(number: int, item: Mapping[str, Any]) -> _Contradiction:
    stances = [
        _Claim("stance", gist(of["stance"]), len(of["seats"]), number) for of in item["stances"]
    ]
    whole = gist("\n".join([item["topic"], *(of["stance"] for of in item["stances"])]))
    return _Contradiction(gist(item["topic"]), stances, whole)


class _Compared:
    def __init__(self, old: _Side, new: _Side) -> None:
        self._old, self._new = old, new
        self._likeness = Likeness([*old.claimed, *new.claimed])

    def __iter__(self) -> Iterator[ClaimChange]:
        old, new, alike = self._old, self._new, self._likeness.alike
        same = _paired(
            old.contradictions, new.contradictions, lambda a, b: alike(a.whole, b.whole), ALIKE
        )
        for a, b in same:
            yield from self._most_turned(old.contradictions[a], new.contradictions[b])
        open_old = {n: c for n, c in enumerate(old.contradictions) if n not in dict(same)}
        taken = {b for _, b in same}
        open_new = {n: c for n, c in enumerate(new.contradictions) if n not in taken}
        left = [*old.claims, *(s for c in open_old.values() for s in c.stances)]
        right = [*new.claims, *(s for c in open_new.values() for s in c.stances)]
        pairs = _paired(left, right, self._about_the_same, ALIKE)
        for a, b in pairs:
            yield from self._of_pair(left[a], right[b], open_old, open_new)
        rest_old = [c for n, c in enumerate(left) if n not in {a for a, _ in pairs}]
        rest_new = [c for n, c in enumerate(right) if n not in {b for _, b in pairs}]
        rest_old = [c for c in rest_old if c.part != "stance"]
        rest_new = [c for c in rest_new if c.part != "stance"]
        gone = [c for c in rest_old if not self._is_held(c.gist, new.all)]
        come = [c for c in rest_new if not self._is_held(c.gist, old.all)]
        maybe = _paired(gone, come, lambda a, b: alike(a.gist, b.gist), MAYBE)
        for n, claim in enumerate(gone):
            if n not in {a for a, _ in maybe}:
                yield ClaimChange("dropped", claim.gist.text, "")
        for n, claim in enumerate(come):
            if n not in {b for _, b in maybe}:
                yield ClaimChange("new", "", claim.gist.text)
        for one in open_old.values():
            if not all(self._is_held(s.gist, new.all) for s in one.stances):
                yield ClaimChange("dropped", one.topic.text, "")
        for one in open_new.values():
            if not all(self._is_held(s.gist, old.all) for s in one.stances):
                yield ClaimChange("new", "", one.topic.text)

    def _about_the_same(self, one: _Claim, other: _Claim) -> float:
        """Among those that are as alike the ones that say the same."""
        likeness = self._likeness.alike(one.gist, other.gist)
        if turned(one.gist, other.gist):
            # A stance against a claim is no change of the claim.
            is_no_claim = "stance" in (one.part, other.part)
            return 0.0 if is_no_claim or likeness < TURNS else likeness - 0.02
        return likeness - (0.01 if moved(one.gist, other.gist) else 0)

    def _of_pair(
        self,
        one: _Claim,
        other: _Claim,
        open_old: dict[int, _Contradiction],
        open_new: dict[int, _Contradiction],
    ) -> Iterator[ClaimChange]:
        if one.part == other.part == "stance":
            return
        if other.part == "stance":
            if one.part == "consensus" and (broken := open_new.pop(other.topic, None)):
                yield ClaimChange("broke", one.gist.text, broken.topic.text)
        elif one.part == "stance":
            if other.part == "consensus" and (settled := open_old.pop(one.topic, None)):
                yield ClaimChange("settled", settled.topic.text, other.gist.text)
        elif turned(one.gist, other.gist):
            yield ClaimChange("turned", one.gist.text, other.gist.text)
        elif moved(one.gist, other.gist):
            yield ClaimChange("figures", one.gist.text, other.gist.text)
        elif (one.part, other.part) == ("consensus", "unique_insights"):
            say_so = sum(self._is_held(one.gist, answer) for answer in self._new.answers)
            if say_so < 2:
                yield ClaimChange("broke", one.gist.text, other.gist.text)

    def _most_turned(self, old: _Contradiction, new: _Contradiction) -> Iterator[ClaimChange]:
        """Who is in the majority, which no letters say: the panel may be another."""
        first, second = _majority(old.stances), _majority(new.stances)
        if first is None or second is None:
            return
        pairs = dict(_paired(old.stances, new.stances, self._same_stance, 0.0))
        if first in pairs and pairs[first] != second:
            yield ClaimChange("turned", old.topic.text, new.topic.text)

    def _same_stance(self, one: _Claim, other: _Claim) -> float:
        likeness = self._likeness.alike(one.gist, other.gist)
        return likeness - (0.5 if turned(one.gist, other.gist) else 0)

    def _is_held(self, claim: Gist, said: Sequence[Gist]) -> bool:
        return any(
            self._likeness.part_in(claim, one) >= HELD
            and not turned(claim, one)
            and not moved(claim, one)
            for one in said
        )


def _majority(stances: Sequence[_Claim]) -> int | None:
    counts = sorted((s.seats for s in stances), reverse=True)
    if len(counts) < 2 or counts[0] == counts[1]:
        return None
    return next(n for n, s in enumerate(stances) if s.seats == counts[0])


def _paired(
    left: Sequence[T], right: Sequence[T], alike: Callable[[T, T], float], least: float
) -> list[tuple[int, int]]:
    """The best pair first; below `least` there is none."""
    found = [
        (-score, a, b)
        for a, one in enumerate(left)
        for b, other in enumerate(right)
        if (score := alike(one, other)) >= least
    ]
    pairs: list[tuple[int, int]] = []
    for _, a, b in sorted(found):
        if all(a != one and b != other for one, other in pairs):
            pairs.append((a, b))
    return sorted(pairs)
