"""Sentences of an answer, each with its place in the text and the words that say something.

Markdown is known as far as it takes: code holds no sentences; a heading, an item of a list
and a row of a table are apart from what stands around them. A sentence's text is always the
very characters of the answer between `start` and `end`. Words are in lower case, of scripts that
write none apart a character each; `content` is what is left without those that every
sentence has.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Kind = Literal["prose", "item", "row", "heading", "code"]

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
_TOKEN = re.compile(
    rf"\d+(?:[.,:/]\d+)+|[{_UNSPACED}]|[^\W_{_UNSPACED}]+(?:['’][^\W_{_UNSPACED}]+)*"
)
_CHARACTER = re.compile(rf"[{_UNSPACED}]")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})[ \t]*([^\s`]*+)[^\n`]*+$", re.MULTILINE)
_HEADING = re.compile(r"[ \t]{0,3}#{1,6}[ \t]+")
_ITEM = re.compile(r"[ \t>]*(?:[-*+•][ \t]+|\d{1,3}[.)][ \t]+)")
_QUOTED = re.compile(r"[ \t>]*")
# Not the full stop of "e.g. this", of 3.5, nor of "z. B. Das" or "Dr. Who"; but that of "5 °C".
_END = re.compile(
    r"(?:(?<![!?…])[!?…]++|(?<!\.)\.++)[\"'”’»)\]*_]*+(?=\s++[^\sa-zà-ÿ]|\s*+$)"
    r"|[。！？।؟۔]+[」』”’）]*"
)
_ABBREVIATED = re.compile(
    r"(?:(?<![°º])\b[^\W\d_]|\b(?:e\.g|i\.e|etc|Dr|Mr|Mrs|Ms|St|vs|No|Nr|ca|bzw|usw|Fig|Prof|Inc|Jr|Sr|approx))\.$"
)
_LONGEST_ABBREVIATED = 12
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+$")
_NUMBER = re.compile(r"\d")

# What stands in every sentence of the languages that most answers are in. Words that deny
# something are not among them.
_USUAL = frozenset(
    """
    a an the of to in on at by for from with as and or but if so that this these those it its he
    she they we you i my your his her their our is are was were be been being am do does did have
    has had will would can could may might must shall there here which who whom what when where how
    why than then also very more most some any each such into over about because while just only
    der die das den dem des ein eine einen einem einer eines und oder aber ist sind war waren sein
    wird werden hat haben kann im in am an auf für von zu zum zur mit bei als auch es sie er wir
    ihr man sich dass wenn wie so nur noch aus nach über durch um vor
    ne
    le la les un une des du de et ou mais est sont être a ont au aux en dans sur pour par avec qui
    que ce cette ces il elle ils elles on se sa son ses leur plus
    el los las una y o pero es son ser está en con por para del al lo su sus que se como más
    il lo gli i di da e ed è sono che non con per una del della
    o os um uma e é são em do da no na com por para que se
    het een en van de is zijn dat die op te met voor er
    的 了 是 在 和 与 及 也 就 都 而 之 其 这 那 は が を に で と の も へ や し た て
    """.split()  # noqa: SIM905
) - {"no", "non"}  # they deny something in one language or another
_DENYING = frozenset(
    """no not never none nor cannot without non nicht kein keine keinen keiner nie niemals pas
    jamais nunca jamás niet geen nooit não nem nessuno mai 不 没 沒 无 無 非 未""".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Sentence:
    """`is_whole`: it has an end of its own, as an item of a list and a row have by their line."""

    start: int
    end: int
    text: str
    kind: Kind
    is_whole: bool

    @cached_property
    def words(self) -> list[str]:
        return words_of(self.text)

    @cached_property
    def content(self) -> frozenset[str]:
        return content_of(self.words)

    @cached_property
    def any_words(self) -> frozenset[str]:
        return frozenset(self.words)

    @cached_property
    def core(self) -> frozenset[str]:
        """Its content but for figures and what denies."""
        return frozenset(w for w in self.content - self.numbers if not is_denying(w))

    @cached_property
    def numbers(self) -> frozenset[str]:
        return frozenset(word for word in self.words if _NUMBER.search(word))

    @cached_property
    def is_denied(self) -> bool:
        return any(map(is_denying, self.words))

    @property
    def is_question(self) -> bool:
        return self.text.rstrip("\"'”’»)*_ ").endswith(("?", "？", "؟"))


@dataclass(frozen=True)
class Block:
    """A paragraph, an item of a list and the like; without its mark at the head of the line."""

    kind: Kind
    start: int
    end: int
    line: int  # where its first line begins
    is_open: bool = False  # code whose fence nobody has closed


def sentences(text: str) -> list[Sentence]:
    """All of them but code."""
    found = []
    for block in blocks(text):
        if block.kind == "code":
            continue
        if block.kind == "prose" or block.kind == "item":
            found += list(_sentences_in(text, block))
        else:
            found.append(_sentence(text, block.start, block.end, block.kind, is_whole=True))
    return [s for s in found if s.words]


def words_of(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return [_same(word) for word in _TOKEN.findall(plain)]


def content_of(words: list[str]) -> frozenset[str]:
    """Of words that are all usual, all of them."""
    said = frozenset(_singular(word) for word in words if word not in _USUAL)
    return said or frozenset(words)


def is_unspaced(word: str) -> bool:
    """A character of a script that writes no words apart."""
    return bool(_CHARACTER.fullmatch(word))


def is_usual(word: str) -> bool:
    return word in _USUAL


def is_denying(word: str) -> bool:
    return word in _DENYING or word.endswith("n't")


def in_common(one: frozenset[str], other: frozenset[str]) -> float:
    """The part of all their words that both have."""
    either = len(one | other)
    return len(one & other) / either if either else 0.0


def blocks(text: str) -> list[Block]:
    found: list[Block] = []
    fence, begun = "", None  # the mark of the code that is open, and what the next line may go on
    for line in _LINE.finditer(text):
        at, end, written = line.start(), line.end(), line[0].rstrip("\n")
        mark = FENCE.match(text, at)
        if fence:
            found[-1] = Block("code", found[-1].start, end, found[-1].line, is_open=True)
            if mark and mark[1].startswith(fence) and not mark[2]:
                found[-1] = Block("code", found[-1].start, end, found[-1].line)
                fence = ""
            continue
        kind, start = _kind_of(text, at, written)
        if mark:
            fence, begun = mark[1], None
            found.append(Block("code", at, end, at, is_open=True))
        elif kind is None:
            begun = None
        elif kind == "prose" and begun:
            begun = Block(begun.kind, begun.start, end, begun.line)
            found[-1] = begun
        else:
            found.append(Block(kind, start, end, at))
            begun = found[-1] if kind in ("prose", "item") else None
    return found


def _kind_of(text: str, at: int, line: str) -> tuple[Kind | None, int]:
    """(what the line is, where its own text begins); None: blank, or a rule."""
    if not line.strip(" \t>") or _is_rule(line):
        return None, at
    if heading := _HEADING.match(line):
        return "heading", at + heading.end()
    if line.lstrip().startswith("|"):
        return "row", at
    if item := _ITEM.match(line):
        return "item", at + item.end()
    quoted = _QUOTED.match(line)
    return "prose", at + (quoted.end() if quoted else 0)


def _is_rule(line: str) -> bool:
    """Across the page, under a heading, or under the head of a table."""
    marks = line.replace(" ", "").replace("\t", "")
    is_one = len(marks) >= 3 and len(set(marks)) == 1 and marks[0] in "-*_="
    return is_one or ("--" in marks and not marks.strip("|:-"))


def _sentences_in(text: str, block: Block) -> Iterator[Sentence]:
    start = block.start
    for end in ends_in(text, block):
        yield _sentence(text, start, end, block.kind, is_whole=True)
        start = end
    rest = text[start : block.end]
    if rest.strip():
        is_whole = block.kind == "item" and not rest.rstrip(" \n*_").endswith((":", "："))
        yield _sentence(text, start, block.end, block.kind, is_whole=is_whole)


def ends_in(text: str, block: Block) -> Iterator[int]:
    """Where sentences of the block end."""
    within = text[block.start : block.end]
    for match in _END.finditer(within):
        before = within[max(0, match.start() - _LONGEST_ABBREVIATED) : match.start() + 1]
        if not (match[0].startswith(".") and _ABBREVIATED.search(before)):
            yield block.start + match.end()


def _sentence(text: str, start: int, end: int, kind: Kind, *, is_whole: bool) -> Sentence:
    said = text[start:end]
    start += len(said) - len(said.lstrip())
    said = said.strip()
    return Sentence(start, start + len(said), said, kind, is_whole)


def _same(word: str) -> str:
    return word.replace(",", "") if _THOUSANDS.match(word) else word


def _singular(word: str) -> str:
    is_plural = len(word) > 3 and word.endswith("s") and not word.endswith("ss")
    return word[:-1] if is_plural else word
