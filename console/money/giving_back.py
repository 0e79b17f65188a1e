"""Holds that nobody will settle: of a worker that was lost, of a run that is gone.

They are settled at what their calls' rows show, marked estimated, and the rest comes back. A worker
that returns after all corrects it with what its calls cost. One whose lease has just run out may
only be slow, with its calls under way: it counts as lost when another has taken the run up, and
where nobody does, after one lease more.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from ..engine.state import RunStatus
from ..models import Call, Hold
from ..record.rows import call_state
from .asking import Payer
from .book import book
from .ending import End, end_of

AT_A_TIME = 500


def give_back() -> int:
    """How many were settled."""
    late = timezone.now() - timedelta(seconds=settings.LEASE_SECONDS)
    is_last = Q(attempt=F("run__attempt"))
    alive = is_last & Q(run__status=RunStatus.RUNNING, run__lease_until__gte=late)
    left = Hold.objects.filter(settled_nano=None).filter(Q(run=None) | ~alive)
    keys: dict[Any, list[str]] = {}
    for run_id, key in left.values_list("run_id", "call")[:AT_A_TIME]:
        keys.setdefault(run_id, []).append(key)
    for run_id, calls in keys.items():
        settle(run_id, calls)
    return sum(map(len, keys.values()))


def settle(run_id: Any, keys: list[str]) -> None:
    rows = {row.key: row for row in Call.objects.filter(run_id=run_id, key__in=keys)}
    ends = [end_of(call_state(rows[k])) if k in rows else End(k, None, None, 0) for k in keys]
    with transaction.atomic():
        book(Payer(run_id, None, None), 0, (), ends)
