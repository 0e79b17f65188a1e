"""The text of a page or of a PDF, read in a process of its own, which knows nothing of Fusion.

What comes from elsewhere may be made to hang a parser or to fill the memory: this process limits
itself before it reads the first byte, and whoever started it may kill it. A line of JSON comes
in, then the bytes; a line of JSON goes out.
"""

from __future__ import annotations

import copy
import io
import json
import resource
import sys
from typing import Any

PAGES = 2_000  # of a PDF
ONE_PART = 1.5
BESIDE = (
    "//body//*[self::nav or self::footer or self::aside or self::form or "
    + " or ".join(
        f"contains(@{where}, '{what}')"
        for where in ("id", "class")
        for what in ("comment", "cookie", "related", "sidebar", "footer")
    )
    + "]"
)


def main() -> None:
    asked = json.loads(sys.stdin.buffer.readline())
    _limit(resource.RLIMIT_AS, asked["memory"])
    _limit(resource.RLIMIT_CPU, asked["seconds"])
    _limit(resource.RLIMIT_NOFILE, 64)
    _limit(resource.RLIMIT_FSIZE, 0)
    out, sys.stdout = sys.stdout, sys.stderr  # libraries may print what they like
    body = sys.stdin.buffer.read()
    try:
        found = {"html": _html, "pdf": _pdf, "text": _text}[asked["type"]](body, asked)
    except MemoryError:
        found = {"failure": "memory"}
    except Exception as error:
        found = {"failure": type(error).__name__}
    out.write(json.dumps(found))


def _limit(kind: int, most: int) -> None:
    _, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def _decoded(body: bytes, charset: str) -> str:
    for name in (charset, "utf-8"):
        try:
            return body.decode(name or "utf-8")
        except (LookupError, UnicodeDecodeError):
            pass
    return body.decode("cp1252", "replace")


def _text(body: bytes, asked: dict[str, Any]) -> dict[str, Any]:
    return {"title": "", "text": _decoded(body, asked["charset"])}


def _html(body: bytes, asked: dict[str, Any]) -> dict[str, Any]:
    import trafilatura

    is_known = asked["charset"] not in ("", "utf-8")
    tree = trafilatura.load_html(_decoded(body, asked["charset"]) if is_known else body)
    if tree is None:
        return {"failure": "no page"}
    # Before the extractor takes the tree apart.
    whole = " ".join(tree.itertext())
    titles = [t.text_content() for t in tree.iter("title")][:1]
    paragraphs = _paragraphs(trafilatura, tree)
    found = trafilatura.bare_extraction(
        tree,
        url=asked["address"],
        include_comments=False,
        include_tables=True,
        favor_recall=True,
        with_metadata=True,
    )
    text = getattr(found, "text", None) or ""
    # It takes the largest of several parts for the whole: of a question only its answer.
    if len(paragraphs.split()) > ONE_PART * len(text.split()):
        text = paragraphs
    title = getattr(found, "title", None) or (titles[0] if titles else "")
    return {"title": title, "text": text, "seen": len(whole.split())}


def _paragraphs(trafilatura: Any, tree: Any) -> str:
    """All there are outside of what is known to be beside the text."""
    tree = copy.deepcopy(tree)
    for beside in tree.xpath(BESIDE):
        beside.drop_tree()
    return str(trafilatura.baseline(tree)[1])


def _pdf(body: bytes, asked: dict[str, Any]) -> dict[str, Any]:
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(body))
    if reader.is_encrypted and not reader.decrypt(""):
        return {"failure": "locked"}
    texts, size = [], 0
    for number, page in enumerate(reader.pages):
        texts.append(page.extract_text())
        size += len(texts[-1])
        if number + 1 >= PAGES or size > asked["most"]:
            break
    title = str((reader.metadata and reader.metadata.title) or "")
    return {"title": title, "text": "\f".join(texts), "pages": len(reader.pages)}


if __name__ == "__main__":
    main()
