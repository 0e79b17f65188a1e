"""What of a run's usual budget is kept for calls that are still to come.

Nobody set it, and so its calls are no rivals: each may count on a share of its own, three times
what was expected of it at most, and whoever asks first does not get the others'. What is not used
of a share is everybody's who asks later, as of calls that nobody expected (a retry, a fallback).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..engine.state import Step
from ..models import Hold, Purse
from ..models.money import USUAL

# In this order they are asked: whose turn is over is kept nothing for.
_ORDER = (
    *(Step.RESEARCH, Step.PANEL, Step.CONDENSE, Step.ANALYSIS, Step.LOOKUP, Step.SYNTHESIS),
    Step.POLL,
)


# Searches by the site's engine, which seats may ask for as long as the panel is asked.
WEB = f"{Step.PANEL.value}-web"


class Shares:
    """Of one booking. `taken_by`: calls that went out already, and what was held for them."""

    def __init__(self, taken_by: Iterable[tuple[str, int]] = ()) -> None:
        self._taken: set[str] = set()
        self._searched = 0
        for key, amount in taken_by:
            self.taken(key, amount)

    def taken(self, key: str, amount: int) -> None:
        if key.startswith(f"{WEB}-"):
            self._searched += amount  # further ones have what is left of it
        else:
            self._taken.add(key)

    def kept_from(self, key: str, purse: Purse) -> int:
        """Nano-dollars of the purse that are others' than this call's."""
        if not (shares := purse.shares):
            return 0
        part = part_of(key)
        place = _place(part)
        gone = {part, *map(part_of, self._taken)}
        others = (p for p in shares if p not in gone and _place(p) >= place)
        return sum(
            max(int(shares[other]) - (self._searched if other == WEB else 0), 0) for other in others
        )


def shares_of(run_id: Any, purses: Iterable[Purse]) -> Shares:
    """Which calls went out is asked only where there are shares."""
    if not any(purse.kind == USUAL for purse in purses):
        return Shares()
    return Shares(Hold.objects.filter(run_id=run_id).values_list("call", "amount_nano"))


def part_of(key: str) -> str:
    """Of a call's key: each seat by itself, any other step as one."""
    step, *places, _ = key.split("-")
    return f"{step}-{places[0]}" if step == Step.PANEL and places else step


def part(step: Step, seat: int | None) -> str:
    return step.value if seat is None else f"{step.value}-{seat}"


def _place(part: str) -> int:
    return _ORDER.index(Step(part.split("-")[0]))
