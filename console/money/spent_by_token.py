"""What a token's calls have cost: since midnight and since ever, and a month of them by day, preset
and model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db.models import BigIntegerField, Count, Q, QuerySet, Sum
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, TruncDate
from django.utils import timezone

from .amounts import dollars
from .spending import (
    CAME_BACK,
    Days,
    calls_within,
    costs_nothing,
    exactly,
    month_of,
    searches_spent,
    searches_within,
)

LONG_AGO = date(2000, 1, 1)


@dataclass(frozen=True)
class TokenSpent:
    """US dollars of the calls that a token asked for: since midnight, Monday, the first of the
    month, ever."""

    day: Decimal
    week: Decimal
    month: Decimal
    ever: Decimal


def of_token(calls: QuerySet[Any], token_id: int) -> QuerySet[Any]:
    return calls.filter(payer=token_id)


def spent_by_token(token_id: int) -> TokenSpent:
    """What was asked before this month is added up once an hour: it hardly changes any more."""
    today = timezone.localtime().date()
    month = month_of(today).first
    week = today - timedelta(today.weekday())
    since = min(week, month)
    calls = of_token(calls_within(Days(since, today + timedelta(1))), token_id)
    by_day = calls.annotate(day=TruncDate("started_at")).values_list("day")
    days = [(day, exactly(spent)) for day, spent in by_day.annotate(spent=Sum("amount"))]
    searches = searches_within(Days(since, today + timedelta(1))).filter(run__token=token_id)
    days += [(one.day, one.spent) for one in searches_spent(searches)]
    key = f"spent-by-token-{token_id}-{since}"
    earlier: Decimal | None = cache.get(key)
    if earlier is None:
        runs = Q(run__token=token_id) | Q(fusion__token=token_id)
        before = of_token(calls_within(Days(LONG_AGO, since)).filter(runs), token_id)
        earlier = exactly(before.aggregate(spent=Sum("amount"))["spent"])
        searched = searches_within(Days(LONG_AGO, since)).filter(run__token=token_id)
        earlier += dollars(searched.aggregate(spent=Sum("settled_nano"))["spent"] or 0)
        cache.set(key, earlier, 3600)

    def of(first: date) -> Decimal:
        return sum((spent for day, spent in days if day >= first), Decimal(0))

    return TokenSpent(of(today), of(week), of(month), earlier + of(since))


@dataclass(frozen=True)
class UsageRow:
    """Of one day, preset and model. `unknown` calls cost nobody knows what."""

    day: date
    preset: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    spent: Decimal
    unknown: int


def usage_of_token(token_id: int, days: Days) -> list[UsageRow]:
    """The newest day first."""
    calls = of_token(calls_within(days), token_id)
    rows = calls.annotate(day=TruncDate("started_at"), asked=KT("panelist__model"))
    keys = ("day", "run__preset", "asked")
    free = KT("panelist__price__input"), KT("panelist__price__output")
    found: dict[tuple[Any, ...], UsageRow] = {}
    for *key, price_in, price_out, count, given, made, spent, unknown in (
        rows.values_list(*keys, *free)
        .annotate(
            all=Count("pk"),
            given=Sum(Cast(KT("usage__input_tokens"), BigIntegerField())),
            made=Sum(Cast(KT("usage__output_tokens"), BigIntegerField())),
            spent=Sum("amount"),
            unknown=Count("pk", filter=Q(amount=None) & CAME_BACK),
        )
        .order_by("-day", "run__preset", "asked")
    ):
        was = found.get(tuple(key)) or UsageRow(
            key[0], key[1], key[2] or "", 0, 0, 0, Decimal(0), 0
        )
        found[tuple(key)] = replace(
            was,
            calls=was.calls + count,
            input_tokens=was.input_tokens + (given or 0),
            output_tokens=was.output_tokens + (made or 0),
            spent=was.spent + exactly(spent),
            unknown=was.unknown + (0 if costs_nothing(price_in, price_out) else unknown),
        )
    rows_of_engines = (
        searches_within(days)
        .filter(run__token=token_id)
        .annotate(day=TruncDate("created_at"))
        .values_list("day", "run__preset", "engine")
        .annotate(all=Count("pk"), spent=Sum("settled_nano"))
    )
    searched = [
        UsageRow(day, preset, engine, count, 0, 0, dollars(spent), 0)
        for day, preset, engine, count, spent in rows_of_engines
    ]
    return sorted([*found.values(), *searched], key=lambda row: row.day, reverse=True)
