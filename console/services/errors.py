from __future__ import annotations

from collections.abc import Sequence


class Refused(Exception):
    """What was asked cannot be done; the message is one plain sentence for the user."""


class RunUnderWay(Refused):
    """It can be done when the run has ended."""


class NameRefused(Refused):
    """A model that was named cannot be asked.

    `field` is where: panel, fallback (both of the seat `seat`, counted from 0), judge,
    synthesizer, judge_fallback or synthesizer_fallback. `near` are names that may have been
    meant, `also` what is refused of other seats.
    """

    def __init__(
        self, sentence: str, field: str, seat: int | None = None, near: Sequence[str] = ()
    ) -> None:
        super().__init__(sentence)
        self.field, self.seat, self.near = field, seat, tuple(near)
        self.also: tuple[NameRefused, ...] = ()


class TermsRefused(NameRefused):
    """A model that cannot be asked on the terms that were wished for: `promise` is which of
    them (`engine.terms.PROMISES`)."""

    def __init__(self, sentence: str, promise: str, field: str, seat: int | None = None) -> None:
        super().__init__(sentence, field, seat)
        self.promise = promise


class PolicyRefused(Refused):
    """A policy chosen for one run cannot be had. `field`: where it was chosen."""

    field = "policy"


class ReuseRefused(Refused):
    """Answers that are there cannot be taken over by what is asked now."""


class WaitForRefused(PolicyRefused):
    """Nobody can be waited for in this way."""

    field = "wait_for"
