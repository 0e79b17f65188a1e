"""Two texts of a run side by side, as the page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString

from ..engine.findings.differences import Differences
from ..engine.state import RunState
from ..record.compared import ComparableText, compare


@dataclass(frozen=True)
class ComparedPane:
    side: str
    name: str
    label: str
    kind: str
    seat: int | None
    html: SafeString
    only: int


@dataclass(frozen=True)
class OpposedClaim:
    """`topic`: what they are at odds about, by the analysis; `at`: a statement of the left text."""

    topic: str
    at: int


@dataclass(frozen=True)
class LegendEntry:
    """`state` is the word of the marks that it explains."""

    state: str
    words: str
    count: str
    claims: Sequence[OpposedClaim] = ()


@dataclass(frozen=True)
class ComparedPage:
    panes: Sequence[ComparedPane]
    legend: Sequence[LegendEntry]
    sentence: str


def compared_page(state: RunState, left: ComparableText, right: ComparableText) -> ComparedPage:
    found = compare(state, left, right)
    counts = found.differences.counts
    panes = [
        ComparedPane(side, text.name, text.label, text.kind, text.seat, html, counts[side])
        for side, text, html in (("left", left, found.left), ("right", right, found.right))
    ]
    legend = _legend(counts, _opposed(found.differences))
    return ComparedPage(panes, legend, _sentence(counts, found.differences.is_whole))


def _opposed(found: Differences) -> list[OpposedClaim]:
    """Each topic once, at the first statement that takes a side in it."""
    first: dict[str, int] = {}
    for pair in found.pairs:
        if pair.kind == "opposed":
            first.setdefault(pair.claim, pair.left)
    return [OpposedClaim(topic, at) for topic, at in first.items()]


def _legend(counts: Mapping[str, int], opposed: Sequence[OpposedClaim]) -> list[LegendEntry]:
    """Who reads it learns the marks and the shape of the difference at once; a mark that stands
    nowhere is not explained."""
    entries = [LegendEntry("only", "Only here", f"{counts['left']} and {counts['right']}")]
    for state, words in (
        ("opposed", "Opposed"),
        ("reworded", "Reworded"),
        ("words", "Words differ"),
        ("linked", "In other words, by the analysis"),
        ("same", "Both say"),
    ):
        if count := counts.get(state):
            claims = opposed if state == "opposed" else ()
            entries.append(LegendEntry(state, words, str(count), claims))
            if state == "words" and (grave := counts.get("grave")):
                entries.append(LegendEntry("grave", "a figure or a “not” differs", str(grave)))
    return entries


def _sentence(counts: Mapping[str, int], is_whole: bool) -> str:
    differing = {state for state, count in counts.items() if count} - {"same"}
    if not is_whole:
        return (
            "These texts are too long to be compared sentence by sentence throughout: what is the "
            "same was found everywhere, what is only alike not."
        )
    return "" if differing else "Both say the same, word for word."
