from __future__ import annotations

import logging
from typing import Any, BinaryIO

from pypdf import PdfReader
from pypdf.errors import PdfReadError, PyPdfError

from .limits import Parts, Unreadable

MOST_PAGES = 2_000
A_WORD = 5  # letters; a scan may have a number of its own on each page


def read(file: BinaryIO) -> dict[str, Any]:
    logging.disable()
    try:
        reader = PdfReader(file, strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("is protected by a password")
        count = len(reader.pages)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise Unreadable("is no PDF that can be read: it is broken") from None
    if not count:
        raise Unreadable("is no PDF that can be read: it has no pages")
    parts, broken, wordless = Parts(), 0, 0
    for number in range(min(count, MOST_PAGES)):
        try:
            text = reader.pages[number].extract_text()
        except (PdfReadError, ValueError, KeyError, TypeError, AttributeError, IndexError):
            broken += 1
            continue
        wordless += len(text.strip()) < A_WORD
        parts.add(f"page {number + 1}", text)
        if parts.is_full:
            break
    return parts.found(pages=count, unread=broken, wordless=wordless)
