"""Word, Excel, PowerPoint: their text and their tables, and nothing else of them.

An archive says how large its members are, and no more than that is unpacked: what would be
more than `UNPACKED` together is refused before.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.etree import ElementTree

from .limits import Parts, Unreadable, blocks

UNPACKED = 200_000_000
MEMBER = 60_000_000
MEMBERS = 10_000
COLUMNS = 100
ROWS_A_PART = 40

Element = ElementTree.Element


def read(kind: str, file: BinaryIO) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > MEMBERS or sum(m.file_size for m in members) > UNPACKED:
                size = sum(m.file_size for m in members) / 1e6
                raise Unreadable(
                    f"would unpack to {size:,.0f} MB; at most {UNPACKED / 1e6:,.0f} MB are read"
                )
            if any(member.flag_bits & 1 for member in members):
                raise Unreadable("is protected by a password")
            if kind == "document":
                return _document(archive)
            if kind == "presentation":
                return _presentation(archive)
        return _sheets(file)
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, EOFError, NotImplementedError):
        raise Unreadable("is broken and cannot be read") from None


def _tree(archive: zipfile.ZipFile, name: str) -> Element:
    if archive.getinfo(name).file_size > MEMBER:
        raise Unreadable("is too large inside to be read")
    data = archive.read(name)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise Unreadable("declares things of its own, which is not read")
    return ElementTree.fromstring(data)


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _children(element: Element, *names: str) -> Iterator[Element]:
    return (child for child in element if _name(child) in names)


# ---- Word


def _document(archive: zipfile.ZipFile) -> dict[str, Any]:
    parts = Parts()
    body = next(_children(_tree(archive, "word/document.xml"), "body"))
    blocks(parts, "\n".join(_of_body(body)))
    return parts.found()


def _of_body(body: Element) -> Iterator[str]:
    for child in body:
        match _name(child):
            case "p":
                text = _paragraph(child)
                yield f"{_heading(child)}{text}" if text.strip() else ""
            case "tbl":
                yield from _table(
                    [
                        " ".join(
                            filter(None, (_paragraph(p) for p in cell.iter() if _name(p) == "p"))
                        )
                        for cell in _children(row, "tc")
                    ]
                    for row in _children(child, "tr")
                )
            case "sdt" | "sdtContent" | "ins" | "smartTag":
                yield from _of_body(child)


def _heading(paragraph: Element) -> str:
    for style in paragraph.iter():
        if _name(style) == "pStyle":
            value = next((v for k, v in style.attrib.items() if k.endswith("}val")), "")
            if value.startswith("Heading") and value[7:].isdecimal():
                return "#" * min(int(value[7:]), 6) + " "
    return ""


def _paragraph(paragraph: Element) -> str:
    pieces = []
    for one in paragraph.iter():
        match _name(one):
            case "t":
                pieces.append(one.text or "")
            case "tab":
                pieces.append("\t")
            case "br" | "cr":
                pieces.append("\n")
    return "".join(pieces)


def _table(rows: Iterator[list[str]] | Any) -> Iterator[str]:
    for row in rows:
        yield "| " + " | ".join(" ".join(cell.split()) for cell in row) + " |"


# ---- PowerPoint


def _presentation(archive: zipfile.ZipFile) -> dict[str, Any]:
    parts, names = Parts(), _slides(archive)
    for number, name in enumerate(names, 1):
        lines: list[str] = []
        _of_shapes(_tree(archive, name), lines)
        parts.add(f"slide {number}", "\n".join(filter(str.strip, lines)))
        if parts.is_full:
            break
    return parts.found(slides=len(names))


def _slides(archive: zipfile.ZipFile) -> list[str]:
    """As they are shown, not as they are numbered."""
    relations = {
        one.get("Id"): one.get("Target", "")
        for one in _tree(archive, "ppt/_rels/presentation.xml.rels")
    }
    shown = []
    for one in _tree(archive, "ppt/presentation.xml").iter():
        if _name(one) == "sldId":
            number = next((v for k, v in one.attrib.items() if k.endswith("}id")), "")
            if target := relations.get(number):
                shown.append("ppt/" + target.removeprefix("/ppt/").removeprefix("./"))
    return shown


def _of_shapes(element: Element, lines: list[str]) -> None:
    for child in element:
        if _name(child) == "tbl":
            lines += _table(
                [
                    " ".join(_runs(p) for p in cell.iter() if _name(p) == "p")
                    for cell in _children(row, "tc")
                ]
                for row in _children(child, "tr")
            )
        elif _name(child) == "p":
            lines.append(_runs(child))
        else:
            _of_shapes(child, lines)


def _runs(paragraph: Element) -> str:
    return "".join(one.text or "" for one in paragraph.iter() if _name(one) == "t")


# ---- Excel


def _sheets(file: BinaryIO) -> dict[str, Any]:
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    parts, count = Parts(), 0
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        for sheet in book.worksheets:
            count += 1
            _sheet(parts, sheet)
            if parts.is_full:
                break
    except (InvalidFileException, ValueError, TypeError, AttributeError):
        raise Unreadable("is broken and cannot be read") from None
    return parts.found(sheets=count)


def _sheet(parts: Parts, sheet: Any) -> None:
    rows: list[list[str]] = []
    first = number = 0
    for number, values in enumerate(sheet.iter_rows(max_col=COLUMNS, values_only=True), 1):
        cells = ["" if value is None else str(value) for value in values]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        first = first or number
        rows.append(cells)
        if len(rows) == ROWS_A_PART:
            parts.add(f"{sheet.title}, rows {first}–{number}", "\n".join(_table(rows)))
            rows, first = [], 0
        if parts.is_full:
            return
    if rows:
        parts.add(f"{sheet.title}, rows {first}–{number}", "\n".join(_table(rows)))
