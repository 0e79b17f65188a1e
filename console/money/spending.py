"""What was spent, by whom, on which models and presets, day by day.

Read from the calls' own rows, of one month at a time: by the index of when they began, as budgets
count them, in the site's time zone. Of a call whose cost nobody said it is what was booked for it.
Each is a figure to be read, not a balance: that is the purses'.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db.models import (
    Avg,
    Count,
    FloatField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.fields.json import KT, KeyTextTransform, KeyTransform
from django.db.models.functions import Cast, Coalesce, TruncDate
from django.utils import timezone

from ..engine.receipt import COMPUTED, REPORTED
from ..engine.state import CallStatus, Step
from ..engine.usage import Price, Usage, cost_of
from ..models import ApiToken, Call, Hold
from ..models.runs import READ_ONLY, Origin
from .amounts import dollars

PANEL, JUDGE, WRITER = ROLES = ("panel", "judge", "writer")
ESTIMATED = "estimated"  # who said so: nobody, it was booked from what had arrived
# Somebody may have been charged for it.
CAME_BACK = Q(status=CallStatus.COMPLETED) | Q(first_token_at__isnull=False)
_ROLE_OF = {Step.PANEL: PANEL, Step.SYNTHESIS: WRITER}


@dataclass(frozen=True)
class Days:
    """From `first`, up to the day before `after`."""

    first: date
    after: date

    def __iter__(self) -> Iterator[date]:
        return (self.first + timedelta(n) for n in range((self.after - self.first).days))


@dataclass
class DaySpent:
    """`alone`: what one answer of the reference to each run would have cost instead, computed."""

    day: date
    of: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(ROLES, Decimal(0)))
    alone: Decimal = Decimal(0)

    @property
    def whole(self) -> Decimal:
        return sum(self.of.values(), Decimal(0))


@dataclass
class PayerSpent:
    """A person's runs from the page, or those of one of their tokens; `person` None: nobody's, as
    from the shell."""

    person: int | None
    token: int | None
    name: str
    runs: int = 0
    spent: Decimal = Decimal(0)
    presets: dict[str, Decimal] = field(default_factory=dict)

    @property
    def mostly(self) -> str:
        return max(self.presets, key=self.presets.__getitem__, default="")


@dataclass
class PresetSpent:
    name: str
    runs: int = 0
    spent: Decimal = Decimal(0)


@dataclass
class ModelSpent:
    """`unknown` calls are those of which nobody knows what they cost; `said` by whom the rest."""

    model: str
    calls: int = 0
    unknown: int = 0
    spent: Decimal = Decimal(0)
    said: set[str] = field(default_factory=set)


def month_of(day: date) -> Days:
    first = day.replace(day=1)
    return Days(first, (first + timedelta(32)).replace(day=1))


def calls_within(days: Days) -> QuerySet[Call]:
    """Those that went out. Of samples and what was imported no figure counts."""
    begin, end = (
        timezone.make_aware(datetime.combine(day, time.min)) for day in (days.first, days.after)
    )
    booked = Hold.objects.filter(run=OuterRef("run"), call=OuterRef("key"))
    booked = booked.filter(settled_nano__isnull=False).order_by("-attempt")
    estimate = Cast(Subquery(booked.values("settled_nano")[:1]), FloatField()) / 1e9
    return (
        Call.objects.filter(started_at__gte=begin, started_at__lt=end, sent_at__isnull=False)
        .exclude(run__origin__in=READ_ONLY)
        .order_by()
        .annotate(
            amount=Coalesce(Cast("cost", FloatField()), estimate),
            payer=Coalesce("fusion__token", "run__token"),
        )
    )


def by_day(calls: QuerySet[Any], days: Days) -> list[DaySpent]:
    """Every one of `days`, those on which nothing was spent, too."""
    found = {day: DaySpent(day) for day in days}
    rows = calls.annotate(day=TruncDate("started_at")).values_list("day", "step")
    for day, step, spent in rows.annotate(spent=Sum("amount")):
        if day in found and spent:
            found[day].of[_ROLE_OF.get(step, JUDGE)] += exactly(spent)
    return list(found.values())


def instead(calls: QuerySet[Any], days: Iterable[DaySpent]) -> str:
    """Puts into each day what the reference alone would have cost, by the length of each run's
    answers and at the price that was kept with its estimate. Whose that is: a model's name where
    it is one, "" where it differs or nobody was asked."""
    found, names = {day.day: day for day in days}, set()
    who = KeyTransform("reference", "run__estimate")
    price = KeyTransform("price", who)
    answers = calls.filter(step=Step.PANEL, status=CallStatus.COMPLETED).values_list(
        TruncDate("started_at"), "run", KeyTextTransform("model", who),
        KeyTextTransform("input", price), KeyTextTransform("output", price),
    )  # fmt: skip
    read, made = (Avg(Cast(KT(f"usage__{of}_tokens"), FloatField())) for of in ("input", "output"))
    for day, _, model, price_in, price_out, given, out in answers.annotate(read=read, made=made):
        if day in found and model and price_in and price_out and out is not None:
            listed = Price(Decimal(price_in), Decimal(price_out))
            cost = cost_of(Usage(round(given or 0), round(out)), listed)
            found[day].alone += cost or Decimal(0)
            names.add(model)
    return names.pop() if len(names) == 1 else ""


def by_payer(calls: QuerySet[Any]) -> tuple[list[PayerSpent], list[PresetSpent]]:
    """Who spent it, and on which presets: the dearest first."""
    rows = calls.values_list("run__owner", "payer", "run__origin", "run__preset_name")
    rows = rows.annotate(spent=Sum("amount"), runs=Count("run", distinct=True))
    rows = rows.order_by("run__preset_name", "payer")
    payers: dict[tuple[int | None, int | None, str], PayerSpent] = {}
    presets: dict[str, PresetSpent] = {}
    for person, token, origin, preset, spent, runs in rows:
        whose = "" if person else "An evaluation" if origin == Origin.EVALUATION else "The shell"
        payer = payers.setdefault((person, token, whose), PayerSpent(person, token, whose))
        of = presets.setdefault(preset, PresetSpent(preset))
        for one in (payer, of):
            one.runs += runs
            one.spent += exactly(spent)
        payer.presets[preset] = payer.presets.get(preset, Decimal(0)) + exactly(spent)
    _name(payers.values())
    return _dearest(payers.values()), _dearest(presets.values())


def by_model(calls: QuerySet[Any]) -> list[ModelSpent]:
    rows = calls.values_list(
        KT("panelist__model"), KT("panelist__price__input"), KT("panelist__price__output"),
        "cost_source",
    )  # fmt: skip
    rows = rows.annotate(
        spent=Sum("amount"),
        all=Count("pk"),
        unknown=Count("pk", filter=Q(amount=None) & CAME_BACK),
        estimated=Count("pk", filter=Q(cost=None) & Q(amount__gt=0)),
    )
    found: dict[str, ModelSpent] = {}
    for model, price_in, price_out, source, spent, count, unknown, estimated in rows:
        one = found.setdefault(model or "", ModelSpent(model or ""))
        one.calls += count
        one.unknown += 0 if costs_nothing(price_in, price_out) else unknown
        one.spent += exactly(spent)
        one.said |= {source} & {REPORTED, COMPUTED} | ({ESTIMATED} if estimated else set())
    return _dearest(found.values())


def _dearest(found: Any) -> list[Any]:
    return sorted(found, key=lambda one: one.spent, reverse=True)


def _name(payers: Any) -> None:
    people = User.objects.in_bulk({p.person for p in payers if p.person})
    tokens = ApiToken.objects.in_bulk({p.token for p in payers if p.token})
    for payer in payers:
        if payer.token:
            payer.name = f"token {tokens[payer.token].name}"
        elif payer.person:
            payer.name = people[payer.person].get_username()


def exactly(spent: float | None) -> Decimal:
    return dollars(round((spent or 0.0) * 1e9))


def narrowed(
    calls: QuerySet[Call], *, person: int | None, preset: str, model: str
) -> QuerySet[Call]:
    if person is not None:
        calls = calls.filter(run__owner=person)
    if preset:
        calls = calls.filter(run__preset_name=preset)
    return calls.filter(panelist__model=model) if model else calls


def by_all(calls: QuerySet[Any]) -> Iterator[tuple[Any, ...]]:
    """(day, person, token, preset, model, calls, spent), for a spreadsheet."""
    rows = calls.annotate(day=TruncDate("started_at"), asked=KT("panelist__model"))
    keys = ("day", "run__owner__username", "payer", "run__preset_name", "asked")
    rows = rows.values_list(*keys).annotate(all=Count("pk"), spent=Sum("amount")).order_by(*keys)
    names: dict[int, str] = defaultdict(str, ApiToken.objects.values_list("pk", "name"))
    for day, person, token, preset, model, count, spent in rows.iterator():
        name = names[token] if token else ""
        yield day, person or "", name, preset, model or "", count, f"{exactly(spent):f}"


def costs_nothing(price_in: str | None, price_out: str | None) -> bool:
    if not price_in or not price_out:
        return False
    return not (Decimal(price_in) or Decimal(price_out))
