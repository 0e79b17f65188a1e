"""Where a run stands, in one line: the four steps, whatever runs, and what it took altogether."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace

from ..engine.findings.doubtful import looked_up_before
from ..engine.spec import Spec
from ..engine.state import CallState, CallStatus, RunState, Step
from ..engine.usage import Usage, money
from . import figures


@dataclass(frozen=True)
class Phase:
    """`state` is waiting, running, done, failed, skipped or absent; `since` while seconds run."""

    name: str
    state: str
    what: str = ""
    seconds: str = ""
    since: float | None = None
    tokens: str = ""
    cost: str = ""


# Of a run for which nothing is looked up.
NO_SOURCES = Phase("Sources", "absent", "no sources")


def phases(spec: Spec, state: RunState, sources: Phase | None = None) -> list[Phase]:
    """`sources`: the first of them, where something is looked up."""
    size = len(spec.panel)
    answers = [state.latest(Step.PANEL, seat=i) for i in range(size)]
    usable = sum(1 for call in answers if call and call.is_usable)
    analysed = bool(state.fusion and state.fusion.analysis is not None)
    written = state.has_answer(state.fusion) and not (state.fusion and state.fusion.best)
    return [
        sources or NO_SOURCES,
        _phase("Answers", {Step.PANEL}, state, f"{usable} of {size}", usable > 0),
        _looking_up(_phase("Analysis", {Step.CONDENSE, Step.ANALYSIS}, state, "", analysed), state),
        _phase("Fused answer", {Step.SYNTHESIS}, state, "", written),
    ]


def total(state: RunState) -> Phase:
    billed = any(call.was_billable for call in state.calls.values())
    return Phase(
        name="Total",
        state="running" if not state.status.is_final else "done",
        seconds=figures.seconds(state.seconds),
        since=None if state.status.is_final else _since(state),
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
    running, was_asked = bool(under_way), any(not call.is_brought for call in calls)
    starts = [c.started_at for c in under_way if c.started_at is not None]
    started = min(starts, default=None)
    return Phase(
        name=name,
        state=_state(state, calls, running, succeeded),
        what=(f"{what} in" if running else what) if calls and what else "",
        seconds="" if running or not was_asked else figures.seconds(_busy(calls)),
        since=None if started is None else started - (_busy(calls, until=started) or 0),
        tokens=_unread(calls),
    )


def _looking_up(analysis: Phase, state: RunState) -> Phase:
    """While what is doubtful in it is looked up, which is a part of it."""
    looks = looked_up_before(state.research, state.fusion.number) if state.fusion else []
    under_way = [one for one in looks if not one.get("is_over")]
    if not looks or state.status.is_final and under_way:
        return analysis
    what = f"{len(looks) - len(under_way)} of {len(looks)} looked up"
    if not under_way:
        return replace(analysis, what=what)
    since = min(one["at"] for one in under_way)
    return replace(analysis, state="running", what=what, seconds="", since=since)


def is_under_way(state: RunState, call: CallState) -> bool:
    """Also while the next try of its place is waited for: that one is not the end."""
    if not call.status.is_final:
        return True
    if state.status.is_final or not (call.retry_at is not None or call.is_turn):
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


def _unread(calls: Sequence[CallState]) -> str:
    """What a judge is writing, about four characters a token: whoever writes where it can be read
    has its own figure beside the text."""
    unread = [c for c in calls if c.step is Step.ANALYSIS and not c.status.is_final]
    written = sum(len(c.text) for c in unread)
    counted = sum((c.usage for c in calls), Usage()).output_tokens or 0
    return figures.estimated_tokens(written, counted) if written else ""
