"""A claim is looked up: its own words are searched for, what is found is read, and what the pages
say of it is quoted. The verdict stays the reader's.

A reader asks for it: the look-up stands in the pool and its call is announced as a row, so whoever
takes the run up carries both on. Or the run wishes it, of what is doubtful in an analysis, before
the fused answer is written (`look_up_doubtful`). What was searched and read for it is in the pool
and is not asked for again. Where no model can judge, the passages that fit best stand for
themselves.
"""

from __future__ import annotations

import asyncio
from itertools import zip_longest
from typing import Any

from .. import pool as pools
from ..calls.context import Context
from ..calls.json_call import ask_for_json
from ..calls.together import together
from ..calls.tries import Ended, carry_out
from ..calls.window import tokens_in
from ..errors import Reason
from ..events import EventType
from ..findings.by_words import WORDS
from ..findings.doubtful import doubtful, known_of, looked_up_before
from ..findings.evidence import QuotableAnswer
from ..findings.extracts import Library, library
from ..findings.json_object import find_object
from ..findings.ruling import NamedClaim
from ..provider import Message
from ..spec import Panelist
from ..state import CallState, CallStatus, Step, call_key
from ..text import storable
from .gathering import Gathering
from .given_sources import room
from .material import fence_of, fenced
from .prompts import lookup_prompt
from .research import LONGEST_QUERY, by_words

PAGES, SECONDS = 4, 45.0
# Of all that is looked up before a fused answer is written: until pages are read, until it is over.
READ_WITHIN, OVER_WITHIN = 30.0, 90.0
MOST, LONGEST_QUOTE, OUTPUT = 6, 400, 1500  # quotes; characters; tokens
SUPPORTS, CONTRADICTS = "supports", "contradicts"
NOTHING_FOUND = "No page was found that could be read."
LATE = "The time for looking it up was over."
NO_CALL_LEFT = "The last call that this run may make is kept for its fused answer."
_NOT_JUDGED = "What the pages say of it was not read: {why}"


async def look_up(context: Context, gathering: Gathering | None) -> None:
    """Those that are open, one after the other."""
    for one in pools.lookups(context.state.research):
        is_mine = not (one.get("is_over") or one.get("before"))
        if is_mine and context.researcher is not None:
            gathering = gathering or Gathering(context)
            look, now = _LookUp(context, gathering, one), asyncio.get_running_loop().time()
            await look.gather(now + SECONDS)
            await look.read_by()


async def look_up_doubtful(context: Context, gathering: Gathering, number: int) -> bool:
    """What is doubtful in the analysis of a fusion that is about to be written: pages are read for
    all at once, then the judge reads them, claim by claim. What was looked up before, by whomever,
    is not again. Whatever fails is noted, and the rest goes on. Returns whether there is more in
    the pool than there was."""
    fusion = context.state.fusions[number]
    judge = Panelist.from_dict(fusion.judge)
    if not fusion.analysis or fusion.turn or fusion.analysis_by == WORDS or not judge.can_judge:
        return False
    claims = doubtful(fusion.analysis)
    known = {one["text"] for one in known_of(gathering.pool, claims)}
    mine = {one["text"]: one for one in looked_up_before(gathering.pool, number)}
    begun = asyncio.get_running_loop().time()
    looks = []
    for claim in claims:
        one = mine.get(claim.text)
        if claim.text in known or one and one.get("is_over"):
            continue
        if one is None:
            one = await gathering.begin_lookup(number, claim)
        looks.append(_LookUp(context, gathering, one, judge))
    await together(look.gather(begun + READ_WITHIN) for look in looks)
    why = ""
    for look in looks:
        why = await look.read_by(begun + OVER_WITHIN, why)
    return bool(looks)


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
    """`judge`: who is asked, where no call was announced for it."""

    def __init__(
        self,
        context: Context,
        gathering: Gathering,
        one: dict[str, Any],
        judge: Panelist | None = None,
    ) -> None:
        self._context, self._gathering, self._one, self._judge = context, gathering, one, judge
        self._claim = NamedClaim(one["claim"], one["text"], tuple(one["stances"]))
        self._said = [self._claim.text, *self._claim.stances]
        self._queries = [
            *dict.fromkeys(
                q for text in self._said for q in by_words(text) or [text[:LONGEST_QUERY]]
            )
        ]
        self._sources: list[pools.Source] = []

    async def gather(self, deadline: float) -> None:
        await together(self._search(query, deadline) for query in self._queries)
        self._sources = await self._read(self._queries, deadline)

    async def read_by(self, until: float | None = None, why: str = "") -> str:
        """Ends it: with what its pages say, or with a note. `why` it is not asked for any more;
        returns why the next should not be."""
        sources, texts = self._sources, await self._gathering.texts()
        read = await asyncio.to_thread(
            library, sources, {s["number"]: texts[s["number"]] for s in sources}, self._said
        )
        quotes, note = await self._quotes(read, until, why) if sources else ([], NOTHING_FOUND)
        found = {"queries": self._queries, "sources": [s["number"] for s in sources]}
        await self._gathering.keep_lookup(
            pools.ended_lookup(self._one, note, **found, quotes=quotes)
        )
        last = self._latest()
        is_denied = last is not None and last.reason == Reason.BUDGET_EXCEEDED
        return note if sources and (why or is_denied) else ""

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

    def _latest(self) -> CallState | None:
        return self._context.state.latest(Step.LOOKUP, fusion=self._one["fusion"])

    async def _quotes(
        self, read: Library, until: float | None, why: str
    ) -> tuple[list[dict[str, Any]], str]:
        """(what the pages say, why not more)."""
        if self._judge and (why := why or await self._announce(self._judge, until)):
            return [], why
        announced = self._latest()
        if "call" not in self._one or announced is None:
            best = read.ranked[:3]
            return [_quote(e.number, e.text, "", found=True) for e in best], ""

        async def says(text: str) -> dict[str, Any] | None:
            return None if _findings(text) is None else {}

        async def perform(key: str, judge: Panelist) -> Ended:
            messages = self._ask(read, judge)
            schema = _schema(verdicts(self._claim))
            return await ask_for_json(
                self._context, key, judge, messages, schema, says, output=OUTPUT, until=until
            )

        call = await carry_out(
            self._context,
            Step.LOOKUP,
            self._one["fusion"],
            Panelist.from_dict(announced.panelist),
            perform,
            asks_again=lambda: not self._is_late(until),
        )
        if call.status is not CallStatus.COMPLETED:
            return [], _NOT_JUDGED.format(why=call.error)
        return await asyncio.to_thread(checked, call.text, read, verdicts(self._claim)), ""

    async def _announce(self, judge: Panelist, until: float | None) -> str:
        """Its call, unless another worker has announced it; or why there is none."""
        context, fusion = self._context, self._one["fusion"]
        calls = context.state.calls
        if self._one.get("call") in calls:
            return ""
        if self._is_late(until):
            return LATE
        most = context.spec.policy.max_calls
        if most is not None and sum(c.sent_at is not None for c in calls.values()) + 1 >= most:
            return _NOT_JUDGED.format(why=NO_CALL_LEFT)
        last = self._latest()
        number = last.number + 1 if last else 1
        self._one |= {"call": call_key(Step.LOOKUP, fusion, number)}
        await self._gathering.keep_lookup(self._one)
        said = {"step": Step.LOOKUP.value, "number": number, "cause": "first"}
        context.say(
            EventType.CALL_ADDED, self._one["call"], fusion, **said, panelist=judge.to_dict()
        )
        return ""

    def _is_late(self, until: float | None) -> bool:
        return until is not None and asyncio.get_running_loop().time() >= until

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
