"""What the page asks when a run's own budget did not pay for all of it: whether to go on, and for
how much."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from ..engine.errors import Reason
from ..engine.spec import MAX_SEATS
from ..engine.state import RunState, Step
from ..engine.usage import money
from ..models import Run
from ..money.amounts import about, dollars, plain
from ..money.purses import budget_of

CENT = Decimal("0.01")


@dataclass(frozen=True)
class GoesOn:
    sentence: str
    suggested: str  # US dollars: as much once more
    fuses: bool  # at once, for the answers were not


def goes_on(run: Run, state: RunState, *, may_fuse: bool) -> GoesOn | None:
    """Only of a run that was refused a call at its end is it looked up."""
    if not (state.status.is_final and _was_refused(state)):
        return None
    if run.usual_budget_nano is not None:
        cost, is_partial = state.cost()
        return GoesOn(
            f"This run has cost {money(cost, is_partial)}, more than three times what was expected "
            "of all of it, so nobody else was asked.",
            f"{dollars(run.usual_budget_nano).quantize(CENT, ROUND_CEILING):f}",
            may_fuse,
        )
    if (found := budget_of(run.pk)) is None:
        return None  # another's budget, or a limit of the run that is no money
    limit, left = found
    return GoesOn(
        f"This run's budget of {plain(limit)} did not pay for all of it: {about(left)} is left.",
        f"{dollars(limit).normalize():f}",
        may_fuse,
    )


def _was_refused(state: RunState) -> bool:
    calls = [state.latest(Step.PANEL, seat=seat) for seat in range(MAX_SEATS)]
    if state.fusion:
        calls += [c for c in state.calls.values() if c.fusion == state.fusion.number]
    return any(call.reason == Reason.BUDGET_EXCEEDED for call in calls if call)
