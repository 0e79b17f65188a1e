"""The form of another fusion: what is already ruled and added, and what it will cost and take."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..engine.findings.ruling import NONE_OF_THESE, RIGHT, STANCE, WRONG, claim_by_words
from ..engine.findings.votes import votes
from ..engine.spec import Panelist, Spec, short_name
from ..engine.state import FusionState, RunState
from ..services.expected import Expected, Prices, expected_fusion, expected_rewrite
from ..services.habits import habits
from . import figures
from .fusions import Askable, askable

FORMS = {
    "table": "as a table against these criteria",
    "short": "short",
    "memo": "decision memo",
}


@dataclass(frozen=True)
class KeptRuling:
    """One that was made on an earlier fusion. `value` is how the form names it, `claim` where the
    map that is shown has it, too."""

    value: str
    claim: str
    on: int
    mark: str
    text: str
    says: str
    note: str


@dataclass(frozen=True)
class AgainView:
    """`on`: the fusion whose analysis is ruled on, 0 for none. `label` is the button's while
    nothing new is ruled (`static/console/run/ruling.js` counts what is), `keeps` what was ruled
    and added before. `anew` is what judge and writer cost, `ruled` what the writer alone does.
    `is_whole`: with all that can be changed, which is left out while the run goes on and nobody
    has asked for it."""

    on: int
    latest: int
    label: str
    keeps: str
    price: str
    anew: str
    ruled: str
    judge: str
    writer: str
    writes: str
    criteria: str
    facts: list[str] = field(default_factory=list)
    kept: list[KeptRuling] = field(default_factory=list)
    seats: list[tuple[Askable, bool]] = field(default_factory=list)
    can_vote: bool = False
    has_analysis: bool = False
    is_asked_for: bool = False
    is_whole: bool = True


def again(
    spec: Spec,
    state: RunState,
    prompt: str,
    shown: int | None = None,
    *,
    is_asked_for: bool = False,
    prices: Prices | None = None,
) -> AgainView:
    base = _base(state, shown)
    before = state.fusion.wish if state.fusion else {}
    kept = [_kept(base, ruling) for ruling in before.get("rulings", [])]
    facts = before.get("facts", [])
    answers = {i: c for i in range(len(spec.panel)) if (c := state.answer(i))}
    judged = base.judged if base else []
    judge = Panelist.from_dict(base.judge) if base and base.judge else spec.judge
    writer = Panelist.from_dict(base.synthesizer) if base and base.synthesizer else spec.writer
    anew, ruled = _prices(spec, state, prompt, judge, writer, prices) if answers else ("", "")
    return AgainView(
        on=base.number if base else 0,
        latest=max(state.fusions, default=0),
        label="Fuse again" if state.fusions else "Fuse",
        keeps=keeps(len(kept), len(facts)),
        price=ruled if kept or facts else anew,
        anew=anew,
        ruled=ruled,
        judge=short_name(judge.model),
        writer=short_name(writer.model),
        writes=_writes(writer),
        criteria=base.criteria if base else spec.criteria,
        facts=facts,
        kept=kept,
        seats=[
            (seat, not judged or answers[seat.seat].key in judged)
            for seat in askable(spec, state)
            if seat.has_answer
        ],
        can_vote=votes({i: c.text for i, c in answers.items()}) is not None,
        has_analysis=bool(base and base.analysis),
        is_asked_for=is_asked_for,
        is_whole=is_asked_for or state.status.is_final,
    )


def _writes(writer: Panelist) -> str:
    """Who cannot judge is not asked to write either: words stand in."""
    return f"{short_name(writer.model)} writes" if writer.can_judge else "Put together by words"


def keeps(rulings: int, facts: int) -> str:
    counted = [figures.count_of(rulings, "ruling")] if rulings else []
    counted += [figures.count_of(facts, "fact")] if facts else []
    return f"Keeps {' and '.join(counted)}" if counted else ""


def _base(state: RunState, shown: int | None) -> FusionState | None:
    """The fusion that is shown, or where it has no analysis the latest that has one."""
    if shown in state.fusions and state.fusions[shown or 0].analysis:
        return state.fusions[shown or 0]
    order: Iterable[FusionState] = (f for _, f in sorted(state.fusions.items(), reverse=True))
    return next((fusion for fusion in order if fusion.analysis), state.fusion)


def _prices(
    spec: Spec,
    state: RunState,
    prompt: str,
    judge: Panelist,
    writer: Panelist,
    prices: Prices | None,
) -> tuple[str, str]:
    prices = prices or Prices(judge, writer)
    ask = partial(expected_fusion, judge=judge)
    costs: list[Expected] = [
        price(spec, state, prompt, habits(), writer=writer, prices=prices)
        for price in (ask, expected_rewrite)
    ]
    return costs[0].words, costs[1].words


def _kept(base: FusionState | None, ruling: dict[str, Any]) -> KeptRuling:
    verdict = ruling.get("verdict", "")
    says = {RIGHT: "right", WRONG: "wrong", NONE_OF_THESE: "none of these", "": ""}.get(verdict, "")
    if verdict.startswith(STANCE):
        number = int(verdict.removeprefix(STANCE))
        # Of a document that was brought in there may be fewer than it speaks of.
        says = next(iter(ruling.get("stances", [])[number - 1 : number]), "")
    return KeptRuling(
        value=f"{ruling['on']}:{ruling['claim']}",
        claim=claim_by_words(base.analysis, ruling["text"]) if base and base.analysis else "",
        on=ruling["on"],
        mark={WRONG: "✕", NONE_OF_THESE: "✕", "": "✎"}.get(verdict, "✓"),
        text=ruling["text"],
        says=says,
        note=ruling.get("note", ""),
    )
