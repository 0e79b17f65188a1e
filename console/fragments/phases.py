"""The phase line: panel, analysis, synthesis, total, moving from left to right."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from dataclasses import dataclass

from ..engine.spec import Spec
from ..engine.state import CallState, CallStatus, RunState, Step
from ..engine.usage import Usage, money, total_cost
from . import figures


@dataclass(frozen=True)
class Phase:
    """`state` is waiting, running, done, failed or skipped; `since` while seconds run."""

    name: str
    state: str
    what: str
    seconds: str
    since: float | None
    tokens: str
    cost: str


def phases(spec: Spec, state: RunState) -> list[Phase]:
    size = len(spec.panel)
    answers = [state.latest(Step.PANEL, seat=i) for i in range(size)]
    usable = sum(1 for call in answers if call and call.is_usable)
    analysed = bool(state.fusion and state.fusion.analysis is not None)
    written = state.has_answer(state.fusion) and not (state.fusion and state.fusion.best)
    return [
        _phase("Panel", {Step.PANEL}, state, f"{usable} of {size}", usable > 0),
        _phase("Analysis", {Step.CONDENSE, Step.ANALYSIS}, state, "", analysed),
        _phase("Synthesis", {Step.SYNTHESIS}, state, "", written),
    ]


def total(state: RunState) -> Phase:
    billed = any(call.was_billable for call in state.calls.values())
    return Phase(
        name="Total",
        state="running" if not state.status.is_final else "done",
        what="",
        seconds=figures.seconds(state.seconds),
        since=None if state.status.is_final else _since(state),
        tokens=_output(state.usage()),
        # Before anything can have been charged there is nothing unknown either.
        cost=money(*state.cost()) if billed or state.status.is_final else "",
    )


def _since(state: RunState) -> float | None:
    """As if it had never lain finished, so that its seconds go on from where they ended."""
    return None if state.started_at is None else state.started_at + state.idle_seconds


def _phase(name: str, steps: Set[Step], state: RunState, what: str, succeeded: bool) -> Phase:
    shown = (None, state.fusion.number if state.fusion else None)
    calls = [c for c in state.calls.values() if c.step in steps and c.fusion in shown]
    under_way = [c for c in calls if is_under_way(state, c)]
    running = bool(under_way)
    starts = [c.started_at for c in under_way if c.started_at is not None]
    started = min(starts, default=None)
    billed = [c.charged for c in calls if c.was_billable]
    return Phase(
        name=name,
        state=_state(state, calls, running, succeeded),
        what=what if calls else "",
        seconds="" if running or not calls else figures.seconds(_busy(calls)),
        since=None if started is None else started - (_busy(calls, until=started) or 0),
        tokens=_tokens(calls),
        cost=money(*known) if (known := total_cost(billed))[0] is not None else "",
    )


def is_under_way(state: RunState, call: CallState) -> bool:
    """Also while the next try of its place is waited for: that one is not the end."""
    if not call.status.is_final:
        return True
    if call.retry_at is None or state.status.is_final:
        return False
    return call is state.latest(call.step, seat=call.seat, fusion=call.fusion)


def _busy(calls: Sequence[CallState], until: float = math.inf) -> float | None:
    """Seconds in which one of them was under way or waited for. Between an answer and its
    seat asked again may lie days."""
    seconds, last = None, -math.inf
    for call in sorted(calls, key=lambda c: c.started_at or 0):
        if call.started_at is None or call.finished_at is None:
            continue
        end = min(max(call.finished_at, call.retry_at or 0), until)
        seconds = (seconds or 0) + max(0, end - max(call.started_at, last))
        last = max(last, end)
    return seconds


def _state(run: RunState, calls: Sequence[CallState], running: bool, succeeded: bool) -> str:
    if running:
        return "running"
    if succeeded:
        return "done"
    if not calls:
        return "skipped" if run.status.is_final else "waiting"
    return "failed" if any(c.status is CallStatus.FAILED for c in calls) else "skipped"


def _tokens(calls: Sequence[CallState]) -> str:
    """As reported; with what a judge is writing, about four characters a token."""
    usage = sum((c.usage for c in calls), Usage())
    # Whoever writes where it can be read has its own figure beside the text.
    unread = [c for c in calls if c.step is Step.ANALYSIS and not c.status.is_final]
    written = sum(len(c.text) for c in unread)
    if not written:
        return _output(usage)
    return figures.estimated_tokens(written, usage.output_tokens or 0)


def _output(usage: Usage) -> str:
    return "" if usage.output_tokens is None else figures.tokens(usage.output_tokens)
