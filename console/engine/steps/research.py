"""Research, before the panel: queries are written, searched, and what they find is read once for
everybody.

Each step is on record when it is done, so whoever takes the run up searches and fetches nothing
again: the queries are the text of a call, what was found for one and each page that was read are
in the pool. Only time and pages are bounded here; a page that cannot be read is told with why.
"""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

from .. import pool as pools
from ..calls.context import Context
from ..calls.json_call import ask_for_json
from ..calls.together import together
from ..calls.tries import Ended, carry_out
from ..findings.json_object import find_object
from ..pool import Pool, Source
from ..provider import Message
from ..spec import Panelist, Research
from ..state import Step
from ..text import storable
from .gathering import Gathering
from .material import fence_of, prompt_text
from .prompts import fill

LONGEST_QUERY = 200
OUTPUT = 600  # tokens
WORDS = 8  # of a query that nobody wrote
# Long enough to be taken for telling, and in every question.
_USUAL = frozenset(
    (
        *("which", "where", "there", "their", "about", "would", "should", "could", "these"),
        *("those", "being", "between", "because", "every", "other", "after", "before", "while"),
    )
)
_WORD = re.compile(r"[^\W_][\w.'’-]*[^\W_]|[^\W\d_]")
NOTHING = "Nothing was searched for: no page of the web was thought to help."
NOTHING_IN_FILES = "Nothing was looked up: no file of the project was thought to help."
LATE = "Not all was read that was found: the time for research was over."
_SCHEMA = {
    "type": "object",
    "properties": {"queries": {"type": "array", "items": {"type": "string"}, "maxItems": 8}},
    "required": ["queries"],
    "additionalProperties": False,
}


async def research(context: Context) -> Gathering | None:
    """Carries out what is left of it, and makes what is in the pool known to all steps. Where each
    seat looks up by itself nothing is looked up here for everybody, unless a seat cannot
    (`look_up_for_all`)."""
    wish = context.spec.research
    if wish is None or context.researcher is None:
        return None
    gathering = Gathering(context)
    calls = context.state.calls.values()
    has_begun = any(not (c.is_brought or c.step is Step.RESEARCH) for c in calls)
    if not has_begun and wish.is_for_all:
        await look_up_for_all(context, gathering)
    context.library = await gathering.library()
    return gathering


async def look_up_for_all(context: Context, gathering: Gathering) -> None:
    """Once in a run."""
    assert context.spec.research
    async with gathering.for_all:
        if not context.state.research.get("is_over"):
            await _Research(context, context.spec.research, gathering).carry_out()


class _Research:
    def __init__(self, context: Context, wish: Research, gathering: Gathering) -> None:
        self._context, self._wish, self._gathering = context, wish, gathering

    @property
    def _pool(self) -> Pool:
        return self._context.state.research

    async def carry_out(self) -> None:
        queries, note = await self._queries(), ""
        deadline = asyncio.get_running_loop().time() + self._wish.seconds
        known = {search["query"] for search in pools.searches(self._pool)}
        await together(self._search(q, deadline) for q in queries if q not in known)
        await self._read_all(deadline, set(queries))
        if not queries:
            note = NOTHING_IN_FILES if self._wish.way == "files" else NOTHING
        elif asyncio.get_running_loop().time() >= deadline:
            note = LATE
        await self._gathering.end(note)

    async def _search(self, query: str, deadline: float) -> None:
        await self._gathering.search(query, deadline)

    async def _read(self, hit: dict[str, str], query: str, deadline: float) -> None:
        await self._gathering.read(hit, query, deadline)

    async def _queries(self) -> list[str]:
        judge, count = self._context.spec.judge, self._wish.queries
        if not judge.can_judge or not self._context.spec.prompts.queries:
            return by_words(prompt_text(self._context.messages))

        async def read(text: str) -> dict[str, Any] | None:
            return None if read_queries(text, count) is None else {}

        async def perform(key: str, judge: Panelist) -> Ended:
            return await ask_for_json(
                self._context, key, judge, self._ask(count), _SCHEMA, read, output=OUTPUT
            )

        call = await carry_out(self._context, Step.RESEARCH, 0, judge, perform)
        found = read_queries(call.text, count) if call.is_usable else None
        return by_words(prompt_text(self._context.messages)) if found is None else found

    def _ask(self, count: int) -> list[Message]:
        asked = prompt_text(self._context.messages)
        fence = fence_of(self._context.spec.shuffle_seed, [asked])
        system = fill(
            self._context.spec.prompts.queries,
            count=str(count),
            date=datetime.fromtimestamp(self._context.clock(), UTC).date().isoformat(),
            fence=fence,
        )
        fenced = f"=== {fence} QUESTION ===\n{asked.strip()}\n=== {fence} END ==="
        return [{"role": "system", "content": system}, {"role": "user", "content": fenced}]

    async def _read_all(self, deadline: float, queries: set[str]) -> None:
        """Page by page of each search in turn; for one that cannot be read the next one."""
        rows = [
            [(hit, search["query"]) for hit in search["found"]]
            for search in pools.searches(self._pool)
            if search["query"] in queries
        ]
        waiting = [one for rank in zip_longest(*rows) for one in rank if one]
        tried = {source["url"] for source in pools.sources(self._pool)}
        tried |= {source.get("asked", "") for source in pools.sources(self._pool)}

        def of_these(sources: list[Source]) -> int:
            return sum(source["query"] in queries for source in sources)

        left = 2 * self._wish.pages - of_these(pools.sources(self._pool))
        while waiting and left > 0 and asyncio.get_running_loop().time() < deadline:
            wanted = self._wish.pages - of_these(pools.read(self._pool))
            batch: list[tuple[dict[str, str], str]] = []
            while waiting and len(batch) < min(wanted, left):
                hit, query = waiting.pop(0)
                if hit["url"] not in tried:
                    tried.add(hit["url"])
                    batch.append((hit, query))
            if not batch:
                return
            left -= len(batch)
            await together(self._read(hit, query, deadline) for hit, query in batch)


def read_queries(text: str, count: int) -> list[str] | None:
    """None where there is no list of them."""
    found = find_object(text, ["queries"])
    listed = found.data.get("queries") if found else None
    if not isinstance(listed, list):
        return None
    queries = [" ".join(storable(q).split())[:LONGEST_QUERY] for q in listed if isinstance(q, str)]
    return [*dict.fromkeys(filter(None, queries))][:count]


def by_words(prompt: str) -> list[str]:
    """Nobody can write queries: the words of the question that are long, or names and numbers."""
    words = list(dict.fromkeys(_WORD.findall(prompt[-4000:])))
    telling = [
        word
        for place, word in enumerate(words)
        if word.lower() not in _USUAL
        and (len(word) > 4 or any(map(str.isdigit, word)) or (place and word[:1].isupper()))
    ]
    rarest = sorted(telling, key=len, reverse=True)[:WORDS]
    query = " ".join(word for word in telling if word in rarest)[:LONGEST_QUERY]
    return [query] if query else []
