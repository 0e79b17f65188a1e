"""What changed since the question was asked before: claims that are new, gone or turned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..engine.findings.changes import ClaimChange
from ..engine.spec import Spec
from ..engine.spec_versions import SpecUnreadable
from ..engine.state import RunState
from ..models import Run
from ..record.changed_since import CHANGE_WORDS, changed_since, said_by
from ..record.rows import state_from_rows
from . import figures

MOST_SHOWN = 12
# How many of each kind are counted as.
COUNTED = {
    "broke": "disputed now",
    "turned": "turned",
    "figures": "moved",
    "settled": "agreed now",
    "new": "new",
    "dropped": "gone",
}


@dataclass(frozen=True)
class SinceChange:
    word: str
    before: str
    now: str


@dataclass(frozen=True)
class SinceView:
    """`before`: the run that asked it first. `counted` in a few words, "" while there is nothing
    to compare; `lacks`: why nothing can be."""

    before: Run
    asked_at: datetime
    counted: str = ""
    changes: Sequence[SinceChange] = ()
    more: int = 0
    lacks: str = ""


def since(before: Run | None, spec: Spec, state: RunState, fusion: int | None) -> SinceView | None:
    if before is None:
        return None
    if not (state.status.is_final and state.has_answer(state.fusion)):
        return SinceView(before, before.created_at)
    try:
        earlier_spec, earlier_state = before.frozen_spec, state_from_rows(before)
    except SpecUnreadable as unreadable:
        return SinceView(before, before.created_at, lacks=str(unreadable))
    if not earlier_state.has_answer(earlier_state.fusion):
        lacks = "There was no fused answer then that this one could be compared with."
        return SinceView(before, before.created_at, lacks=lacks)
    found = changed_since(said_by(earlier_spec, earlier_state), said_by(spec, state, fusion))
    return SinceView(
        before,
        before.created_at,
        _counted(found),
        [SinceChange(CHANGE_WORDS[c.kind], c.before, c.now) for c in found[:MOST_SHOWN]],
        max(len(found) - MOST_SHOWN, 0),
    )


def _counted(found: Sequence[ClaimChange]) -> str:
    told = []
    for kind, word in COUNTED.items():
        if many := sum(one.kind == kind for one in found):
            what = figures.count_of(many, "figure") if kind == "figures" else str(many)
            told.append(f"{what} {word}")
    return ", ".join(told) or "nothing but words"
