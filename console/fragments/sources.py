"""The web pages that an answer cites: its list under the answer, its numbers within it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from ..engine.state import CallState


@dataclass(frozen=True)
class CitedPage:
    number: int
    url: str
    title: str


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
