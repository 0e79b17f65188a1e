"""What a run was expected to cost, beside what it did, in sentences under its receipt."""

from __future__ import annotations

from ..engine.usage import about_money, money
from ..services.estimates import EstimateAndCost
from ..services.expected import Expected


def estimate_told(outcome: EstimateAndCost | None, *, is_final: bool) -> list[str]:
    if outcome is None:
        return []
    return [line for line in (_expected(outcome, is_final=is_final), _alone(outcome)) if line]


def _expected(outcome: EstimateAndCost, *, is_final: bool) -> str:
    estimate = outcome.estimate
    expected = Expected(estimate.low, estimate.high, None).cost.removeprefix("≈ ")
    if not expected or estimate.high == 0:
        return ""
    if not is_final or outcome.cost is None:
        return f"Expected before it was sent: {expected}."
    return f"Expected before it was sent: {expected}; it cost {_cost(outcome)}."


def _cost(outcome: EstimateAndCost) -> str:
    return money(outcome.cost, outcome.is_partial)


def _alone(outcome: EstimateAndCost) -> str:
    who = outcome.estimate.reference
    if who is None or outcome.alone is None or outcome.estimate.high == 0:
        return ""
    cost = about_money(outcome.alone)
    return f"{who.short_name} alone would have cost about {cost} (computed)."
