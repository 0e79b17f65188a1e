"""Any two texts of a run side by side: which there are, and what one has that the other has not.

A text is named as people and programs name it: `A` to `H` is a seat's answer, `fused-2` what the
second fusion gave, `analysis-2` what its judge found; `fused` and `analysis` are the latest. It is
compared as it is read: rendered, without marks of provenance (`engine.findings.differences`).
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from django.utils.safestring import SafeString

from ..engine.findings.analysis import AS_READ, TEXTS
from ..engine.findings.differences import Differences, differences
from ..engine.findings.given import given
from ..engine.findings.linked import ComparedText
from ..engine.findings.passages import Span
from ..engine.spec import Panelist, Spec, letter
from ..engine.state import FusionState, RunState, Step
from ..markdown import render
from ..markdown.marking import ReadHtml, StatementMark
from .kept import KeptValues

SideKind = Literal["seat", "fused", "analysis"]
# Characters of HTML, of all that are kept.
KEPT = 16_000_000
OTHER = "with."  # before the name of a text of another run
_HEADS = dict(
    zip(
        AS_READ,
        ("Contradictions", "Consensus", "Partial coverage", "Only one says", "Blind spots"),
        strict=True,
    )
)


class NoSuchText(ValueError):
    """`str()` is a sentence for whoever named it."""


@dataclass(frozen=True)
class ComparableText:
    """`name` is its word in an address, `label` what people read. `is_other`: of another run than
    the one whose page it stands on."""

    name: str
    label: str
    kind: SideKind
    text: str
    seat: int | None = None
    fusion: int | None = None
    is_other: bool = False


@dataclass(frozen=True)
class Comparison:
    differences: Differences
    left: SafeString
    right: SafeString


def comparable(spec: Spec, state: RunState) -> list[ComparableText]:
    """Every text of the run that can stand on a side: fused answers, the newest first, then
    seats, then analyses."""
    fusions = [fusion for _, fusion in sorted(state.fusions.items(), reverse=True)]
    has_one = len(fusions) < 2
    fused = [one for fusion in fusions if (one := _fused(state, fusion, has_one))]
    found = [_analysis(fusion, has_one) for fusion in fusions if fusion.analysis]
    return [*fused, *_seats(spec, state), *found]


def _seats(spec: Spec, state: RunState) -> Iterator[ComparableText]:
    for seat in range(len(spec.panel)):
        call = state.answer(seat) or state.latest(Step.PANEL, seat=seat)
        if call and call.text:
            name = spec.name_of(seat, Panelist.from_dict(call.panelist))
            yield ComparableText(letter(seat), f"{letter(seat)} · {name}", "seat", call.text, seat)


def _fused(state: RunState, fusion: FusionState, has_one: bool) -> ComparableText | None:
    answer = given(state, fusion)
    if answer is None or not answer.text:
        return None
    label = "Fused answer" if answer.why == "fused" else "Best single answer"
    label += "" if has_one else f" {fusion.number}"
    # The answer that stands in is that seat's, and is quoted as such.
    seat = None if answer.why == "fused" else answer.call.seat
    return ComparableText(
        f"fused-{fusion.number}", label, "fused", answer.text, seat, fusion.number
    )


def _analysis(fusion: FusionState, has_one: bool) -> ComparableText:
    label = "Analysis" if has_one else f"Analysis {fusion.number}"
    text = as_markdown(fusion.analysis or {})
    return ComparableText(f"analysis-{fusion.number}", label, "analysis", text, None, fusion.number)


def as_markdown(analysis: Mapping[str, Any]) -> str:
    """Its parts and claims as a text, for whoever reads two of them side by side."""
    lines: list[str] = []
    for part in AS_READ:
        if items := analysis.get(part):
            lines += [f"## {_HEADS[part]}", ""]
            for item in items:
                lines += _item(part, item)
            lines.append("")
    return "\n".join(lines)


def _item(part: str, item: Any) -> Iterator[str]:
    key = TEXTS[part]
    said = " ".join((item[key] if key else item).split())
    if part == "contradictions":
        yield f"- {said}"
        for stance in item["stances"]:
            yield f"  - {' '.join(stance['stance'].split())} ({_letters(stance['seats'])})"
    elif not key:
        yield f"- {said}"
    else:
        seats = [item["seat"]] if "seat" in item else item["seats"]
        yield f"- {said} ({_letters(seats)})"


def _letters(seats: Sequence[int]) -> str:
    return ", ".join(map(letter, seats))


def of_other(texts: Sequence[ComparableText], called: str) -> list[ComparableText]:
    """Those of another run, `called` so, beside one's own."""
    return [
        replace(one, name=f"{OTHER}{one.name}", label=f"{called} · {one.label}", is_other=True)
        for one in texts
    ]


