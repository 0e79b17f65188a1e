"""Does a quote stand in the answer it is said to come from?

An answer and a quote are *folded* to one spelling: white space, typographic
quotes, dashes and ellipses, Unicode compatibility forms, and the marks of
Markdown emphasis. Case and words stay. Every folded character knows the place
of the answer it came from, so that what was found can be shown in the answer
as it was written.

`verify` gives each piece of evidence `verified`, with `start` and `end` where
it is true and `found_in` where the quote is another seat's; and each claim its
`standing`: supported, partly, unverified.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .analysis import claims

SUPPORTED, PARTLY, UNVERIFIED = "supported", "partly", "unverified"
# Shorter quotes have to be whole words: "he" is no quote from "the".
_WORDS_ONLY_BELOW = 12
# Parts around an ellipsis have to say something by themselves.
_SHORTEST_PART = 6
_QUOTES = "\u2018\u2019\u201a\u201b\u2032\u2035\u201c\u201d\u201e\u201f\u2033\u2036«»‹›`´'\""
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_INVISIBLE = "\u00ad\u200b\u200c\u2060\ufe0e\ufe0f\ufeff"
_PLAIN = {ord(c): '"' for c in _QUOTES} | {ord(c): "-" for c in _DASHES} | {0x2044: "/"}
# What belongs to the character before it: joiners, skin tones, and the later jamo of a syllable.
_JOINED = "\U0001f3fb-\U0001f3ff\u1160-\u11ff"
_LINE_MARK = r"(?:(?:[-*+\u2022]|\#{1,6}|>)[ \t]+)+"
_TOKEN = re.compile(
    rf"""
      (?P<dash>\s*[{re.escape(_DASHES)}]+\s*)
    | (?P<space>\s+)
    | (?P<emphasis>[*_~]+ | `+)
    | (?P<invisible>[{_INVISIBLE}]+)
    | (?P<run>[a-zA-Z0-9,;:!?()\[\]/=%$&\#@+<>|^{{}}\\]+)
    | (?P<cluster>.(?:[{_JOINED}]|\u200d.)*)
    """,
    re.VERBOSE | re.DOTALL,
)
_ELLIPSIS = re.compile(r"\s*(?:[\[(]\s*(?:\u2026|\.{3,})\s*[\])]|\u2026|\.{3,}|\. \. \.)\s*")


@dataclass(frozen=True)
class Folded:
    """`text[i]` came from `source[starts[i]:ends[i]]`; several may come from one place."""

    source: str
    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    without_line_marks: bool = False

    def find(self, needle: str, after: int = 0) -> tuple[int, int, int] | None:
        """(start, end) in the source and the folded end, of the first true occurrence."""
        at = self.text.find(needle, after)
        while at >= 0:
            end = at + len(needle)
            if self._is_whole(at, end) and (
                len(needle) >= _WORDS_ONLY_BELOW or self._is_of_words(at, end)
            ):
                span = self.starts[at], self.ends[end - 1]
                if self._again(self.source[slice(*span)]) == needle:
                    return *span, end
            at = self.text.find(needle, at + 1)
        return None

    def _again(self, part: str) -> str:
        return fold(part, without_line_marks=self.without_line_marks).text.strip()

    def _is_whole(self, at: int, end: int) -> bool:
        """Begins and ends between two characters of the source, not within one."""
        begins = at == 0 or self.starts[at] >= self.ends[at - 1]
        ends = end == len(self.text) or self.ends[end - 1] <= self.starts[end]
        return begins and ends

    def _is_of_words(self, at: int, end: int) -> bool:
        return not (
            (at > 0 and _is_in_word(self.text[at - 1], self.text[at]))
            or (end < len(self.text) and _is_in_word(self.text[end - 1], self.text[end]))
        )


def _is_in_word(left: str, right: str) -> bool:
    """Only where words are written apart: Latin, Greek, Cyrillic and their neighbours."""
    return left.isalnum() and right.isalnum() and max(left, right) < "\u0e00"


def fold(text: str, *, without_line_marks: bool = False) -> Folded:
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []

    def add(piece: str, start: int, end: int) -> None:
        pieces.append(piece)
        starts.extend([start] * len(piece))
        ends.extend([end] * len(piece))

    skipped = _line_marks(text) if without_line_marks else {}
    at = 0
    while at < len(text):
        if at in skipped:
            at = skipped[at]
            continue
        match = _TOKEN.match(text, at)
        assert match  # the last alternative takes anything
        start, at = match.span()
        kind = match.lastgroup
        if kind == "dash" and (mark := next((i for i in range(start, at) if i in skipped), 0)):
            at, kind = mark, "space"  # the dash is the bullet of the next line
        match kind:
            case "run":
                pieces.append(match.group())
                starts.extend(range(start, at))
                ends.extend(range(start + 1, at + 1))
            case "space":
                add(" ", start, at)
            case "dash":
                add("-", start, at)
            case "emphasis":
                if not _is_emphasis(text, start, at):
                    for i in range(start, at):
                        add(text[i].translate(_PLAIN), i, i + 1)
            case "cluster":
                at = _end_of_cluster(text, at)
                add(_plain(text[start:at]), start, at)
    # Two kinds of white space may have met where a mark was left out.
    folded = Folded(text, "".join(pieces), starts, ends, without_line_marks)
    return _without_double_spaces(folded)


def _plain(cluster: str) -> str:
    return unicodedata.normalize("NFKD", cluster).translate(_PLAIN)


def _end_of_cluster(text: str, at: int) -> int:
    while at < len(text) and unicodedata.combining(text[at]):
        at += 1
    return at


def _is_emphasis(text: str, start: int, end: int) -> bool:
    """Not the star of 2 * 3 and not the underscore of snake_case."""
    mark = text[start:end]
    if "`" in mark or len(mark) > 1 and "_" not in mark:
        return True
    left = text[start - 1] if start else " "
    right = text[end] if end < len(text) else " "
    if left.isspace() and right.isspace():
        return False
    return not (left.isalnum() and right.isalnum())


def _line_marks(text: str) -> dict[int, int]:
    """Where a bullet, heading or quotation mark stands at the head of a line, and its end."""
    return {
        m.start("mark"): m.end()
        for m in re.finditer(rf"^[ \t]*(?P<mark>{_LINE_MARK})", text, re.MULTILINE)
    }


def _without_double_spaces(folded: Folded) -> Folded:
    text, starts, ends = folded.text, folded.starts, folded.ends
    if not re.search(r"  | -|- ", text):
        return folded
    keep = [
        i
        for i, c in enumerate(text)
        if c != " "
        or not ((i and text[i - 1] in " -") or (i + 1 < len(text) and text[i + 1] == "-"))
    ]
    return Folded(
        folded.source,
        "".join(text[i] for i in keep),
        [starts[i] for i in keep],
        [ends[i] for i in keep],
        folded.without_line_marks,
    )


class Answer:
    """One seat's answer, to look for quotes in."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _folded(self) -> list[Folded]:
        return [fold(self.text), fold(self.text, without_line_marks=True)]

    def find(self, quote: str) -> tuple[int, int] | None:
        quote = quote.strip()
        # Emoji and the like say something too; punctuation alone does not.
        if not any(c.isalnum() or unicodedata.category(c) == "So" for c in quote):
            return None
        return next((span for variant in _variants(quote) if (span := self._find(variant))), None)

    def _find(self, quote: str) -> tuple[int, int] | None:
        for number, folded in enumerate(self._folded):
            needle = fold(quote, without_line_marks=bool(number)).text.strip()
            if needle and (found := folded.find(needle)):
                return found[:2]
        return self._find_parts(quote)

    def _find_parts(self, quote: str) -> tuple[int, int] | None:
        """What is left out in the middle of a quote was marked as left out."""
        needles = [fold(part).text.strip() for part in _ELLIPSIS.split(quote)]
        if len(needles) < 2 or any(len(needle) < _SHORTEST_PART for needle in needles):
            return None
        start, after, end = None, 0, 0
        for needle in needles:
            found = self._folded[0].find(needle, after)
            if not found:
                return None
            start = found[0] if start is None else start
            end, after = found[1], found[2]
        return (start, end) if start is not None else None


def _variants(quote: str) -> Iterator[str]:
    """As it is; without ellipses at its ends; without quotation marks around it; without the
    full stop that whoever quotes puts after a part of a sentence."""
    seen = {""}
    for strip in (str.strip, _without_ellipses, _without_marks, _without_stop):
        quote = strip(quote)
        if quote not in seen:
            seen.add(quote)
            yield quote


def _without_ellipses(quote: str) -> str:
    if first := _ELLIPSIS.match(quote):
        quote = quote[first.end() :]
    last = next((m for m in _ELLIPSIS.finditer(quote) if m.end() == len(quote)), None)
    return quote[: last.start()] if last else quote


def _without_marks(quote: str) -> str:
    is_quoted = len(quote) > 2 and quote[0] in _QUOTES and quote[-1] in _QUOTES
    return quote[1:-1].strip() if is_quoted else quote


def _without_stop(quote: str) -> str:
    return quote.rstrip(".,;: ")


def verify(analysis: dict[str, Any], answers: Mapping[int, str]) -> dict[str, Any]:
    """The same analysis with every quote looked up; `answers` are the texts as stored."""
    texts = {seat: Answer(text) for seat, text in answers.items()}
    for claim, seats in claims(analysis):
        evidence = claim.get("evidence", [])
        claim["evidence"] = [_looked_up(item, texts) for item in evidence]
        shown = {item["seat"] for item in claim["evidence"] if item["verified"]}
        claim["standing"] = (
            SUPPORTED if shown >= set(seats) else PARTLY if shown & set(seats) else UNVERIFIED
        )
    if "injections" in analysis:
        analysis["injections"] = [_looked_up(item, texts) for item in analysis["injections"]]
    return analysis


def _looked_up(item: Mapping[str, Any], texts: Mapping[int, Answer]) -> dict[str, Any]:
    said = {"seat": item["seat"], "quote": item["quote"]}
    own = texts.get(item["seat"])
    if own and (span := own.find(item["quote"])):
        return {**said, "verified": True, "start": span[0], "end": span[1]}
    elsewhere = next(
        (s for s, text in texts.items() if s != item["seat"] and text.find(item["quote"])), None
    )
    found = {} if elsewhere is None else {"found_in": elsewhere}
    return {**said, "verified": False, **found}


def share_of_verified(analysis: Mapping[str, Any]) -> tuple[int, int]:
    """(quotes found, quotes given)."""
    quotes = [item for claim, _ in claims(analysis) for item in claim.get("evidence", [])]
    return sum(bool(item.get("verified")) for item in quotes), len(quotes)
