"""Pages of a PDF as pictures, drawn by pdfium, which runs no script of a document."""

from __future__ import annotations

import base64
import io
import time
from typing import Any, BinaryIO

import pypdfium2

from .limits import Unreadable

WHITE = (255, 255, 255, 255)
LEAST_POINTS = 1
# Characters of base64 of all pages together; the one that goes beyond is the last.
TOGETHER = 20_000_000


def read(file: BinaryIO, *, edge: int, count: int, seconds: float) -> dict[str, Any]:
    """The first `count` pages, or as many as are drawn in half the time that there is."""
    try:
        document = pypdfium2.PdfDocument(file)
    except (pypdfium2.PdfiumError, ValueError):
        raise Unreadable("has pages that cannot be drawn") from None
    pictures: list[str] = []
    size = 0
    for number in range(min(count, len(document))):
        if time.process_time() > seconds / 2 or size > TOGETHER:
            break
        pictures.append(_page(document, number, edge))
        size += len(pictures[-1])
    return {"pictures": pictures}


def _page(document: pypdfium2.PdfDocument, number: int, edge: int) -> str:
    """Its long side as long as `edge`, however large it says that it is; "" where it is broken."""
    try:
        page = document[number]
        width, height = page.get_size()
        if min(width, height) < LEAST_POINTS:
            return ""
        scale = edge / max(width, height)
        drawn = page.render(scale=scale, fill_color=WHITE, may_draw_forms=False).to_pil()
        out = io.BytesIO()
        drawn.convert("RGB").save(out, "JPEG", quality=80)
        page.close()
    except (pypdfium2.PdfiumError, ValueError, OSError):
        return ""
    return base64.b64encode(out.getvalue()).decode()
