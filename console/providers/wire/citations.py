"""Web pages that a server says an answer rests on, as it names them along with the text.

Some repeat one list of addresses with every chunk (`citations`, xAI's and Perplexity's, with their
titles in `search_results`), others send annotations as the text comes (`url_citation`), or what the
answer is grounded on (Google's `groundingMetadata`). The order is kept, since answers name pages by
number; where a page of a list was not taken, those after it are noted with their numbers.
Bounded, and nothing but web addresses, since they become links on a page.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from .refusals import Scrub

MOST = 100
LONGEST_URL = 2000
LONGEST_TITLE = 200
GROUNDING = ("groundingMetadata", "grounding_metadata", "vertex_ai_grounding_metadata")


class Citations:
    def __init__(self, scrub: Scrub) -> None:
        self._titles: dict[str, str] = {}  # of each address
        self._numbers: dict[str, int] = {}  # of those in a list
        self._scrub = scrub

    def take(self, citations: Any, *, is_whole: bool = False) -> None:
        """A list of addresses, or of objects that have one. Of a whole list its places count."""
        for place, one in enumerate(citations[:MOST] if isinstance(citations, list) else (), 1):
            if isinstance(one, dict):
                one = one.get("url_citation", one)
            url, title = (one.get("url"), one.get("title")) if isinstance(one, dict) else (one, "")
            if isinstance(url, str):
                self._note(url, title if isinstance(title, str) else "")
                if is_whole:
                    self._numbers.setdefault(url, place)

    def take_grounding(self, said: dict[str, Any]) -> None:
        for name in GROUNDING:
            if found := said.get(name):
                for one in found if isinstance(found, list) else [found]:
                    if isinstance(one, dict):
                        chunks = one.get("groundingChunks") or one.get("grounding_chunks")
                        webs = map(_web, chunks if isinstance(chunks, list) else ())
                        self.take([web for web in webs if web])

    def _note(self, url: str, title: str) -> None:
        if url not in self._titles:
            if len(self._titles) >= MOST or not is_page(url, self._scrub):
                return
            self._titles[url] = ""
        if title and not self._titles[url]:
            title = "".join(c if c.isprintable() else " " for c in title[:LONGEST_TITLE]).strip()
            # One that quotes a key is not shown.
            self._titles[url] = title if self._scrub(title) == title else ""

    def whole(self) -> tuple[dict[str, str], ...]:
        return tuple(
            self._entry(url, title, place)
            for place, (url, title) in enumerate(self._titles.items(), 1)
        )

    def _entry(self, url: str, title: str, place: int) -> dict[str, str]:
        number = self._numbers.get(url, place)
        return {"url": url, "title": title} | ({"number": str(number)} if number != place else {})


def _web(chunk: Any) -> Any:
    web = chunk.get("web") if isinstance(chunk, dict) else None
    return {"url": web.get("uri"), "title": web.get("title")} if isinstance(web, dict) else None


def is_page(url: str, scrub: Scrub) -> bool:
    """Whether it leads where it seems to: no names before the host, no backslash, which
    browsers take for a slash, and no key in it."""
    if len(url) > LONGEST_URL or not url.isprintable() or set(url) & {" ", "\\"}:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:  # such as an unclosed bracket of an IPv6 address
        return False
    is_plain = parts.scheme in ("http", "https") and "@" not in parts.netloc
    return is_plain and bool(parts.hostname) and scrub(url) == url
