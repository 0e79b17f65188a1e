"""Makers of models and their lines: which names are one maker's strongest, which its cheap ones.

Read from `makers.toml`. A *line* is a name with the version left out; of a line the newest is
meant. A *rank* compares two models of one maker and grade: the smaller is the better.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from ..engine.findings.families import family
from .lines import DECIMAL, plain, version_of

STRONGEST, CHEAP = "strongest", "cheap"
GRADES = (STRONGEST, CHEAP)
# Of models that name their size, in billions of parameters: what is smaller is not what
# somebody means by the class.
SMALLEST = {STRONGEST: 30.0, CHEAP: 7.0}

_MACROS = {
    # 4, 4.5, 4-5; never the beginning of a date (2025, 20251101).
    "{v}": r"(?P<version>\d{1,2}(?:[.-]\d{1,2}(?!\d|b))?)",
    "{b}": r"(?P<size>\d+(?:\.\d+)?)b(?:-a\d+b)?",
}
_DATE = r"(?:[-@](?P<date{n}>\d{{8}}|\d{{4}}-\d\d-\d\d|\d\d-\d{{4}}|\d\d-\d\d|\d{{3,4}}))?"
_BEHIND = (
    r"(?P<latest>-latest)?" + _DATE.format(n=1) + r"(?P<preview>-(?:preview|exp|beta))?"
) + _DATE.format(n=2)

# In this order: previews after what is out, lines as they stand, the newest of a line; a dated
# name is the same as the one without, which is what people know it by.
Rank = tuple[bool, int, tuple[float, ...], float, int, bool, str]


@dataclass(frozen=True)
class Maker:
    slug: str  # as `engine.findings.families.family` calls it
    label: str
    host: str  # of its own server
    lines: dict[str, tuple[tuple[re.Pattern[str], ...], ...]]  # by grade
    source: str

    def rank(self, model: str, grade: str) -> Rank | None:
        """None for what is no model of this grade, or is moved on from model to model by
        whoever serves it."""
        name = plain(model)
        for number, line in enumerate(self.lines[grade]):
            for variant, pattern in enumerate(line):
                if found := pattern.fullmatch(name):
                    return self._rank(found.groupdict(), number, variant, grade)
        return None

    def _rank(
        self, parts: dict[str, str | None], number: int, variant: int, grade: str
    ) -> Rank | None:
        size = float(parts.get("size") or 0)
        if parts["latest"] or 0 < size < SMALLEST[grade]:
            return None
        date = parts["date1"] or parts["date2"] or ""
        version = version_of(parts.get("version") or "", decimal=self.slug in DECIMAL)
        newest = tuple(-n for n in version)
        return bool(parts["preview"]), number, newest, -size, variant, bool(date), _backwards(date)


@cache
def makers() -> dict[str, Maker]:
    """In the order in which they take places that name none."""
    data = tomllib.loads(Path(__file__).with_name("makers.toml").read_text("utf-8"))
    return {row["slug"]: _maker(row) for row in data["maker"]}


@lru_cache(maxsize=16_384)
def rank_of(model: str, grade: str) -> tuple[str, Rank] | None:
    """(maker, rank) of a name, as far as the table knows it."""
    if model.startswith("~"):
        return None
    own = makers().get(family(model))
    for maker in [own] if own else makers().values():
        if rank := maker.rank(model, grade):
            return maker.slug, rank
    return None


def _maker(row: dict[str, Any]) -> Maker:
    lines = {grade: tuple(_line(line) for line in row[grade]) for grade in GRADES}
    own = (row["slug"], row["label"], row["host"])
    return Maker(*own, lines, row["source"])


def _line(line: str) -> tuple[re.Pattern[str], ...]:
    """Alternatives are compiled apart: each names its version in the same way."""
    patterns = []
    for name in line.split("|"):
        for macro, pattern in _MACROS.items():
            name = name.replace(macro, pattern)
        patterns.append(re.compile(name + _BEHIND))
    return tuple(patterns)


def _backwards(date: str) -> str:
    """Sorts the newest first."""
    return "".join(str(9 - int(d)) for d in date if d.isdigit())
