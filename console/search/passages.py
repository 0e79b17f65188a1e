"""Where in a text the words stand that it was found by, as it was written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from .folding import SIGNS, is_sign, plain_sign, without_marks
from .queries import Term

BEFORE, LENGTH = 50, 180  # characters of a passage before the first word, and in all
_MARKUP = re.compile(r"(?m)^\s{0,3}(?:#{1,6}|>|[-*+]|\d+\.)\s+|\*\*|__|`+|\|")
# A word begins and ends where no letter is beside it, or one of a script without blanks.
_BEGINS, _ENDS = rf"(?:(?<![^\W_])|(?<=[{SIGNS}]))", rf"(?:(?![^\W_])|(?=[{SIGNS}]))"

Span = tuple[int, int]
_Found = tuple[re.Pattern[str], re.Match[str]]


@dataclass(frozen=True)
class Piece:
    text: str
    is_found: bool = False


@dataclass(frozen=True)
class FoundPassage:
    pieces: tuple[Piece, ...]
    # Of the terms that were looked for, how many stand in this text.
    has: int

    def __str__(self) -> str:
        return "".join(piece.text for piece in self.pieces)


def passage(text: str, terms: Sequence[Term], more_than: int = 0) -> FoundPassage | None:
    """The first place of what was looked for, with what stands around it; None where not more of
    it than so many terms is there."""
    plain, places, found = _look(text, terms)
    if len(found) <= more_than:
        return None
    first = min(_span(match, places) for _, match in found)
    start = _begin(text, first[0])
    end = _end(text, max(start + LENGTH, first[1]))
    pieces, at = [Piece("…")] if start else [], start
    within = lambda span: span[0] < end  # noqa: E731
    for begin, stop in _apart(takewhile(within, each) for each in _spans(plain, places, found)):
        pieces += [
            _plain(text[at:begin]),
            Piece(" ".join(text[begin : min(stop, end)].split()), True),
        ]
        at = min(stop, end)
    pieces.append(_plain(text[at:end]))
    if end < len(text):
        pieces.append(Piece("…"))
    return FoundPassage(tuple(piece for piece in pieces if piece.text), len(found))


def found_in(text: str, terms: Iterable[Term]) -> list[Span]:
    """Every place of each term, in their order, none within another."""
    return _apart(_spans(*_look(text, terms)))


def _look(text: str, terms: Iterable[Term]) -> tuple[str, list[int], list[_Found]]:
    """The text as it is searched, where its characters come from, and of each term that is there
    its first place."""
    patterns = [(term.words[0], _pattern(term)) for term in terms]
    plain, places = _read(text, patterns)
    found = [
        (pattern, match)
        for word, pattern in patterns
        # A word is found faster by itself than by what must stand around it.
        if (first := plain.find(word)) >= 0 and (match := pattern.search(plain, first))
    ]
    return plain, places, found


def _spans(plain: str, places: list[int], found: Iterable[_Found]) -> Iterator[Iterator[Span]]:
    for pattern, first in found:
        yield (_span(match, places) for match in pattern.finditer(plain, first.start()))


def _span(match: re.Match[str], places: list[int]) -> Span:
    return (places[match.start()], places[match.end() - 1] + 1) if places else match.span()


def _apart(found: Iterable[Iterable[Span]]) -> list[Span]:
    apart: list[Span] = []
    for span in sorted(span for spans in found for span in spans):
        if not apart or span[0] >= apart[-1][1]:
            apart.append(span)
    return apart


def _read(text: str, patterns: list[tuple[str, re.Pattern[str]]]) -> tuple[str, list[int]]:
    """The text as it is searched, and of each of its characters where it comes from; none where
    they are the same."""
    lowered = text.lower()
    if len(lowered) == len(text) and (
        text.isascii() or all(pattern.search(lowered) for _, pattern in patterns)
    ):
        return lowered, []
    folded = without_marks(text)
    if not any(word in folded for word, _ in patterns):
        return "", []  # sign by sign it would say the same, and take many times as long
    plain: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        shown = plain_sign(sign)
        plain.append(shown)
        places += [place] * len(shown)
    return "".join(plain), places


@lru_cache(maxsize=256)
def _pattern(term: Term) -> re.Pattern[str]:
    pieces = [re.escape(term.words[0])]
    for before, word in zip(term.words, term.words[1:], strict=False):
        may_touch = is_sign(before) or is_sign(word)
        pieces.append((r"[\W_]*" if may_touch else r"[\W_]+") + re.escape(word))
    starts = "" if is_sign(term.words[0]) else _BEGINS
    ends = "" if term.is_beginning or is_sign(term.words[-1]) else _ENDS
    return re.compile(starts + "".join(pieces) + ends)


def _begin(text: str, found: int) -> int:
    start = max(0, found - BEFORE)
    if not start:
        return 0
    blank = text.find(" ", start, found)
    return start if blank < 0 else blank + 1


def _end(text: str, end: int) -> int:
    if end >= len(text):
        return len(text)
    blank = text.rfind(" ", end - 20, end)
    return end if blank < 0 else blank


def _plain(text: str) -> Piece:
    """On one line and without what Markdown draws with."""
    bare = _MARKUP.sub("", text)
    shown = " ".join(bare.split())
    # Of “a **word** is” the blanks stand beyond the stars.
    before = " " if text[:1].isspace() or bare[:1].isspace() else ""
    after = " " if (text[-1:].isspace() or bare[-1:].isspace()) and shown else ""
    return Piece(f"{before}{shown}{after}")
