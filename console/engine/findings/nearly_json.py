"""JSON as models nearly write it.

Beside what JSON allows are read: comments, a comma too many or none, single and
typographic quotes, names without any, the literals of Python, backslashes that
escape nothing, and quotes and line breaks within a string. Where a string ends
is decided by what follows it: the next member, item or bracket.

Reading begins at a key that is looked for, goes from left to right and stops
where it can make nothing of the text. Nothing is read twice, but for what ran
to the end in search of a closing mark; that is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

MAX_OF_A_KEY = 1000  # items of a list that is said in pieces
_DEEPEST = 40
_IN_VAIN = 4_000_000  # characters looked through for a mark that never came
_LONGEST_NUMBER = 30

_QUOTES = "\"'“”„‘’"
_CLOSED_BY = {'"': '"', "'": "'", "“": '“”"', "”": '”"', "„": '“”"', "‘": "‘’'", "’": "’'"}
_NEXT_MARK = {mark: re.compile(rf"[\\{closers}]") for mark, closers in _CLOSED_BY.items()}
_SPACE = re.compile(r"(?:\s+|//[^\n]*|#[^\n]*)*")
_QUOTED_KEY = rf"[{_QUOTES}][^{_QUOTES}\\\n:]{{1,80}}[{_QUOTES}]\s*:"
_BARE_KEY = r"[^\W\d][\w-]{0,60}\s*:(?!//)"
_KEY = re.compile(rf"(?:{_QUOTED_KEY}|{_BARE_KEY})")
_KEY_IN_QUOTES = re.compile(_QUOTED_KEY)
_NUMBER = re.compile(r"[-+]?\.?\d[\w.+-]*(?:/\d+)?")
_BARE_ITEM = re.compile(r"[^\W\d]\w*(?=\s*[,\]}])")
_BARE_VALUE = re.compile(r"[^\W\d][^,}\]\n\"]*")
_LITERALS = {"true": True, "false": False, "null": None, "none": None, "undefined": None}
_COMMENT = r"//|/\*"
# What may follow the end of a string, by what the string is.
_ENDS_MEMBER = rf"\s*(?:\Z|```|\][ \t]*[,}}\]\n]|,?\s*(?:{_QUOTED_KEY}|{_COMMENT}|\}}BEHIND|\Z))"
_ENDS_ITEM = re.compile(
    rf"\s*(?:\Z|```|[\]}}]|{_COMMENT}|,\s*(?:[{_QUOTES}{{\[\]}}\d-]|{_COMMENT}|[^\W\d]\w*\s*[,\]]|\Z))"
    rf"|[ \t]*\n\s*[{_QUOTES}{{]"
)
_BEHIND = r"[ \t]*(?:[,}\]\n{`]|\Z|//|/\*)"
_ENDS_INNER = re.compile(_ENDS_MEMBER.replace("BEHIND", _BEHIND))
_ENDS_OUTER = re.compile(_ENDS_MEMBER.replace("BEHIND", ""))
_ENDS_BARE = re.compile(_ENDS_MEMBER.replace("BEHIND", _BEHIND).replace(_QUOTED_KEY, _BARE_KEY))
# After a backslash that a path ends with, and that escapes the closing mark by mistake.
_ENDS_PATH = re.compile(rf"\s*,\s*{_QUOTED_KEY}")
_BEGINS_LINE = re.compile(r",?[ \t]*\n\s{0,60}\Z")

_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


@dataclass
class Reading:
    """An object as far as it was read. `is_cut`: its end never came; `gaps`: so often
    something in its middle could not be read."""

    start: int
    end: int = 0
    data: dict[str, Any] = field(default_factory=dict)
    is_cut: bool = True
    gaps: int = 0


class _Broken(Exception):
    def __init__(self, at: int, in_vain: int = 0) -> None:
        self.at, self.in_vain = at, in_vain


def readings(text: str, names: Sequence[str]) -> Iterator[Reading]:
    """Of every object that has a list, or an object, under one of `names` (patterns)."""
    one = "|".join(names)
    anchor = re.compile(
        rf"(?:(?<![\w\\])[{_QUOTES}](?:{one})[{_QUOTES}]|(?<=[{{,\n\s])(?:{one}))"
        rf"\s*:\s*(?=[\[{{]|{_COMMENT}|#)",
        re.IGNORECASE,
    )
    found: Reading | None = None
    reader = _Reader(text)
    at = in_vain = 0
    while in_vain <= _IN_VAIN and (match := anchor.search(text, at)):
        reader.ends_inner = _ENDS_INNER if text[match.start()] in _QUOTES else _ENDS_BARE
        if found and text[at : match.start()].rstrip().endswith("{"):
            yield found  # another object begins before the end of this one came
            found = None
        found = found or Reading(match.start())
        try:
            at = reader.members(match.start(), found.data, 0)
            found.is_cut = False
        except _Broken as broken:
            in_vain += broken.in_vain
            at = max(broken.at, match.end())
            found.gaps += at < len(text)
        found.end = at
        if not found.is_cut:
            yield found
            found = None
    if found:
        # What broke off last is the end of it, not a gap.
        found.gaps = max(0, found.gaps - 1)
        yield found


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.last_comment_end = text.rfind("*/")
        self.ends_inner = _ENDS_INNER

    def members(self, at: int, data: dict[str, Any], depth: int) -> int:
        """From behind a `{` to behind its `}`; what was whole before it broke is in `data`."""
        while True:
            at = self._skip(at, commas=True)
            if (mark := self._char(at)) == "}":
                return at + 1
            if mark == "]":
                if depth:
                    return at  # the brace was left out
                at += 1
                continue
            if not (match := _KEY.match(self.text, at)):
                raise _Broken(at)
            key = match[0][:-1].strip().strip(_QUOTES).strip()
            at = self._skip(match.end())
            if self._char(at) == "[":
                if not isinstance(data.get(key), list):
                    data[key] = []
                at = self._items(at + 1, data[key], depth + 1)
            else:
                ends = self.ends_inner if depth else _ENDS_OUTER
                data[key], at = self._value(at, depth + 1, ends, _BARE_VALUE)

    def _items(self, at: int, items: list[Any], depth: int) -> int:
        while True:
            at = self._skip(at, commas=True)
            if (mark := self._char(at)) == "]":
                return at + 1
            if mark == "}" or (mark in _QUOTES and _KEY_IN_QUOTES.match(self.text, at)):
                return at  # the bracket was left out
            item, at = self._value(at, depth, _ENDS_ITEM, _BARE_ITEM)
            if len(items) < MAX_OF_A_KEY:
                items.append(item)

    def _value(
        self, at: int, depth: int, ends: re.Pattern[str], bare: re.Pattern[str]
    ) -> tuple[Any, int]:
        if depth > _DEEPEST:
            raise _Broken(at)
        mark = self._char(at)
        if mark == "{":
            data: dict[str, Any] = {}
            return data, self.members(at + 1, data, depth)
        if mark == "[":
            items: list[Any] = []
            return items, self._items(at + 1, items, depth + 1)
        if mark in _QUOTES:
            return self._string(at, ends)
        if match := _NUMBER.match(self.text, at):
            return _number(match[0]), match.end()
        if match := bare.match(self.text, at):
            word = match[0].strip()
            return _LITERALS.get(word.lower(), word), match.end()
        raise _Broken(at)

    def _string(self, at: int, ends: re.Pattern[str]) -> tuple[str, int]:
        text, start = self.text, at + 1
        mark = _NEXT_MARK[text[at]]
        at = start
        while match := mark.search(text, at):
            at = match.end()
            if match[0] == "\\":
                if text[at : at + 1] == '"' and _ENDS_PATH.match(text, at + 1):
                    return unescaped(text[start:at]), at + 1
                at += 1
            elif ends.match(text, at):
                return unescaped(text[start : match.start()]), at
            elif ends is not _ENDS_ITEM and _KEY_IN_QUOTES.match(text, match.start()):
                # The next member begins a line, and this one's closing mark was left out.
                before = _BEGINS_LINE.search(text, max(start, match.start() - 80), match.start())
                if before:
                    return unescaped(text[start : before.start()]), match.start()
        raise _Broken(start, len(text) - start)

    def _skip(self, at: int, *, commas: bool = False) -> int:
        while True:
            match = _SPACE.match(self.text, at)
            at = match.end() if match else at
            if self.text.startswith("/*", at):
                if at > self.last_comment_end:
                    raise _Broken(len(self.text))
                at = self.text.index("*/", at) + 2
            elif commas and self.text.startswith(",", at):
                at += 1
            else:
                return at

    def _char(self, at: int) -> str:
        if at >= len(self.text):
            raise _Broken(at)
        return self.text[at]


def unescaped(text: str) -> str:
    """A backslash that escapes nothing is itself."""

    def one(match: re.Match[str]) -> str:
        code, mark = match.groups()
        if code:
            return chr(int(code, 16))
        return _ESCAPED.get(mark, mark if mark in f"\\/{_QUOTES}" else match[0])

    return _ESCAPE.sub(one, text)


def _number(text: str) -> int | float | str:
    kinds: tuple[Callable[[str], int | float], ...] = (int, float)
    for kind in kinds:
        try:
            return kind(text[:_LONGEST_NUMBER])
        except ValueError:
            continue
    return text
