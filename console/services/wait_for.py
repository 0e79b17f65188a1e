"""Whom a run waits for, as programs, shells, forms and presets write it.

`everyone`, `all_but_one`, `{"at_least": 2}`, `{"first": 2}`; as text, which forms, the shell
and rows have: `at_least:2`, `first:2`, and as people type it.
"""

from __future__ import annotations

import re
from typing import Any

from ..engine.spec import MAX_SEATS
from ..engine.wait_for import ALL_BUT_ONE, EVERYONE, WaitFor, at_least, first
from .errors import WaitForRefused

REFUSED = (
    "Whom to wait for: write everyone, all_but_one, at_least and how many (at_least:2), or first "
    f"and how many (first:2); 1 to {MAX_SEATS} answers."
)
_COUNTED = re.compile(r"(?:(at_least|the_first|first)\s?[:=_-]?\s?)?([0-9]{1,3})")


def read_wait_for(value: Any) -> WaitFor | None:
    """None: nothing is said. Raises WaitForRefused."""
    if value is None or value == "":
        return None
    try:
        found = _of_text(value) if isinstance(value, str) else WaitFor.from_json(value)
    except ValueError:
        raise WaitForRefused(REFUSED) from None
    if found.count > MAX_SEATS:
        raise WaitForRefused(REFUSED)
    return found


def _of_text(text: str) -> WaitFor:
    said = re.sub(r"(?<=[a-z])[\s-](?=[a-z])", "_", text.strip().lower())
    if counted := _COUNTED.fullmatch(said):
        word, count = counted[1] or "at_least", int(counted[2])
        return WaitFor(word.removeprefix("the_"), count)
    return WaitFor(said)


def as_text(wait_for: WaitFor) -> str:
    return f"{wait_for.word}:{wait_for.count}" if wait_for.count else wait_for.word


def in_words(wait_for: WaitFor) -> str:
    match wait_for.word:
        case "everyone":
            return "everyone"
        case "all_but_one":
            return "all but one"
        case "at_least":
            return f"at least {wait_for.count}"
    return f"the first {wait_for.count}"


def must_be_possible(wait_for: WaitFor, seats: int) -> None:
    """Raises WaitForRefused."""
    if wait_for.count > seats:
        have = "1 seat" if seats == 1 else f"{seats} seats"
        raise WaitForRefused(
            f"The panel has {have}: nobody can wait for {wait_for.count} answers of it."
        )


# What a form offers: as it is stored, and in words.
OFFERED = [
    (as_text(choice), in_words(choice))
    for choice in (
        EVERYONE,
        ALL_BUT_ONE,
        *map(at_least, range(2, MAX_SEATS)),
        *map(first, range(1, MAX_SEATS)),
    )
]
