"""Seat markers in a fused answer: which answers a sentence rests on.

The synthesizer writes `[^A]`, `[^A,C]`, `[^own]` for what no answer supports, or `[^you]` for
what the reader ruled or added:
the form of a footnote, which models know, which Markdown leaves alone, and
which hardly stands in a text by itself. A letter that is no seat here says
nothing, and goes with its marker; nothing in code is one. Where somebody lists
the markers as footnotes (`[^A]: text`), the colon belongs to the marker.

`marks` finds them; `plain` takes them out, for whoever copies, exports or
reads the text as a program; `PlainStream` does the same while it is written.
A text that is being written is plain up to where a marker may be beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..spec import MAX_SEATS, letter

OWN, YOU = "own", "you"
ALL = "".join(letter(seat) for seat in range(MAX_SEATS))
_NAME = r"(?:[A-H]|own|you)"
MARKER = re.compile(rf"\[\^ ?({_NAME}(?: ?, ?{_NAME})*) ?\]")
# What may still become a marker, or white space before one.
_BEGUN = re.compile(r"(?:[ \t]|\[\^[A-Hownyu, ]*\])*(?:\[(?:\^[A-Hownyu, ]*)?)?\Z")
# What is longer and cannot be let go of, as a long line or a block of code, is looked through
# only when it has grown by a part: else the work would grow with the square of it.
_AT_EVERY_DELTA = 4096
_LONGEST = 400  # how much white space and markers together are waited for
# Code: a fenced block to its closing fence or the end, or a span within one paragraph.
_FENCE = re.compile(
    r"(?:[ \t>]|[-*+][ \t]|\d{1,9}[.)][ \t])*(`{3,}(?=[^`\n]*$)|~{3,})", re.MULTILINE
)
_MAY_BE_FENCE = re.compile(r"(?:[ \t>]|[-*+]|\d{1,9}[.)]?)*(?:~*|`*|`{3,}[^`]*)")
_TICKS = re.compile(r"`+")
_BLANK = re.compile(r"\n[ \t]*\n")
# What may stand before the marker of a footnote in its line.
_HEAD = re.compile(rf"(?:[ \t>]|[-*+][ \t]|\d{{1,9}}[.)][ \t]|#{{1,6}}[ \t]|{MARKER.pattern})*")

Stretch = tuple[int, int, bool]  # start, end, is code


@dataclass(frozen=True)
class ProvenanceMark:
    """A marker in the text as it was written; without letters where they are no seats here."""

    start: int
    end: int
    letters: str
    is_own: bool
    is_yours: bool = False


def names_of(marker: str, letters: str = ALL) -> tuple[str, bool]:
    """(letters, whether it is the writer's own) of what stands in a marker."""
    names = [name.strip() for name in marker.split(",")]
    known = "".join(dict.fromkeys(n for n in names if n not in (OWN, YOU) and n in letters))
    return known, OWN in names


def is_yours(marker: str) -> bool:
    """Whether it names the reader."""
    return YOU in marker


def marks(text: str, letters: str = ALL) -> list[ProvenanceMark]:
    return [
        ProvenanceMark(a, b, *names_of(names, letters), is_yours(names))
        for a, b, names in _marked(text)
    ]


def _marked(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end, and what stands in it, of every marker. Plain tuples: a text may have half a
    million."""
    if "[^" not in text:
        return
    line = looked = 0
    for start, end, is_code in _stretches(text):
        if is_code:
            continue
        for match in MARKER.finditer(text, start, end):
            line = max(line, text.rfind("\n", looked, match.start()) + 1)
            looked = match.start()
            yield looked, match.end() + is_footnote(text, match, line), match[1]


def is_footnote(text: str, match: re.Match[str], line: int) -> bool:
    """Whether the colon after a marker is its own; `line` is where its line begins."""
    head = text.startswith(":", match.end()) and _HEAD.fullmatch(text, line, match.start())
    return bool(head)


# A long text is looked through once for all who ask: pages, rows and programs.
@lru_cache(maxsize=16)
def plain(text: str) -> str:
    """Without markers; what stood around one is left as if it had never been there."""
    return _plain_until(len(text), text)


def _plain_until(stop: int, text: str) -> str:
    """What is code further up may hang on what comes later, so all of it is read."""
    pieces: list[str] = []
    at = 0
    found = [(start, end) for start, end, _ in _marked(text) if end <= stop]
    number = 0
    while number < len(found):
        # Markers side by side, with nothing but spaces between, go together.
        first, last = found[number]
        number += 1
        while number < len(found) and not text[last : found[number][0]].strip(" \t"):
            last = found[number][1]
            number += 1
        before = text[at:first]
        pieces.append(_joined(before, text, last, is_first=not pieces))
        at = last
        if not before.endswith((" ", "\t")) and before.rpartition("\n")[2].strip() == "":
            while text[at : at + 1] in {" ", "\t"}:
                at += 1
    return "".join([*pieces, text[at:stop]])


def _joined(before: str, text: str, end: int, *, is_first: bool) -> str:
    """What stands before markers, ending as the text after them wants it."""
    after = text[end : end + 1]
    bare = before.rstrip(" \t")
    had_space = bare != before
    begins_line = not bare or bare.endswith("\n") if (bare or is_first) else False
    if had_space and not begins_line and (not after or after in " \t\n.,;:!?)]}»”’"):
        return bare
    if not had_space and bare[-1:] in {*".,;:!?"} and after.isalnum():
        return bare + " "
    return before


def _stretches(text: str) -> Iterator[Stretch]:
    """Stretches that make up the text."""
    at = 0
    while at < len(text):
        fence = next(_fences(text, at), None)
        end = fence.start() if fence else len(text)
        yield from _spans(text, at, end)
        if fence is None:
            return
        closing = re.compile(rf"^[ \t>]*{fence[1][0]}{{{len(fence[1])},}}[ \t]*$", re.MULTILINE)
        closed = closing.search(text, fence.end())
        at = closed.end() if closed else len(text)
        yield fence.start(), at, True


def _fences(text: str, at: int) -> Iterator[re.Match[str]]:
    """Fences at the beginning of a line."""
    start = at
    while start <= len(text):
        if (start == 0 or text[start - 1] == "\n") and (match := _FENCE.match(text, start)):
            yield match
        start = text.find("\n", start) + 1
        if not start:
            return


def _spans(text: str, at: int, end: int) -> Iterator[Stretch]:
    """Code spans: from backticks to as many backticks, within one paragraph."""
    start = at
    while at < end:
        blank = _BLANK.search(text, at, end)
        rows = list(_TICKS.finditer(text, at, blank.start() if blank else end))
        at = blank.end() if blank else end
        next_alike: list[int | None] = []
        seen: dict[int, int] = {}  # length -> the nearest row further on
        for number in range(len(rows) - 1, -1, -1):
            length = len(rows[number][0])
            next_alike.append(seen.get(length))
            seen[length] = number
        next_alike.reverse()
        number = 0
        while number < len(rows):
            closing = next_alike[number]
            if closing is not None:
                yield start, rows[number].start(), False
                yield rows[number].start(), rows[closing].end(), True
                start, number = rows[closing].end(), closing
            number += 1
    yield start, end, False


class PlainStream:
    """Feed it deltas; it returns what can already be said of the plain text.

    All it returned, and `end()`, are together `plain` of the whole.
    """

    def __init__(self) -> None:
        self._text = ""  # what was not yet let go of: from the beginning of a line on
        self._said = 0  # how much of its plain text was returned
        self._unseen = 0  # how much of it came since it was looked through

    def feed(self, delta: str) -> str:
        self._text += delta
        self._unseen += len(delta)
        if len(self._text) > _AT_EVERY_DELTA and self._unseen * 32 < len(self._text):
            return ""
        self._unseen = 0
        settled = _settled(self._text)
        said = self._say(_plain_until(settled, self._text))
        self._let_go(settled)
        return said

    def end(self) -> str:
        return self._say(plain(self._text))

    def _say(self, text: str) -> str:
        new, self._said = text[self._said :], max(self._said, len(text))
        return new

    def _let_go(self, settled: int) -> None:
        """Of whole lines, so that a long text is not looked through with every delta."""
        for start, whole, is_code in reversed(list(_stretches(self._text))):
            end = min(whole, settled)
            if is_code or start >= end:
                continue
            for line in (
                self._text.rfind("\n", start, end),
                self._text.rfind("\n\n", start, end) + 1,
            ):
                # Where a span may still begin further up, only with its whole paragraph.
                if line > 0 and next(_open_ticks(self._text[: line + 1]), None) is None:
                    gone = self._text[: line + 1]
                    self._text = self._text[line + 1 :]
                    self._said -= len(plain(gone))
                    return


def plain_so_far(text: str) -> str:
    """What can already be said of a text that is being written; it only grows."""
    return _plain_until(_settled(text), text)


def _settled(text: str) -> int:
    """How far what comes later changes nothing any more."""
    if "[^" not in text:  # nothing is taken out, be it code or not
        return _before_begun(text, len(text))
    text = text.rstrip("`")  # a row of backticks may go on
    line = text.rfind("\n") + 1
    stretches = list(_stretches(text))
    *_, (start, _, is_code) = [(0, 0, False), *stretches]
    if is_code and _FENCE.match(text, start):
        if start < line:
            return line  # a fence is closed by a line of its own
        # Until its line is complete, another backtick may make it none.
        return next(_open_ticks(text[:line]), line)
    ticks = next(_open_ticks(text, stretches), len(text))
    may_be_fence = _MAY_BE_FENCE.fullmatch(text, line)
    end = _before_begun(text, min(ticks, line) if may_be_fence else ticks)
    # Not within a code span: without its end it would not be one.
    return next((s for s, e, is_code in stretches if is_code and s < end < e), end)


def _before_begun(text: str, end: int) -> int:
    match = _BEGUN.search(text[:end], max(0, end - _LONGEST))
    return match.start() if match else end


def _open_ticks(text: str, stretches: Sequence[Stretch] | None = None) -> Iterator[int]:
    """Backticks of the last paragraph that may still open a span."""
    paragraph = max((m.end() for m in _BLANK.finditer(text)), default=0)
    for start, end, is_code in _stretches(text) if stretches is None else stretches:
        if not is_code and end > paragraph:
            for ticks in _TICKS.finditer(text, max(start, paragraph), end):
                yield ticks.start()
