"""What has been spent, and the limits that are asked before every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from console.engine.usage import money


class LimitReached(Exception):
    """The next step is not begun; the message is one plain sentence."""


@dataclass(frozen=True)
class Spent:
    """`unknown` counts steps of which some call's cost is not known."""

    cost: Decimal
    unknown: int
    calls: int

    def to_dict(self) -> dict[str, Any]:
        return {"cost": float(self.cost), "unknown": self.unknown, "calls": self.calls}


@dataclass(frozen=True)
class SpendingLimits:
    """None means no limit."""

    max_cost: Decimal | None = None
    max_calls: int | None = None

    def check(self, so_far: Spent, *, calls: int, under_way: int) -> None:
        """`calls` are the next step's, `under_way` those begun and not on record yet."""
        if self.max_cost is not None and so_far.cost >= self.max_cost:
            raise LimitReached(f"{money(so_far.cost)} are spent, of at most ${self.max_cost:f}.")
        reached = so_far.calls + under_way
        if self.max_calls is not None and reached + calls > self.max_calls:
            raise LimitReached(
                f"{reached} calls are made, of at most {self.max_calls}, "
                f"and the next step takes {calls}."
            )


def spent(steps: Mapping[str, Any]) -> Spent:
    """Every step's own calls, each once, whichever arms make use of them."""
    paid = [entry for entry in steps.values() if "calls" in entry]
    return Spent(
        cost=sum((Decimal(e["cost"]) for e in paid if e["cost"] is not None), Decimal(0)),
        unknown=sum(e["cost"] is None or e["cost_is_partial"] for e in paid if e["calls"]),
        calls=sum(e["calls"] for e in paid),
    )
