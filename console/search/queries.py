"""What somebody looks for: words, "phrases", beginnings* and filters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime

from .facets import COSTS, STATES, model_facet, preset_facet
from .folding import is_sign, words

LONGEST = 300  # characters of what is typed
MOST = 16  # terms
SHORTEST_BEGINNING = 3

_TERM = re.compile(r"[\"“”„«»]([^\"“”„«»]*)(?:[\"“”„«»](\*)?|$)|([^\s\"“”„«»]+)")


@dataclass(frozen=True)
class Term:
    """Words one right after the other; of the last perhaps its beginning only."""

    words: tuple[str, ...]
    is_beginning: bool = False

    @property
    def is_phrase(self) -> bool:
        return len(self.words) > 1


@dataclass(frozen=True)
class Query:
    """`notes`: what of it was not looked for as it was typed, in sentences."""

    text: str = ""
    terms: tuple[Term, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def finds_nothing(self) -> bool:
        """Something was typed, and no word is in it."""
        return bool(self.text) and not self.terms


def read_query(text: str) -> Query:
    text = " ".join(text.replace("\0", " ").split())
    notes = []
    if len(text) > LONGEST:
        text = text[:LONGEST]
        notes.append(f"Only the first {LONGEST} characters are looked for.")
    found: dict[Term, None] = {}
    for said, starred in _said(text):
        parts = tuple(words(said))
        if not parts:
            continue
        is_beginning = starred and not is_sign(parts[-1])
        if is_beginning and len(parts[-1]) < SHORTEST_BEGINNING:
            is_beginning = False
            notes.append(
                f"“{said}*” is looked for as a whole word: a beginning has at least "
                f"{SHORTEST_BEGINNING} letters."
            )
        found[Term(parts, is_beginning)] = None
    if len(found) > MOST:
        notes.append(f"Only the first {MOST} words are looked for.")
    if text and not found:
        notes.append("There is no letter and no digit to look for.")
    return Query(text, (*found,)[:MOST], tuple(notes))


def _said(text: str) -> Iterator[tuple[str, bool]]:
    for quoted, starred, bare in _TERM.findall(text):
        if bare:
            yield bare.rstrip("*"), bare.endswith("*")
        else:
            yield quoted.rstrip("*"), bool(starred) or quoted.endswith("*")


@dataclass(frozen=True)
class Filters:
    """What combines with a query and with each other; each is a word of the index, but for the
    time, which is the order of it."""

    preset: str = ""
    model: str = ""
    person: int | None = None
    state: str = ""
    cost: str = ""
    origin: str = ""
    since: datetime | None = None
    until: datetime | None = None
    degraded: bool = False
    contradictions: bool = False
    rulings: bool = False
    best: bool = False
    own: bool = False
    # Further words, for what other rooms know of a run (tags, stars).
    more: tuple[str, ...] = field(default=())

    def __bool__(self) -> bool:
        return any(getattr(self, f.name) != f.default for f in fields(self))

    @property
    def facets(self) -> tuple[str, ...]:
        """All of them must be there. Raises KeyError for a state or a cost that there is not."""
        found = [*self.more]
        if self.preset:
            found.append(preset_facet(self.preset))
        if self.model:
            found.append(model_facet(self.model))
        if self.person is not None:
            found.append(f"·o{self.person}")
        if self.state:
            found.append(STATES[self.state])
        if self.cost:
            found.append(COSTS[self.cost])
        if self.origin:
            found.append(f"·f{self.origin}")
        flags = {"degraded": "·lacks", "contradictions": "·contra", "rulings": "·ruled"}
        flags["best"] = "·best"
        return (*found, *(word for name, word in flags.items() if getattr(self, name)))
