"""The pool of sources of a run: what was searched for it and found, as one value of JSON.

    searches   query, engine, found: url and title each [, failure] [, cost: US dollars]
               [, reason: of that failure, where programs have a word for it] [, lacks: why there
               is less than was looked for]
    sources    number, url, title, hash, characters, words, query, at [, pages, is_cut, orders]
               [, checked: by the call of an answer that its provider's search has named it to,
               found and missing of what that answer quotes of it]
               or, where it could not be read, url, title, query, at, failure [, leads_to: the
               number of the source that it is, with checked of that]
    wanted     url, title of what a reader wants read of those that providers named, until it is
               among the sources
    is_over    nothing more is searched; note: why there is less than was wished for
    trail      what seats did with tools of ours, each by its call and place among those that it
               asked for: call, place, tool, asked, at, and of what was done found (how many pages)
               or number, with room and about (what of the page was given); else failure, as the
               model was told it
    lookups    claims that were looked up: id, fusion, claim, text, stances, at [, call]
               [, before: for the writer of the fusion, else for a reader: token, None or the
               number of the one that asked, until it is over], and when that is_over:
               queries, sources (numbers), quotes (source, quote, says, found) [, note: why that
               came to nothing]

A source keeps its number for everybody. What it says stands elsewhere (rows of its own), since a
page is long: state, log and pages of ours carry what is said of it. Every value here is replaced
as a whole, and saying the same again changes nothing, for rows may be ahead of the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from .errors import Reason

Pool = dict[str, Any]
Source = dict[str, Any]


class NotRead(Exception):
    """Why a page was not read, or nothing was searched, in a sentence; `reason` where programs
    have a word for it."""

    def __init__(self, why: str, reason: Reason | None = None) -> None:
        super().__init__(why)
        self.reason = reason


@dataclass(frozen=True)
class SearchHits:
    """What a search has found, `url` and `title` each, and what it cost in US dollars. `lacks`:
    why only a part of it could be asked."""

    hits: list[dict[str, str]]
    cost: Decimal = Decimal(0)
    lacks: NotRead | None = None


@dataclass(frozen=True)
class PageRead:
    """`url` is where it was found in the end."""

    url: str
    title: str
    text: str
    hash: str
    pages: int | None = None
    is_cut: bool = False


class Researcher(Protocol):
    """Who searches, fetches and keeps for a run."""

    engine: str

    async def search(self, query: str, count: int) -> SearchHits:
        """Raises NotRead."""
        ...

    async def read(self, url: str) -> PageRead:
        """Raises NotRead."""
        ...

    async def keep(self, pool: Pool, texts: Mapping[int, str]) -> None:
        """Returns when it is on record. Raises LeaseLost."""
        ...

    async def texts(self) -> dict[int, str]:
        """Of the sources that are on record, by number."""
        ...


def searches(pool: Pool) -> list[dict[str, Any]]:
    return list(pool.get("searches", ()))


def costs(pool: Pool) -> list[Decimal]:
    """Of the searches that are paid for."""
    return [Decimal(search["cost"]) for search in searches(pool) if "cost" in search]


def sources(pool: Pool) -> list[Source]:
    return list(pool.get("sources", ()))


def read(pool: Pool) -> list[Source]:
    """Those that may be cited, by their numbers."""
    return sorted((s for s in sources(pool) if "number" in s), key=lambda s: s["number"])


def next_number(pool: Pool) -> int:
    return max((source["number"] for source in read(pool)), default=0) + 1


def with_search(pool: Pool, search: dict[str, Any]) -> Pool:
    return pool | {"searches": _with(searches(pool), search, "query")}


def with_source(pool: Pool, source: Source) -> Pool:
    left = [one for one in wanted(pool) if one["url"] not in (source["url"], source.get("asked"))]
    return _wanting(pool, left) | {"sources": _with(sources(pool), source, "url")}


def wanted(pool: Pool) -> list[dict[str, str]]:
    return list(pool.get("wanted", ()))


def with_wanted(pool: Pool, url: str, title: str) -> Pool:
    """Where it could not be read before, it is tried again."""
    failed = [s for s in sources(pool) if s["url"] == url and "number" not in s]
    pool = pool | {"sources": [s for s in sources(pool) if s not in failed]} if failed else pool
    return _wanting(pool, _with(wanted(pool), {"url": url, "title": title}, "url"))


def _wanting(pool: Pool, left: list[dict[str, str]]) -> Pool:
    rest = {name: value for name, value in pool.items() if name != "wanted"}
    return rest | {"wanted": left} if left else rest


def over(pool: Pool, note: str) -> Pool:
    return pool | {"is_over": True, **({"note": note} if note else {})}


def trail(pool: Pool) -> list[dict[str, Any]]:
    return list(pool.get("trail", ()))


def with_step(pool: Pool, step: dict[str, Any]) -> Pool:
    known = {(one["call"], one["place"]): one for one in trail(pool)}
    return pool | {"trail": [*(known | {(step["call"], step["place"]): step}).values()]}


def lookups(pool: Pool) -> list[dict[str, Any]]:
    return list(pool.get("lookups", ()))


def with_lookup(pool: Pool, lookup: dict[str, Any]) -> Pool:
    return pool | {"lookups": _with(lookups(pool), lookup, "id")}


def without_open(pool: Pool) -> Pool:
    """Without look-ups that are open: they were stopped."""
    left = [one for one in lookups(pool) if one.get("is_over")]
    return pool | {"lookups": left} if len(left) < len(lookups(pool)) else pool


def closed(pool: Pool, note: str) -> Pool:
    """With an end to every look-up that is open."""
    for one in lookups(pool):
        if not one.get("is_over"):
            pool = with_lookup(pool, ended_lookup(one, note=note))
    return pool


def ended_lookup(lookup: dict[str, Any], note: str = "", **found: Any) -> dict[str, Any]:
    """Who pays for it is of no use to anybody any more."""
    kept = {name: value for name, value in lookup.items() if name != "token"}
    return kept | found | {"is_over": True} | ({"note": note} if note else {})


def without_failed(pool: Pool, lookup: Mapping[str, Any]) -> Pool:
    """Without what came to nothing in it, so that it is searched and read anew."""
    queries = set(lookup.get("queries", ()))
    of_it = [search for search in searches(pool) if search["query"] in queries]
    found = {hit["url"] for search in of_it for hit in search["found"]}
    return pool | {
        "searches": [s for s in searches(pool) if s["found"] or s not in of_it],
        "sources": [
            s
            for s in sources(pool)
            if "number" in s or not found & {s["url"], s.get("asked", s["url"])}
        ],
    }


def _with(entries: list[dict[str, Any]], entry: dict[str, Any], by: str) -> list[dict[str, Any]]:
    known: dict[Any, dict[str, Any]] = {one[by]: one for one in entries}
    return [*(known | {entry[by]: entry}).values()]
