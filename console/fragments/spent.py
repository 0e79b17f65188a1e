"""What the page of budgets shows: the days of a month as bars, and how each budget stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..engine.receipt import COMPUTED, REPORTED
from ..engine.usage import about_money, money
from ..money.amounts import about, dollars, plain
from ..money.spending import ESTIMATED, ROLES, WEB, DaySpent, ModelSpent
from ..money.standing import BudgetStanding

HEIGHT = 100  # of the chart, in its own units; a day is ten wide
_SAID = {REPORTED: "reported", COMPUTED: "computed from the list", ESTIMATED: "estimated"}


@dataclass(frozen=True)
class BarPart:
    role: str
    y: str
    height: str


@dataclass(frozen=True)
class DayBar:
    x: int
    name: str
    cost: str
    costs: tuple[str, ...]  # in the order of `totals`
    parts: tuple[BarPart, ...]
    alone: str
    alone_y: str  # "" where there is none


@dataclass(frozen=True)
class DaysView:
    """`alone` is what one answer to each would have cost, and whose: "" where nobody knows;
    `lines` are what its heights mean, the highest first; `ends` the days named below it."""

    bars: tuple[DayBar, ...]
    width: int
    lines: tuple[str, ...]
    ends: tuple[str, ...]
    totals: tuple[tuple[str, str], ...]
    words: str
    alone: str
    alone_of: str


@dataclass(frozen=True)
class StandingView:
    pk: int
    whose: str
    period: str
    spent: str
    limit: str
    held: str
    left: str
    state: str
    tone: str  # "", "warn" or "bad"
    spent_share: str  # of a bar 100 wide
    held_share: str


def days_view(days: Sequence[DaySpent], alone_of: str) -> DaysView:
    most = max((max(day.whole, day.alone) for day in days), default=Decimal(0))
    alone = sum((day.alone for day in days), Decimal(0))
    top = _rounded_up(most)
    # What nobody has paid for is absent.
    roles = [role for role in ROLES if role != WEB or any(day.of[WEB] for day in days)]
    bars = tuple(_bar(n, day, top, roles) for n, day in enumerate(days))
    shown = [days[0], days[len(days) // 2], days[-1]] if days else []
    totals = tuple(
        (
            role,
            money(
                sum((day.of[role] for day in days), Decimal(0)),
                any(role in day.unknown for day in days),
            ),
        )
        for role in roles
    )
    return DaysView(
        bars=bars,
        width=10 * len(days),
        lines=(_axis(top), _axis(top / 2), "$0"),
        ends=tuple(_day(day) for day in shown),
        totals=totals,
        words=_words(days),
        alone=about_money(alone) if alone else "",
        alone_of=alone_of.split("/")[-1] or "one model",
    )


def standing_view(standing: BudgetStanding) -> StandingView:
    whole = max(standing.limit, standing.spent + standing.held, 1)
    spent = standing.spent * 100 / whole
    return StandingView(
        pk=standing.purse.pk,
        whose=standing.whose,
        period=standing.period,
        spent=_rounded(standing.spent),
        limit=plain(standing.limit),
        held=_rounded(standing.held) if standing.held else "",
        left=_rounded(standing.left),
        state=standing.state,
        tone="" if not standing.state else "bad" if standing.spent >= standing.limit else "warn",
        spent_share=f"{spent:.2f}",
        held_share=f"{standing.held * 100 / whole:.2f}",
    )


def who_said(model: ModelSpent) -> str:
    said = [_SAID[source] for source in _SAID if source in model.said]
    if model.unknown:
        said.append(calls_of_unknown_cost(model.unknown))
    return ", ".join(said)


def calls_of_unknown_cost(count: int) -> str:
    """Empty where there are none."""
    return f"{count:,} {'call' if count == 1 else 'calls'} of unknown cost" if count else ""


def _rounded(nanos: int) -> str:
    """Beside a limit: to the cent from a dollar on."""
    amount = dollars(max(nanos, 0))
    return f"${amount:,.2f}" if amount >= 1 else about(nanos)


def _bar(n: int, day: DaySpent, top: Decimal, roles: Sequence[str]) -> DayBar:
    parts, below = [], Decimal(0)
    for role in roles:
        height = day.of[role] * HEIGHT / top
        below += height
        if height:
            parts.append(BarPart(role, f"{HEIGHT - below:.2f}", f"{height:.2f}"))
    costs = tuple(money(day.of[role], role in day.unknown) for role in roles)
    y = f"{HEIGHT - day.alone * HEIGHT / top:.2f}" if day.alone else ""
    alone = money(day.alone) if day.alone else ""
    cost = money(day.whole, bool(day.unknown))
    return DayBar(10 * n + 1, _day(day), cost, costs, tuple(parts), alone, y)


def _day(day: DaySpent) -> str:
    return f"{day.day.day} {day.day:%b}"


def _words(days: Sequence[DaySpent]) -> str:
    dearest = max(days, key=lambda day: day.whole, default=None)
    if dearest is None or not dearest.whole:
        of_unknown_cost = any(day.unknown for day in days)
        return "Nobody knows what was spent." if of_unknown_cost else "Nothing was spent."
    on = sum(1 for day in days if day.whole)
    many = f"{on} days" if on > 1 else "1 day"
    return (
        f"Spent on {many}, most on {_day(dearest)}: {money(dearest.whole, bool(dearest.unknown))}."
    )


def _rounded_up(most: Decimal) -> Decimal:
    """The next 1, 2, 4 or 10 of its power of ten, so that half of it is read easily, too."""
    if not most:
        return Decimal(1)
    power = Decimal(1).scaleb(most.adjusted())
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= most)


def _axis(amount: Decimal) -> str:
    text = f"{amount.normalize():f}"
    return f"${text}"
