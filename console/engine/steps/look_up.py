"""A claim is looked up: its own words are searched for, what is found is read, and what the pages
say of it is quoted. The verdict stays the reader's.

A reader asks for it: the look-up stands in the pool and its call is announced as a row, so whoever
takes the run up carries both on. What was searched and read for it is in the pool and is not asked
for again. Where no model can judge, the passages that fit best stand for themselves.
"""

from __future__ import annotations

import asyncio
from itertools import zip_longest
from typing import Any

from .. import pool as pools
from ..calls.call import Context, receipt, request_for, stream_call
from ..calls.together import together
from ..calls.tries import Ended, carry_out
from ..calls.window import excess, tokens_in
from ..errors import ProviderError, Reason
from ..findings.evidence import QuotableAnswer
from ..findings.extracts import Library, library
from ..findings.json_object import find_object
from ..findings.ruling import NamedClaim
from ..provider import Message
from ..spec import Panelist
from ..state import CallStatus, Step
from ..text import storable
from .gathering import Gathering
from .given_sources import room
from .material import fence_of, fenced
from .prompts import lookup_prompt
from .research import LONGEST_QUERY, by_words

PAGES, SECONDS = 4, 45.0
MOST, LONGEST_QUOTE, OUTPUT = 6, 400, 1500  # quotes; characters; tokens
SUPPORTS, CONTRADICTS = "supports", "contradicts"
NOTHING_FOUND = "No page was found that could be read."
_NOT_JUDGED = "What the pages say of it was not read: {why}"


async def look_up(context: Context, gathering: Gathering | None) -> None:
    """Those that are open, one after the other."""
    for one in pools.lookups(context.state.research):
        if not one.get("is_over") and context.researcher is not None:
            gathering = gathering or Gathering(context)
            await _LookUp(context, gathering, one).carry_out()


async def read_wanted(context: Context, gathering: Gathering | None) -> Gathering | None:
    """Of what providers named for searches of their own; no engine is needed for it."""
    if pools.wanted(context.state.research) and context.researcher is not None:
        gathering = gathering or Gathering(context)
        await gathering.read_wanted(SECONDS)
    return gathering


def verdicts(claim: NamedClaim) -> list[str]:
    """What a passage may back."""
    if claim.stances:
        return [f"stance-{n + 1}" for n in range(len(claim.stances))]
    return [SUPPORTS, CONTRADICTS]


