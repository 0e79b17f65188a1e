"""What a run will cost and take, in the words of the page and the shell."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from ..models.money import DAY, MONTH, SITE
from ..money.amounts import about, dollars, plain
from ..money.standing import BudgetStanding
from ..services.expected import Expected
from ..services.planned_calls import Role
from ..services.quote import QuotedPart, RunQuote

_ROLES: tuple[Role, ...] = ("panel", "judge", "writer")
# Few runs say little.
_WORTH_TELLING = 5
FEW_RUNS = 5  # that a budget still pays for: then it is said what is left


@dataclass(frozen=True)
class QuoteView:
    """`notes` are sentences: what is not known, and what will not fit."""

    cost: str
    took: str
    parts: tuple[tuple[str, str], ...]
    alone: str
    rests_on: str
    notes: tuple[str, ...]


def quote_view(quote: RunQuote, least: BudgetStanding | None = None) -> QuoteView:
    """`least`: the budget with the least left of those that it would be paid from."""
    expected = quote.expected
    return QuoteView(
        cost=_whole(quote),
        took=expected.took,
        parts=() if quote.is_free else tuple(_parts(quote)),
        alone=_alone(quote),
        rests_on=f"as {quote.runs} such runs here" if quote.runs >= _WORTH_TELLING else "",
        notes=(*_unknown(quote), *_too_long(quote), *_left(quote, least)),
    )


def _whole(quote: RunQuote) -> str:
    if quote.is_free:
        return "Free"
    cost = quote.expected.cost
    return f"About {cost.removeprefix('≈ ')}" if cost else "Price not known"


def _parts(quote: RunQuote) -> list[tuple[str, str]]:
    parts: list[tuple[str, str]] = []
    for role in _ROLES:
        ends = quote.of(role)
        cost = _dollars(*ends) if ends else ""
        if not cost:
            continue
        seats = [part for part in quote.parts if part.seat is not None and role == "panel"]
        shares = [f"{p.name} {p.share:.0%}" for p in seats if p.share is not None]
        of_all = f" ({', '.join(shares)} of the whole)" if len(shares) > 1 else ""
        parts.append((role, f"{cost}{of_all}"))
    if quote.web:
        parts.insert(0, ("web", _dollars(*quote.web)))
    return parts if len(quote.parts) > 1 else []


def _alone(quote: RunQuote) -> str:
    cost = quote.alone and _dollars(quote.alone.low, quote.alone.high)
    if not (quote.alone and cost) or quote.is_free:
        return ""
    return f"{quote.alone.who.short_name} alone {cost}"


def _unknown(quote: RunQuote) -> list[str]:
    if not quote.unknown:
        return []
    names = [who.short_name for who in quote.unknown]
    whose = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    low, high = quote.known
    rest = f"; the others’ calls cost {_dollars(low, high)}" if high else ""
    return [f"What {whose} {'costs' if len(names) == 1 else 'cost'} is not known here{rest}."]


def _left(quote: RunQuote, least: BudgetStanding | None) -> list[str]:
    """Only where it is little, measured by what this run may cost."""
    if least is None or not quote.high or dollars(least.left) >= FEW_RUNS * quote.high:
        return []
    whose = "this site’s budget" if least.purse.kind == SITE else "your budget"
    period = {DAY: " today", MONTH: " this month"}.get(least.purse.period, "")
    return [f"{about(least.left)} of {whose} of {plain(least.limit)} is left{period}."]


def _too_long(quote: RunQuote) -> list[str]:
    return [_does_not_fit(part) for part in quote.too_long_for]


def _does_not_fit(part: QuotedPart) -> str:
    tokens = f"{part.who.context_length:,} tokens" if part.who.context_length else "its context"
    if part.seat is not None:
        return f"Too long for {part.name} ({part.who.short_name}), which reads {tokens}."
    return (
        f"The answers may be too long for the {part.role} ({part.name}), which reads {tokens}: "
        "they are condensed first."
    )


def _dollars(low: Decimal | None, high: Decimal | None) -> str:
    return Expected(low, high, None).cost.removeprefix("≈ ")
