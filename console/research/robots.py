"""What a robots.txt asks of us (RFC 9309): the group that names us, else everybody's; of its
rules the longest that fits, and of two as long the one that allows."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

NAME = "fusion"
LARGEST = 500_000  # bytes; what stands behind is not read


@dataclass(frozen=True)
class Robots:
    rules: tuple[tuple[str, bool], ...] = ()  # (pattern, whether it allows)

    def allows(self, path: str) -> bool:
        path = _plain(path)
        fitting = [(len(p), allows) for p, allows in self.rules if _fits(p, path)]
        return max(fitting, default=(0, True))[1]


EVERYTHING = Robots()
NOTHING = Robots((("/", False),))


def read(text: str) -> Robots:
    ours: list[tuple[str, bool]] = []
    everybodys: list[tuple[str, bool]] = []
    names: list[str] = []
    is_named, is_list_of_names = False, False
    for line in text.lstrip("\ufeff").splitlines():
        field, _, value = line.partition("#")[0].partition(":")
        field, value = field.strip().lower(), value.strip()
        if field == "user-agent":
            names = [*names, value.lower()] if is_list_of_names else [value.lower()]
            is_list_of_names = True
            is_named = is_named or NAME in names
        elif field in ("allow", "disallow"):
            is_list_of_names = False
            if value:
                rule = (_plain(value), field == "allow")
                if NAME in names:
                    ours.append(rule)
                if "*" in names:
                    everybodys.append(rule)
    return Robots(tuple(ours if is_named else everybodys))


def _plain(path: str) -> str:
    return quote(unquote(path), safe="/*$?&=:@!+,;~'()")


def _fits(pattern: str, path: str) -> bool:
    """In one turn from left to right, however many stars there are."""
    is_whole = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    for number, piece in enumerate(others):
        if is_whole and number == len(others) - 1:
            return path.endswith(piece) and len(path) - len(piece) >= at
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return at == len(path) if is_whole else True
