"""How budgets stand today: what is spent of each, what is held for calls under way, and left."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from ..models import ApiToken, Project, Purse, Window
from ..models.money import DAY, MONTH, PERSON, PROJECT, SITE, TOKEN
from . import words
from .purses import with_windows

# In the order in which they are told.
KINDS = (SITE, PROJECT, PERSON, TOKEN)
PERIODS = {DAY: "each day", MONTH: "each month"}


@dataclass(frozen=True)
class BudgetStanding:
    """Nano-dollars. `state` is what there is to say of it, once most is spent."""

    purse: Purse
    whose: str
    spent: int
    held: int

    @property
    def limit(self) -> int:
        return self.purse.limit_nano

    @property
    def left(self) -> int:
        return max(self.limit - self.spent - self.held, 0)

    @property
    def period(self) -> str:
        return PERIODS.get(self.purse.period, "")

    @property
    def state(self) -> str:
        return words.state(self.limit, self.spent)


def standings(user: User, *, all_of_them: bool) -> list[BudgetStanding]:
    """Everybody's, or those that somebody pays from: their own, their tokens', projects', which
    they may ask in, and the site's once it may soon stand in their way."""
    found = Purse.objects.filter(kind__in=KINDS)
    if not all_of_them:
        found = found.filter(_concerns(user))
    made = _standings(with_windows(found))
    return [s for s in made if all_of_them or s.purse.kind != SITE or s.state]


def standings_of(project: Project) -> list[BudgetStanding]:
    """Of a day and a month, as far as it has such budgets."""
    its = Purse.objects.filter(kind=PROJECT, subject=str(project.pk))
    return _standings(with_windows(its))


def least_left(user: User, project: Project | None = None) -> BudgetStanding | None:
    """Of the budgets that a run of theirs is paid from, whatever is spent of them: one question
    where there are none."""
    mine = Q(kind=PERSON, subject=str(user.pk)) | Q(kind=SITE)
    if project is not None:
        mine |= Q(kind=PROJECT, subject=str(project.pk))
    found = _standings(with_windows(Purse.objects.filter(mine)))
    return min(found, key=lambda standing: standing.left, default=None)


def nearly_spent() -> list[BudgetStanding]:
    """Of all, for whoever can raise them: one question where there is nothing to tell."""
    today = timezone.localtime().date()
    current = Q(purse__period=DAY, starts=today)
    current |= Q(purse__period=MONTH, starts=today.replace(day=1))
    most = F("purse__limit_nano") / 100 * words.WARNED_AT
    near = Window.objects.filter(
        current, purse__kind__in=KINDS, spent_nano__gt=0, spent_nano__gte=most
    )
    pks = list(near.values_list("purse", flat=True))
    if not pks:
        return []
    return [s for s in _standings(with_windows(Purse.objects.filter(pk__in=pks))) if s.state]


def _concerns(user: User) -> Q:
    tokens = ApiToken.objects.filter(owner=user).values_list("pk", flat=True)
    subjects = [str(token) for token in tokens]
    mine = Q(kind=PERSON, subject=str(user.pk)) | Q(kind=TOKEN, subject__in=subjects)
    return mine | Q(kind__in=(SITE, PROJECT))


def _standings(purses: QuerySet[Purse]) -> list[BudgetStanding]:
    rows: list[Any] = sorted(purses, key=lambda p: (KINDS.index(p.kind), p.pk))
    names = _names(rows)
    return [
        BudgetStanding(
            purse,
            names.get((purse.kind, purse.subject), "Somebody who is gone"),
            sum(window.spent_nano for window in purse.current),
            sum(window.held_nano for window in purse.current),
        )
        for purse in rows
    ]


def _names(purses: Iterable[Purse]) -> dict[tuple[str, str], str]:
    of = {kind: [p.subject for p in purses if p.kind == kind] for kind in KINDS}
    names = {(SITE, ""): "This site"}
    if of[PERSON]:
        for pk, name in User.objects.filter(pk__in=of[PERSON]).values_list("pk", "username"):
            names[PERSON, str(pk)] = name
    if of[TOKEN]:
        for pk, name in ApiToken.objects.filter(pk__in=of[TOKEN]).values_list("pk", "name"):
            names[TOKEN, str(pk)] = f"Token {name}"
    if of[PROJECT]:
        for pk, name in Project.objects.filter(pk__in=of[PROJECT]).values_list("pk", "name"):
            names[PROJECT, str(pk)] = f"Project {name}"
    return names
