"""What calls of the last month have shown of each model here: how fast it writes, and how often it
failed. Of the newest calls alone, so that it costs the same on a site of any age."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from statistics import median

from django.core.cache import cache
from django.utils import timezone

from ..engine.state import CallStatus, Step
from ..models import Call

WITHIN = timedelta(days=30)
LOOKED_AT = 1000  # calls
KEPT = 300  # seconds
SHORTEST = 0.05  # a burst of a few milliseconds says nothing of how fast it writes
_CACHE_KEY = "models-seen-here-1"

Who = tuple[str, str]  # credential's slug, model


@dataclass
class SeenHere:
    """`calls` that have ended; tokens a second, of those that told."""

    calls: int = 0
    failed: int = 0
    rates: list[float] = field(default_factory=list)

    @property
    def speed(self) -> int | None:
        return round(median(self.rates)) if self.rates else None


def seen_here() -> dict[Who, SeenHere]:
    ended = Call.objects.filter(
        step=Step.PANEL,
        status__in=(CallStatus.COMPLETED, CallStatus.FAILED),
        started_at__gt=timezone.now() - WITHIN,
    ).order_by("-started_at")
    found: defaultdict[Who, SeenHere] = defaultdict(SeenHere)
    columns = ("panelist", "status", "usage", "first_token_at", "finished_at")
    for panelist, status, usage, first, last in ended.values_list(*columns)[:LOOKED_AT]:
        seen = found[panelist.get("credential", ""), panelist.get("model", "")]
        seen.calls += 1
        seen.failed += status == CallStatus.FAILED
        tokens = (usage or {}).get("output_tokens")
        wrote = (last - first).total_seconds() if first and last else 0.0
        if status == CallStatus.COMPLETED and tokens and wrote >= SHORTEST:
            seen.rates.append(tokens / wrote)
    return dict(found)


def seen_lately() -> Mapping[str, tuple[int | None, int, int]]:
    """credential:model -> (tokens a second, calls, those that failed), as of a few minutes ago."""
    known: Mapping[str, tuple[int | None, int, int]] | None = cache.get(_CACHE_KEY)
    if known is None:
        known = {
            f"{key}:{model}": (seen.speed, seen.calls, seen.failed)
            for (key, model), seen in seen_here().items()
        }
        cache.set(_CACHE_KEY, known, KEPT)
    return known
