"""Was it worth it? What the fusion that is shown brought, and what it took, as the page says it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Worth:
    best: SeatView
    changed: bool | None
    agreement: engine.Agreement | None
    new: list[New]
    more: int
    lacking: list[str]
    seconds: str
    cost: str


def worth(state: RunState, columns: Sequence[SeatView]) -> Worth | None:
    """None where no fused answer stands beside single ones."""
    fusion = state.fusion
    if fusion is None or fusion.best or fusion.status is not RunStatus.COMPLETED:
        return None
    best = engine.best_of(state, fusion)
    written = state.latest(Step.SYNTHESIS, fusion=fusion.number)
    if best is None or best.seat is None or written is None or not written.is_usable:
        return None
    by_letter = {column.letter: column for column in columns}
    claims = [
        New(p.text, [by_letter[name] for name in p.letters if name in by_letter])
        for p in engine.beyond(written.text, best.seat, state.letters_of(fusion.number))
    ]
    analysis = fusion.analysis or {}
    return Worth(
        best=next(column for column in columns if column.seat == best.seat),
        changed=engine.changed(state, fusion),
        agreement=engine.agreement(analysis),
        new=claims[:SHOWN],
        more=max(0, len(claims) - SHOWN),
        lacking=engine.lacking(analysis, best.seat)[:SHOWN] if not claims else [],
        seconds=figures.seconds(engine.extra_seconds(state, fusion, best)),
        cost=money(engine.extra_cost(state, fusion, best)),
    )
