"""What a claim says, as far as words tell: enough to know it again in other words, and to see where
it says another thing.

A *root* is the beginning of a word that means something, without its ending. Figures, denials and
opposites are no roots: they are what may differ between two claims about the same. A figure is
known by its value, however it is written (2,900 and 2900, three and 3, 65 percent and 65 %), and
by what stands beside it, so that a price is not compared with a year.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log

from .passages import ReadPassage, statements
from .whole_sentences import content_of, is_denying, is_unspaced

STEM = 6
_FEW = 20  # among fewer claims it says little how rare a word is
_SAYS_LITTLE = frozenset(
    """should need needs needed still already too well both make makes made get gets take takes
    taken become becomes remain remains stay stays comes way many much us however therefore
    soll sollte sollen bleibt noch schon""".split()  # noqa: SIM905
)
_LACKING = frozenset(
    """lack lacks lacking lacked deficient deficiency insufficient absent absence missing neither
    hardly fehlt fehlen nobody
    nothing""".split()  # noqa: SIM905
)
_ENDINGS = ("ings", "ing", "ies", "ied", "ed", "es", "en", "ly", "s")
_NUMBERS = dict(
    zip(
        """two three four five six seven eight nine ten eleven twelve zwei drei vier fünf sechs
        sieben acht neun zehn elf zwölf deux trois quatre cinq sept huit neuf dix""".split(),  # noqa: SIM905
        [*range(2, 13), *range(2, 13), 2, 3, 4, 5, 7, 8, 9, 10],
        strict=True,
    )
) | {"fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60}
_TIMES = {"hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9}
_TIMES |= {"tausend": 1_000, "millionen": 10**6, "milliarden": 10**9, "k": 1_000, "bn": 10**9}
_UNITS = {
    **dict.fromkeys(("percent", "pct", "prozent", "‰"), "%"),
    **dict.fromkeys(("eur", "euro", "euros", "€"), "€"),
    **dict.fromkeys(("usd", "dollar", "dollars", "$"), "$"),
}
_OPPOSITES = [
    [side.split() for side in line.split("|")]
    for line in """
    rise rose rising rais increas grow grew climb | fall fell decreas declin drop shrink sink reduc
    more | less fewer
    high | low
    cheap | expensive costl dear
    safe | danger harmful risky
    fast quick | slow
    better | worse
    good | bad
    true | false
    right correct | wrong incorrect
    allow permit | forbid prohibit ban
    recommend | discourag
    large big | small
    strong | weak
    gain profit | loss lose
    accept | reject
    before | after
    early earlie | late
    above | below
    best | worst
    most | least
    succe | fail
    mandatory compulsory required | optional voluntary
    steig | sink fall
    mehr | weniger
    höher hoch | niedrig
    besser | schlechter
    teurer teuer | billig günstig
    erlaub | verbot
    """.strip().splitlines()
]
# What has a word of denial and denies nothing.
_NO_DENIAL = re.compile(
    r"\b(?:no (?:less|fewer|more|later|earlier) than|not (?:only|just|least)|no (?:doubt|matter)"
    r"|without (?:a )?doubt|nicht (?:nur|zuletzt))\b"
)
_NEGATED = re.compile(r"(?:un|in|im|il|ir|non|dis)(?=\w{3})")
_THAN = frozenset({"than", "als", "que"})
_YEAR = re.compile(r"(?:19|20)\d\d$")


@dataclass(frozen=True)
class Figure:
    value: str
    beside: frozenset[str]


@dataclass(frozen=True)
class Gist:
    text: str
    words: tuple[str, ...]
    roots: frozenset[str]
    figures: tuple[Figure, ...]
    is_denied: bool
    # Of a comparison, what stands on either side of "than".
    compared: tuple[frozenset[str], frozenset[str]] | None = None

    @cached_property
    def values(self) -> frozenset[str]:
        return frozenset(figure.value for figure in self.figures)

    @cached_property
    def poles(self) -> frozenset[tuple[int, int]]:
        """(opposites, which of the two) that its words name."""
        return frozenset(
            (number, side)
            for number, sides in enumerate(_OPPOSITES)
            for side, roots in enumerate(sides)
            if any(word.startswith(tuple(roots)) for word in self.words)
        )


def gist(text: str) -> Gist:
    """Of a claim, all of its sentences together."""
    return gists_of([text], whole=True)[0]


def gists_of(texts: Iterable[str], *, whole: bool = False) -> list[Gist]:
    """Of every sentence of these texts, or of each text as one."""
    found = []
    for text in texts:
        lines = [ReadPassage("prose", line) for line in text.splitlines() if line.strip()]
        said = statements(lines)
        if whole:
            pairs = [pair for one in said for pair in one._unspaced_pairs()]
            words = [word for one in said for word in one.said]
            found.append(_gist(" ".join(text.split()), words, pairs))
        else:
            found += [_gist(s.text, s.said, [*s._unspaced_pairs()]) for s in said]
    return found


def _gist(text: str, words: Sequence[str], pairs: Sequence[tuple[str, str]]) -> Gist:
    figures, rest = _figures(words)
    roots = frozenset({*_roots(rest), *("".join(pair) for pair in pairs)})
    compared = None
    if at := next((n for n, word in enumerate(rest) if word in _THAN), 0):
        compared = frozenset(_roots(rest[:at])), frozenset(_roots(rest[at:]))
    denying = _NO_DENIAL.sub("", " ".join(words)).split()
    denied = any(is_denying(word) or word in _LACKING for word in denying)
    return Gist(text, tuple(words), roots, tuple(figures), denied, compared)


def _roots(words: Sequence[str]) -> Iterable[str]:
    spaced = [w for w in words if not is_unspaced(w) and w not in _SAYS_LITTLE | _LACKING]
    return (root_of(word) for word in content_of(spaced) if not is_denying(word))


def root_of(word: str) -> str:
    if not word.isascii():
        return word[:STEM]
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    if word.endswith("er") and len(word) >= 7:
        word = word[:-2]
    word = word.rstrip("eiy") if len(word) > 3 else word
    if len(word) > 3 and word[-1] == word[-2]:
        word = word[:-1]
    return word[:STEM]


def _figures(words: Sequence[str]) -> tuple[list[Figure], list[str]]:
    """(the figures, all words that are none)."""
    said: list[tuple[str, bool]] = []
    for word in (_UNITS.get(word, word) for word in words):
        value = str(_NUMBERS[word]) if word in _NUMBERS else word
        is_figure = any(map(str.isdigit, value))
        if word in _TIMES and said and said[-1][1]:
            said[-1] = (_times(said[-1][0], _TIMES[word]), True)
        else:
            said.append((value, is_figure))
    figures = []
    for number, (value, is_figure) in enumerate(said):
        if not is_figure:
            continue
        near = [w for w, is_other in said[max(number - 1, 0) : number + 2] if not is_other]
        beside = {w if w in "%€$" else root_of(w) for w in near}
        if _YEAR.match(value):
            beside.add("a year")
        figures.append(Figure(value, frozenset(beside)))
    return figures, [word for word, is_figure in said if not is_figure]


def _times(value: str, many: int) -> str:
    try:
        product = float(value) * many
    except ValueError:
        return value
    return str(int(product)) if product.is_integer() else str(product)


def moved(one: Gist, other: Gist) -> bool:
    """A figure of one stands where the other has another. What only one has is no move."""
    gone = [f for f in one.figures if f.value not in other.values]
    come = [f for f in other.figures if f.value not in one.values]
    if len(one.figures) == len(other.figures) == len(gone) == 1:
        return True
    return any(a.beside & b.beside for a in gone for b in come)


def turned(one: Gist, other: Gist) -> bool:
    """Of two claims about the same: one says what the other denies."""
    is_turned = one.is_denied != other.is_denied
    if _opposed(one, other):
        is_turned = not is_turned
    if _swapped(one, other):
        is_turned = not is_turned
    return is_turned


def _opposed(one: Gist, other: Gist) -> bool:
    for number, side in one.poles:
        if (number, 1 - side) in one.poles or (number, side) in other.poles:
            continue
        if (number, 1 - side) in other.poles:
            return True
    own, others = one.roots - other.roots, other.roots - one.roots
    words = (
        [w for w in one.words if root_of(w) in own],
        [w for w in other.words if root_of(w) in others],
    )
    return any(_denies(a, b) or _denies(b, a) for a in words[0] for b in words[1])


def _denies(word: str, other: str) -> bool:
    """As "unsafe" does "safe"."""
    match = _NEGATED.match(word)
    return match is not None and root_of(word[match.end() :]) == root_of(other)


def _swapped(one: Gist, other: Gist) -> bool:
    """What was compared with what stands the other way round."""
    if one.compared is None or other.compared is None:
        return False
    (left, right), (first, second) = one.compared, other.compared
    left, right = left - right, right - left
    first, second = first - second, second - first
    return bool(left & second and right & first)


class Likeness:
    """How much claims have in common, each root weighed by how rare it is among all of them."""

    def __init__(self, all_of: Sequence[Gist]) -> None:
        counts = Counter(root for one in all_of for root in one.roots)
        many = max(len(all_of), _FEW)
        self._rarity: Mapping[str, float] = {
            root: log(1 + many / count) for root, count in counts.items()
        }
        self._unknown = log(1 + many)

    def alike(self, one: Gist, other: Gist) -> float:
        """From 0 to 1: twice what they share of what both have."""
        shared = self._weight(one.roots & other.roots)
        both = self._weight(one.roots) + self._weight(other.roots)
        return 2 * shared / both if both else 0.0

    def part_in(self, one: Gist, other: Gist) -> float:
        """From 0 to 1: how much of `one` stands in `other`."""
        own = self._weight(one.roots)
        return self._weight(one.roots & other.roots) / own if own else 0.0

    def _weight(self, roots: frozenset[str]) -> float:
        return sum(self._rarity.get(root, self._unknown) for root in roots)
