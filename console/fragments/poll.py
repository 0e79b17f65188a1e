"""The preference poll of the fusion that is shown, and whether it may be asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..engine.state import CallStatus, RunState, RunStatus, Step
from ..engine.steps.poll import EQUAL, FUSED, OWN, UNPARSED, tally, voters
from .seats import SeatView

WORDS = {
    FUSED: "the fused answer",
    OWN: "its own answer",
    EQUAL: "neither",
    UNPARSED: "could not be read",
}


@dataclass(frozen=True)
class Ballot:
    seat: SeatView
    word: str
    vote: str


@dataclass(frozen=True)
class Poll:
    fusion: int
    ballots: list[Ballot]
    tally: Mapping[str, int]
    may_ask: bool

    @property
    def voted(self) -> int:
        return sum(self.tally.values())


def poll(state: RunState, columns: Sequence[SeatView]) -> Poll | None:
    """None where there is no fused answer to ask about, or nobody who could say."""
    fusion = state.fusion
    if fusion is None or not state.is_fused(fusion):
        return None
    votes = {vote["seat"]: vote["vote"] for vote in fusion.poll}
    asked = {call.seat for call in voters(state, fusion)}
    ballots = []
    for column in columns:
        call = state.latest(Step.POLL, seat=column.seat, fusion=fusion.number)
        if column.seat in votes:
            vote = votes[column.seat]
            ballots.append(Ballot(column, WORDS[vote], vote))
        elif call and call.status in (CallStatus.FAILED, CallStatus.CANCELLED):
            ballots.append(Ballot(column, f"no vote. {call.error}", "failed"))
    if not (asked or ballots):
        return None  # nobody of this panel is large enough to say
    may_ask = state.status is RunStatus.COMPLETED and bool(asked - set(votes))
    return Poll(fusion.number, ballots, tally(fusion.poll), may_ask)
