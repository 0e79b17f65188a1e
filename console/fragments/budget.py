"""What the page asks when a run's own budget did not pay for all of it: whether to go on, and for
how much."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from ..engine.errors import Reason
from ..engine.spec import MAX_SEATS
from ..engine.state import CallState, RunState, Step
from ..engine.usage import money
from ..models import Run
from ..money.amounts import about, dollars
from ..money.purses import budget_of
from ..services.estimates import TIMES, Estimate

CENT = Decimal("0.01")


@dataclass(frozen=True)
class GoesOn:
    sentence: str
    suggested: str  # US dollars: as much once more; of a usual budget what was expected of it
    fuses: bool  # at once, for the answers were not


def goes_on(run: Run, state: RunState, *, may_fuse: bool) -> GoesOn | None:
    """Only of a run that its own budget refused a call is it looked up."""
    if not (state.status.is_final and _lacks(state)):
        return None
    is_usual = run.usual_budget_nano is not None
    found = budget_of(run.pk)
    if found is None and not is_usual:
        return None  # a limit of the run that is no money
    if found is None:  # of a run from before it was held
        cost, is_partial = state.cost()
        sentence = (
            f"This run has cost {money(cost, is_partial)}, more than three times what was expected "
            "of all of it, so nobody else was asked."
        )
    else:
        sentence = f"{found.named} did not pay for all of it: {about(found.left)} is left."
    more = dollars(run.usual_budget_nano or (found.limit if found else 0))
    expected = Estimate.from_dict(run.estimate)
    if is_usual and expected and expected.high:
        more = min(more, TIMES * expected.high)
    suggested = more.quantize(CENT, ROUND_CEILING) if is_usual else more.normalize()
    return GoesOn(sentence, f"{suggested:f}", may_fuse)


def _lacks(state: RunState) -> bool:
    calls = [state.latest(Step.PANEL, seat=seat) for seat in range(MAX_SEATS)]
    if state.fusion:
        calls += [c for c in state.calls.values() if c.fusion == state.fusion.number]
    return any(_was_refused(call) for call in calls if call)


def _was_refused(call: CallState) -> bool:
    """By the run's own: another's is raised by others."""
    return call.reason == Reason.BUDGET_EXCEEDED and call.error.startswith("This run")