def named(texts: Sequence[ComparableText], name: str) -> ComparableText:
    """Raises NoSuchText. Letters may be small."""
    is_other = name.lower().startswith(OTHER)
    own = name[len(OTHER) :] if is_other else name
    for one in texts:
        known = one.name.removeprefix(OTHER)
        if one.is_other == is_other and (own.upper() == known or own.lower() in (known, one.kind)):
            return one
    there = ", ".join(one.name for one in texts)
    raise NoSuchText(f"This run has no text {name[:40]!r}. It has: {there or 'none yet'}.")


def usual(texts: Sequence[ComparableText]) -> tuple[str, str] | None:
    """What is compared where nobody said: the fused answer with the first seat's, else the first
    two; None where there are no two. With another run's texts the first of either, that on the
    left.
    """
    if others := [one.name for one in texts if one.is_other]:
        own = next((one.name for one in texts if not one.is_other), "")
        return (others[0], own) if own else None
    first = [one.name for one in texts]
    return (first[0], _next(texts)) if len(first) > 1 else None


def _next(texts: Sequence[ComparableText]) -> str:
    return next((one.name for one in texts[1:] if one.kind == "seat"), texts[1].name)


_kept: KeptValues[Comparison] = KeptValues(KEPT, lambda made: len(made.left) + len(made.right))


def compare(state: RunState, left: ComparableText, right: ComparableText) -> Comparison:
    """Once for everybody who asks. It takes a processor's time, so nobody asks it in a loop that
    others wait for."""
    analysis = _analysis_for(state, left, right)
    beside = [left.seat, right.seat, left.kind, right.kind, analysis]
    key = hashlib.sha256(json.dumps([left.text, right.text, beside]).encode()).digest()
    return _kept.get(key, lambda: compare_texts(left, right, analysis))


def compare_texts(
    left: ComparableText, right: ComparableText, analysis: Mapping[str, Any] | None
) -> Comparison:
    pages = ReadHtml(render(left.text)), ReadHtml(render(right.text))
    found = differences(
        ComparedText(pages[0].passages, left.seat),
        ComparedText(pages[1].passages, right.seat),
        analysis,
    )
    marks = _marks(found)
    return Comparison(found, pages[0].marked("left", marks[0]), pages[1].marked("right", marks[1]))


def _analysis_for(
    state: RunState, left: ComparableText, right: ComparableText
) -> Mapping[str, Any] | None:
    """Of the fusion that gave one of them, else the latest. What an analysis says itself is not
    linked by it, and nobody read another run's texts beside these.
    """
    if "analysis" in (left.kind, right.kind) or left.is_other or right.is_other:
        return None
    numbers = [one.fusion for one in (left, right) if one.fusion is not None]
    numbers += sorted(state.fusions, reverse=True)
    found = (state.fusions[number].analysis for number in numbers)
    return next((analysis for analysis in found if analysis), None)


def _marks(
    found: Differences,
) -> tuple[Mapping[int, list[StatementMark]], Mapping[int, list[StatementMark]]]:
    sides: tuple[dict[int, list[StatementMark]], dict[int, list[StatementMark]]] = ({}, {})
    partners: tuple[defaultdict[int, list[int]], ...] = (defaultdict(list), defaultdict(list))
    words: tuple[dict[int, tuple[Span, ...]], ...] = ({}, {})
    grave: tuple[dict[int, tuple[Span, ...]], ...] = ({}, {})
    for pair in found.pairs:
        for side, (own, other) in enumerate(
            ((pair.left, pair.right), (pair.right, pair.left)),
        ):
            if other not in partners[side][own]:
                partners[side][own].append(other)
            if pair.kind == "words":
                words[side][own] = pair.right_words if side else pair.left_words
                grave[side][own] = pair.right_grave if side else pair.left_grave
    for side, (statements, states) in enumerate(
        ((found.left, found.left_states), (found.right, found.right_states))
    ):
        for number, (statement, state) in enumerate(zip(statements, states, strict=True)):
            mark = StatementMark(
                statement.start,
                statement.end,
                state,
                number,
                tuple(partners[side][number]),
                words[side].get(number, ()),
                grave[side].get(number, ()),
            )
            sides[side].setdefault(statement.passage, []).append(mark)
    return sides
