"""Who sits in a seat now: the panelist the spec froze, or whom a reader has put there since."""

from __future__ import annotations

from ..spec import Panelist, Spec
from ..state import RunState, Step


def seated(spec: Spec, state: RunState, seat: int, *, by: int | None = None) -> Panelist:
    """Whom the seat was given last, with call number `by` or before.

    A fallback that stood in has taken nobody's seat.
    """
    given = [
        call
        for call in state.calls_of(Step.PANEL, seat=seat)
        if call.cause == "asked" and (by is None or call.number <= by)
    ]
    if not given:
        return spec.panel[seat]
    return Panelist.from_dict(max(given, key=lambda call: call.number).panelist)
