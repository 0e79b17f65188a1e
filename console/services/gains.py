"""What fusing has brought with each preset: how often the fused answer said something else than the
best single one, and what that one alone cost of the whole.

Of its last twenty runs, and of none that has fewer. Looked up now and then and kept: twenty runs
tell the same a few minutes later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db.models import Q

from ..engine.findings.best import best_answer
from ..engine.state import CallState, RunStatus, Step, seat_of
from ..models import Call, Fusion, Run
from ..models.runs import READ_ONLY, Origin

ENOUGH = 20
LOOKED_AT = 400  # runs, the newest of all presets
KEPT = 600  # seconds
_CACHE_KEY = "what-fusing-brought-1"


@dataclass(frozen=True)
class Gains:
    """`alone`: the best single answers' share of what the runs cost; None where a cost is not
    known, or nothing costs anything."""

    changed: int
    runs: int
    alone: float | None


def gains() -> Mapping[str, Gains]:
    """By the preset's slug."""
    known: Mapping[str, Gains] | None = cache.get(_CACHE_KEY)
    if known is None:
        known = _of_last_runs()
        cache.set(_CACHE_KEY, known, KEPT)
    return known


def _of_last_runs() -> dict[str, Gains]:
    ended = Run.objects.filter(status=RunStatus.COMPLETED)
    ended = ended.exclude(origin__in=[*READ_ONLY, Origin.EVALUATION]).order_by("-created_at")
    last: defaultdict[str, list[Any]] = defaultdict(list)
    for pk, preset in ended.values_list("pk", "preset")[:LOOKED_AT]:
        last[preset].append(pk)
    # Runs of a single model and those that ended with the panel fuse nothing: a few more are read.
    read = [pk for runs in last.values() if len(runs) >= ENOUGH for pk in runs]
    if not read:
        return {}
    fused: dict[Any, tuple[bool, Any, list[str]]] = {
        run: (bool(changed), analysis, judged)
        for run, changed, analysis, judged in Fusion.objects.filter(
            run__in=read, number=1, changed__isnull=False
        ).values_list("run_id", "changed", "analysis", "judged")
    }
    kept = {preset: [pk for pk in runs if pk in fused][:ENOUGH] for preset, runs in last.items()}
    kept = {preset: runs for preset, runs in kept.items() if len(runs) == ENOUGH}
    costs = _costs({pk for runs in kept.values() for pk in runs})
    return {
        preset: Gains(
            changed=sum(fused[pk][0] for pk in runs),
            runs=len(runs),
            alone=_alone((costs.get(pk, {}), *fused[pk][1:]) for pk in runs),
        )
        for preset, runs in kept.items()
    }


def _costs(runs: set[Any]) -> dict[Any, dict[str, Decimal | None]]:
    """Run -> key -> what the call cost, up to the first fusion."""
    found: defaultdict[Any, dict[str, Decimal | None]] = defaultdict(dict)
    calls = Call.objects.filter(run__in=runs, sent_at__isnull=False).exclude(
        Q(step=Step.POLL) | Q(step=Step.LOOKUP, cause="asked")
    )
    rows = calls.values_list("run_id", "key", "cost", "fusion__number")
    for run, key, cost, fusion in rows:
        if (fusion or 1) == 1:
            found[run][key] = cost
    return found


def _alone(runs: Iterable[tuple[Mapping[str, Decimal | None], Any, list[str]]]) -> float | None:
    best, whole = Decimal(0), Decimal(0)
    for costs, analysis, judged in runs:
        known = [cost for cost in costs.values() if cost is not None]
        chosen = costs.get(_best(analysis, judged))
        if chosen is None or len(known) < len(costs):
            return None
        best += chosen
        whole += sum(known, Decimal(0))
    return float(best / whole) if whole else None


def _best(analysis: Any, judged: list[str]) -> str:
    """The key of the best single answer, as it is found where it is shown."""
    answers = {seat: CallState(key, Step.PANEL, 1, "", {}) for key in judged
               if (seat := seat_of(key)) is not None}  # fmt: skip
    return best_answer(analysis, answers).key if answers else ""
