"""A run's receipt: a line for each call that has ended, with its price, who said what it cost, and
what was held for it. The columns of the file are the fields of a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from ..engine.pool import costs, searches
from ..engine.receipt import COMPUTED
from ..engine.spec import letter
from ..engine.state import CallState, RunState, Step
from ..engine.usage import Price
from ..models import Hold, Run
from .amounts import dollars

# The order of the page, not of the end; panel by seat.
ORDER = (
    Step.RESEARCH,
    Step.PANEL,
    Step.CONDENSE,
    Step.ANALYSIS,
    Step.SYNTHESIS,
    Step.POLL,
    Step.LOOKUP,
)


@dataclass(frozen=True)
class PaidCall:
    """Money is in US dollars, prices are of a million tokens. `cost` is as on the page, `booked`
    what was taken from the budgets: of a call whose cost nobody said, an estimate. `held` and what
    follows is empty where no budget concerned the call. `web` is what the site's own engine was
    asked; what was `booked` for that is told always, since the page of budgets sums it."""

    call: str
    step: str
    seat: str | None
    fusion: int | None
    cause: str
    model: str
    answered_by: str | None
    provider: str | None
    generation_id: str | None
    status: str
    reason: str | None
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    searches: int | None
    search_tokens: int | None
    price_input: Decimal | None
    price_cached_input: Decimal | None
    price_output: Decimal | None
    cost: Decimal | None
    cost_source: str | None
    held: Decimal | None
    booked: Decimal | None
    is_estimated: bool | None
    output_limit: int | None
    taken_from: str | None

    def to_dict(self) -> dict[str, Any]:
        return {
            name: float(value) if isinstance(value, Decimal) else value
            for name, value in vars(self).items()
        }


def receipt_of(run: Run, state: RunState) -> list[PaidCall]:
    """In the order of the page: panel by seat, then what was made of it."""
    holds = {hold.call: hold for hold in Hold.objects.filter(run=run).order_by("attempt")}
    order = {step: n for n, step in enumerate(ORDER)}
    calls = sorted(
        (
            c
            for c in state.calls.values()
            if c.status.is_final and not (c.is_by_words or c.is_brought)
        ),
        key=lambda c: (order[c.step], c.fusion or 0, c.seat or 0, c.number),
    )
    return [
        *_searches(state, list(holds.values())),
        *(_line(call, holds.get(call.key)) for call in calls),
    ]


def _searches(state: RunState, holds: Iterable[Hold]) -> list[PaidCall]:
    """Of the site's own engine: no calls, but paid from the same budgets."""
    paid, held = costs(state.research), [hold for hold in holds if hold.engine]
    if not paid and not any(hold.settled_nano for hold in held):
        return []
    settled = [hold.settled_nano for hold in held if hold.settled_nano is not None]
    from_budgets = [hold.amount_nano for hold in held if hold.windows]
    none = dict.fromkeys(field.name for field in fields(PaidCall))
    line = none | {
        "call": "web",
        "step": Step.RESEARCH.value,
        "cause": "first",
        "model": held[-1].engine if held else searches(state.research)[-1]["engine"],
        "status": "completed",
        "searches": len(paid) or sum(1 for nano in settled if nano),
        "cost": sum(paid, Decimal(0)),
        "cost_source": COMPUTED,
        "held": dollars(sum(from_budgets)) if from_budgets else None,
        "booked": dollars(sum(settled)) if settled else None,
        "is_estimated": any(hold.is_estimated for hold in held) if held else None,
    }
    return [PaidCall(**line)]


@dataclass(frozen=True)
class Quoted:
    """Of the whole run: what was expected, and what one model alone would have cost, computed."""

    quoted_low: Decimal | None
    quoted_high: Decimal | None
    reference_model: str | None
    reference_cost: Decimal | None


def as_csv(lines: Iterable[PaidCall], quoted: Quoted | None = None) -> str:
    """What is of the whole run stands in a line of its own, the last one."""
    out = io.StringIO()
    writer = csv.writer(out)
    calls, more = ([f.name for f in fields(kind)] for kind in (PaidCall, Quoted))
    writer.writerow([*calls, *more])
    writer.writerows(
        [*(cell(value) for value in vars(line).values()), *("" for _ in more)] for line in lines
    )
    if quoted:
        of_run = ["run", *("" for _ in calls[1:])]
        writer.writerow([*of_run, *(cell(value) for value in vars(quoted).values())])
    return out.getvalue()


def _line(call: CallState, hold: Hold | None) -> PaidCall:
    price = Price.from_dict(call.panelist.get("price"))
    return PaidCall(
        call=call.key,
        step=call.step.value,
        seat=None if call.seat is None else letter(call.seat),
        fusion=call.fusion,
        cause=call.cause,
        model=call.panelist["model"],
        answered_by=call.model or None,
        provider=call.provider or None,
        generation_id=call.generation_id or None,
        status=call.status.value,
        reason=call.reason or None,
        input_tokens=call.usage.input_tokens,
        cached_tokens=call.usage.cached_tokens,
        output_tokens=call.usage.output_tokens,
        reasoning_tokens=call.usage.reasoning_tokens,
        searches=call.usage.searches,
        search_tokens=call.usage.search_tokens,
        price_input=price.input if price else None,
        price_cached_input=price.cached_input if price else None,
        price_output=price.output if price else None,
        cost=call.charged,
        cost_source=call.cost_source or None,
        held=dollars(hold.amount_nano) if hold else None,
        booked=None if hold is None or hold.settled_nano is None else dollars(hold.settled_nano),
        is_estimated=hold.is_estimated if hold else None,
        output_limit=call.output_limit,
        taken_from=call.taken_from or None,
    )


def cell(value: Any) -> str:
    """A spreadsheet takes what begins so for a formula."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
