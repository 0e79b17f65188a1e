"""Does a quote stand in the answer it is said to come from?

`normalise` evens out how things are written; `verify` gives each piece of
evidence `verified`, with `start` and `end` where it is true (in characters of
the answer as it was given) and `found_in` where the quote is another seat's;
and each claim its `standing`: supported, partly, unverified.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

from .analysis import claims
from .normalised import QUOTES, Normalised, normalise

SUPPORTED, PARTLY, UNVERIFIED = "supported", "partly", "unverified"
# Parts around an ellipsis have to say something by themselves.
_SHORTEST_PART = 6
# "the" stands in every answer. One word alone has to be long, or hold a number, to say something;
# of an answer of a few words it may be all there is to quote.
_LONG_WORD, _FEW_WORDS = 8, 4
# A word, of a script that writes none apart a character.
_WORD = re.compile(
    r"[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]+|[^\W_]"
)
_ELLIPSIS = re.compile(r"\s*(?:[\[(]\s*(?:\u2026|\.{3,})\s*[\])]|\u2026|\.{3,}|\. \. \.)\s*")


class QuotableAnswer:
    """One seat's answer, to look for quotes in."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._found: dict[str, tuple[int, int] | None] = {}

    @cached_property
    def _normalised(self) -> list[Normalised]:
        return [normalise(self.text), normalise(self.text, as_shown=True)]

    @cached_property
    def _is_short(self) -> bool:
        return len(list(islice(_WORD.finditer(self.text), _FEW_WORDS))) < _FEW_WORDS

    def _says_something(self, quote: str) -> bool:
        """Emoji and the like do, too; punctuation alone does not, nor does one usual word."""
        quote = unicodedata.normalize("NFC", quote)
        words = [match[0] for match in islice(_WORD.finditer(quote), 2)]
        if len(words) != 1 or any(unicodedata.category(c) == "So" for c in quote):
            return bool(words) or any(unicodedata.category(c) == "So" for c in quote)
        return self._is_short or len(words[0]) >= _LONG_WORD or any(map(str.isnumeric, words[0]))

    def find(self, quote: str) -> tuple[int, int] | None:
        quote = quote.strip()
        if not self._says_something(quote):
            return None
        if quote not in self._found:
            spans = (self._find(variant) for variant in _variants(quote))
            self._found[quote] = next((span for span in spans if span), None)
        return self._found[quote]

    def _find(self, quote: str) -> tuple[int, int] | None:
        for normalised in self._normalised:
            needle = normalise(quote, as_shown=normalised.as_shown).text.strip()
            if needle and (found := normalised.find(needle)):
                return found[:2]
        found_in = (self._find_parts(quote, normalised) for normalised in self._normalised)
        return next((span for span in found_in if span), None)

    def _find_parts(self, quote: str, normalised: Normalised) -> tuple[int, int] | None:
        """What is left out in the middle of a quote was marked as left out."""
        parts = _ELLIPSIS.split(quote)
        needles = [normalise(part, as_shown=normalised.as_shown).text.strip() for part in parts]
        if len(needles) < 2 or any(len(needle) < _SHORTEST_PART for needle in needles):
            return None
        start, after, end = None, 0, 0
        for needle in needles:
            found = normalised.find(needle, after)
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
    is_quoted = len(quote) > 2 and quote[0] in QUOTES and quote[-1] in QUOTES
    return quote[1:-1].strip() if is_quoted else quote


def _without_stop(quote: str) -> str:
    return quote.rstrip(".,;: ")


def verify(analysis: dict[str, Any], answers: Mapping[int, str]) -> dict[str, Any]:
    """The same analysis with every quote looked up; `answers` are the texts as stored."""
    texts = {seat: QuotableAnswer(text) for seat, text in answers.items()}
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


def _looked_up(item: Mapping[str, Any], texts: Mapping[int, QuotableAnswer]) -> dict[str, Any]:
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
