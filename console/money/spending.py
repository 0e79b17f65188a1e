"""What was spent, by whom, on which models and presets, day by day.

Read from the calls' own rows, of one month at a time: by the index of when they began, as budgets
count them, in the site's time zone. Of a call whose cost nobody said it is what was booked for it.
Each is a figure to be read, not a balance: that is the purses'. Searches by the site's own engine
are no calls: they are read from their holds, and stand beside them as *web*, under the engine's
name.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db.models import (
    Avg,
    Count,
    F,
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

PANEL, JUDGE, WRITER, WEB = ROLES = ("panel", "judge", "writer", "web")
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


@dataclass(frozen=True)
class SearchesSpent:
    """Searches of a day, of a payer's runs with a preset. `person` is whose runs, `name` theirs."""

    day: date
    person: int | None
    name: str
    payer: int | None
    origin: str
    preset: str
    engine: str
    count: int
    runs: int
    spent: Decimal
    estimated: int


@dataclass
class DaySpent:
    """`alone`: what one answer of the reference to each run would have cost instead, computed;
    `unknown`: roles of which nobody knows what some calls cost."""

    day: date
    of: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(ROLES, Decimal(0)))
    unknown: set[str] = field(default_factory=set)
    alone: Decimal = Decimal(0)

    @property
    def whole(self) -> Decimal:
        return sum(self.of.values(), Decimal(0))


@dataclass(frozen=True)
class UnknownCalls:
    """Calls of which nobody knows what they cost, of a day, of a payer's runs with a preset."""

    day: date
    role: str
    person: int | None
    payer: int | None
    origin: str
    preset: str
    count: int


@dataclass
class PayerSpent:
    """A person's runs from the page, or those of one of their tokens; `person` None: nobody's, as
    from the shell. `unknown` calls are those of which nobody knows what they cost."""

    person: int | None
    token: int | None
    name: str
    runs: int = 0
    spent: Decimal = Decimal(0)
    unknown: int = 0
    presets: dict[str, Decimal] = field(default_factory=dict)

    @property
    def mostly(self) -> str:
        return max(self.presets, key=self.presets.__getitem__, default="")


@dataclass
class PresetSpent:
    name: str
    runs: int = 0
    spent: Decimal = Decimal(0)
    unknown: int = 0


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


def searches_within(days: Days) -> QuerySet[Hold]:
    begin, end = (
        timezone.make_aware(datetime.combine(day, time.min)) for day in (days.first, days.after)
    )
    return (
        Hold.objects.filter(created_at__gte=begin, created_at__lt=end, run__isnull=False)
        .exclude(engine="")
        .exclude(run__origin__in=READ_ONLY)
        .filter(settled_nano__gt=0)
        .order_by()
    )


def searches_spent(holds: QuerySet[Hold]) -> list[SearchesSpent]:
    keys = {
        "day": TruncDate("created_at"),
        "person": F("run__owner"),
        "name": F("run__owner__username"),
        "payer": F("run__token"),
        "origin": F("run__origin"),
        "preset": F("run__preset_name"),
    }
    rows: Any = holds.annotate(**keys).values(*keys, "engine")
    rows = rows.annotate(
        count=Count("pk"),
        runs=Count("run", distinct=True),
        nanos=Sum("settled_nano"),
        estimated=Count("pk", filter=Q(is_estimated=True)),
    )
    return [
        SearchesSpent(**row | {"name": row["name"] or ""}, spent=dollars(nanos))
        for row in rows
        for nanos in [row.pop("nanos")]
    ]


def unknown_calls(calls: QuerySet[Any]) -> list[UnknownCalls]:
    keys = ("day", "step", "run__owner", "payer", "run__origin", "run__preset_name")
    prices = (KT("panelist__price__input"), KT("panelist__price__output"))
    rows = calls.filter(CAME_BACK, amount=None).annotate(day=TruncDate("started_at"))
    rows = rows.values_list(*keys, *prices).annotate(all=Count("pk"))
    return [
        UnknownCalls(day, _ROLE_OF.get(step, JUDGE), person, payer, origin, preset, count)
        for day, step, person, payer, origin, preset, price_in, price_out, count in rows
        if not costs_nothing(price_in, price_out)
    ]


Searched = Sequence[SearchesSpent]
Unknown = Sequence[UnknownCalls]


