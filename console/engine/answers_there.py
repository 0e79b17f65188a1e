"""Calls that nobody is asked for: their answers are there before the run begins."""

from __future__ import annotations

from decimal import Decimal

from .spec import Panelist
from .state import BROUGHT, TAKEN, CallState, CallStatus, Step, call_key


def brought_call(seat: int, number: int, panelist: Panelist, text: str, at: float) -> CallState:
    """The call that holds an answer from elsewhere. It is known to have cost nothing."""
    return CallState(
        key=call_key(Step.PANEL, seat, number),
        step=Step.PANEL,
        number=number,
        cause=BROUGHT,
        panelist=panelist.to_dict(),
        seat=seat,
        status=CallStatus.COMPLETED,
        text=text,
        finish_reason="stop",
        cost=Decimal(0),
        finished_at=at,
    )


def taken_call(call: CallState, seat: int, panelist: Panelist, run: str, at: float) -> CallState:
    """The call that holds an answer of another run, which has been paid for there."""
    return CallState(
        key=call_key(Step.PANEL, seat, 1),
        step=Step.PANEL,
        number=1,
        cause=TAKEN,
        panelist=panelist.to_dict(),
        seat=seat,
        status=CallStatus.COMPLETED,
        text=call.text,
        reasoning=call.reasoning,
        finish_reason=call.finish_reason,
        cost=Decimal(0),
        model=call.model,
        provider=call.provider,
        unreadable=call.unreadable,
        citations=call.citations,
        attachments=call.attachments,
        files=call.files,
        taken_from=call.taken_from or f"{run}/{call.key}",
        finished_at=at,
    )
