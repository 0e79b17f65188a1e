"""A template's text: words, and blanks among them that are filled in for each run.

`{name}` is a blank for a line of text; `{name: number}`, `{name: date}`, `{name: long text}` and
`{name: choice of one | two}` say what belongs there, and `= …` at the end gives an example. The
same name again is the same blank. What looks otherwise stays text, and `{{name}}` is the text
`{name}`.

The text is read once, into parts; values are put between them and never read again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from .errors import Refused

TEXT, LONG_TEXT, NUMBER, DATE, CHOICE = "text", "long text", "number", "date", "choice"
MOST_BLANKS = 20
LONGEST_LINE = 500  # of what stands in one line
UNFILLED = "…"

# Found in one pass, whatever the text: what is inside is taken apart without a pattern.
_BRACES = re.compile(r"\{\{([^{}]{1,1200})\}\}|\{([^{}]{1,1200})\}")
_NAME = re.compile(r"[^\W\d_][\w \-]{0,39}")
_CHOICE_OF = "choice of "


@dataclass(frozen=True)
class Blank:
    name: str
    kind: str = TEXT
    options: tuple[str, ...] = ()
    example: str = ""

    @property
    def wanted(self) -> str:
        """What belongs there, for who fills it in."""
        wants = {NUMBER: "a number", DATE: "a date", CHOICE: "one of a list"}.get(self.kind, "")
        return f"{self.name}: {wants}" if wants else self.name

    def why_not(self, value: str) -> str:
        """Why it cannot be that; "" where it can."""
        if not value.strip():
            return f"Fill in “{self.name}”."
        if self.kind == NUMBER and not _is_number(value):
            return f"“{self.name}” is a number, as 12 or 0.5."
        if self.kind == DATE and not _is_date(value):
            return f"“{self.name}” is a date, as 2026-11-30."
        if self.kind == CHOICE and value not in self.options:
            return f"“{self.name}” is one of: {', '.join(self.options)}."
        if self.kind == TEXT and len(value) > LONGEST_LINE:
            return f"“{self.name}” has {len(value):,} characters; {LONGEST_LINE} are allowed."
        return ""


Part = str | Blank


def read(text: str) -> list[Part]:
    """Raises Refused where a blank contradicts another, or nobody could fill it in."""
    parts: list[Part] = []
    known: dict[str, Blank] = {}
    at = 0
    for found in _BRACES.finditer(text):
        doubled, inside = found.groups()
        blank = _blank(doubled or inside)
        if blank is None:
            continue
        parts.append(text[at : found.start()])
        at = found.end()
        if doubled:
            parts.append("{" + doubled + "}")
            continue
        first = known.setdefault(blank.name, blank)
        if ":" in inside.partition("=")[0] and first.kind != blank.kind:
            raise Refused(f"“{blank.name}” is a {first.kind} in one place and another in the next.")
        parts.append(first)
    parts.append(text[at:])
    if len(known) > MOST_BLANKS:
        raise Refused(f"A template has at most {MOST_BLANKS} blanks.")
    return [part for part in parts if part != ""]


def blanks(parts: Sequence[Part]) -> list[Blank]:
    """Each once, as they come."""
    return list(dict.fromkeys(part for part in parts if isinstance(part, Blank)))


def filled(parts: Sequence[Part], values: Mapping[str, str]) -> str:
    """The prompt: what has no value yet is a gap."""
    return "".join(
        part if isinstance(part, str) else values.get(part.name, "") or UNFILLED for part in parts
    )


def _blank(inside: str) -> Blank | None:
    """None where it is none, but text in braces."""
    declared, _, example = inside.partition("=")
    name, has_kind, kind = (" ".join(part.split()) for part in declared.partition(":"))
    options: tuple[str, ...] = ()
    if kind.startswith(_CHOICE_OF):
        listed = (option.strip() for option in kind.removeprefix(_CHOICE_OF).split("|"))
        kind, options = CHOICE, tuple(dict.fromkeys(filter(None, listed)))
    elif kind not in (TEXT, LONG_TEXT, NUMBER, DATE) and has_kind:
        return None
    if not _NAME.fullmatch(name):
        return None
    if kind == CHOICE and len(options) < 2:
        raise Refused(f"“{name}” needs two things to choose from, with | between them.")
    blank = Blank(name, kind or TEXT, options, example.strip())
    if blank.example and (why_not := blank.why_not(blank.example)):
        raise Refused(f"The example does not fit: {why_not}")
    return blank


def _is_number(value: str) -> bool:
    try:
        return Decimal(value.strip().replace("\N{MINUS SIGN}", "-")).is_finite()
    except InvalidOperation:
        return False


def _is_date(value: str) -> bool:
    try:
        return bool(date.fromisoformat(value))
    except ValueError:
        return False
