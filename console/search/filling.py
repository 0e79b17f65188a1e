"""What was stored before it could be found is read into the index by workers, the newest first, a
few runs at a time: one row says how far, and who claims it takes the next step. So is what has a
word in the index that means nothing any more.
"""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from ..models import Run, SearchFill, SearchStale
from ..record.newest import Bookmark
from . import on_postgres, on_sqlite
from .entries import index
from .sought import Sought

AT_ONCE = 20
CLAIM = timedelta(seconds=60)


def is_filling() -> bool:
    """Whether something is not found yet that was asked before."""
    return SearchFill.objects.filter(is_done=False).exists()


def claim_fill() -> bool:
    """Whether there is something to do that nobody else does."""
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    waits = SearchFill.objects.filter(free, is_done=False)
    if not waits.exists():  # as nearly always: nothing is written
        return False
    return bool(waits.update(claimed_until=now + CLAIM))


def fill() -> int:
    """One step of whoever has claimed it; how many runs it was about."""
    with transaction.atomic():
        told = SearchFill.objects.first()
        if told is None or told.is_done:
            return 0
        runs = Run.objects.order_by("-created_at", "-pk").only("created_at")
        if told.position:
            runs = runs.filter(Bookmark.read(told.position).older)
        step = [*runs[:AT_ONCE]]
        for run in step:
            index(run.pk)
        is_done = len(step) < AT_ONCE
        position = str(Bookmark.of(step[-1])) if step else told.position
        SearchFill.objects.filter(pk=told.pk).update(
            position=position, is_done=is_done, claimed_until=None
        )
    return len(step)


def begin_anew() -> None:
    """All of it is read once more."""
    SearchFill.objects.all().delete()
    SearchFill.objects.create()


def is_stale(facet: str) -> None:
    """Within the transaction of whoever makes it so: until workers have taken it out of all
    entries that have it, those are found as they were, and by who may read them alone."""
    SearchStale.objects.get_or_create(facet=facet)


def claim_stale() -> int | None:
    """One that nobody else takes out at the moment."""
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    for key in SearchStale.objects.filter(free).order_by("pk").values_list("pk", flat=True):
        if SearchStale.objects.filter(free, pk=key).update(claimed_until=now + CLAIM):
            return key
    return None


def take_out(key: int) -> int:
    """One step of whoever has claimed it; of how many entries."""
    backend = on_postgres if connection.vendor == "postgresql" else on_sqlite
    with transaction.atomic():
        told = SearchStale.objects.filter(pk=key).first()
        if told is None:
            return 0
        entries, following = backend.newest(Sought((), (told.facet,), before=told.before), AT_ONCE)
        for run in dict.fromkeys(uuid.UUID(str(run)) for _, run in entries):
            index(run)
        if following is None:
            told.delete()
        else:
            SearchStale.objects.filter(pk=key).update(before=following, claimed_until=None)
    return len(entries)
