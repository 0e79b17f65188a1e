"""What a run was expected to cost, kept with it from its start: its receipt lays the price beside
it; and what it may come to where nobody has said that.

A run's usual budget is three times the quote's high, by what is known of such runs or by what holds
for all, whichever is more, and of each call never less than one whole call (whole_calls.py):
nobody set it, so who asks for a report after a week of short questions is neither stopped nor cut
by it. Each call has its share of it (money/shares.py). It is none where a price is not known, where
nothing costs anything, and for evaluations, which have limits of their own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any

from ..engine.pool import costs
from ..engine.spec import Panelist, Spec
from ..engine.state import CallState, RunState, Step
from ..engine.usage import Price, Usage, cost_of, total_cost
from ..models import Run
from ..models.runs import Origin
from ..money.amounts import nano
from ..money.receipt import Quoted
from ..money.shares import WEB, part
from .habits import history, people_of
from .quote import AtMost, quote_of, usually_at_most
from .site import chosen_for_the_site, reference_of
from .whole_calls import whole_calls

TIMES = 3
LEAST = Decimal("0.01")  # dollars


@dataclass(frozen=True)
class UsualBudget:
    """Nano-dollars; `shares`: of each part of a run, three times what is expected of it at most, or
    one whole attempt at it."""

    limit: int
    shares: Mapping[str, int]


@dataclass(frozen=True)
class Estimate:
    """As a run keeps it. US dollars, None where a price was not known; `runs` that it rested on;
    `reference`: with whom it was compared, at that day's price."""

    low: Decimal | None
    high: Decimal | None
    seconds: float | None
    runs: int
    reference: Panelist | None

    def to_dict(self) -> dict[str, Any]:
        who = self.reference
        return {
            "low": None if self.low is None else str(self.low),
            "high": None if self.high is None else str(self.high),
            "seconds": self.seconds,
            "runs": self.runs,
            "reference": None
            if who is None
            else {
                "model": who.model,
                "credential": who.credential,
                "price": who.price.to_dict() if who.price else None,
            },
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any] | None) -> Estimate | None:
        """None of a run that has none, as those of earlier versions."""
        if not data:
            return None
        low, high, who = data.get("low"), data.get("high"), data.get("reference")
        return cls(
            low=None if low is None else Decimal(low),
            high=None if high is None else Decimal(high),
            seconds=data.get("seconds"),
            runs=data.get("runs", 0),
            reference=None
            if who is None
            else Panelist(who["model"], who["credential"], price=Price.from_dict(who["price"])),
        )


def is_passed_through(spec: Spec, origin: str) -> bool:
    """One model, for a program that waits for it: nothing is looked up beside."""
    return origin == Origin.API and len(people_of(spec)) == 1


def estimated(
    spec: Spec,
    texts: Iterable[str],
    answers: Iterable[str],
    *,
    attached: int = 0,
    origin: str,
    is_limited: bool,
) -> tuple[Estimate | None, UsualBudget | None]:
    """And its usual budget; none where somebody has said one (`is_limited`).
    Files of `attached` tokens go with the texts."""
    if is_passed_through(spec, origin):
        return None, None
    chosen = chosen_for_the_site()
    texts, answers = [*texts], [*answers]
    said = quote_of(spec, texts, history(), answers, reference_of(chosen), attached)
    alone = said.alone.who if said.alone else None
    estimate = Estimate(said.low, said.high, said.seconds, said.runs, alone)
    if is_limited or origin == Origin.EVALUATION or (chosen and not chosen.runs_have_budget):
        return estimate, None
    if not said.high:
        return estimate, None  # nothing to limit, or nobody knows what
    texts += _beside(spec)
    usually = usually_at_most(spec, texts, answers, attached)
    whole = whole_calls(spec, texts, answers, attached)
    return estimate, usual_budget(said.at_most, usually, whole)


def usual_budget(
    said: AtMost, usually: AtMost, whole: Mapping[str, int] | None
) -> UsualBudget | None:
    """`whole`: one whole attempt at each part; None where somebody's price is not known."""
    if not said.high or usually.high is None or whole is None:
        return None
    most = max(said, usually, key=lambda quote: quote.high or 0)
    shares = dict(whole)
    for (step, seat), high in most.parts.items():
        name = part(step, seat)
        shares[name] = max(nano(TIMES * (high or Decimal(0))), shares.get(name, 0))
    if most.web is not None:
        shares[WEB] = nano(TIMES * most.web)
    return UsualBudget(max(sum(shares.values()), nano(LEAST)), shares)


def _beside(spec: Spec) -> list[str]:
    """What a program sends beside its messages, as tools: models read it, too."""
    options = spec.request.get("options")
    return [json.dumps(options, ensure_ascii=False, default=str)] if options else []


@dataclass(frozen=True)
class EstimateAndCost:
    """The estimate beside what became of it. `cost` is that of all that was estimated: not of what
    was asked later. `alone` is what the reference would have cost, computed: by its own
    answer where it sat on the panel, else at the length of those that came."""

    estimate: Estimate
    cost: Decimal | None
    is_partial: bool
    alone: Decimal | None


def outcome(run: Run, state: RunState) -> EstimateAndCost | None:
    """None of a run whose price nobody estimated."""
    estimate = Estimate.from_dict(run.estimate)
    if estimate is None:
        return None
    later = min((c.number for c in state.calls.values() if _is_for_reader(c)), default=math.inf)
    first = [
        call
        for call in state.calls.values()
        if _was_estimated(call) and not (call.step is Step.LOOKUP and call.number >= later)
    ]
    charged = [call.charged for call in first if call.was_billable]
    cost, is_partial = total_cost([*charged, *costs(state.research)])
    alone = _alone(estimate.reference, first) if state.status.is_final else None
    return EstimateAndCost(estimate, cost, is_partial, alone)


def quoted_of(run: Run, state: RunState) -> Quoted | None:
    """As its receipt has it."""
    found = outcome(run, state)
    if found is None:
        return None
    estimate, who = found.estimate, found.estimate.reference
    return Quoted(estimate.low, estimate.high, who.model if who else None, found.alone)


def _is_for_reader(call: CallState) -> bool:
    """Of a claim that is looked up since somebody wishes it, once the run is over."""
    return call.step is Step.LOOKUP and call.cause == "asked"


def _was_estimated(call: CallState) -> bool:
    is_later = (call.fusion or 1) > 1 or call.step is Step.POLL or call.cause == "asked"
    return not (is_later or call.is_brought or call.is_taken)


def _alone(who: Panelist | None, calls: Iterable[CallState]) -> Decimal | None:
    answers = [call for call in calls if call.step is Step.PANEL and call.is_usable]
    if who is None or not answers:
        return None
    for call in answers:
        asked = call.panelist.get("model"), call.panelist.get("credential")
        if asked == (who.model, who.credential) and call.charged is not None:
            return call.charged
    read = [call.usage.input_tokens for call in answers if call.usage.input_tokens is not None]
    made = [call.usage.output_tokens for call in answers if call.usage.output_tokens is not None]
    if not read or not made:
        return None
    return cost_of(Usage(round(median(read)), round(median(made))), who.price)
