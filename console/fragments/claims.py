"""Rows of the agreement map: the claims of an analysis by seats, in its five parts, what each
rests on, where the fused answer says it, and what a reader has ruled on it.

A row knows by which filters it is shown (`shows`): words that stand in its HTML, so that a page
filters without asking anybody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine.findings.analysis import TEXTS
from ..engine.findings.families import family
from ..engine.findings.sourced import SourcedSentence, claim_id
from . import evidence
from .evidence import Quote, Standing
from .looked_up import LookedUpClaim, looked_up
from .seats import SeatView

SAYS, OPPOSES, SILENT = "says so", "says otherwise", "silent"
ALL, UNVERIFIED, WRITER = "all", "unverified", "writer"
PARTS = {
    "contradictions": ("Contradictions", "they disagree"),
    "consensus": ("Consensus", "they agree"),
    "partial_coverage": ("Partial coverage", "only some cover it"),
    "unique_insights": ("Unique insights", "only one saw it"),
    "blind_spots": ("Blind spots", "nobody said it"),
}
OWN_PART = ("The writer's own", "no answer says it")
# The order of the filters: what one looks for first.
_FILTERS = (
    ("contradictions", "Contradictions"),
    ("unique_insights", "Only one"),
    (UNVERIFIED, "No quote"),
    (WRITER, "Writer"),
    ("consensus", "Agreed"),
    ("partial_coverage", "Only some"),
    ("blind_spots", "Nobody"),
)


@dataclass(frozen=True)
class SeatMark:
    """`stance`: of a contradiction, the one that the seat takes."""

    seat: SeatView
    meaning: str
    stance: int = 0


@dataclass(frozen=True)
class UseLink:
    """Where the fused answer says it: the sentences of one paragraph."""

    paragraph: int
    sentences: list[int]
    words: str


@dataclass(frozen=True)
class RulingView:
    """What a reader holds of a claim. `on`: the fusion that they ruled on."""

    verdict: str = ""
    note: str = ""
    on: int = 0


@dataclass(frozen=True)
class StanceView:
    number: int
    seats: list[SeatView]
    text: str
    quotes: list[Quote] = field(default_factory=list)
    standing: Standing | None = None

    @property
    def verdict(self) -> str:
        return f"stance-{self.number}"


@dataclass(frozen=True)
class Claim:
    """`id` is empty where it is none of the analysis."""

    id: str
    text: str
    marks: list[SeatMark]
    shows: str
    stances: list[StanceView] = field(default_factory=list)
    quotes: list[Quote] = field(default_factory=list)
    standing: Standing | None = None
    uses: list[UseLink] = field(default_factory=list)
    families: str = ""
    ruling: RulingView = RulingView()
    looked_up: Sequence[LookedUpClaim] = ()  # the latest first

    @property
    def may_be_looked_up(self) -> bool:
        """Not twice, unless the last look came to nothing."""
        return not self.looked_up or self.looked_up[0].may_be_asked_again


@dataclass(frozen=True)
class AnalysisPart:
    key: str
    name: str
    meaning: str
    claims: list[Claim]

    @property
    def shows(self) -> str:
        """Its head stands where one of its claims does."""
        return " ".join(sorted({word for claim in self.claims for word in claim.shows.split()}))


@dataclass(frozen=True)
class MapFilter:
    value: str
    label: str
    count: int


def filters(parts: Sequence[AnalysisPart]) -> list[MapFilter]:
    """Those that leave something and not everything; none where that is so of none."""
    shown = [claim.shows.split() for part in parts for claim in part.claims]
    counts = Counter(word for words in shown for word in words)
    some = [
        MapFilter(value, label, counts[value])
        for value, label in _FILTERS
        if 0 < counts[value] < len(shown)
    ]
    claims = len(shown) - counts[WRITER]
    return [MapFilter(ALL, "All", claims), *some] if some else []


@dataclass(frozen=True)
class ClaimRows:
    """`rulings` are those that stand, by the claim's words as they stood; `research` has what was
    looked up of them."""

    seats: Sequence[SeatView]
    answers: Mapping[int, str]
    sentences: Sequence[SourcedSentence] = ()
    rulings: Sequence[Mapping[str, Any]] = ()
    research: Mapping[str, Any] = field(default_factory=dict)

    def of(self, data: Mapping[str, Any]) -> list[AnalysisPart]:
        parts = []
        for key, (name, meaning) in PARTS.items():
            items = enumerate(data.get(key, []), 1)
            claims = [self._claim(key, claim_id(key, number), item) for number, item in items]
            parts.append(AnalysisPart(key, name, meaning, claims))
        if own := [*self._own()]:
            parts.append(AnalysisPart(WRITER, *OWN_PART, own))
        return parts

    def _claim(self, part: str, name: str, item: Any) -> Claim:
        text = item[TEXTS[part]] if TEXTS[part] else item
        if part == "contradictions":
            stances = [self._stance(number, s) for number, s in enumerate(item["stances"], 1)]
            marks = self._marks_of(stances)
            is_found = all(s.standing is None or s.standing.key != UNVERIFIED for s in stances)
            more: dict[str, Any] = {"stances": stances}
        else:
            saying = [] if not TEXTS[part] else [item["seat"]] if "seat" in item else item["seats"]
            marks = self._marks(saying)
            standing = evidence.standing(item) if TEXTS[part] else None
            is_found = standing is None or standing.key != UNVERIFIED
            quotes = self._quotes(item) if TEXTS[part] else []
            more = {"quotes": quotes, "standing": standing}
            if part == "consensus":
                more["families"] = families(mark.seat for mark in marks if mark.meaning == SAYS)
        seats = [f"seat-{mark.seat.seat}" for mark in marks if mark.meaning != SILENT]
        return Claim(
            name,
            text,
            marks,
            " ".join([ALL, part, *seats, *([] if is_found else [UNVERIFIED])]),
            uses=[*self._uses(name)],
            ruling=self._ruling(name, text),
            looked_up=looked_up(dict(self.research), text),
            **more,
        )

    def _stance(self, number: int, stance: Mapping[str, Any]) -> StanceView:
        return StanceView(
            number,
            [seat for seat in self.seats if seat.seat in stance["seats"]],
            stance["stance"],
            self._quotes(stance),
            evidence.standing(stance),
        )

    def _marks(self, saying: Sequence[int]) -> list[SeatMark]:
        return [SeatMark(seat, SAYS if seat.seat in saying else SILENT) for seat in self.seats]

    def _marks_of(self, stances: Sequence[StanceView]) -> list[SeatMark]:
        """The first stance is the claim; every other one speaks against it."""
        taken: dict[int, int] = {}
        for stance in stances:
            for seat in stance.seats:
                taken.setdefault(seat.seat, stance.number)
        return [
            SeatMark(seat, SAYS if number == 1 else OPPOSES if number else SILENT, number)
            for seat in self.seats
            for number in [taken.get(seat.seat, 0)]
        ]

    def _quotes(self, item: Mapping[str, Any]) -> list[Quote]:
        return evidence.quotes(item.get("evidence", []), self.seats, self.answers)

    def _uses(self, name: str) -> Iterator[UseLink]:
        found: dict[int, UseLink] = {}
        for number, sentence in enumerate(self.sentences):
            if any(use.claim == name for use in sentence.uses):
                link = UseLink(sentence.paragraph, [], sentence.text)
                found.setdefault(sentence.paragraph, link).sentences.append(number)
        yield from found.values()

    def _own(self) -> Iterator[Claim]:
        silent = self._marks([])
        for number, sentence in enumerate(self.sentences):
            if sentence.is_own:
                use = UseLink(sentence.paragraph, [number], sentence.text)
                yield Claim("", sentence.text, silent, f"{ALL} {WRITER}", uses=[use])

    def _ruling(self, name: str, text: str) -> RulingView:
        """A later analysis counts its claims anew: a ruling belongs to its words."""
        same = [one for one in self.rulings if one.get("text") == text]
        for one in sorted(same, key=lambda one: one.get("claim") != name):
            return RulingView(one.get("verdict") or "", one.get("note") or "", one.get("on") or 0)
        return RulingView()


def _family_of(seat: SeatView) -> str:
    """An answer from elsewhere whose model nobody knows is of a family of its own."""
    return family(seat.asked_model) or (f"from elsewhere {seat.seat}" if seat.is_brought else "")


def families(seats: Iterable[SeatView]) -> str:
    """Among how many makers it is agreed: those of one make err together."""
    known = [_family_of(seat) for seat in seats]
    if len(known) < 2 or not any(known):
        return ""
    many = len(set(filter(None, known)))
    if not all(known):
        return f"among at least {many} families" if many > 1 else ""
    return "all of one family" if many == 1 else f"among {many} families"
