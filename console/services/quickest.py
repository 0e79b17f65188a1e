"""The quickest seats that were seen here: what OpenRouter calls a fast panel, of models that this
site has asked and has credentials for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from statistics import median
from typing import Any

from django.db.models import Q
from django.utils import timezone

from ..catalog.names import ModelAt
from ..engine.state import CallStatus, Step
from ..models import Call, Credential
from ..models.runs import READ_ONLY
from .policy import OF_JUDGING
from .wish import SeatWish, Wish

SEATS = 3
# What is older says little of today's servers; of what is newer this much is looked at.
WITHIN = timedelta(days=30)
CALLS = 1000
# Of all kinds, the newest: those wanted are not looked for further back.
LOOKED_AT = 10_000
FAST = "fast"


def quickest_seats() -> list[ModelAt]:
    """Models by how long their whole answers took on panels, the quickest first. The built-in
    one, which shares this machine, only where there is no other."""
    ready = {c.slug: c for c in Credential.objects.all() if c.is_ready}
    took: defaultdict[ModelAt, list[float]] = defaultdict(list)
    for panelist, seconds in _answers():
        credential = ready.get(panelist.get("credential", ""))
        if credential and panelist.get("model"):
            took[ModelAt(credential, panelist["model"])].append(seconds)
    seats = sorted(took, key=lambda seat: (seat.credential.is_local, median(took[seat])))
    return [s for s in seats if s.credential.is_local == seats[0].credential.is_local]


def fast_wish(base: Wish) -> Wish:
    """`base` with the quickest seats for its panel; its own fill what is not known here, and
    where nothing is, it stays as it is."""
    quickest = quickest_seats()[:SEATS]
    if not quickest:
        return base
    own = [s for s in base.panel if isinstance(s, SeatWish) and s.model not in quickest]
    return replace(
        base,
        panel=[*map(SeatWish, quickest), *own][:SEATS],
        # What its judge and synthesizer may write goes with them.
        limits={name: base.limits[name] for name in OF_JUDGING if name in base.limits},
        preset=FAST,
        preset_name="Fast",
    )


def _answers() -> Iterator[tuple[dict[str, Any], float]]:
    """(panelist, how many seconds it took) of whole answers on panels, the newest first."""
    last = Call.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    panels = Call.objects.filter(
        pk__gt=last - LOOKED_AT,
        step=Step.PANEL,
        status=CallStatus.COMPLETED,
        goes_on={},
        sent_at__gt=timezone.now() - WITHIN,
    ).exclude(Q(run__preset="direct") | Q(run__origin__in=READ_ONLY))
    newest = panels.order_by("-id").values_list("panelist", "sent_at", "finished_at")[:CALLS]
    for panelist, sent_at, finished_at in newest:
        if sent_at and finished_at:
            yield panelist, (finished_at - sent_at).total_seconds()
