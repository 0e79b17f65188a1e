"""What calls used here, and whole runs: all that the site's last calls tell of those to come.

Read once a minute and process, and of so many calls only, however many there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from statistics import mean, median, quantiles
from typing import Any, NamedTuple

from django.core.cache import cache

from ..engine.spec import Panelist, Spec
from ..engine.state import CallStatus, RunStatus, Step
from ..engine.usage import Usage
from ..models import Call
from ..models.runs import READ_ONLY

RECENT = 1000  # calls of all models that are looked at
SAMPLES = 20  # of one model in one step, and runs of the same models: the latest
ENOUGH = 3
KEPT = 60  # seconds; what so many calls used changes little within
_CACHE_KEY = "what-calls-used-2"


@dataclass(frozen=True)
class Used:
    """What calls used: tokens out, the lower and the upper quarter's edge, and seconds. `text` is
    what of it others read, without thoughts; None: nobody said how much of it was thought."""

    low: int
    high: int
    seconds: float
    text: int | None = None


Habits = Mapping[tuple[str, str, str], Used]  # (step, credential, model) -> Used

# Who was asked at first, each with the step and with how hard it was to think.
People = tuple[tuple[str, str, str, str], ...]


class PastCall(NamedTuple):
    step: str
    credential: str
    model: str
    usage: Usage


@dataclass(frozen=True)
class PastRun:
    """What a run used up to its first fusion, whoever was asked. `asked`: tokens of its prompt,
    as the panel's servers counted them."""

    asked: int
    calls: tuple[PastCall, ...]
    seconds: float


@dataclass(frozen=True)
class History:
    habits: Habits = field(default_factory=dict)
    runs: Mapping[People, Sequence[PastRun]] = field(default_factory=dict)


class _Row(NamedTuple):
    run: object
    status_of_run: str
    fusion: int | None
    step: str
    number: int
    status: str
    credential: str | None
    model: str | None
    effort: str | None
    tokens_in: int | None
    tokens_out: int | None
    cached: int | None
    thoughts: int | None
    sent: datetime
    ended: datetime | None
    goes_on: dict[str, Any]  # it was no answer, but asked for tools


_COLUMNS = (
    *("run_id", "run__status", "fusion__number", "step", "number", "status"),
    *("panelist__credential", "panelist__model", "panelist__reasoning_effort"),
    *("usage__input_tokens", "usage__output_tokens", "usage__cached_tokens"),
    *("usage__reasoning_tokens", "sent_at", "finished_at", "goes_on"),
)


def history() -> History:
    known: History | None = cache.get(_CACHE_KEY)
    if known is None:
        known = of_recent_calls()
        cache.set(_CACHE_KEY, known, KEPT)
    return known


def habits() -> Habits:
    return history().habits


def people_of(spec: Spec) -> People:
    """Whom a run of this spec asks at first."""
    asked = [(Step.PANEL, spec.panel[seat]) for seat in spec.asked]
    if len(spec.panel) > 1 and spec.stop_after != "panel":
        asked.append((Step.ANALYSIS, spec.judge))
    if not spec.stop_after:
        asked.append((Step.SYNTHESIS, spec.writer))
    return _people((step, who) for step, who in asked if step is Step.PANEL or who.can_judge)


def _people(asked: Iterable[tuple[Step, Panelist]]) -> People:
    return tuple(sorted((s, p.credential, p.model, p.reasoning_effort or "") for s, p in asked))


def of_recent_calls() -> History:
    sent = Call.objects.filter(sent_at__isnull=False).exclude(run__origin__in=READ_ONLY)
    rows = [_Row(*row) for row in sent.order_by("-pk").values_list(*_COLUMNS)[:RECENT]]
    return History(_habits(rows), _runs(rows, is_cut=len(rows) == RECENT))


def _habits(rows: Iterable[_Row]) -> Habits:
    seen: defaultdict[tuple[str, str, str], list[_Row]] = defaultdict(list)
    for row in rows:
        who = (row.step, str(row.credential), str(row.model))
        is_whole = row.status == CallStatus.COMPLETED and bool(row.ended) and not row.goes_on
        if is_whole and isinstance(row.tokens_out, int) and len(seen[who]) < SAMPLES:
            seen[who].append(row)
    return {who: _used(calls) for who, calls in seen.items() if len(calls) >= ENOUGH}


def _used(calls: Sequence[_Row]) -> Used:
    low, _, high = quantiles([c.tokens_out or 0 for c in calls], n=4, method="inclusive")
    texts = [(c.tokens_out or 0) - c.thoughts for c in calls if c.thoughts is not None]
    seconds = median((c.ended - c.sent).total_seconds() for c in calls if c.ended)
    return Used(round(low), round(high), max(0.0, seconds), round(median(texts)) if texts else None)


def _runs(rows: Iterable[_Row], *, is_cut: bool) -> dict[People, list[PastRun]]:
    calls: defaultdict[object, list[_Row]] = defaultdict(list)
    for row in rows:
        calls[row.run].append(row)
    if is_cut:
        calls.popitem()  # of the oldest some calls may lie beyond
    past: defaultdict[People, list[PastRun]] = defaultdict(list)
    for of_run in calls.values():
        first = [row for row in of_run if (row.fusion or 1) == 1]
        people = _asked_at_first(first)
        if of_run[0].status_of_run == RunStatus.COMPLETED and len(past[people]) < SAMPLES:
            past[people] += _past(first)
    return {people: runs for people, runs in past.items() if len(runs) >= ENOUGH}


def _asked_at_first(rows: Iterable[_Row]) -> People:
    steps = (Step.PANEL, Step.ANALYSIS, Step.SYNTHESIS)
    firsts = (row for row in rows if row.number == 1 and row.step in steps)
    return tuple(sorted((r.step, str(r.credential), str(r.model), r.effort or "") for r in firsts))


def _past(rows: Sequence[_Row]) -> list[PastRun]:
    """None where a server did not count: what the run cost is not known."""
    asked = [r.tokens_in for r in rows if r.step == Step.PANEL and r.tokens_in is not None]
    if not asked or any(r.tokens_in is None or r.tokens_out is None or not r.ended for r in rows):
        return []
    calls = tuple(
        PastCall(
            r.step,
            str(r.credential),
            str(r.model),
            Usage(r.tokens_in, r.tokens_out, r.cached, r.thoughts),
        )
        for r in rows
        if not r.goes_on
    )
    ended = max(r.ended for r in rows if r.ended)
    seconds = (ended - min(r.sent for r in rows)).total_seconds()
    return [PastRun(round(mean(asked)), calls, max(0.0, seconds))]
