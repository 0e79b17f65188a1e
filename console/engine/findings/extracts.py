"""What of a run's sources is given to whoever reads them: whole sentences, the most fitting first.

A source is taken apart into passages of a few sentences. Each query ranks them all, by the words
that it shares with them, each weighed by how rare it is among them; the ranks are dealt out query
by query. Whoever has room for fewer is given the first of the same row, so that all compare what
is the same. A sentence is never cut: what does not fit is left out.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..pool import Source

PASSAGE = 700  # characters of sentences that stand together
GAP = "[…]"
_SENTENCE = re.compile(r"(?<=[.!?。！？])[\"'”’»)\]]*\s+|(?<=[。！？])|\n+")
_WORD = re.compile(r"\w{2,}")
K1, B = 1.5, 0.75


@dataclass(frozen=True)
class Extract:
    number: int
    place: int
    text: str


@dataclass(frozen=True)
class Library:
    """The sources of a run with their texts, as readers are given them."""

    sources: Mapping[int, Source]
    texts: Mapping[int, str]
    ranked: Sequence[Extract]

    @property
    def size(self) -> int:
        return sum(map(len, self.texts.values()))

    def blocks(self, tokens: int, tokens_in: Callable[[str], int]) -> dict[int, str]:
        """Number -> what of it fits, with its title, in the order of the page. A source of which
        nothing fits is not there."""
        chosen: dict[int, list[Extract]] = {}
        left = tokens
        for extract in self.ranked:
            is_new = extract.number not in chosen
            needed = tokens_in(extract.text) + 3
            needed += tokens_in(self._head(extract.number)) + 30 if is_new else 0
            if needed <= left:
                left -= needed
                chosen.setdefault(extract.number, []).append(extract)
        return {number: self._block(number, chosen[number]) for number in sorted(chosen)}

    def _head(self, number: int) -> str:
        source = self.sources[number]
        title = " ".join(str(source.get("title", "")).split())
        return f"{title}\n{source['url']}" if title else str(source["url"])

    def _block(self, number: int, extracts: list[Extract]) -> str:
        parts, last = [self._head(number), ""], -1
        for extract in sorted(extracts, key=lambda e: e.place):
            if extract.place != last + 1:
                parts.append(GAP)
            parts.append(extract.text)
            last = extract.place
        if last + 1 < sum(1 for _ in passages(self.texts[number])):
            parts.append(GAP)
        return "\n".join(parts)


def library(sources: Iterable[Source], texts: Mapping[int, str], queries: Sequence[str]) -> Library:
    known = {s["number"]: s for s in sources if s["number"] in texts}
    whole = {number: texts[number] for number in known}
    return Library(known, whole, _ranked(whole, known, queries))


def passages(text: str) -> Iterator[str]:
    """Sentences that stand together, up to a length; one that is longer stands alone."""
    held: list[str] = []
    size = 0
    for sentence in sentences(text):
        if held and size + len(sentence) > PASSAGE:
            yield " ".join(held)
            held, size = [], 0
        held.append(sentence)
        size += len(sentence) + 1
    if held:
        yield " ".join(held)


def sentences(text: str) -> Iterator[str]:
    at = 0
    for found in _SENTENCE.finditer(text):
        sentence = text[at : found.end()].strip()
        at = found.end()
        if sentence:
            yield sentence
    if rest := text[at:].strip():
        yield rest


def _ranked(
    texts: Mapping[int, str], sources: Mapping[int, Source], queries: Sequence[str]
) -> list[Extract]:
    extracts = [
        Extract(number, place, text)
        for number, whole in texts.items()
        for place, text in enumerate(passages(whole))
    ]
    words = [Counter(_words(f"{sources[e.number].get('title', '')} {e.text}")) for e in extracts]
    documents = Counter(word for found in words for word in found)
    average = sum(found.total() for found in words) / len(words) if words else 1
    rows: list[list[int]] = []
    for query in queries or [""]:
        weights = {
            w: math.log(1 + (len(words) - documents[w] + 0.5) / (documents[w] + 0.5))
            for w in set(_words(query))
            if documents[w]
        }
        scores = [_score(found, weights, average) for found in words]
        # Where nothing tells them apart, the beginning of a page says what it is about.
        rows.append(sorted(range(len(extracts)), key=lambda i: (-scores[i], extracts[i].place, i)))
    dealt = dict.fromkeys(row[n] for n in range(len(extracts)) for row in rows)
    return [extracts[i] for i in dealt]


def _score(found: Counter[str], weights: Mapping[str, float], average: float) -> float:
    length = 1 - B + B * found.total() / average
    return sum(
        weight * found[word] * (K1 + 1) / (found[word] + K1 * length)
        for word, weight in weights.items()
        if found[word]
    )


def _words(text: str) -> list[str]:
    """By their beginnings, so that a plural is the same word."""
    return [word[:6] for word in _WORD.findall(text.casefold())]
