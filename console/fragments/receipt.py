"""What every call used and cost, and what they come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..engine.pool import costs, searches
from ..engine.spec import Panelist, Spec
from ..engine.state import CallState, RunState, Step
from ..engine.usage import UNKNOWN, money
from ..money.receipt import ORDER
from . import figures
from .seats import SeatView

# Who is asked, in the page's words.
_CALLED = {Step.ANALYSIS: "judge", Step.SYNTHESIS: "writer"}


@dataclass(frozen=True)
class Line:
    step: str
    seat: SeatView | None
    model: str
    tokens_in: str
    tokens_out: str
    cost: str
    is_estimated: bool
    note: str
    is_taken: bool = False
    taken_from: str = ""  # the run that paid for it, for who may be told of it


@dataclass(frozen=True)
class ReceiptView:
    lines: list[Line]
    tokens_in: str
    tokens_out: str
    total: str
    is_partial: bool
    has_estimates: bool
    has_odd_totals: bool


def receipt(
    spec: Spec, state: RunState, columns: Sequence[SeatView], *, names_runs: bool = True
) -> ReceiptView:
    order = {step: n for n, step in enumerate(ORDER)}
    calls = sorted(state.calls.values(), key=lambda c: (order[c.step], c.seat or 0, c.number))
    names = spec.seat_names()
    lines = _searches(state)
    lines += [
        _line(call, columns, _name(spec, names, call), names_runs=names_runs)
        for call in calls
        if call.status.is_final and not (call.is_by_words or call.is_brought)
    ]
    cost, partial = state.cost()
    usage = state.usage()
    return ReceiptView(
        lines=lines,
        tokens_in=_count(usage.input_tokens),
        tokens_out=_count(usage.output_tokens),
        total=money(cost, partial),
        is_partial=partial,
        has_estimates=any(line.is_estimated for line in lines),
        has_odd_totals=any(call.usage.reported_total for call in calls),
    )


def _searches(state: RunState) -> list[Line]:
    """Of the engine that looked things up for all, where that is paid for."""
    if not (paid := costs(state.research)):
        return []
    number = "1 search" if len(paid) == 1 else f"{len(paid)} searches"
    name = searches(state.research)[-1]["engine"]
    return [Line("web", None, name, UNKNOWN, UNKNOWN, money(sum(paid)), True, number)]


def _name(spec: Spec, names: Sequence[str], call: CallState) -> str:
    """Who was asked by this very call: a seat's earlier one may have been another."""
    asked = Panelist.from_dict(call.panelist)
    seat = call.seat if call.step is Step.PANEL else None
    if seat is None or asked.model != spec.panel[seat].model:
        return asked.short_name
    return names[seat]


def _line(call: CallState, columns: Sequence[SeatView], name: str, *, names_runs: bool) -> Line:
    seat = columns[call.seat] if call.seat is not None else None
    return Line(
        step=_CALLED.get(call.step, call.step.value),
        seat=seat,
        model=name,
        tokens_in=_count(call.usage.input_tokens),
        tokens_out=_count(call.usage.output_tokens),
        cost=money(call.charged),
        is_estimated=figures.is_estimated(call),
        note=_note(call),
        is_taken=bool(call.taken_from),
        taken_from=call.taken_from.partition("/")[0] if names_runs else "",
    )


def _note(call: CallState) -> str:
    notes = [_DONE.get(call.step, ""), "looked up" if call.is_turn else ""]
    if call.reason:
        notes.append("failed" if call.status == "failed" else "stopped")
    if total := call.usage.reported_total:
        notes.append(f"the total differs: {total:,}")
    return ", ".join(filter(None, notes))


# What a call was for, where its line does not tell: it is headed by a seat's letter.
_DONE = {Step.CONDENSE: "condensed", Step.POLL: "poll", Step.LOOKUP: "claim looked up"}


def _count(number: int | None) -> str:
    return UNKNOWN if number is None else f"{number:,}"
