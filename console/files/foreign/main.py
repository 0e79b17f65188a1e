"""Of a file on standard input one JSON object on standard output.

`parts` are pages, sheets, slides or blocks of lines, each with `name` and `text`; `pages`, `width`,
`height` and `thumbnail` (base64) where there are some; `is_cut`: there was more text than is read;
`error`: why it cannot be read, as a sentence that goes on from the file's name. Asked for pages
of a PDF it answers with `pictures` of them instead, JPEG in base64, "" for one that is broken.
"""

from __future__ import annotations

import io
import json
import sys
from typing import Any

from .limits import Unreadable, bound

PICTURE = "image/"


def read(type: str, data: bytes) -> dict[str, Any]:
    """Each reader is loaded for its own kind only: the others' weaknesses are not there."""
    if type.startswith(PICTURE):
        from . import picture

        return picture.read(type.removeprefix(PICTURE), io.BytesIO(data), len(data))
    if type == "application/pdf":
        from . import pdf

        return pdf.read(io.BytesIO(data))
    kind = type.rpartition(".")[2]
    if kind in ("document", "presentation", "sheet"):
        from . import office

        return office.read(kind, io.BytesIO(data))
    from . import plain

    return plain.read(data)


def draw(data: bytes, drawn: list[str], seconds: int) -> dict[str, Any]:
    """`drawn`: how long a page's long side is to be, and how many pages."""
    from . import pages

    edge, count = map(int, drawn)
    return pages.read(io.BytesIO(data), edge=edge, count=count, seconds=seconds)


def main() -> None:
    bound(megabytes=int(sys.argv[2]), seconds=int(sys.argv[3]))
    seconds, drawn = int(sys.argv[3]), sys.argv[4:]
    out = sys.stdout
    sys.stdout = sys.stderr  # whatever a library says is not the answer
    try:
        data = sys.stdin.buffer.read()
        found = draw(data, drawn, seconds) if drawn else read(sys.argv[1], data)
    except Unreadable as error:
        found = {"error": str(error)}
    except MemoryError:
        found = {"error": "needs more memory to be read than there is for a file"}
    except RecursionError:
        found = {"error": "is nested too deep to be read"}
    except Exception as error:
        found = {"error": "is broken and cannot be read", "why": repr(error)[:300]}
    json.dump(found, out)