class _LookUp:
    def __init__(self, context: Context, gathering: Gathering, one: dict[str, Any]) -> None:
        self._context, self._gathering, self._one = context, gathering, one
        self._claim = NamedClaim(one["claim"], one["text"], tuple(one["stances"]))

    async def carry_out(self) -> None:
        deadline = asyncio.get_running_loop().time() + SECONDS
        said = [self._claim.text, *self._claim.stances]
        queries = [
            *dict.fromkeys(q for text in said for q in by_words(text) or [text[:LONGEST_QUERY]])
        ]
        await together(self._search(query, deadline) for query in queries)
        sources = await self._read(queries, deadline)
        texts = await self._gathering.texts()
        read = await asyncio.to_thread(
            library, sources, {s["number"]: texts[s["number"]] for s in sources}, said
        )
        quotes, note = await self._quotes(read) if sources else ([], NOTHING_FOUND)
        ended: dict[str, Any] = {
            "queries": queries,
            "sources": [s["number"] for s in sources],
            "quotes": quotes,
        }
        ended |= {"is_over": True} | ({"note": note} if note else {})
        await self._gathering.keep_lookup(self._one | ended)

    async def _search(self, query: str, deadline: float) -> None:
        await self._gathering.search(query, deadline)

    async def _read(self, queries: list[str], deadline: float) -> list[pools.Source]:
        """The first of each search in turn; for one that cannot be read the next one."""
        searches = {s["query"]: s["found"] for s in pools.searches(self._gathering.pool)}
        rows = [[(hit, query) for hit in searches.get(query, [])] for query in queries]
        waiting = [one for rank in zip_longest(*rows) for one in rank if one]
        waiting = [*{hit["url"]: (hit, query) for hit, query in reversed(waiting)}.values()][::-1]
        found: dict[int, pools.Source] = {}

        async def read(hit: dict[str, str], query: str) -> None:
            source = await self._gathering.read(hit, query, deadline)
            if "number" in source:
                found[source["number"]] = source

        left = 2 * PAGES
        while waiting and left > 0 and len(found) < PAGES:
            if asyncio.get_running_loop().time() >= deadline:
                break
            count = min(PAGES - len(found), left)
            batch, waiting = waiting[:count], waiting[count:]
            left -= len(batch)
            await together(read(hit, query) for hit, query in batch)
        return [found[number] for number in sorted(found)]

    async def _quotes(self, read: Library) -> tuple[list[dict[str, Any]], str]:
        """(what the pages say, why not more)."""
        announced = self._context.state.latest(Step.LOOKUP, fusion=self._one["fusion"])
        if "call" not in self._one or announced is None:
            best = read.ranked[:3]
            return [_quote(e.number, e.text, "", found=True) for e in best], ""
        judge = Panelist.from_dict(announced.panelist)
        call = await carry_out(
            self._context, Step.LOOKUP, self._one["fusion"], judge, self._perform(read)
        )
        if call.status is not CallStatus.COMPLETED:
            return [], _NOT_JUDGED.format(why=call.error)
        return await asyncio.to_thread(checked, call.text, read, verdicts(self._claim)), ""

    def _perform(self, read: Library) -> Any:
        async def perform(key: str, judge: Panelist) -> Ended:
            pieces: list[str] = []
            messages = self._ask(read, judge)
            if excess(judge, messages, OUTPUT) > 0:
                return Ended({}, ProviderError(Reason.CONTEXT_LENGTH))
            request = request_for(
                judge,
                messages,
                max_output_tokens=None if judge.thinks else OUTPUT,
                temperature=0,
                response_schema=_schema(verdicts(self._claim)),
            )
            try:
                finish = await stream_call(
                    self._context,
                    key,
                    judge,
                    request,
                    on_text=pieces.append,
                    on_reasoning=lambda text: None,
                    on_recast=lambda text, _: pieces.__setitem__(slice(None), [text]),
                )
            except ProviderError as error:
                return Ended({"text": "".join(pieces)}, error)
            text = "".join(pieces)
            is_read = _findings(text) is not None
            wrong = None if is_read else ProviderError(Reason.BAD_RESPONSE)
            return Ended({"text": text, **receipt(finish)}, wrong)

        return perform

    def _ask(self, read: Library, judge: Panelist) -> list[Message]:
        claim = "\n".join(
            [self._claim.text, *(f"stance-{n}: {s}" for n, s in enumerate(self._claim.stances, 1))]
        )
        blocks = read.blocks(room(judge, tokens_in(claim)), tokens_in)
        fence = fence_of(self._context.spec.shuffle_seed, [claim, *blocks.values()])
        parts = [fenced(fence, "CLAIM", claim)]
        parts += [fenced(fence, f"SOURCE {number}", text) for number, text in blocks.items()]
        return [
            {
                "role": "system",
                "content": lookup_prompt(
                    fence=fence, most=str(MOST), verdicts=", ".join(verdicts(self._claim))
                ),
            },
            {"role": "user", "content": "\n\n".join(parts)},
        ]


def checked(text: str, read: Library, backed: list[str]) -> list[dict[str, Any]]:
    """What was quoted, each looked up in the page that it names, else in the others."""
    pages = {number: QuotableAnswer(page) for number, page in read.texts.items()}
    quotes: dict[str, dict[str, Any]] = {}
    for one in _findings(text) or []:
        quote = " ".join(storable(str(one.get("quote", ""))).split())[:LONGEST_QUOTE]
        number = one.get("source")
        if not quote or number not in pages:
            continue
        order = [number, *(other for other in pages if other != number)]
        where = next((n for n in order if pages[n].find(quote)), None)
        says = one.get("says") if one.get("says") in backed else ""
        quotes.setdefault(quote, _quote(where or number, quote, says, found=where is not None))
    return [*quotes.values()][:MOST]


def _quote(source: int, quote: str, says: Any, *, found: bool) -> dict[str, Any]:
    return {"source": source, "quote": quote[:LONGEST_QUOTE], "says": says, "found": found}


def _findings(text: str) -> list[dict[str, Any]] | None:
    found = find_object(text, ["findings"])
    listed = found.data.get("findings") if found else None
    if not isinstance(listed, list):
        return None
    return [one for one in listed if isinstance(one, dict)]


def _schema(backed: list[str]) -> dict[str, Any]:
    finding = {
        "type": "object",
        "properties": {
            "source": {"type": "integer"},
            "quote": {"type": "string"},
            "says": {"type": "string", "enum": backed},
        },
        "required": ["source", "quote", "says"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"findings": {"type": "array", "items": finding, "maxItems": MOST}},
        "required": ["findings"],
        "additionalProperties": False,
    }
