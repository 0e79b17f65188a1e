"""Tables and lists whose rows say the same again: too short to be noticed while they are
written (`degenerate.py`), and no answer all the same.

Rows are compared by their cells, without case, emphasis and white space. A row is told again
where one before it has the same cells, or the same but for figures, and its first cell stands in
several places of the table. A table of `LEAST_ROWS` or more repeats itself where

    more than half of its rows are whole copies of others
    three rows are, and two thirds are told again
    three quarters are told again, and no further column tells them apart

A list is taken for a table: what stands before a colon is the first cell. Where rows are
numbered, whatever they say is told apart by that; then only a period counts that stands
`ROUNDS` times at the end, in at least half of the rows, of `WORDS` words a row or more, as it
does in lists without first cells.

Left alone is what repeats itself for a reason: rows in groups (their first cells stand in one
place), values for first cells (yes and no, true and false: they stand in other columns, too, or
have hardly a letter), rounds (see `_are_told_apart`), measurements (`_are_measured`), and days of
the week by whatever figures.

A table that stands there `LEAST_COPIES` times or more, with nothing or the same words between,
is told again as a whole.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from .whole_sentences import FENCE

LEAST_ROWS, LEAST_COPIES, ROUNDS, WORDS = 6, 3, 3, 3
LONGEST_ROUND = 20
NEAR = 1.5  # times what a sensor showed least

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_ITEM = re.compile(r"([ \t>]*+)(?:[-*+•]|(\d{1,3})[.)])[ \t]+")
_RULE = re.compile(r"[ \t>]*+\|?(?=[^\n]*-)(?=[^\n]*\|)[ \t:|-]++\s*$")
_EMPHASIS = re.compile(r"\*\*|__|[*`]")
_LABEL = re.compile(r"([^:：\n]{1,60}?)(?:\*\*|__)?\s*[:：]\s*(?:\*\*|__)?\s*(?=\S)")
_OF_CODE = "`"
_BARE_FENCES = ("", "markdown", "md", "text", "txt")
# Not of what tells rows apart: Q1, 2024, 9:30, 2026-11-28.
_FIGURE = re.compile(r"(?<![\w:/-])(?!(?:1[5-9]|20)\d\d(?!\d|[.,]\d))\d+(?:[.,]\d+)*(?![\w:/-])")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3})+")
_WORD = re.compile(r"[^\W\d_]+")
_DAYS = frozenset(
    """mon monday tue tues tuesday wed wednesday thu thur thurs thursday fri friday sat saturday
    sun sunday montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag lundi mardi
    mercredi jeudi vendredi samedi dimanche lunes martes miércoles jueves viernes sábado domingo
    lunedì martedì mercoledì giovedì venerdì sabato domenica maandag dinsdag woensdag donderdag
    vrijdag zaterdag zondag""".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class _Row:
    """With its line break, and what belongs to it in the lines below."""

    start: int
    end: int
    cells: tuple[str, ...]
    number: int | None = None

    @property
    def name(self) -> str:
        return self.cells[0] if self.cells else ""


@dataclass(frozen=True)
class _Table:
    """`head`: of a list there is none."""

    start: int
    head: str
    rows: list[_Row]

    @property
    def end(self) -> int:
        return self.rows[-1].end if self.rows else self.start

    @property
    def said(self) -> tuple[object, ...]:
        return self.head, *(row.cells for row in self.rows)


def repeats_rows(text: str) -> bool:
    return bool(_dropped(text))


def without_repeated_rows(text: str) -> str:
    """Of such a table each row once, as it stood there first."""
    dropped = _dropped(text)
    if not dropped:
        return text
    pieces, at = [], 0
    for start, end in dropped:
        while text[max(0, start - 2) : start] == "\n\n":
            start -= 1
        pieces.append(text[at:start])
        at = end
    kept = "".join([*pieces, text[at:]])
    return kept if text.endswith("\n") else kept.rstrip("\n")


def _dropped(text: str) -> list[tuple[int, int]]:
    """From where to where a text says again what stands in it."""
    tables = list(_tables(text))
    spans = _copies_of_tables(text, tables)
    for table in tables:
        if not any(start <= table.start < end for start, end in spans):
            spans += [(row.start, row.end) for row in _told_again(table.rows)]
    return sorted(spans)


def _copies_of_tables(text: str, tables: Sequence[_Table]) -> list[tuple[int, int]]:
    spans = []
    for _, of in groupby(tables, key=lambda table: table.said):
        run = list(of)
        between = {
            " ".join(text[one.end : next_one.start].split()) for one, next_one in pairwise(run)
        }
        many = len(run) >= LEAST_COPIES and len(run) * len(run[0].rows) >= LEAST_ROWS
        if run[0].head and many and len(between) == 1:
            spans.append((run[0].end, run[-1].end))
    return spans


def _told_again(rows: Sequence[_Row]) -> list[_Row]:
    """Where a table repeats itself, the rows by which it does."""
    if len(rows) < LEAST_ROWS:
        return []
    if rows[0].number is not None:
        return _in_rounds(rows)
    columns = max(len(row.cells) for row in rows)
    copies, again = _again(rows)
    is_mostly_copies = 2 * len(copies) > len(rows)
    if columns == 1:
        return copies if is_mostly_copies and _says_something(copies) else []
    values = {cell for row in rows for cell in row.cells[1:]}
    if 2 * sum(_is_name(row.name) and row.name not in values for row in rows) <= len(rows):
        return []
    differ_by_figures = not (_are_days(rows) or _are_measured(rows)) and (
        (len(copies) >= LEAST_COPIES and 3 * len(again) >= 2 * len(rows))
        or (4 * len(again) >= 3 * len(rows) and not _are_told_apart(rows, columns))
    )
    if not (is_mostly_copies or differ_by_figures):
        return []
    if len(again) == len(copies):
        return copies
    firsts = {row.name: row for row in reversed(rows)}
    return [row for row in rows if firsts[row.name] is not row]


def _again(rows: Sequence[_Row]) -> tuple[list[_Row], list[_Row]]:
    """(whole copies, rows that are told again)."""
    copies, again = [], []
    whole: set[tuple[str, ...]] = set()
    shapes: set[tuple[str, ...]] = set()
    stands = Counter(name for name, _ in groupby(row.name for row in rows))
    for row in rows:
        shape = (row.name, *(_FIGURE.sub("#", cell) for cell in row.cells[1:]))
        if row.cells in whole:
            copies.append(row)
        if row.cells in whole or (shape in shapes and stands[row.name] > 1):
            again.append(row)
        whole.add(row.cells)
        shapes.add(shape)
    return copies, again


def _are_told_apart(rows: Sequence[_Row], columns: int) -> bool:
    """By a column that goes on for each name, and says of several names the same: a round."""
    for column in range(1, columns):
        told = [(row.name, row.cells[column]) for row in rows if len(row.cells) > column]
        if len(set(told)) == len(rows) and 2 * len({value for _, value in told}) <= len(rows):
            return True
    return False


def _are_measured(rows: Sequence[_Row]) -> bool:
    """In rounds of the same names, each time near what the name had before: a log. A property
    that is made up anew each time drifts."""
    names = list(dict.fromkeys(row.name for row in rows))
    if len(names) < 2 or any(row.name != names[n % len(names)] for n, row in enumerate(rows)):
        return False
    by_place: defaultdict[tuple[str, int], list[float]] = defaultdict(list)
    for row in rows:
        for place, figure in enumerate(_FIGURE.findall(" | ".join(row.cells[1:]))):
            by_place[row.name, place].append(_value(figure))
    return bool(by_place) and all(max(of) <= NEAR * min(of) for of in by_place.values())


def _value(figure: str) -> float:
    if _THOUSANDS.fullmatch(figure):
        return float(figure.replace(",", ""))
    whole, _, rest = figure.replace(",", ".").partition(".")
    return float(f"{whole}.{rest.replace('.', '')}")


def _in_rounds(rows: Sequence[_Row]) -> list[_Row]:
    """Of a period at the end all rows but those of its first round."""
    told = [row.cells for row in rows]
    for length in range(1, min(LONGEST_ROUND, len(rows) // ROUNDS) + 1):
        same = length
        while same < len(rows) and told[-same - 1] == told[length - same - 1]:
            same += 1
        is_long = same >= ROUNDS * length and 2 * same >= len(rows)
        if is_long and _says_something(rows[-length:]):
            return list(rows[len(rows) - same + length :])
    return []


def _says_something(rows: Sequence[_Row]) -> bool:
    return all(sum(len(_WORD.findall(cell)) for cell in row.cells) >= WORDS for row in rows)


def _is_name(cell: str) -> bool:
    word = max(_WORD.findall(cell), key=len, default="")
    return len(word) >= (3 if word.isascii() else 2)


def _are_days(rows: Sequence[_Row]) -> bool:
    return all(row.name.rstrip(".") in _DAYS for row in rows)


def _tables(text: str) -> Iterator[_Table]:
    lines = list(_lines(text))
    at = 0
    while at < len(lines):
        start, end, line = lines[at]
        if at + 1 < len(lines) and "|" in line and _RULE.match(lines[at + 1][2]):
            rows, at = _table(lines, at + 2)
            yield _Table(start, _plain(line), rows)
        elif _ITEM.match(line):
            rows, at = _list(lines, at)
            yield _Table(start, "", rows)
        else:
            at += 1


def _lines(text: str) -> Iterator[tuple[int, int, str]]:
    """Those of code, which end a list, say nothing; of a fence without a language a table is
    read all the same."""
    fence, is_code = "", False
    for line in _LINE.finditer(text):
        mark = FENCE.match(text, line.start())
        if fence and mark and mark[1].startswith(fence) and not mark[2]:
            fence, is_code = "", False
            yield line.start(), line.end(), _OF_CODE
        elif mark and not fence:
            fence, is_code = mark[1], mark[2].lower() not in _BARE_FENCES
            yield line.start(), line.end(), _OF_CODE
        else:
            is_read = not fence or (not is_code and "|" in line[0])
            yield line.start(), line.end(), line[0] if is_read else _OF_CODE


def _table(lines: Sequence[tuple[int, int, str]], at: int) -> tuple[list[_Row], int]:
    rows = []
    while at < len(lines) and "|" in lines[at][2]:
        start, end, line = lines[at]
        inner = line.strip(" \t>\n")
        cells = inner.removeprefix("|").removesuffix("|").split("|")
        rows.append(_Row(start, end, tuple(map(_plain, cells))))
        at += 1
    numbers = [row.name for row in rows]
    if numbers in ([str(n + first) for n in range(len(rows))] for first in (0, 1)):
        rows = [_Row(r.start, r.end, r.cells[1:], n) for n, r in enumerate(rows)]
    return rows, at


def _list(lines: Sequence[tuple[int, int, str]], at: int) -> tuple[list[_Row], int]:
    """Items as far in as the first; what stands further in belongs to its item."""
    first = _ITEM.match(lines[at][2])
    assert first
    depth, items = len(first[1]), []
    while at < len(lines):
        _, _, line = lines[at]
        item = _ITEM.match(line)
        if item and len(item[1]) <= depth:
            if len(item[1]) < depth or bool(item[2]) != bool(first[2]):
                break
            items.append([at])
        elif line.strip():
            if len(line) - len(line.lstrip(" \t>")) <= depth:
                break
            items[-1].append(at)
        at += 1
    return [_item([lines[n] for n in of]) for of in items], at


def _item(lines: Sequence[tuple[int, int, str]]) -> _Row:
    whole = "".join(line for _, _, line in lines)
    mark = _ITEM.match(whole)
    assert mark
    label = _LABEL.match(whole, mark.end())
    rest = _plain(whole[label.end() if label else mark.end() :])
    cells = (_plain(label[1]), rest) if label else (rest,)
    return _Row(lines[0][0], lines[-1][1], cells, int(mark[2]) if mark[2] else None)


def _plain(cell: str) -> str:
    return " ".join(_EMPHASIS.sub("", cell).casefold().split())
