"""Tokens and money.

Usage counts tokens of one call; `input_tokens` includes cached ones and
`output_tokens` includes reasoning, as providers bill them. `searches` of the web, and
`search_tokens` that were read of what they found, may be billed beside both. Two more are of one
call alone, and only there where something is odd: `reported_total`, the
provider's own sum, which is not that of the two; `sent_tokens`, what was sent
by our estimate, of which it visibly counted less. A price is US dollars per
million tokens. A cost is US dollars; None means unknown, which is
never the same as 0 and is shown as a dash.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

MILLION = Decimal(1_000_000)
SMALLEST = Decimal("0.0001")  # dollars that are written out
UNKNOWN = "—"


@dataclass(frozen=True)
class Usage:
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    searches: int | None = None
    search_tokens: int | None = None
    reported_total: int | None = None
    sent_tokens: int | None = None

    def to_dict(self) -> dict[str, int]:
        return {k: v for k, v in self.__dict__.items() if v is not None}

    @classmethod
    def from_dict(cls, data: dict[str, Any] | None) -> Usage:
        data = data or {}
        return cls(**{k: data[k] for k in cls.__dataclass_fields__ if k in data})

    @property
    def share_read(self) -> float | None:
        """Of what was sent; None where all of it may have been read."""
        if not self.sent_tokens:
            return None
        return ((self.input_tokens or 0) + (self.cached_tokens or 0)) / self.sent_tokens

    def __add__(self, other: Usage) -> Usage:
        def plus(a: int | None, b: int | None) -> int | None:
            return None if a is None and b is None else (a or 0) + (b or 0)

        summed = (k for k in self.__dataclass_fields__ if k not in _OF_ONE_CALL)
        return Usage(**{k: plus(getattr(self, k), getattr(other, k)) for k in summed})


_OF_ONE_CALL = ("reported_total", "sent_tokens")


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens."""

    input: Decimal
    output: Decimal
    cached_input: Decimal | None = None

    def to_dict(self) -> dict[str, str]:
        return {k: str(v) for k, v in self.__dict__.items() if v is not None}

    @classmethod
    def from_dict(cls, data: dict[str, str] | None) -> Price | None:
        return cls(**{k: Decimal(v) for k, v in data.items()}) if data else None


def is_free(price: Price | None) -> bool:
    return price is not None and not any((price.input, price.output, price.cached_input))


def cost_of(usage: Usage, price: Price | None) -> Decimal | None:
    """Usage times price, or None when either is unknown."""
    if price is None or usage.input_tokens is None or usage.output_tokens is None:
        return None
    cached = usage.cached_tokens or 0
    cached_price = price.input if price.cached_input is None else price.cached_input
    return (
        (usage.input_tokens - cached) * price.input
        + cached * cached_price
        + usage.output_tokens * price.output
    ) / MILLION


def money(amount: Decimal | float | None, is_partial: bool = False) -> str:
    """As people read it: to the cent from ten dollars on, finer below, since calls cost
    fractions of a cent; at least so much where the cost of some calls is unknown."""
    if amount is None or (is_partial and not amount):
        return UNKNOWN  # that it was at least nothing says nothing
    amount = Decimal(str(amount))
    if amount == 0:
        text = "$0"
    elif amount < SMALLEST:
        text = f"<${SMALLEST}"
    else:
        places = Decimal("0.01") if amount >= 10 else SMALLEST
        text = f"${amount.quantize(places, ROUND_HALF_UP):,}"
    return f"≥ {text}" if is_partial else text


def about_money(amount: Decimal) -> str:
    """Of what is only expected: two figures, and no fewer than cents from a cent on."""
    if amount >= 10:
        return f"${amount.quantize(Decimal(1), ROUND_HALF_UP):,}"
    if amount < SMALLEST:
        return money(amount)
    places = max(2, 1 - amount.adjusted())
    text = f"{amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP):f}"
    whole, _, rest = text.partition(".")
    return f"${whole}.{rest.rstrip('0').ljust(2, '0')}"


def total_cost(costs: Iterable[Decimal | None]) -> tuple[Decimal | None, bool]:
    """(sum of the known costs or None when none is known, whether any is unknown)."""
    costs = list(costs)
    known = [c for c in costs if c is not None]
    return (sum(known, Decimal(0)) if known else None), len(known) < len(costs)
