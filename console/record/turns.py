"""Whose run is next, where more wait than there are places.

A ring for a run says only that somebody waits. Who takes a place looks here whose turn it is: the
person with the fewest runs going on, so that one who has asked a hundred keeps nobody waiting for
more than a place. Of two with as many, what a page waits for goes before what programs asked, and
that before an evaluation; then the oldest.
"""

from __future__ import annotations

import heapq
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, DateTimeField, Q, QuerySet
from django.utils import timezone

from ..engine.errors import Reason
from ..engine.state import RunStatus
from ..models import Run
from ..models.prepared import Placeholder, Prepared
from ..models.runs import Origin, is_unfinished

# Whose come first: people at the page, programs and the shell, evaluations.
RANKS: dict[str, int] = {Origin.PAGE: 0, Origin.EVALUATION: 2}
# A place further back than this is not counted out.
LOOKED_AT = 1000


@dataclass(frozen=True, order=True)
class WaitingRun:
    """In the order in which a person's own runs are taken."""

    rank: int
    created_at: datetime
    pk: uuid.UUID


def whose_turn(besides: Collection[str] = ()) -> uuid.UUID | None:
    """The run that whoever has a free place takes; None where none may be taken."""
    return next((pk for pk in _order() if str(pk) not in besides), None)


def note_place(run: Run) -> None:
    """For whoever tells it: `run.queue_place`. The first is 1; None of a run that does not wait, or
    waits far behind."""
    run.queue_place = _place_of(run)


def _place_of(run: Run) -> int | None:
    if run.status != RunStatus.QUEUED:
        return None
    for place, pk in enumerate(_order(capped=False), 1):
        if pk == run.pk:
            return place
        if place == LOOKED_AT:
            break
    return None


def next_of(owner_id: int | None) -> uuid.UUID | None:
    """A run of this person that waits only for one of their others to end."""
    if _going_on().get(owner_id, 0) != settings.RUNS_PER_PERSON - 1:
        return None
    return (
        _waiting(timezone.now())
        .filter(owner=owner_id)
        .order_by("created_at")
        .values_list("pk", flat=True)
        .first()
    )


def _order(*, capped: bool = True) -> Iterator[uuid.UUID]:
    """As they would be taken if nothing ended meanwhile."""
    going_on = _going_on()
    most = settings.RUNS_PER_PERSON if capped else None
    queues: dict[int | None, list[WaitingRun]] = defaultdict(list)
    for pk, owner, origin, created_at in _WAITING.rows(now=timezone.now()):
        rank = RANKS.get(origin, 1)
        heapq.heappush(queues[owner], WaitingRun(rank, created_at, pk))
    people = [(going_on.get(owner, 0), queue[0], owner) for owner, queue in queues.items()]
    heap = [(count, first, number) for number, (count, first, _) in enumerate(people)]
    heapq.heapify(heap)
    owners = [owner for _, _, owner in people]
    while heap:
        count, first, number = heapq.heappop(heap)
        if most and count >= most:
            continue
        yield first.pk
        queue = queues[owners[number]]
        heapq.heappop(queue)
        if queue:
            heapq.heappush(heap, (count + 1, queue[0], number))


def _waiting(now: datetime | Placeholder) -> QuerySet[Run]:
    # Those that only a newer version can read are left to its workers for a while (`leases`).
    left = Q(reason=Reason.NEEDS_NEWER_VERSION, rung_at__gt=now)
    queued = Run.objects.filter(is_unfinished(), status=RunStatus.QUEUED)
    return queued.filter(cancel_requested_at=None).exclude(left)


def _going_on() -> dict[int | None, int]:
    return dict(_RUNNING.rows())


_WAITING = Prepared(
    lambda: (
        _waiting(Placeholder("now", DateTimeField()))
        .order_by("created_at")
        .values_list("pk", "owner_id", "origin", "created_at")
    )
)
_RUNNING = Prepared(
    lambda: (
        Run.objects.filter(is_unfinished(), status=RunStatus.RUNNING)
        .order_by()
        .values_list("owner_id")
        .annotate(Count("pk"))
    )
)
