"""`/fusion/budgets`: what is left of each budget, and what a month's runs cost: everybody's own,
and for admins the whole site's."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ...access import is_admin
from ...engine.text import storable
from ...engine.usage import money
from ...fragments.spent import calls_of_unknown_cost, days_view, standing_view, who_said
from ...models import Call
from ...money.receipt import cell
from ...money.spending import (
    Days,
    SearchesSpent,
    by_all,
    by_day,
    by_model,
    by_payer,
    calls_within,
    instead,
    month_of,
    narrowed,
    searches_narrowed,
    searches_spent,
    searches_within,
    unknown_calls,
)
from ...money.standing import standings

SHOWN = 12  # rows of a table; what is beyond is summed up
COLUMNS = ("day", "person", "token", "preset", "model", "calls", "spent")


@dataclass(frozen=True)
class WhichCalls:
    """Which calls: of a month, and narrowed to a person, a preset, a model."""

    days: Days
    person: int | None
    preset: str
    model: str

    @classmethod
    def of(cls, request: HttpRequest) -> WhichCalls:
        """What is no month or no person is as if it had not been asked."""
        said = {name: storable(request.GET.get(name, "")) for name in ("who", "preset", "model")}
        person = int(said["who"]) if _is_number(said["who"]) else None
        if not is_admin(request.user):
            person = request.user.pk
        return cls(_month(request.GET.get("month", "")), person, said["preset"], said["model"])

    @property
    def calls(self) -> QuerySet[Call]:
        return narrowed(
            calls_within(self.days), person=self.person, preset=self.preset, model=self.model
        )

    @property
    def searches(self) -> list[SearchesSpent]:
        found = searches_narrowed(
            searches_within(self.days), person=self.person, preset=self.preset, model=self.model
        )
        return searches_spent(found)


@login_required
@never_cache
@require_safe
def budgets(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)  # login_required has seen to it
    asked, is_all = WhichCalls.of(request), is_admin(request.user)
    searches = asked.searches
    unknown = unknown_calls(asked.calls)
    days = by_day(asked.calls, asked.days, searches, unknown)
    # One answer to what a single model was asked is no whole run instead.
    alone_of = "" if asked.model else instead(asked.calls, days)
    payers, presets = by_payer(asked.calls, searches, unknown)
    models = by_model(asked.calls, searches)
    whole = sum((day.whole for day in days), Decimal(0))
    runs = sum(preset.runs for preset in presets)
    not_known = sum(some.count for some in unknown)
    kept = _kept(request)
    context = {
        "is_all": is_all,
        "month": asked.days.first,
        "earlier": _link(kept, month=_name_of(asked.days.first - timedelta(1))),
        "later": _link(kept, month=_name_of(asked.days.after)) if _is_past(asked.days) else "",
        "chips": _chips(asked, kept, is_all=is_all),
        "whole": money(whole, bool(unknown)),
        "unknown": calls_of_unknown_cost(not_known),
        "runs": runs,
        "days": days_view(days, alone_of),
        "payers": [
            {
                "name": p.name,
                "runs": p.runs,
                "spent": money(p.spent, bool(p.unknown)),
                "mostly": p.mostly,
                "each": money(p.spent / p.runs, bool(p.unknown)) if p.runs else "",
                "link": _link(kept, who=p.person) if p.person and is_all else "",
            }
            for p in payers[:SHOWN]
        ],
        "more_payers": _rest(payers),
        "presets": [
            {
                "name": p.name,
                "runs": p.runs,
                "spent": money(p.spent, bool(p.unknown)),
                "each": money(p.spent / p.runs, bool(p.unknown)) if p.runs else "",
                "link": _link(kept, preset=p.name),
            }
            for p in presets[:SHOWN]
        ],
        "more_presets": _rest(presets),
        "models": [
            {
                "name": m.model,
                "calls": m.calls,
                "spent": money(m.spent, bool(m.unknown)),
                "said": who_said(m),
                "link": _link(kept, model=m.model),
            }
            for m in models[:SHOWN]
        ],
        "more_models": _rest(models),
        "standings": [standing_view(s) for s in standings(request.user, all_of_them=is_all)],
        "file": f"{reverse('budgets-file')}?{urlencode(kept)}",
    }
    return render(request, "console/budgets/budgets.html", context)


@login_required
@never_cache
@require_safe
def budgets_file(request: HttpRequest) -> HttpResponse:
    """The same calls for a spreadsheet, a line for each day, payer, preset and model."""
    asked = WhichCalls.of(request)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    writer.writerows([cell(value) for value in row] for row in by_all(asked.calls, asked.searches))
    name = f"spent-{_name_of(asked.days.first)}.csv"
    headers = {"Content-Disposition": content_disposition_header(True, name) or ""}
    return HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


def _month(text: str) -> Days:
    year, _, month = text.partition("-")
    today = timezone.localtime().date()
    if len(year) == 4 and _is_number(year) and _is_number(month) and 1 <= int(month) <= 12:
        said = date(max(int(year), 2000), int(month), 1)
        return month_of(min(said, today))
    return month_of(today)


def _name_of(day: date) -> str:
    return f"{day:%Y-%m}"


def _is_past(days: Days) -> bool:
    return days.after <= timezone.localtime().date()


def _kept(request: HttpRequest) -> dict[str, str]:
    names = ("month", "who", "preset", "model")
    return {name: request.GET[name] for name in names if request.GET.get(name)}


def _link(kept: dict[str, str], **changed: Any) -> str:
    query = {name: value for name, value in (kept | changed).items() if value}
    return f"{reverse('budgets')}?{urlencode(query)}"


def _chips(asked: WhichCalls, kept: dict[str, str], *, is_all: bool) -> list[tuple[str, str]]:
    """(what it is narrowed to, the page without that)."""
    chips = []
    if is_all and asked.person is not None:
        user = User.objects.filter(pk=asked.person).first()
        chips.append((user.get_username() if user else "Nobody", _link(kept, who="")))
    for name in ("preset", "model"):
        if said := getattr(asked, name):
            chips.append((said, _link(kept, **{name: ""})))
    return chips


def _rest(rows: list[Any]) -> str:
    rest = rows[SHOWN:]
    if not rest:
        return ""
    spent = sum((row.spent for row in rest), Decimal(0))
    return f"{len(rest):,} more: {money(spent, any(row.unknown for row in rest))}"
