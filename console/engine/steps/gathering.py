"""What is searched and read for a run goes into its pool, whoever asks for it: each query is
searched and each page fetched once, and on record before anybody is told of it."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from .. import pool as pools
from ..calls.context import Context
from ..calls.together import together
from ..events import EventType
from ..findings.cited import numbered, quotes_of
from ..findings.extracts import Library, library
from ..findings.orders import gives_orders
from ..findings.ruling import NamedClaim
from ..pool import NotRead, Pool, Source
from .material import prompt_text

HITS = 8  # asked for with each query
LATE = "The time for research was over before it was there."


class Gathering:
    """One of a run, for its research and for every seat that searches by itself."""

    def __init__(self, context: Context) -> None:
        assert context.researcher
        self._context, self._researcher = context, context.researcher
        self.for_all = asyncio.Lock()
        self._keeping = asyncio.Lock()
        self._under_way: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._texts: dict[int, str] | None = None
        # (way, credential, model) of whose server has refused it.
        self.refused: set[tuple[str, str, str]] = set()

    @property
    def pool(self) -> Pool:
        return self._context.state.research

    async def texts(self) -> dict[int, str]:
        """Of the pages that were read, by number."""
        if self._texts is None:
            self._texts = dict(await self._researcher.texts())
        return self._texts

    async def library(self) -> Library | None:
        """Of all that has been read by now."""
        if not pools.read(self.pool):
            return None
        texts = await self.texts()
        asked = prompt_text(self._context.messages)[-4000:]
        queries = [search["query"] for search in pools.searches(self.pool)]
        return await asyncio.to_thread(
            library, pools.read(self.pool), dict(texts), [*queries, asked]
        )

    async def citable(self) -> Library:
        """The same, for who looks up what is cited of it and is told nothing."""
        read = {source["number"]: source for source in pools.read(self.pool)}
        return Library(read, dict(await self.texts()), ())

    async def search(self, query: str, deadline: float) -> dict[str, Any]:
        """What the engine found for it; one that failed is asked again, by whoever asks again."""
        async with self._alone(f"search {query}"):
            known = next((s for s in pools.searches(self.pool) if s["query"] == query), None)
            if known and not known.get("failure"):
                return known
            search: dict[str, Any] = {"query": query, "engine": self._researcher.engine}
            search["found"] = []
            try:
                async with asyncio.timeout_at(deadline):
                    found = await self._researcher.search(query, HITS)
                search["found"] = found.hits
                search |= {"cost": str(found.cost)} if found.cost else {}
                if why := found.lacks:
                    search |= {"lacks": str(why)} | _reason(why)
            except NotRead as why:
                search |= {"failure": str(why)} | _reason(why)
            except TimeoutError:
                search["failure"] = "The search took too long."
            async with self._keeping:
                await self._researcher.keep(pools.with_search(self.pool, search), {})
                self._context.say(EventType.RESEARCH_SEARCHED, **search)
            return search

    async def read(self, hit: dict[str, str], query: str, deadline: float) -> Source:
        """The source that it is in the pool, or why it could not be read."""
        async with self._alone(f"read {hit['url']}"):
            if known := self._at(hit["url"]):
                return known
            source, text = await self._fetched(hit, query, deadline)
            if "failure" not in source:
                source |= await self._checked(source, text)
            async with self._keeping:
                if known := self._at(source["url"]):  # another address led there before
                    if hit not in pools.wanted(self.pool):
                        return known
                    source = _elsewhere(hit, known, source["at"])
                    source |= await self._led_to(hit["url"], known)
                said_by = [s for s in pools.read(self.pool) if s["hash"] == source.get("hash")]
                if said_by:
                    source = _without(source, "hash", "checked")
                    source["failure"] = f"It says the same as source {said_by[0]['number']}."
                    source |= await self._led_to(hit["url"], said_by[0])
                kept = {}
                if "failure" not in source:
                    source["number"] = pools.next_number(self.pool)
                    kept = {source["number"]: text}
                await self._researcher.keep(pools.with_source(self.pool, source), kept)
                if self._texts is not None:
                    self._texts |= kept
                self._context.say(EventType.SOURCE_ADDED, **source)
                return said_by[0] if said_by else source

    async def read_wanted(self, seconds: float) -> None:
        """What a reader wants read of what providers named."""
        deadline = asyncio.get_running_loop().time() + seconds
        await together(self._read_wanted(hit, deadline) for hit in pools.wanted(self.pool))

    async def _read_wanted(self, hit: dict[str, str], deadline: float) -> None:
        await self.read(hit, "", deadline)

    async def keep_steps(self, steps: list[dict[str, Any]]) -> None:
        """Of a seat's tools (pool.py)."""
        async with self._keeping:
            pool = self.pool
            for step in steps:
                pool = pools.with_step(pool, step)
            await self._researcher.keep(pool, {})
            for step in steps:
                said = {name: value for name, value in step.items() if name != "call"}
                self._context.say(EventType.TOOL_ANSWERED, step["call"], **said)

    async def begin_lookup(self, fusion: int, claim: NamedClaim) -> dict[str, Any]:
        """For the writer of a fusion."""
        known = pools.lookups(self.pool)
        one: dict[str, Any] = {
            "id": max((one["id"] for one in known), default=0) + 1,
            "fusion": fusion,
            "claim": claim.id,
            "text": claim.text,
            "stances": [*claim.stances],
            "at": round(self._context.clock(), 3),
            "before": True,
        }
        await self.keep_lookup(one)
        return one

    async def keep_lookup(self, lookup: dict[str, Any]) -> None:
        async with self._keeping:
            await self._researcher.keep(pools.with_lookup(self.pool, lookup), {})
            said = {name: value for name, value in lookup.items() if name not in ("fusion", "call")}
            self._context.say(
                EventType.CLAIM_LOOKED_UP, lookup.get("call", ""), lookup["fusion"], **said
            )

    async def end(self, note: str) -> None:
        async with self._keeping:
            await self._researcher.keep(pools.over(self.pool, note), {})
            said: dict[str, Any] = {"note": note} if note else {}
            self._context.say(EventType.RESEARCH_COMPLETED, **said)

    def _at(self, url: str) -> Source | None:
        sources = pools.sources(self.pool)
        return next((s for s in sources if url in (s["url"], s.get("asked"))), None)

    async def _fetched(
        self, hit: dict[str, str], query: str, deadline: float
    ) -> tuple[Source, str]:
        source: Source = {"url": hit["url"], "title": hit["title"], "query": query}
        text = ""
        try:
            async with asyncio.timeout_at(deadline):
                page = await self._researcher.read(hit["url"])
            text = page.text
            if page.url != hit["url"]:
                source |= {"url": page.url, "asked": hit["url"]}
            source |= {
                "title": page.title or hit["title"],
                "hash": page.hash,
                "words": len(text.split()),
            }
            source |= {"pages": page.pages} if page.pages else {}
            source |= {"is_cut": True} if page.is_cut else {}
            orders = await asyncio.to_thread(gives_orders, text)
            source |= {"orders": orders} if orders else {}
        except NotRead as why:
            source["failure"] = str(why)
        except TimeoutError:
            source["failure"] = LATE
        source["at"] = round(self._context.clock(), 3)
        return source, text

    async def _checked(self, source: Source, text: str) -> Source:
        """What answers quote of it that have it from their providers, by numbers of their own."""
        named = [
            (call.key, call.text, number)
            for call in self._context.state.calls.values()
            if call.is_usable
            for number, one in numbered(call.citations)
            if one["url"] in (source["url"], source.get("asked")) and "found" not in one
        ]
        found = await asyncio.to_thread(
            lambda: {
                key: told for key, said, number in named if (told := quotes_of(said, number, text))
            }
        )
        return {"checked": found} if found else {}

    async def _led_to(self, url: str, known: Source) -> Source:
        """What answers quote of it by its own number is looked up in the source that it is."""
        if "number" not in known:
            return {}
        text = (await self.texts())[known["number"]]
        checked = await self._checked({"url": url}, text)
        return {"leads_to": known["number"]} | checked

    @asynccontextmanager
    async def _alone(self, what: str) -> AsyncIterator[None]:
        """Whoever asks for the same meanwhile waits, and finds it in the pool."""
        async with self._under_way[what]:
            yield


def _reason(why: NotRead) -> dict[str, str]:
    return {"reason": why.reason.value} if why.reason else {}


def _elsewhere(hit: dict[str, str], known: Source, at: float) -> Source:
    """Of an address that leads where another one led before."""
    what = f"It leads to source {known['number']}." if "number" in known else known["failure"]
    return {"url": hit["url"], "title": hit["title"], "query": "", "at": at, "failure": what}


def _without(source: Source, *names: str) -> Source:
    return {name: value for name, value in source.items() if name not in names}
