from __future__ import annotations


class Refused(Exception):
    """What was asked cannot be done; the message is one plain sentence for the user."""


class RunUnderWay(Refused):
    """It can be done when the run has ended."""


class SeatRefused(Refused):
    """Of one seat of a panel, counted from 0; `field` is "model" or "fallback"."""

    def __init__(self, sentence: str, *, seat: int, field: str) -> None:
        super().__init__(sentence)
        self.seat, self.field = seat, field
