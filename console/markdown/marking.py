"""Passages of a rendered text, and marks put into it afterwards.

`ReadHtml` takes what left the sanitiser apart into the passages that a reader sees
(`engine.findings.passages`) and knows of each character where in the HTML it stands. `marked`
puts it together again with marks around stretches of passages. Nothing of it is parsed again: tags
and formulas go through as they were, text is escaped again, and what is added is written here, of
numbers and words of ours alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape, unescape

from django.utils.safestring import SafeString, mark_safe

from console.engine.findings.passages import PassageKind, ReadPassage, Span, folded

_PARTS = re.compile(
    r"(?P<math><math\b.*?</math>)|(?P<tag><(?:[^<>\"]|\"[^\"]*\")*>)|(?P<text>[^<]+|<)", re.DOTALL
)
_NAME = re.compile(r"</?([a-z0-9]+)")
_SOURCE_OF_FORMULA = re.compile(r"<annotation[^>]*>(.*?)</annotation>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_BLOCKS = frozenset(
    "p li ul ol h1 h2 h3 h4 h5 h6 blockquote pre hr table thead tbody tr".split()  # noqa: SIM905
)
_CELLS = frozenset({"td", "th"})
BETWEEN_CELLS = " | "


@dataclass(frozen=True)
class StatementMark:
    """Around what a passage says between two places; `words` within it once more. `number` is
    that of the statement, `partners` are those on the other side; `grave` are
    those of the words that are a figure or a "not"."""

    start: int
    end: int
    state: str
    number: int
    partners: tuple[int, ...] = ()
    words: tuple[Span, ...] = ()
    grave: tuple[Span, ...] = ()


@dataclass(frozen=True)
class _Node:
    """`text` is unescaped where it stands in a passage, and HTML where it does not."""

    text: str
    passage: int | None = None
    start: int = 0
    end: int = 0
    is_html: bool = True


@dataclass
class _Open:
    kind: PassageKind = "prose"
    pieces: list[_Node] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    length: int = 0
    cells: list[Span] = field(default_factory=list)
    cell: int | None = None
    whole: list[Span] = field(default_factory=list)


class ReadHtml:
    def __init__(self, html: str) -> None:
        self.passages: list[ReadPassage] = []
        self._nodes: list[_Node] = []
        self._open = _Open()
        self._heads: tuple[str, ...] = ()
        self._in_code: PassageKind | None = None
        for part in _PARTS.finditer(html):
            if part["math"]:
                self._add_formula(part["math"])
            elif part["tag"]:
                self._add_tag(part["tag"])
            else:
                self._add_text(part["text"])
        self._close()

    def _add_tag(self, tag: str) -> None:
        match = _NAME.match(tag)
        name, is_end = match[1] if match else "", tag.startswith("</")
        if name in _BLOCKS:
            self._close()
            if name == "table":
                self._heads = ()
            if name == "pre":
                self._in_code = None if is_end else "prose" if "plain" in tag else "code"
            self._open.kind = "row" if name == "tr" and not is_end else self._in_code or "prose"
        elif name in _CELLS and is_end:
            if self._open.cell is not None:
                self._open.cells.append((self._open.cell, self._open.length))
            self._open.cell = None
        elif name in _CELLS:
            if self._open.cells:
                self._say(BETWEEN_CELLS)
            self._open.cell = self._open.length
        self._put(_Node(tag))
        if name == "br":
            self._say("\n")

    def _add_text(self, html: str) -> None:
        text = unescape(html)
        if self._open.kind == "row" and self._open.cell is None and not text.strip():
            self._put(_Node(html))  # between the cells
            return
        if self._in_code is None:
            self._say(text, text)
            return
        first, *lines = text.split("\n")
        self._say(first, first)
        for line in lines:
            self._close()
            self._open.kind = self._in_code
            self._put(_Node("\n"))
            self._say(line, line)

    def _add_formula(self, math: str) -> None:
        source = _SOURCE_OF_FORMULA.search(math)
        text = unescape(source[1] if source else _TAG.sub("", math)).strip()
        start = self._open.length
        self._say(text)
        self._open.whole.append((start, self._open.length))
        self._open.pieces.append(_Node(math, 0, start, self._open.length))

    def _say(self, text: str, shown: str = "") -> None:
        start = self._open.length
        self._open.text.append(text)
        self._open.length += len(text)
        if shown:
            self._put(_Node(shown, 0, start, self._open.length, is_html=False))

    def _put(self, node: _Node) -> None:
        self._open.pieces.append(node)

    def _close(self) -> None:
        """The passage that is open ends here; where it says nothing, there was none."""
        opened, self._open = self._open, _Open()
        text = "".join(opened.text)
        number = len(self.passages) if text.strip() else None
        for piece in opened.pieces:
            kept = None if piece.passage is None else number
            self._nodes.append(_Node(piece.text, kept, piece.start, piece.end, piece.is_html))
        if number is None:
            return
        heads: tuple[str, ...] = ()
        if opened.cells:
            if not self._heads:
                said = (" ".join(text[a:b].split()) for a, b in opened.cells)
                self._heads = tuple(map(folded, said))
            heads = self._heads[: len(opened.cells)]
        self.passages.append(
            ReadPassage(
                "prose" if opened.kind == "row" and not opened.cells else opened.kind,
                text,
                tuple(opened.cells),
                heads,
                tuple(opened.whole),
            )
        )

    def marked(self, side: str, marks: Mapping[int, Sequence[StatementMark]]) -> SafeString:
        """`marks` of a passage by its number, in their order and apart from each other; `side` goes
        before the number of a statement, which is its id."""
        begun: set[int] = set()
        pieces: list[str] = []
        for node in self._nodes:
            if node.passage is None:
                pieces.append(node.text if node.is_html else escape(node.text))
            else:
                pieces += _in_node(node, marks.get(node.passage, ()), side, begun)
        # Safe because what came from the sanitiser is as it was, or escaped, and what was put in
        # is made of numbers and words of ours.
        return mark_safe("".join(pieces))


def _in_node(
    node: _Node, marks: Sequence[StatementMark], side: str, begun: set[int]
) -> Iterator[str]:
    if node.is_html and node.start == node.end:
        yield node.text  # a formula without a source
        return
    at = node.start
    for mark in marks:
        if mark.end <= node.start or mark.start >= node.end:
            continue
        start, end = max(mark.start, at), min(mark.end, node.end)
        yield _between(node, at, start)
        yield _opening(mark, side, begun)
        inner = start
        for span in mark.words:
            if span[1] <= start or span[0] >= end:
                continue
            a, b = max(span[0], inner), min(span[1], end)
            yield _between(node, inner, a)
            yield '<mark class="grave">' if span in mark.grave else "<mark>"
            yield f"{_between(node, a, b)}</mark>"
            inner = b
        yield _between(node, inner, end)
        yield "</span>"
        at = end
    yield _between(node, at, node.end)


def _between(node: _Node, start: int, end: int) -> str:
    if start >= end:
        return ""
    if node.is_html:  # a formula is not taken apart
        return node.text if start == node.start else ""
    return escape(node.text[start - node.start : end - node.start])


def _opening(mark: StatementMark, side: str, begun: set[int]) -> str:
    """Only the first stretch of a statement has its id: where it begins."""
    name = ""
    if mark.number not in begun:
        begun.add(mark.number)
        name = f' id="{side}-{mark.number}"'
    partners = f' data-with="{_list(mark.partners)}"' if mark.partners else ""
    return f'<span{name} data-said="{mark.state}" data-number="{mark.number}"{partners}>'


def _list(numbers: Iterable[int]) -> str:
    return " ".join(map(str, numbers))
