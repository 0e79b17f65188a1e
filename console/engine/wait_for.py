"""Whom a run waits for before it fuses: one value, in the words of the API and of specs.

    "everyone"          every seat, each within the limits of its own call
    "all_but_one"       from three seats on one may be missing
    {"at_least": n}     so many usable answers
    {"first": n}        so many, and nobody else is waited for a moment longer

Once so many usable answers are in, `all_but_one` and `at_least` give who is silent the
grace, and who writes or thinks a multiple of what those answers took (`spec.Policy`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

COUNTED = ("at_least", "first")
WORDS = ("everyone", "all_but_one", *COUNTED)


@dataclass(frozen=True)
class WaitFor:
    word: str = "everyone"
    count: int = 0  # of `at_least` and `first`

    def __post_init__(self) -> None:
        if self.word not in WORDS or (self.count > 0) is not (self.word in COUNTED):
            raise ValueError(f"Nobody waits for “{self.word}” {self.count}.")

    def quorum_of(self, seats: int) -> int:
        """Usable answers after which the others are not waited for as before."""
        match self.word:
            case "everyone":
                return seats
            case "all_but_one":
                return seats - 1 if seats > 2 else seats
        return min(self.count, seats)

    @property
    def ends_the_others(self) -> bool:
        return self.word == "first"

    def to_json(self) -> str | dict[str, int]:
        return {self.word: self.count} if self.count else self.word

    @classmethod
    def from_json(cls, value: Any) -> WaitFor:
        """Raises ValueError."""
        match value:
            case str():
                return cls(value)
            case dict() if len(value) == 1:
                ((word, count),) = value.items()
                if type(count) is int and count > 0:
                    return cls(word, count)
        raise ValueError(f"Nobody waits for “{value}”.")


EVERYONE = WaitFor()
ALL_BUT_ONE = WaitFor("all_but_one")


def at_least(count: int) -> WaitFor:
    return WaitFor("at_least", count)


def first(count: int) -> WaitFor:
    return WaitFor("first", count)
