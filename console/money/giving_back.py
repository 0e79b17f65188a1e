"""Holds that nobody will settle: of a worker that was lost, of a run that is gone.

They are settled at what their calls' rows show, marked estimated, and the rest comes back. A worker
that returns after all corrects it with what its calls cost.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q
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
    now = timezone.now()
    alive = Q(run__status=RunStatus.RUNNING, run__lease_until__gte=now)
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
