"""Of a document that is too long, the parts that fit: those that have the question's rarer words.

Whole parts (pages, rows, blocks of lines) in their order; where none has such a word, from the
beginning. Of a part that does not fit alone, as many whole sentences as do.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..engine.calls.window import tokens_in
from .reading import ReadPart

_WORD = re.compile(r"\w{2,}")
_END = re.compile(r"[.!?。！？](?=\s|$)|\n")
TITLE = 6  # tokens that name a part


@dataclass(frozen=True)
class Excerpt:
    """`names` of the parts that are in it; empty: all of them are."""

    text: str
    names: tuple[str, ...] = ()


def excerpt(parts: Sequence[ReadPart], question: str, tokens: int) -> Excerpt:
    sizes = [tokens_in(part.text) + TITLE for part in parts]
    if sum(sizes) <= tokens:
        return Excerpt(_joined(parts))
    chosen: list[int] = []
    left = tokens
    for number in _ranked(parts, question):
        if sizes[number] <= left:
            chosen.append(number)
            left -= sizes[number]
    shown = [parts[number] for number in sorted(chosen)]
    if not shown and parts:
        first = parts[_ranked(parts, question)[0]]
        shown = [ReadPart(first.name, _cut(first.text, tokens - TITLE))]
    shown = [part for part in shown if part.text]
    return Excerpt(_joined(shown), tuple(part.name for part in shown))


def _ranked(parts: Sequence[ReadPart], question: str) -> list[int]:
    """The likeliest first; what is equally likely as it stands."""
    asked = set(_WORD.findall(question.casefold()))
    found = [Counter(w for w in _WORD.findall(p.text.casefold()) if w in asked) for p in parts]
    in_how_many = Counter(word for words in found for word in words)
    count = len(parts)

    def worth(number: int) -> float:
        return sum(
            math.log(1 + count / in_how_many[word]) * times / (times + 1)
            for word, times in found[number].items()
            if in_how_many[word] <= count / 2 or count < 4
        )

    return sorted(range(count), key=lambda number: (-worth(number), number))


def _cut(text: str, tokens: int) -> str:
    at = 0
    for end in _END.finditer(text):
        if tokens_in(text[: end.end()]) > tokens:
            break
        at = end.end()
    return text[:at].strip()


def _joined(parts: Sequence[ReadPart]) -> str:
    if len(parts) == 1 and parts[0].name.startswith("lines 1–"):
        return parts[0].text
    return "\n\n".join(f"[{part.name}]\n{part.text}" for part in parts)


def in_words(names: Sequence[str], most: int = 6) -> str:
    """ "pages 1–3, 7 and 9" of "page 1", "page 2" …; other parts by their names."""
    numbers = [name.rpartition(" ")[2] for name in names]
    word = names[0].rpartition(" ")[0] if names else ""
    is_numbered = all(n.isdecimal() for n in numbers) and all(
        name.rpartition(" ")[0] == word for name in names
    )
    spans = _spans([int(n) for n in numbers]) if is_numbered else list(names)
    if len(spans) > most:
        spans = [*spans[:most], f"{len(spans) - most} more"]
    told = ", ".join(spans[:-1]) + f" and {spans[-1]}" if len(spans) > 1 else "".join(spans)
    many = "s" if len(names) > 1 else ""
    return f"{word}{many} {told}" if is_numbered and names else told


def _spans(numbers: list[int]) -> list[str]:
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return [str(a) if a == b else f"{a}–{b}" for a, b in spans]
