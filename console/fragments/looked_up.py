"""What pages of the web say of a claim that somebody had looked up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ..engine import pool
from ..engine.pool import Pool

_SAYS = {"supports": "backs it", "contradicts": "speaks against it", "": "on it"}


@dataclass(frozen=True)
class PageQuote:
    """`says`: what it backs; `stance`: which of a contradiction's."""

    number: int
    text: str
    says: str
    stance: int
    found: bool
    title: str
    url: str


@dataclass(frozen=True)
class LookedUpClaim:
    is_over: bool
    note: str
    count: int  # of pages that were read for it
    quotes: Sequence[PageQuote]
    may_be_asked_again: bool  # it came to nothing


def looked_up(research: Pool, text: str) -> list[LookedUpClaim]:
    """Each look at the claim of these words, the latest first: a later analysis has others."""
    sources = {source["number"]: source for source in pool.read(research)}
    found = [one for one in pool.lookups(research) if one["text"] == text]
    return [_view(one, sources) for one in reversed(found)]


def _view(one: Mapping[str, Any], sources: Mapping[int, Mapping[str, Any]]) -> LookedUpClaim:
    quotes = [_quote(quote, sources.get(quote["source"], {})) for quote in one.get("quotes", [])]
    note, count = one.get("note", ""), len(one.get("sources", []))
    is_over, came_to_nothing = bool(one.get("is_over")), bool(note)
    if is_over and count and not quotes and not note:
        note = "They say nothing of it."
    return LookedUpClaim(is_over, note, count, quotes, is_over and came_to_nothing)


def _quote(quote: Mapping[str, Any], source: Mapping[str, Any]) -> PageQuote:
    says, url = quote["says"], str(source.get("url", ""))
    stance = int(says.removeprefix("stance-")) if says.startswith("stance-") else 0
    return PageQuote(
        number=quote["source"],
        text=quote["quote"],
        says="" if stance else _SAYS.get(says, ""),
        stance=stance,
        found=quote["found"],
        title=str(source.get("title") or url),
        url=url if urlsplit(url).scheme in ("http", "https") else "",
    )
