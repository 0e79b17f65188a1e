"""What a request may cost: `max_cost`, and OpenRouter's `stop_server_tools_when`. It is the budget
of the run that it starts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from ...models import Run
from ..http.base import ApiCall
from ..http.errors import ApiError

MOST = Decimal(10**8)


def max_cost_of(call: ApiCall[Any]) -> Decimal | None:
    """The strictest, less what runs have cost that this very request has started before: of one
    whose first run chose to ask a panel. Raises ApiError."""
    limits = [*_limits(call.body)]
    if not limits:
        return None
    before = [started.pk for started in call.started if isinstance(started, Run)]
    costs = Run.objects.filter(pk__in=before).values_list("cost", flat=True) if before else []
    return max(min(limits) - sum((cost or Decimal(0) for cost in costs), Decimal(0)), Decimal(0))


def _limits(body: Any) -> Iterator[Decimal]:
    if (limit := body.max_cost) is not None:
        yield limit
    for number, condition in enumerate(getattr(body, "stop_server_tools_when", None) or ()):
        if condition.get("type") == "max_cost":
            yield _dollars(condition, f"stop_server_tools_when.{number}.max_cost_in_dollars")


def _dollars(condition: dict[str, Any], where: str) -> Decimal:
    said = condition.get("max_cost_in_dollars")
    try:
        amount = Decimal(str(said))
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(said, bool) or not amount.is_finite() or not 0 <= amount < MOST:
        raise ApiError("invalid_request", "This is no amount in US dollars.", param=where)
    return amount