def by_day(
    calls: QuerySet[Any], days: Days, searches: Searched = (), unknown: Unknown = ()
) -> list[DaySpent]:
    """Every one of `days`, those on which nothing was spent, too."""
    found = {day: DaySpent(day) for day in days}
    rows = calls.annotate(day=TruncDate("started_at")).values_list("day", "step")
    for day, step, spent in rows.annotate(spent=Sum("amount")):
        if day in found and spent:
            found[day].of[_ROLE_OF.get(step, JUDGE)] += exactly(spent)
    for one in searches:
        if one.day in found:
            found[one.day].of[WEB] += one.spent
    for some in unknown:
        if some.day in found:
            found[some.day].unknown.add(some.role)
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


def by_payer(
    calls: QuerySet[Any], searches: Searched = (), unknown: Unknown = ()
) -> tuple[list[PayerSpent], list[PresetSpent]]:
    """Who spent it, and on which presets: the dearest first."""
    rows = calls.values_list("run__owner", "payer", "run__origin", "run__preset_name")
    rows = rows.annotate(spent=Sum("amount"), runs=Count("run", distinct=True))
    found: list[Any] = [*rows.order_by("run__preset_name", "payer")]
    known = {tuple(row[:4]) for row in found}
    for search in searches:  # a run that searched has asked somebody, too
        key = (search.person, search.payer, search.origin, search.preset)
        found.append((*key, float(search.spent), 0 if key in known else search.runs))
    not_known: Counter[tuple[Any, ...]] = Counter()
    for some in unknown:
        not_known[some.person, some.payer, some.origin, some.preset] += some.count
    payers: dict[tuple[int | None, int | None, str], PayerSpent] = {}
    presets: dict[str, PresetSpent] = {}
    for person, token, origin, preset, spent, runs in found:
        whose = "" if person else "An evaluation" if origin == Origin.EVALUATION else "The shell"
        payer = payers.setdefault((person, token, whose), PayerSpent(person, token, whose))
        of = presets.setdefault(preset, PresetSpent(preset))
        unknown_of_it = not_known.pop((person, token, origin, preset), 0)
        for one in (payer, of):
            one.runs += runs
            one.spent += exactly(spent)
            one.unknown += unknown_of_it
        payer.presets[preset] = payer.presets.get(preset, Decimal(0)) + exactly(spent)
    _name(payers.values())
    return _dearest(payers.values()), _dearest(presets.values())


def by_model(calls: QuerySet[Any], searches: Searched = ()) -> list[ModelSpent]:
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
    for search in searches:
        one = found.setdefault(search.engine, ModelSpent(search.engine))
        one.calls += search.count
        one.spent += search.spent
        one.said |= {COMPUTED} | ({ESTIMATED} if search.estimated else set())
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


def searches_narrowed(
    holds: QuerySet[Hold], *, person: int | None, preset: str, model: str
) -> QuerySet[Hold]:
    if person is not None:
        holds = holds.filter(run__owner=person)
    if preset:
        holds = holds.filter(run__preset_name=preset)
    return holds.filter(engine=model) if model else holds


def by_all(calls: QuerySet[Any], searches: Searched = ()) -> Iterator[tuple[Any, ...]]:
    """(day, person, token, preset, model, calls, spent), for a spreadsheet."""
    rows = calls.annotate(day=TruncDate("started_at"), asked=KT("panelist__model"))
    keys = ("day", "run__owner__username", "payer", "run__preset_name", "asked")
    rows = rows.values_list(*keys).annotate(all=Count("pk"), spent=Sum("amount")).order_by(*keys)
    names: dict[int, str] = defaultdict(str, ApiToken.objects.values_list("pk", "name"))
    for day, person, token, preset, model, count, spent in rows.iterator():
        name = names[token] if token else ""
        yield day, person or "", name, preset, model or "", count, f"{exactly(spent):f}"
    for one in sorted(searches, key=lambda one: (one.day, one.name, one.preset)):
        name = names[one.payer] if one.payer else ""
        yield one.day, one.name, name, one.preset, one.engine, one.count, f"{one.spent:f}"


def costs_nothing(price_in: str | None, price_out: str | None) -> bool:
    if not price_in or not price_out:
        return False
    return not (Decimal(price_in) or Decimal(price_out))
