"""Where in a text the words stand that it was found by, as it was written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from .folding import SIGNS, is_sign, plain_sign, plain_text
from .queries import Term

BEFORE, LENGTH = 50, 180  # characters of a passage before the first word, and in all
_MARKUP = re.compile(r"(?m)^\s{0,3}(?:#{1,6}|>|[-*+]|\d+\.)\s+|\*\*|__|`+|\|")
# A word begins and ends where no letter is beside it, or one of a script without blanks.
_BEGINS, _ENDS = rf"(?:(?<![^\W_])|(?<=[{SIGNS}]))", rf"(?:(?![^\W_])|(?=[{SIGNS}]))"

Span = tuple[int, int]


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


def passage(text: str, terms: Sequence[Term]) -> FoundPassage | None:
    """The first place of what was looked for, with what stands around it; None where nothing of
    it is there."""
    found = _by_term(text, terms)
    spans = _apart(found)
    if not spans:
        return None
    start = _begin(text, spans[0][0])
    end = _end(text, max(start + LENGTH, spans[0][1]))
    pieces, at = [Piece("…")] if start else [], start
    for begin, stop in spans:
        if begin >= end:
            break
        pieces += [
            _plain(text[at:begin]),
            Piece(" ".join(text[begin : min(stop, end)].split()), True),
        ]
        at = min(stop, end)
    pieces.append(_plain(text[at:end]))
    if end < len(text):
        pieces.append(Piece("…"))
    return FoundPassage(tuple(piece for piece in pieces if piece.text), sum(map(bool, found)))


def found_in(text: str, terms: Iterable[Term]) -> list[Span]:
    """Every place of each term, in their order, none within another."""
    return _apart(_by_term(text, terms))


def _by_term(text: str, terms: Iterable[Term]) -> list[list[Span]]:
    patterns = [(term.words[0], _pattern(term)) for term in terms]
    plain, places = _read(text, patterns)
    return [
        [
            (places[match.start()], places[match.end() - 1] + 1) if places else match.span()
            for match in pattern.finditer(plain, first)
            if match.group()
        ]
        # A word is found faster by itself than by what must stand around it.
        if (first := plain.find(word)) >= 0
        else []
        for word, pattern in patterns
    ]


def _apart(found: Iterable[list[Span]]) -> list[Span]:
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
    folded = plain_text(text)
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
