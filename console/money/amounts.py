"""Between US dollars and whole nano-dollars: prices are of a million tokens, and every cost is
rounded once, up."""

from __future__ import annotations

from decimal import ROUND_CEILING, Decimal, InvalidOperation

from ..engine.usage import money
from ..models.money import NANO

MILLION = 1_000_000
MOST = Decimal(10**8)


def read(text: str) -> Decimal:
    """US dollars as somebody typed them. Raises ValueError."""
    try:
        amount = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        raise ValueError(text) from None
    if not amount.is_finite() or not 0 <= amount < MOST:
        raise ValueError(text)
    return amount


def nano(dollars: Decimal) -> int:
    return int((dollars * NANO).to_integral_value(ROUND_CEILING))


def dollars(nanos: int) -> Decimal:
    return Decimal(nanos) / NANO


def cost(tokens: int, price: int, more_tokens: int = 0, more_price: int = 0) -> int:
    """Nano-dollars of tokens at nano-dollars a million."""
    return -(-(tokens * price + more_tokens * more_price) // MILLION)


def plain(nanos: int) -> str:
    """A limit as somebody set it, to the last figure."""
    return f"${dollars(nanos).normalize():f}"


def about(nanos: int) -> str:
    return money(dollars(max(nanos, 0)))
