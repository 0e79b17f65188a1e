"""Was it worth it? What the fusion that is shown brought, and what it took, as the page says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..engine.findings import worth as engine
from ..engine.state import RunState, RunStatus, Step
from ..engine.usage import money
from . import figures
from .seats import SeatView

SHOWN = 6


@dataclass(frozen=True)
class New:
    """A passage the best single answer does not carry; no seats: the synthesizer's own."""

    text: str
    seats: list[SeatView]
    is_yours: bool = False


@dataclass(frozen=True)
class Worth:
    """`found` is what fusion did, `took` what it took; together one line."""

    best: SeatView
    found: str
    took: str
    took_and_cost: str
    new: list[New]
    more: int
    is_unread: bool  # the answer is too long to be looked through for what is new
    lacking: list[str]


def worth(state: RunState, columns: Sequence[SeatView]) -> Worth | None:
    """None where no fused answer stands beside single ones."""
    fusion = state.fusion
    if (
        fusion is None
        or fusion.best
        or fusion.way == "vote"
        or fusion.status is not RunStatus.COMPLETED
    ):
        return None
    best = engine.best_of(state, fusion)
    written = state.latest(Step.SYNTHESIS, fusion=fusion.number)
    if best is None or best.seat is None or written is None or not written.is_usable:
        return None
    by_letter = {column.letter: column for column in columns}
    new = engine.beyond(written.text, best.seat, state.letters_of(fusion.number))
    claims = [
        New(p.text, [by_letter[name] for name in p.letters if name in by_letter], p.is_yours)
        for p in new[:SHOWN]
    ]
    is_unread = len(written.text) > engine.LONGEST_READ
    analysis = fusion.analysis or {}
    column = next(column for column in columns if column.seat == best.seat)
    took = _took(column, engine.extra_seconds(state, fusion, best))
    return Worth(
        best=column,
        found=_found(engine.changed(state, fusion), engine.agreement(analysis)),
        took=f"{took}.",
        took_and_cost=f"{took} {_cost(engine.extra_cost(state, fusion, best))}.",
        new=claims,
        more=len(new) - len(claims),
        is_unread=is_unread,
        # Of what is put together it is known whose sentences it has.
        lacking=[]
        if claims or is_unread or written.is_by_words
        else engine.lacking(analysis, best.seat)[:SHOWN],
    )


def _found(changed: bool | None, agreement: engine.Agreement | None) -> str:
    sentences = []
    if changed is not None:
        sentences.append(f"Fusion {'changed' if changed else 'hardly changed'} the answer.")
    if agreement:
        points = figures.count_of(agreement.statements, "point")
        against = f", {agreement.contradictions} contradicted" if agreement.contradictions else ""
        sentences.append(
            f"Agreement is {agreement.level}: {agreement.shared} of {points} shared{against}."
        )
    return " ".join(sentences)


def _took(best: SeatView, seconds: float | None) -> str:
    if seconds is None:
        return f"How much longer it took than {best.letter} alone is not known"
    return f"It took {figures.seconds(seconds)} longer than {best.letter} alone"


def _cost(cost: Decimal | None) -> str:
    return "at a cost that is not known" if cost is None else f"and cost {money(cost)} more"
