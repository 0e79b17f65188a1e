"""A quote as programs are told it."""

from __future__ import annotations

from decimal import Decimal

from ...engine.spec import letter
from ...record.parts import money
from ...services.planned_calls import Role
from ...services.quote import QuotedPart, RunQuote
from . import replies


def quote_reply(quote: RunQuote) -> replies.QuoteReply:
    alone = quote.alone
    return replies.QuoteReply(
        low=money(quote.low),
        high=money(quote.high),
        seconds=None if quote.seconds is None else round(quote.seconds, 1),
        panel=_of(quote, "panel"),
        judge=_of(quote, "judge"),
        writer=_of(quote, "writer"),
        web=replies.PriceRange(**_range(*quote.web)) if quote.web else None,
        calls=[_call(part) for part in quote.parts],
        unknown=[who.model for who in quote.unknown],
        alone=replies.AloneReply(model=alone.who.model, **_range(alone.low, alone.high))
        if alone
        else None,
        runs=quote.runs,
    )


def _call(part: QuotedPart) -> replies.QuotedCall:
    return replies.QuotedCall(
        **_range(part.low, part.high),
        seat=None if part.seat is None else letter(part.seat),
        model=part.who.model,
        credential=part.who.credential,
        share=part.share,
        context_length=part.who.context_length,
        fits=part.fits,
    )


def _of(quote: RunQuote, role: Role) -> replies.PriceRange | None:
    ends = quote.of(role)
    return replies.PriceRange(**_range(*ends)) if ends else None


def _range(low: Decimal | None, high: Decimal | None) -> dict[str, float | None]:
    return {"low": money(low), "high": money(high)}
