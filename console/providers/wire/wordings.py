"""What a server means by a refusal, told by the codes and the sentence of its error.

Statuses differ from vendor to vendor, and many say 400 for everything. Which words mean
what stands in `wordings.toml`. Only refusals are looked up, never an answer or a prompt.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from console.engine.errors import Reason

from .error_body import ErrorBody

TABLE = Path(__file__).with_suffix(".toml")
SENTENCE = r"(?:[^.\n]|\.(?=\w)){0,200}"


@dataclass(frozen=True)
class Wording:
    """As the table describes it."""

    reason: Reason
    server: str
    source: str
    codes: frozenset[str]
    says: tuple[re.Pattern[str], ...]
    but: re.Pattern[str] | None
    not_with: str
    any_status: bool
    passes: bool

    def fits(self, status: int, error: ErrorBody) -> bool:
        if self.not_with in error.codes:
            return False
        if self.codes & error.codes:
            return True
        if not (self.any_status or 400 <= status < 500):
            return False
        if self.but and self.but.search(error.message):
            return False
        return any(pattern.search(error.message) for pattern in self.says)


def wording_of(status: int, error: ErrorBody) -> Wording | None:
    return next((wording for wording in WORDINGS if wording.fits(status, error)), None)


def _read(text: str) -> Iterator[Wording]:
    table = tomllib.loads(text)
    shared = table.pop("patterns")
    for reason, entries in table.items():
        for entry in entries:
            yield _wording(Reason(reason), entry, shared)


def _wording(reason: Reason, entry: dict[str, Any], shared: dict[str, str]) -> Wording:
    but = entry.pop("but", "")
    return Wording(
        reason=reason,
        codes=frozenset(entry.pop("codes", ())),
        says=tuple(map(_pattern, entry.pop("says", ()))),
        but=_pattern(shared.get(but, but)) if but else None,
        not_with=entry.pop("not_with", ""),
        any_status=entry.pop("any_status", False),
        passes=entry.pop("passes", False),
        **entry,
    )


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(text.replace("{S}", SENTENCE), re.IGNORECASE)


WORDINGS = tuple(_read(TABLE.read_text(encoding="utf-8")))
