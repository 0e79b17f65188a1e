"""What stands under an answer: the pictures that came with it and the web pages that it cites,
whose numbers stand within it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..engine.attachments import alt_of, kept, not_kept
from ..engine.state import CallState


@dataclass(frozen=True)
class CitedPage:
    number: int
    url: str
    title: str


@dataclass(frozen=True)
class PictureShown:
    """At `?picture=<hash>` of whichever page of its run it stands on."""

    hash: str
    alt: str
    width: int
    height: int


@dataclass(frozen=True)
class Beside:
    pages: Sequence[CitedPage] = ()
    pictures: Sequence[PictureShown] = ()
    lost: str = ""  # what came with it and is not kept, and why


def beside(call: CallState | None) -> Beside:
    return Beside(sources(call), pictures(call), _lost(call))


def _lost(call: CallState | None) -> str:
    lost = not_kept(call.attachments) if call and call.text else ""
    return f"It came with {lost}." if lost else ""


def pictures(call: CallState | None) -> list[PictureShown]:
    return [
        PictureShown(one["hash"], alt_of(one), one.get("width", 0), one.get("height", 0))
        for one in kept(call.attachments if call else ())
    ]


def sources(call: CallState | None) -> list[CitedPage]:
    """Those whose addresses may be followed, by the numbers that the answer has for them."""
    cited = enumerate(call.citations, 1) if call else ()
    numbered = [(int(c.get("number", place)), c, urlsplit(c["url"])) for place, c in cited]
    return [
        CitedPage(number, c["url"], c["title"] or parts.netloc)
        for number, c, parts in numbered
        if parts.scheme in ("http", "https")
    ]


def addresses(call: CallState | None) -> dict[int, str]:
    return {source.number: source.url for source in sources(call)}
