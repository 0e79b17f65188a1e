"""What changed between two runs of one question, made once for everybody who asks."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db.models import QuerySet

from ..engine.findings.changes import ChangeKind, ClaimChange, SaidByRun, changes
from ..engine.findings.given import given
from ..engine.findings.provenance import plain
from ..engine.spec import Spec
from ..engine.state import RunState
from ..markdown import render
from ..markdown.marking import ReadHtml
from ..models import Run
from .kept import KeptValues

# Characters of all that are kept.
KEPT = 4_000_000
# How a change is called beside its words.
CHANGE_WORDS: dict[ChangeKind, str] = {
    "broke": "disputed",
    "turned": "turned",
    "figures": "figure",
    "settled": "agreed",
    "new": "new",
    "dropped": "gone",
}
_kept: KeptValues[list[ClaimChange]] = KeptValues(
    KEPT, lambda made: 100 + sum(len(one.before) + len(one.now) for one in made)
)


def earlier(run: Run, readable: QuerySet[Run]) -> Run | None:
    """The run whose question it asks again, as far as one may read it."""
    if run.again_of_id is None:
        return None
    return readable.filter(pk=run.again_of_id).first()


def said_by(spec: Spec, state: RunState, fusion: int | None = None) -> SaidByRun:
    """By its latest fusion, or that of this number."""
    numbers = sorted(state.fusions, reverse=True) if fusion is None else [fusion]
    shown = [state.fusions[number] for number in numbers]
    analysis: dict[str, Any] | None = next((f.analysis for f in shown if f.analysis), None)
    texts = (given(state, one) for one in shown)
    fused = next((plain(text.text) for text in texts if text and text.text), "")
    calls = [state.answer(seat) for seat in range(len(spec.panel))]
    return SaidByRun(analysis, tuple(call.text for call in calls if call), fused)


def changed_since(before: SaidByRun, after: SaidByRun) -> list[ClaimChange]:
    """It takes a processor's time, so nobody asks it in a loop that others wait for."""
    both = [[one.analysis, one.answers, one.fused] for one in (before, after)]
    key = hashlib.sha256(json.dumps(both).encode()).digest()

    def made() -> list[ClaimChange]:
        if before.analysis and after.analysis:
            return changes(before, after)
        # Its sentences stand for claims, as they are read.
        return changes(*(SaidByRun(None, one.answers, _read(one.fused)) for one in (before, after)))

    return _kept.get(key, made)


def _read(text: str) -> str:
    return "\n".join(passage.text for passage in ReadHtml(render(text)).passages)
