"""What was stored before it could be found is read into the index by workers, the newest first, a
few runs at a time: one row says how far, and who claims it takes the next step."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from ..models import Run, SearchFill
from ..record.newest import Bookmark
from .entries import index

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
