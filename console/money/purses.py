"""What can be done to a budget: it is set and taken away; and whether one stands in the way of a
run before it is begun."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from ..models import Purse, Window
from ..models.money import DAY, FOR_A_RUN, MONTH, OF_A_RUN, RUN, USUAL, run_subject
from . import words
from .amounts import dollars, nano
from .book import purses_for, starts


@dataclass(frozen=True)
class UsedUp:
    sentence: str
    seconds: int | None  # until there is money again, if nobody raises it


def purse_set(*, kind: str, subject: str, period: str, limit: Decimal | None) -> None:
    """None takes it away. What was spent in the window stays counted while the budget stands."""
    found = Purse.objects.filter(kind=kind, subject=subject, period=period)
    if limit is None:
        found.delete()
    elif not found.update(limit_nano=nano(limit), changed_at=timezone.now()):
        Purse.objects.create(kind=kind, subject=subject, period=period, limit_nano=nano(limit))


def run_budget(*, run_id: Any, more: Decimal) -> None:
    """Of what is asked of a run from now on: so much beyond what it has spent and holds."""
    window = Window.objects.filter(purse__kind=RUN, purse__subject=run_subject(run_id)).first()
    so_far = dollars(window.spent_nano + window.held_nano) if window else Decimal(0)
    purse_set(kind=RUN, subject=run_subject(run_id), period=FOR_A_RUN, limit=so_far + more)


def usual_budget_set(*, run_id: Any, limit: int, shares: Mapping[str, int]) -> None:
    """Of a run of which nobody says what it may cost; nano-dollars."""
    subject = run_subject(run_id)
    Purse.objects.create(
        kind=USUAL, subject=subject, period=FOR_A_RUN, limit_nano=limit, shares=dict(shares)
    )


def usual_budget_lifted(*, run_id: Any) -> None:
    """Whoever asks for more has seen what it cost."""
    Purse.objects.filter(kind=USUAL, subject=run_subject(run_id)).delete()


@dataclass(frozen=True)
class RunBudget:
    """A run's own: what its calls may cost together, and what of that is left; nano-dollars."""

    limit: int
    left: int
    named: str


def budget_of(run_id: Any) -> RunBudget | None:
    """The one that somebody said before the usual one."""
    of_it = Purse.objects.filter(kind__in=OF_A_RUN, subject=run_subject(run_id))
    purse = min(of_it, key=lambda purse: OF_A_RUN.index(purse.kind), default=None)
    if purse is None:
        return None
    window = purse.windows.first()
    gone = window.spent_nano + window.held_nano if window else 0
    left = max(purse.limit_nano - gone, 0)
    return RunBudget(purse.limit_nano, left, words.named(purse))


def used_up(
    owner_id: int | None, token_id: int | None, project_id: int | None = None
) -> UsedUp | None:
    """The budget of a person, a token, a project or the site of which nothing is left in its
    window."""
    now = timezone.localtime()
    purses = purses_for(None, owner_id, [token_id], project_id)
    days = {purse.pk: starts(purse, now) for purse in purses}
    windows = Window.objects.filter(purse__in=purses, starts__in=set(days.values()))
    spent = {w.purse_id: w.spent_nano for w in windows if days[w.purse_id] == w.starts}
    for purse in purses:
        if spent.get(purse.pk, 0) >= purse.limit_nano:
            return UsedUp(words.used_up(purse), _seconds_left(purse, now))
    return None


def with_windows(purses: QuerySet[Purse]) -> QuerySet[Purse]:
    """Each with those of today as its `current`: one, or none while nothing was asked of it."""
    today = timezone.localtime().date()
    these = Q(purse__period=DAY, starts=today)
    these |= Q(purse__period=MONTH, starts=today.replace(day=1))
    windows = Window.objects.filter(these | Q(purse__period=FOR_A_RUN))
    return purses.prefetch_related(Prefetch("windows", windows, to_attr="current"))


def _seconds_left(purse: Purse, now: datetime) -> int | None:
    if purse.period == FOR_A_RUN:
        return None
    first: date = starts(purse, now)
    days = 1 if purse.period == DAY else 32
    following = first + timedelta(days=days)
    if purse.period == MONTH:
        following = following.replace(day=1)
    ends = timezone.make_aware(datetime.combine(following, time.min))
    return math.ceil((ends - now).total_seconds()) + 1
