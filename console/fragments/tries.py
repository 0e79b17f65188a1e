"""Earlier calls of a place: what was asked, and why it was asked again."""

from __future__ import annotations

from dataclasses import dataclass

from ..engine.spec import Panelist
from ..engine.state import CallState
from ..engine.usage import money
from . import figures

CAUSES = {
    "first": "first try",
    "retry": "asked again",
    "adapt": "asked in another form",
    "resume": "asked again after an interruption",
    "fallback": "fallback",
    "repair": "repair",
    "asked": "asked by a reader",
    "turn": "with what it had looked up",
    "condense": "condensing",
    "research": "search queries",
    "brought": "brought along",
    "taken": "taken over",
}


@dataclass(frozen=True)
class Try:
    """An earlier call of the same place, and why it was not the last."""

    number: int
    cause: str
    model: str
    why: str
    seconds: str
    cost: str
    text: str


def tries_of(calls: list[CallState]) -> list[Try]:
    ordered = sorted(calls, key=lambda call: call.number)
    return [
        Try(
            number=call.number,
            cause=CAUSES.get(call.cause, call.cause),
            model=Panelist.from_dict(call.panelist).short_name,
            why=call.error,
            seconds=figures.seconds(figures.span(call.sent_at, call.finished_at)),
            cost=money(call.cost),
            text=call.text,
        )
        for call in ordered[:-1]
        if not call.is_turn  # told with what it looked up
    ]
