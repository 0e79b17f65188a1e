"""`GET /v1/key` and `GET /v1/usage`: what a token may spend, and what it has spent on what."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from django.http import HttpResponseBase, JsonResponse
from django.utils import timezone
from pydantic import Field

from ...models import ApiToken
from ...models.money import DAY, SITE, TOKEN
from ...models.tokens import Scope
from ...money.amounts import dollars
from ...money.spending import month_of
from ...money.spent_by_token import UsageRow, spent_by_token, usage_of_token
from ...money.standing import BudgetStanding, standings
from ...record.parts import money
from ..http.base import ApiCall, NoBody, Schema, endpoint
from ..http.db import db
from ..http.replies import Reply

_RESETS: dict[str, Literal["daily", "monthly"]] = {DAY: "daily"}


class KeyBudget(Reply):
    """US dollars. `held` is for calls under way; `remaining` is without it."""

    of: Literal["token", "person", "site"]
    period: Literal["day", "month"]
    limit: float
    spent: float
    held: float
    remaining: float


class KeyData(Reply):
    """OpenRouter's names. `limit`, `limit_remaining` and `limit_reset` are of the token's own
    budget, of several the one with the least left; null without one. `budgets` are all that a
    request of the token may meet: its own, its owner's, and the site's once it is nearly spent.
    `usage` is what its calls have cost, US dollars, days in the site's time zone."""

    label: str
    limit: float | None
    limit_remaining: float | None
    limit_reset: Literal["daily", "monthly"] | None
    usage: float
    usage_daily: float
    usage_weekly: float
    usage_monthly: float
    is_free_tier: Literal[False] = False
    is_management_key: Literal[False] = False
    expires_at: str | None
    scopes: list[str]
    requests_per_minute: int | None
    concurrent_runs: int | None
    budgets: list[KeyBudget]


class KeyReply(Reply):
    data: KeyData


class UsageLine(Reply):
    """What a day's calls to a model in runs of a preset came to. `unknown_cost` of them cost
    nobody knows what, which is not in `cost` (US dollars)."""

    date: str
    preset: str
    model: str
    calls: int
    input_tokens: int
    output_tokens: int
    cost: float
    unknown_cost: int


class UsageReply(Reply):
    object: Literal["list"] = "list"
    month: str
    cost: float
    data: list[UsageLine]


class UsageFilters(Schema):
    month: Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")] | None = None


@endpoint(Scope.RUN, reply=KeyReply)
async def key(call: ApiCall[NoBody]) -> HttpResponseBase:
    """What this token may spend and has spent."""
    return JsonResponse((await db(_key, call.token)).model_dump(mode="json"))


@endpoint(Scope.RUN, query=UsageFilters, reply=UsageReply)
async def usage(call: ApiCall[NoBody]) -> HttpResponseBase:
    """What this token's calls cost in a month: by day, preset and model."""
    asked = call.query(UsageFilters).month
    return JsonResponse((await db(_usage, call.token, asked)).model_dump(mode="json"))


def _key(token: ApiToken) -> KeyReply:
    spent = spent_by_token(token.pk)
    met = [s for s in standings(token.owner, all_of_them=False) if _meets(s, token)]
    own = min((s for s in met if s.purse.kind == TOKEN), key=lambda s: s.left, default=None)
    return KeyReply(
        data=KeyData(
            label=token.name,
            limit=money(dollars(own.limit)) if own else None,
            limit_remaining=money(dollars(own.left)) if own else None,
            limit_reset=_RESETS.get(own.purse.period, "monthly") if own else None,
            usage=float(spent.ever),
            usage_daily=float(spent.day),
            usage_weekly=float(spent.week),
            usage_monthly=float(spent.month),
            expires_at=token.expires_at.isoformat(timespec="seconds") if token.expires_at else None,
            scopes=token.scopes,
            requests_per_minute=token.requests_per_minute,
            concurrent_runs=token.concurrent_runs,
            budgets=[_budget(standing) for standing in met],
        )
    )


def _meets(standing: BudgetStanding, token: ApiToken) -> bool:
    return standing.purse.kind != TOKEN or standing.purse.subject == str(token.pk)


def _budget(standing: BudgetStanding) -> KeyBudget:
    kind = standing.purse.kind
    return KeyBudget(
        of="token" if kind == TOKEN else "site" if kind == SITE else "person",
        period="day" if standing.purse.period == DAY else "month",
        limit=float(dollars(standing.limit)),
        spent=float(dollars(standing.spent)),
        held=float(dollars(standing.held)),
        remaining=float(dollars(standing.left)),
    )


def _usage(token: ApiToken, asked: str | None) -> UsageReply:
    days = month_of(date.fromisoformat(f"{asked}-01") if asked else timezone.localtime().date())
    rows = usage_of_token(token.pk, days)
    return UsageReply(
        month=f"{days.first:%Y-%m}",
        cost=float(sum(row.spent for row in rows)),
        data=[_line(row) for row in rows],
    )


def _line(row: UsageRow) -> UsageLine:
    return UsageLine(
        date=row.day.isoformat(),
        preset=row.preset,
        model=row.model,
        calls=row.calls,
        input_tokens=row.input_tokens,
        output_tokens=row.output_tokens,
        cost=float(row.spent),
        unknown_cost=row.unknown,
    )
