"""What each sentence of a fused answer rests on: seats, by its marks, and claims of the analysis.

A writer marks seats, not claims. Which claims a sentence says is told by its words (`passages`,
`pairing.Measure`). Where a mark names a seat that the claim is of, half of the rarer words of
whichever says less, in the claim or a quote of it, and two words at the least; a figure must be
one of the other's where both have figures. Everywhere else as between two texts
(`linked`): half of both, the same figures, and it denies as that does. A sentence for which there
is none is not linked, and nothing is promised of it.

A claim goes by its part and its place there, from 1: `contradictions-2`. Of a contradiction it is
also known which stance the sentence takes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import Any

from ..spec import letter
from .analysis import PARTS, TEXTS
from .linked import ALIKE
from .pairing import BEST, EVERYWHERE, Measure
from .passages import ReadPassage, Statement, statements
from .provenance import ALL, ProvenanceMark, marks, plain
from .whole_sentences import Sentence, blocks, sentences

IN_COMMON = 0.5  # of what says less, where a mark names a seat of the claim
FEW = 2  # words in common at the least, unless all are
DENIED = 0.6  # what is left of that where one of both denies something
MOST_CLAIMS = 4  # of a sentence
NEAR_BEST = 0.6  # of the best, below which another claim is none
_HEAD = " \t>-*+0123456789.)"  # what may stand before a mark that begins a line
LONGEST_READ, MOST_SENTENCES = 200_000, 2_000


@dataclass(frozen=True)
class ClaimUse:
    """`stance`: of a contradiction, from 1; 0 of anything else."""

    claim: str
    stance: int = 0


@dataclass(frozen=True)
class SourcedSentence:
    """`start` and `end` are in the text without marks; `paragraph` counts from 1 what a reader
    sees as one, without headings. `letters` are the seats that its marks name."""

    start: int
    end: int
    text: str
    paragraph: int
    letters: str = ""
    is_own: bool = False
    is_yours: bool = False
    uses: tuple[ClaimUse, ...] = ()

    @property
    def is_linked(self) -> bool:
        return bool(self.uses)


@dataclass(frozen=True)
class _Said:
    """What a claim, or a stance, says, and in which words."""

    use: ClaimUse
    letters: str
    texts: tuple[str, ...]


def claim_id(part: str, number: int) -> str:
    """`number` counts from 1."""
    return f"{part}-{number}"


def sourced(
    text: str, analysis: Mapping[str, Any] | None, letters: str = ALL
) -> tuple[SourcedSentence, ...]:
    """Of a text with marks, its sentences in their order. Headings and code rest on nothing; of a
    text that is too long to be an answer to people there are none."""
    if len(text) > LONGEST_READ:
        return ()
    bare = plain(text)
    said = [one for one in sentences(bare) if one.kind != "heading"]
    if len(said) > MOST_SENTENCES:
        return ()
    of_marks = _marks_of(text, bare, said, letters)
    paragraphs = _Paragraphs(bare)
    links = _Links([one.text for one in said], analysis or {})
    return tuple(
        SourcedSentence(
            one.start,
            one.end,
            one.text,
            paragraphs.of(one.start),
            marked.letters,
            marked.is_own,
            marked.is_yours,
            links.of(number, marked.letters, is_own=marked.is_own or marked.is_yours),
        )
        for number, (one, marked) in enumerate(zip(said, of_marks, strict=True))
    )


@dataclass(frozen=True)
class _Marked:
    letters: str = ""
    is_own: bool = False
    is_yours: bool = False

    def with_mark(self, mark: ProvenanceMark) -> _Marked:
        return _Marked(
            "".join(sorted({*self.letters, *mark.letters})),
            self.is_own or mark.is_own,
            self.is_yours or mark.is_yours,
        )


def _marks_of(text: str, bare: str, said: Sequence[Sentence], letters: str) -> list[_Marked]:
    """What the marks of each sentence say. A mark belongs to the words
    before it, or to those after it where it begins a line. Only white space differs between the
    text with and without marks, so places are found by counting everything else."""
    found = [_Marked()] * len(said)
    places = [at for at, character in enumerate(bare) if not character.isspace()]
    starts = [one.start for one in said]
    at = counted = 0
    begins = True
    for mark in marks(text, letters):
        between = text[at : mark.start]
        begins = (begins or "\n" in between) and not between.rpartition("\n")[2].strip(_HEAD)
        counted += sum(map(len, between.split()))
        at = mark.end
        place = counted if begins else counted - 1
        if not 0 <= place < len(places):
            continue
        number = bisect_right(starts, places[place]) - 1
        if number < 0 or places[place] >= said[number].end:
            continue  # in a heading, or beside nothing that says something
        found[number] = found[number].with_mark(mark)
    return found


class _Paragraphs:
    def __init__(self, text: str) -> None:
        self._starts: list[int] = []
        end, kind = 0, ""
        for block in blocks(text):
            # Between the rows of a table stands the rule under its head.
            between = text[end : block.line].splitlines()
            goes_on = block.kind == kind and all(line.strip() for line in between)
            end, kind = block.end, block.kind
            if block.kind != "heading" and not goes_on:
                self._starts.append(block.line)

    def of(self, at: int) -> int:
        return bisect_right(self._starts, at)


class _Links:
    """Of sentences to claims. What a sentence is measured against is found by its rarer words, so
    that the work grows with the text."""

    def __init__(self, texts: Sequence[str], analysis: Mapping[str, Any]) -> None:
        self._claims = list(_said(analysis))
        of = [(number, one) for number, said in enumerate(self._claims) for one in said.texts]
        read = _statements([*texts, *(one for _, one in of)])
        self._sentences = read[: len(texts)]
        self._words = [
            (number, statement)
            for (number, _), statement in zip(of, read[len(texts) :], strict=True)
            if statement
        ]
        self._measure = Measure([one for one in read if one])
        self._with: defaultdict[str, list[int]] = defaultdict(list)
        for place, (_, statement) in enumerate(self._words):
            for stem in statement.stems:
                self._with[stem].append(place)

    def of(self, number: int, letters: str, *, is_own: bool) -> tuple[ClaimUse, ...]:
        sentence = self._sentences[number]
        if sentence is None:
            return ()
        found: dict[str, tuple[float, ClaimUse]] = {}
        for place in self._candidates(sentence):
            claim, words = self._words[place]
            said = self._claims[claim]
            is_named = bool(set(said.letters) & set(letters)) or (is_own and not said.letters)
            common = self._common(sentence, words, is_named=is_named)
            if common and common > found.get(said.use.claim, (0.0,))[0]:
                found[said.use.claim] = common, said.use
        ranked = sorted(found.values(), key=lambda one: (-one[0], one[1].claim))
        least = ranked[0][0] * NEAR_BEST if ranked else 0.0
        return tuple(use for common, use in ranked[:MOST_CLAIMS] if common >= least)

    def _candidates(self, sentence: Statement) -> list[int]:
        shared: Counter[int] = Counter()
        for stem in sentence.stems:
            places = self._with.get(stem, ())
            if len(places) > EVERYWHERE:
                continue
            rarity = self._measure.rarity(stem)
            for place in places:
                shared[place] += rarity  # type: ignore[assignment]
        return nlargest(BEST, shared, key=lambda place: (shared[place], -place))

    def _common(self, sentence: Statement, words: Statement, *, is_named: bool) -> float:
        both = sentence.stems & words.stems
        if not is_named:
            if sentence.figures != words.figures or sentence.denials != words.denials:
                return 0.0
            common = self._measure(sentence, words)
            return common if common >= ALIKE else 0.0
        if len(both) < min(FEW, len(words.stems)):
            return 0.0
        if sentence.figures and words.figures and not sentence.figures & words.figures:
            return 0.0
        less = min(self._weight(sentence.stems), self._weight(words.stems))
        common = self._weight(both) / less if less else 0.0
        common *= 1 if bool(sentence.denials) == bool(words.denials) else DENIED
        return common if common >= IN_COMMON else 0.0

    def _weight(self, stems: frozenset[str]) -> float:
        return sum(map(self._measure.rarity, stems))


def _statements(texts: Sequence[str]) -> list[Statement | None]:
    """Each text as one, None where it says nothing."""
    found: list[Statement | None] = [None] * len(texts)
    for statement in statements([ReadPassage("row", text) for text in texts]):
        found[statement.passage] = statement
    return found


def _said(analysis: Mapping[str, Any]) -> Iterator[_Said]:
    for part in PARTS:
        key = TEXTS[part]
        for number, item in enumerate(analysis.get(part, []), 1):
            name = claim_id(part, number)
            if part == "contradictions":
                for place, stance in enumerate(item["stances"], 1):
                    words = stance["stance"]
                    texts = words, f"{item['topic']} {words}", *_quotes(stance)
                    yield _Said(ClaimUse(name, place), _letters(stance), texts)
            elif not key:
                yield _Said(ClaimUse(name), "", (str(item),))
            else:
                yield _Said(ClaimUse(name), _letters(item), (item[key], *_quotes(item)))


def _letters(item: Mapping[str, Any]) -> str:
    seats = [item["seat"]] if "seat" in item else item["seats"]
    return "".join(letter(seat) for seat in seats)


def _quotes(item: Mapping[str, Any]) -> Iterator[str]:
    for quote in item.get("evidence", []):
        if quote.get("verified"):
            yield quote["quote"]
