"""What a call costs: every token at its own price, and once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from console.engine.usage import Price, Usage, cost_of

PRICE = Price(input=Decimal(3), output=Decimal(15), cached_input=Decimal("0.3"))
NONE_FOR_CACHED = Price(input=Decimal(3), output=Decimal(15))
FREE_WHEN_CACHED = Price(input=Decimal(3), output=Decimal(15), cached_input=Decimal(0))
FREE = Price(input=Decimal(0), output=Decimal(0))


@pytest.mark.parametrize(
    ("usage", "price", "dollars"),
    [
        pytest.param(Usage(1000, 200), PRICE, "0.006", id="nothing cached"),
        pytest.param(Usage(1000, 200, 0), PRICE, "0.006", id="none of them cached"),
        pytest.param(Usage(1000, 200, 800), PRICE, "0.00384", id="cached at its own price"),
        pytest.param(Usage(1000, 200, 1000), PRICE, "0.0033", id="all of them cached"),
        pytest.param(Usage(1000, 200, 800), NONE_FOR_CACHED, "0.006", id="no price for cached"),
        pytest.param(Usage(1000, 200, 800), FREE_WHEN_CACHED, "0.0036", id="cached for nothing"),
        pytest.param(Usage(1000, 200, None, 150), PRICE, "0.006", id="thoughts within the output"),
        pytest.param(Usage(1000, 200, 800, 200), PRICE, "0.00384", id="cached, and all thoughts"),
        pytest.param(Usage(1, 0), PRICE, "0.000003", id="one token"),
        pytest.param(Usage(0, 0), PRICE, "0", id="no tokens"),
        pytest.param(Usage(1000, 200, 800), FREE, "0", id="a model that costs nothing"),
        pytest.param(Usage(1000, 200), None, None, id="no price known"),
        pytest.param(Usage(), PRICE, None, id="no usage reported"),
        pytest.param(Usage(), FREE, None, id="no usage of what costs nothing"),
        pytest.param(Usage(None, 200), PRICE, None, id="input unknown"),
        pytest.param(Usage(1000, None), PRICE, None, id="output unknown"),
        pytest.param(Usage(None, None, 800, 150), PRICE, None, id="only parts known"),
    ],
)
def test_a_call_costs_every_token_once_at_its_own_price(
    usage: Usage, price: Price | None, dollars: str | None
) -> None:
    assert cost_of(usage, price) == (None if dollars is None else Decimal(dollars))
