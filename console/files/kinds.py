"""What a file is, by what is in it. Its name decides only between kinds of text.

What is not known is refused. What browsers run (HTML, SVG) is text here, and is served as such:
so what is a picture and a page at once is whichever its beginning says, and nobody runs it.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from .refused import FileRefused

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
PLAIN, CSV, MARKDOWN = "text/plain", "text/csv", "text/markdown"
PICTURES = ("image/png", "image/jpeg", "image/webp", "image/gif")

WORDS = {
    PDF: "PDF",
    DOCX: "Word",
    XLSX: "Excel",
    PPTX: "PowerPoint",
    PLAIN: "text",
    CSV: "CSV",
    MARKDOWN: "Markdown",
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WebP",
    "image/gif": "GIF",
}
# What a browser's dialogue offers first; whatever is chosen is looked at by its content.
OFFERED = (
    "image/png,image/jpeg,image/webp,image/gif,.pdf,.docx,.xlsx,.pptx,.txt,.md,.csv,.json,"
    ".py,.js,.ts,.java,.c,.cpp,.go,.rs,.rb,.sql,.html,.xml,.yaml,.toml,.log,text/*"
)
_BEGIN = 64 * 1024  # bytes that are looked at
_PARTS = {"word/": DOCX, "xl/": XLSX, "ppt/": PPTX}
_REFUSED = (
    (b"\xd0\xcf\x11\xe0", "an Office document of the old kind; save it as docx, xlsx or pptx"),
    (b"{\\rtf", "an RTF document; save it as docx or PDF"),
    (b"Rar!", "an archive; attach what is in it"),
    (b"7z\xbc\xaf", "an archive; attach what is in it"),
    (b"\x1f\x8b", "an archive; attach what is in it"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)
_BINARY = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def is_picture(type: str) -> bool:
    return type in PICTURES


def is_scanned(type: str, read: Mapping[str, Any]) -> bool:
    """A PDF whose pages are pictures: on most of them there is hardly a word of text."""
    if type != PDF or read.get("error"):
        return False
    return not read.get("characters") or 2 * read.get("wordless", 0) > read.get("pages", 0)


def has_to_be_seen(type: str, read: Mapping[str, Any]) -> bool:
    return is_picture(type) or is_scanned(type, read)


def type_of(path: Path, name: str) -> str:
    """Raises FileRefused."""
    with path.open("rb") as file:
        begin = file.read(_BEGIN)
        if not begin:
            raise FileRefused(f"“{name}” is empty.")
        if found := _by_signature(begin, file, name):
            return found
    return _text(begin, name)


def picture_type(begin: bytes) -> str:
    """ "" of what is no picture of the four kinds."""
    if begin.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if begin.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if begin[:6] in (b"GIF87a", b"GIF89a"):
        return "image/gif"
    if begin[:4] == b"RIFF" and begin[8:12] == b"WEBP":
        return "image/webp"
    return ""


def _by_signature(begin: bytes, file: BinaryIO, name: str) -> str:
    if picture := picture_type(begin):
        return picture
    if begin.startswith(b"%PDF-"):
        return PDF
    if begin.startswith(b"PK\x03\x04"):
        return _office(file, name)
    if begin[4:12] in (b"ftypheic", b"ftypheix", b"ftypavif", b"ftypmif1"):
        raise FileRefused(f"“{name}” is a picture of a kind that is not read: use JPEG or PNG.")
    for sign, what in _REFUSED:
        if begin.startswith(sign):
            raise FileRefused(f"“{name}” is {what}.")
    return ""


def _office(file: BinaryIO, name: str) -> str:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise FileRefused(f"“{name}” is broken: it begins as an archive and is none.") from None
    if "[Content_Types].xml" in names:
        for folder, type in _PARTS.items():
            if any(part.startswith(folder) for part in names):
                return type
    raise FileRefused(f"“{name}” is an archive. Attach what is in it.")


def _text(begin: bytes, name: str) -> str:
    if begin.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _of_text(name)
    if _BINARY.search(begin):
        kinds = "pictures (PNG, JPEG, WebP, GIF), PDF, Word, Excel, PowerPoint and text"
        raise FileRefused(f"“{name}” is of a kind that is not read here: {kinds} are.")
    return _of_text(name)


def _of_text(name: str) -> str:
    ending = name.rpartition(".")[2].lower()
    return {"csv": CSV, "tsv": CSV, "md": MARKDOWN, "markdown": MARKDOWN}.get(ending, PLAIN)
