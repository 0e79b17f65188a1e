"""A text as it is read, in passages, and what in it is compared: sentences, rows, lines.

A *passage* is a paragraph, an item of a list or a heading (`prose`), a row of a table or a line
of code, as it stands on a page and without its markup; whoever rendered it knows where. A
*statement* is what is compared: a sentence of prose, a row, a line. A *word* is folded, so that
capitals, quotation marks and the comma of 2,900 are no difference, and knows its place. Signs
that say something are words, too: a currency, a per cent, the minus of −5; in code every sign is.
Scripts that write no words apart have one a character. A formula is one word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from .whole_sentences import Block, content_of, ends_in, is_denying, is_unspaced

PassageKind = Literal["prose", "row", "code"]
Span = tuple[int, int]

STEM = 6  # letters; what follows is mostly an ending
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
# Vowel signs and accents that Python's \w leaves out.
_SIGNS = (
    "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u064b-\u065f\u0670"
    "\u06d6-\u06ed\u0900-\u0963\u0966-\u0dff"
)
_LETTER = rf"(?:[^\W_{_UNSPACED}]|[{_SIGNS}])"
_QUIET = re.escape(".,;:!?\"'()[]{}…–—‑-_*/\\|·•~`“”‘’„‚«»‹›¿¡")
_QUIET += "、。，；：！？「」『』（）《》〈〉‥،؛؟۔।॥"
_WORD = re.compile(
    rf"(?:(?<![\w)\]])[-−+±])?\d+(?:[.,:/]\d+)*(?!{_LETTER})"
    rf"|[{_UNSPACED}]|{_LETTER}+(?:['’]{_LETTER}+)*|[^\w\s{_QUIET}]"
)
_IN_CODE = re.compile(r"\w+|[=!<>+\-*/%&|^~:]+|[^\w\s]")
_THOUSANDS = re.compile(r"[-+±]?\d{1,3}(?:,\d{3})+$")
_SPACE = re.compile(r"\s")
_OF_FIGURES = frozenset("%‰°")


@dataclass(frozen=True)
class ReadPassage:
    """`cells` and `heads`: of a row, where its cells stand and what their columns are called;
    `whole`: what cannot be taken apart, as a formula."""

    kind: PassageKind
    text: str
    cells: tuple[Span, ...] = ()
    heads: tuple[str, ...] = ()
    whole: tuple[Span, ...] = ()


@dataclass(frozen=True)
class PlacedWord:
    """`text` is folded; its place is in the passage."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Statement:
    """`at`: how far down the text it stands, from 0 to 1."""

    passage: int
    kind: PassageKind
    start: int
    end: int
    text: str
    words: tuple[PlacedWord, ...]
    at: float
    cells: tuple[Span, ...] = ()
    heads: tuple[str, ...] = field(default=(), compare=False)

    @cached_property
    def said(self) -> tuple[str, ...]:
        return tuple(word.text for word in self.words)

    @cached_property
    def by_cell(self) -> list[tuple[str, ...]]:
        """The words of each of its cells."""
        return [self.said_in(cell) for cell in self.cells]

    @cached_property
    def key(self) -> object:
        """Statements that have the same say the same. Of a row, what stands in which column,
        in any order of these."""
        if self.kind != "row":
            return self.kind, self.said
        heads = self.heads if len(set(self.heads)) == len(self.cells) else range(len(self.cells))
        return self.kind, frozenset(zip(heads, self.by_cell, strict=True))

    @cached_property
    def stems(self) -> frozenset[str]:
        """What it is known by: the beginnings of words that not every sentence has."""
        if self.kind == "code":
            return frozenset(self.said)
        content = {word[:STEM] for word in content_of([w for w in self.said if not is_unspaced(w)])}
        return frozenset(content | {"".join(pair) for pair in self._unspaced_pairs()})

    def _unspaced_pairs(self) -> Iterator[tuple[str, str]]:
        """One character says little, two that stand together are mostly a word."""
        for one, other in zip(self.words, self.words[1:], strict=False):
            if one.end == other.start and is_unspaced(one.text) and is_unspaced(other.text):
                yield one.text, other.text

    @cached_property
    def figures(self) -> frozenset[str]:
        return frozenset(word for word in self.said if _is_figure(word))

    @cached_property
    def denials(self) -> int:
        """How often it denies something."""
        return sum(map(self.denies, self.said))

    def denies(self, word: str) -> bool:
        return self.kind != "code" and is_denying(word)

    def said_in(self, span: Span) -> tuple[str, ...]:
        return tuple(word.text for word in self.words if span[0] <= word.start < span[1])

    def is_grave(self, word: str) -> bool:
        """A figure or a "not": to read over it is to misread."""
        return word in self.figures or self.denies(word)


def statements(passages: Sequence[ReadPassage]) -> list[Statement]:
    """All that say something, in their order."""
    length = sum(len(passage.text) + 1 for passage in passages) or 1
    found: list[Statement] = []
    before = 0
    for number, passage in enumerate(passages):
        for start, end in _spans(passage):
            words = tuple(_words(passage, start, end))
            if words:
                text = _SPACE.sub(" ", passage.text[start:end])
                text = passage.text[start:end] if passage.kind == "code" else text
                at = (before + start) / length
                statement = Statement(
                    number,
                    passage.kind,
                    start,
                    end,
                    text,
                    words,
                    at,
                    passage.cells,
                    passage.heads,
                )
                found.append(statement)
        before += len(passage.text) + 1
    return found


def _spans(passage: ReadPassage) -> Iterator[Span]:
    text, start = passage.text, 0
    if passage.kind == "prose":
        for end in ends_in(text, Block("prose", 0, len(text), 0)):
            if not any(a < end < b for a, b in passage.whole):
                yield _trimmed(text, start, end)
                start = end
        yield _trimmed(text, start, len(text))
    elif passage.kind == "code":
        yield 0, len(text.rstrip())
    else:
        yield _trimmed(text, 0, len(text))


def _trimmed(text: str, start: int, end: int) -> Span:
    said = text[start:end]
    start += len(said) - len(said.lstrip())
    return start, start + len(said.strip())


def _words(passage: ReadPassage, start: int, end: int) -> Iterator[PlacedWord]:
    pattern = _IN_CODE if passage.kind == "code" else _WORD
    fold = str if passage.kind == "code" else folded
    for a, b in passage.whole:
        if start <= a and b <= end:
            for match in pattern.finditer(passage.text, start, a):
                yield PlacedWord(fold(match[0]), *match.span())
            yield PlacedWord("".join(passage.text[a:b].split()), a, b)
            start = b
    for match in pattern.finditer(passage.text, start, end):
        yield PlacedWord(fold(match[0]), *match.span())


def folded(word: str) -> str:
    plain = word.lower() if word.isascii() else unicodedata.normalize("NFKC", word).casefold()
    plain = plain.replace("’", "'").replace("−", "-")
    return plain.replace(",", "") if _THOUSANDS.match(plain) else plain


def _is_figure(word: str) -> bool:
    if any(map(str.isdigit, word)) or word in _OF_FIGURES:
        return True
    return len(word) == 1 and unicodedata.category(word) == "Sc"
