"""What a judge calls the answers: by letter as it was told, or in its own way.

`["A", "B"]`, `"A, B and C"`, `"Answer A"`; some count instead, `[0, 1]` or
`[1, 2]`. Anything else names nobody: a stance that is put into a wrong mouth is
worse than one that is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ..spec import letter

_BETWEEN = re.compile(r"[\s,;/&+#.:()\[\]]+")
_FILLERS = {"AND", "ANSWER", "ANSWERS", "SEAT", "SEATS"}
_LONGEST = 200


class SeatNames:
    """Of the answers in `seats`, as one analysis uses them."""

    def __init__(self, seats: Sequence[int], data: Any) -> None:
        # Whoever counts from 0 will hardly leave out the first answer everywhere.
        first = 0 if "0" in _all_in(data) else 1
        self._seats = {letter(s): s for s in seats} | {str(s + first): s for s in seats}

    def read(self, raw: Any) -> list[int]:
        """Known seats only, each once, in order; a foreign letter is dropped."""
        return sorted({self._seats[n] for n in _names(raw) if n in self._seats})


def _names(raw: Any) -> Iterator[str]:
    for said in raw if isinstance(raw, list) else [raw]:
        if isinstance(said, bool) or not isinstance(said, str | int) or len(str(said)) > _LONGEST:
            continue
        words = {w for w in _BETWEEN.split(str(said).upper()) if w} - _FILLERS
        if all(len(word) == 1 for word in words):
            yield from words


def _all_in(data: Any) -> set[str]:
    found: set[str] = set()
    left = [data]
    while left:  # what was nested a thousand deep could be parsed, and is not climbed down
        item = left.pop()
        if isinstance(item, list):
            left += item
        elif isinstance(item, dict):
            for key, value in item.items():
                if key in ("seat", "seats"):
                    found.update(_names(value))
                else:
                    left.append(value)
    return found
