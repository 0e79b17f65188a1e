"""One spelling for a text and a quote from it, so that one can be looked up in the other.

Evened out are white space, typographic quotes, dashes and ellipses, Unicode
compatibility forms, characters nobody sees, and the marks of Markdown
emphasis. Case and words stay. `as_shown` also leaves out what a page does not
show of Markdown: marks at the head of a line, addresses of links, the rules of
tables and fences. Every normalised character knows the place it came from.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

# Shorter quotes have to be whole words: "he" is no quote from "the".
_WORDS_ONLY_BELOW = 12
# A letter or digit of a script that writes words apart: Latin, Greek, Cyrillic, their neighbours.
_IN_WORD = "[^\\W_\u0e00-\U0010ffff]"
# What a hostile text may cost: places that are none, and how many of them a closer look counts.
_TRIES, _CLOSER_LOOK = 1000, 50
QUOTES = "\u2018\u2019\u201a\u201b\u2032\u2035\u201c\u201d\u201e\u201f\u2033\u2036«»‹›`´'\""
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_DIRECTIONS = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_INVISIBLE = f"\u00ad\u180e\u200b\u200c\u2060-\u2064\ufe0e\ufe0f\ufeff{_DIRECTIONS}"
_PLAIN = {ord(c): '"' for c in QUOTES} | {ord(c): "-" for c in _DASHES} | {0x2044: "/"}
# What belongs to the character before it: joiners, skin tones, and the later jamo of a syllable.
_JOINED = "\U0001f3fb-\U0001f3ff\u1160-\u11ff"
_FLAG = "[\U0001f1e6-\U0001f1ff]{2}"
_TOKEN = re.compile(
    rf"""
      (?P<dash>\s*[{re.escape(_DASHES)}]+\s*)
    | (?P<guillemet>(?<!\S)[«‹]\s+ | \s+[»›](?!\w))
    | (?P<space>\s+)
    | (?P<emphasis>[*_~]+ | `+)
    | (?P<invisible>[{_INVISIBLE}]+)
    | (?P<run>[a-zA-Z0-9,;:!?()\[\]/=%$&\#@+<>|^{{}}\\]+)
    | (?P<cluster>(?:{_FLAG}|.)(?:[{_JOINED}]|\u200d.)*)
    """,
    re.VERBOSE | re.DOTALL,
)
_NOT_SHOWN = re.compile(
    r"""
      ^[ \t]*(?P<rule>(?:`{3,}|~{3,})[^`\n]*$|(?:[-*_=][ \t]*){3,}$|\|[ \t:|-]+\|[ \t]*$)
    | ^[ \t]*(?P<line>(?:(?:[-*+\u2022]|\#{1,6}|>|\d{1,9}[.)])[ \t]+)+(?:\[[ xX]\][ \t]+)?)
    | (?P<label>!?\[)(?=[^\[\]\n]{1,500}(?P<target>\](?:\([^()\s]{1,2000}\)|\[[^\[\]\n]{0,200}\])))
    | (?P<angle><)(?=[a-z]{1,20}:[^<>\s]{1,2000}(?P<closing>>))
    | \\(?P<escaped>[!-/:-@\[-`{-~])
    """,
    re.VERBOSE | re.MULTILINE,
)
_TABLE_ROW = re.compile(r"^[ \t]*\|.*\|[ \t]*$", re.MULTILINE)

Skipped = tuple[int, int, str]  # start, end, and what stands there instead


@dataclass(frozen=True)
class Normalised:
    """`text[i]` came from `source[starts[i]:ends[i]]`; several may come from one place."""

    source: str
    text: str
    starts: Sequence[int]
    ends: Sequence[int]
    as_shown: bool
    skipped: Sequence[Skipped]

    def find(self, needle: str, after: int = 0) -> tuple[int, int, int] | None:
        """(start, end) in the source and the normalised end, of the first true occurrence."""
        tries = 0
        for at in self._places(needle, after):
            end = at + len(needle)
            if self._is_whole(at, end):
                start, stop = self.starts[at], self.ends[end - 1]
                if self._again(start, stop) == needle:
                    return start, stop, end
                tries += _CLOSER_LOOK
            tries += 1
            if tries > _TRIES:
                break
        return None

    def _places(self, needle: str, after: int) -> Iterator[int]:
        if len(needle) < _WORDS_ONLY_BELOW:
            before = rf"(?<!{_IN_WORD})" if re.match(_IN_WORD, needle) else ""
            behind = rf"(?!{_IN_WORD})" if re.match(_IN_WORD, needle[-1]) else ""
            pattern = re.compile(f"{before}(?={re.escape(needle)}{behind})")
            yield from (found.start() for found in pattern.finditer(self.text, after))
            return
        at = self.text.find(needle, after)
        while at >= 0:
            yield at
            at = self.text.find(needle, at + 1)

    def _is_whole(self, at: int, end: int) -> bool:
        """Begins and ends between two characters of the source, not within one."""
        begins = at == 0 or self.starts[at] >= self.ends[at - 1]
        ends = end == len(self.text) or self.ends[end - 1] <= self.starts[end]
        return begins and ends

    def _again(self, start: int, end: int) -> str:
        """What the place says by itself, without what stands around it."""
        pieces, at = [], start
        for n in range(bisect_left(self.skipped, (start,)), len(self.skipped)):
            first, last, instead = self.skipped[n]
            if first >= end:
                break
            pieces += [self.source[at:first], instead]
            at = last
        return normalise("".join([*pieces, self.source[at:end]])).text.strip()


def normalise(text: str, *, as_shown: bool = False) -> Normalised:
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []

    def add(piece: str, start: int, end: int) -> None:
        pieces.append(piece)
        starts.extend([start] * len(piece))
        ends.extend([end] * len(piece))

    skipped = _skipped(text) if as_shown else []
    at = 0
    for skip in [*skipped, (len(text), len(text), "")]:
        while at < skip[0]:
            match = _TOKEN.match(text, at, skip[0])
            assert match  # the last alternative takes anything
            start, at = match.span()
            kind = match.lastgroup
            if kind == "run" and at < len(text) and unicodedata.combining(text[at]):
                # The accent belongs to the last letter.
                at, kind = (at - 1, "run") if at - start > 1 else (at, "cluster")
            match kind:
                case "run":
                    pieces.append(text[start:at])
                    starts.extend(range(start, at))
                    ends.extend(range(start + 1, at + 1))
                case "space":
                    add(" ", start, at)
                case "dash":
                    add("-", start, at)
                case "guillemet":
                    add('"', start, at)
                case "emphasis":
                    if not _is_emphasis(text, start, at):
                        for i in range(start, at):
                            add(text[i].translate(_PLAIN), i, i + 1)
                case "cluster":
                    at = _end_of_cluster(text, at)
                    add(_plain(text[start:at]), start, at)
        add(_plain(skip[2]), skip[0], skip[1])
        at = max(at, skip[1])
    # Two kinds of white space may have met where a mark was left out.
    return _without_double_spaces(
        Normalised(text, "".join(pieces), starts, ends, as_shown, skipped),
    )


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


def _skipped(text: str) -> list[Skipped]:
    """What of Markdown nobody sees, in order and apart from each other."""
    found: list[Skipped] = []
    for match in _NOT_SHOWN.finditer(text):
        for name in ("rule", "line", "label", "target", "angle", "closing"):
            if match[name] is not None:
                found.append((*match.span(name), ""))
        if match["escaped"]:
            found.append((*match.span(), match["escaped"]))
    for row in _TABLE_ROW.finditer(text):
        bars = re.finditer(r"\|", row[0])
        found += [(row.start() + bar.start(), row.start() + bar.end(), " ") for bar in bars]
    apart: list[Skipped] = []
    for skip in sorted(found, key=lambda s: (s[0], -s[1])):  # of two, the longer
        if not apart or skip[0] >= apart[-1][1]:
            apart.append(skip)
    return apart


def _without_double_spaces(normalised: Normalised) -> Normalised:
    text, starts, ends = normalised.text, normalised.starts, normalised.ends
    if not re.search(r"  | -|- ", text):
        return normalised
    keep = [
        i
        for i, c in enumerate(text)
        if c != " "
        or not ((i and text[i - 1] in " -") or (i + 1 < len(text) and text[i + 1] == "-"))
    ]
    return replace(
        normalised,
        text="".join(text[i] for i in keep),
        starts=[starts[i] for i in keep],
        ends=[ends[i] for i in keep],
    )
