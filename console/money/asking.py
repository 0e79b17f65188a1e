"""What a call is to be paid from, what it may cost, and what came of asking for that."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.conf import settings

from ..engine.calls.worst_case import (
    fees_at_most,
    input_at_most,
    input_probably,
    output_at_most,
)
from ..engine.provider import Request
from ..engine.spec import Panelist
from ..engine.usage import Price, is_free
from .amounts import cost, nano

LIST, WORST_CASE = "list", "worst_case"
LEAST_OUTPUT = 2_000  # tokens: with fewer an answer is worth asking for only if they are half


@dataclass(frozen=True)
class Payer:
    """Whose budgets a run's calls are paid from; a fusion's token may be another."""

    run_id: Any
    owner_id: int | None
    token_id: int | None
    project_id: int | None = None


@dataclass(frozen=True)
class Ask:
    """One call. Prices are nano-dollars a million tokens; None: nobody knows them."""

    key: str
    fusion: int | None
    model: str
    input_most: int
    input_probably: int
    output: int
    input_price: int | None
    output_price: int | None
    priced_by: str = LIST
    # Whether somebody set that limit of the output: else it goes out with the one that is paid.
    is_limited: bool = True
    fees: int = 0  # nano-dollars beside its tokens, as for searches of the web
    engine: str = ""  # of a search that the site itself pays for, and of no call

    @property
    def is_free(self) -> bool:
        return self.input_price == self.output_price == self.fees == 0

    def amount(self, output: int | None = None) -> int:
        assert self.input_price is not None and self.output_price is not None
        output = self.output if output is None else output
        tokens = cost(self.input_most, self.input_price, output, self.output_price)
        return tokens + self.fees

    def that_fits(self, left: int) -> int | None:
        """The output limit that so much pays for, if an answer of it is worth having."""
        assert self.output_price is not None
        for_output = left - self.amount(0)
        if for_output < 0 or not self.output_price:
            return None
        output = min(self.output, for_output * 1_000_000 // self.output_price)
        if output < 1 or (output < LEAST_OUTPUT and output * 2 < self.output):
            return None
        return output


@dataclass(frozen=True)
class Granted:
    """`output_limit` where another is paid for than was asked for."""

    output_limit: int | None = None


@dataclass(frozen=True)
class Denied:
    sentence: str


Answer = Granted | Denied


def ask_of(key: str, fusion: int | None, panelist: Panelist, request: Request) -> Ask:
    reads = input_probably(request)
    ask = Ask(
        key,
        fusion,
        panelist.short_name,
        input_at_most(request),
        reads,
        output_at_most(panelist, request.max_output_tokens, reads),
        None,
        None,
        is_limited=request.max_output_tokens is not None,
    )
    price, priced_by = panelist.price, LIST
    if price is None and settings.WORST_PRICE:
        price, priced_by = Price(*settings.WORST_PRICE), WORST_CASE
    if price is None:
        return ask
    return replace(
        ask,
        input_price=nano(max(price.input, price.cached_input or price.input)),
        output_price=nano(price.output),
        priced_by=priced_by,
        fees=nano(fees_of(panelist.model, price, request)),
    )


def fees_of(model: str, price: Price | None, request: Request) -> Decimal:
    """US dollars that a call may cost beside its tokens. A model of one's own costs nothing,
    whatever it is called."""
    is_billed = not is_free(price) or model.endswith(":online")
    prices = settings.SEARCH_PRICES
    return fees_at_most(model if is_billed else "", request, prices["model"], prices["result"])
