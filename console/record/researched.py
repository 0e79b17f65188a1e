"""What programs are told of what was looked up for a run."""

from __future__ import annotations

from typing import Any

from ..engine import pool
from ..engine.spec import letter
from ..engine.state import RunState, seat_of
from .parts import Told
from .pooled import pooled


class Searched(Told):
    """A query of a run's research, and how many pages it found, or why none. `reason`: a word for
    that, as `budget_exceeded`. `lacks`: why only a part was searched, as the project's files."""

    query: str
    engine: str
    found: int
    failure: str | None
    reason: str | None = None
    lacks: str | None = None


class PooledSource(Told):
    """A page of a run's pool: with the `number` by which it is cited, or null and the `failure`
    why it was not read. `orders`: words in which it instructs models that read it. `cited_by`:
    keys of the calls that cite it. `named_by` the seat whose provider says that its answer rests
    on it: such a page was not read here."""

    number: int | None
    url: str
    title: str
    words: int | None
    hash: str | None
    at: float | None
    failure: str | None
    orders: str | None
    cited_by: list[str]
    named_by: list[str]


class LookedUp(Told):
    """A tool that a seat's call asked for: `web_search` (`asked` is its query, `found` how many
    pages) or `web_fetch` (an address, and the `source` that it is); else the `failure`, as its
    model was told it. `shared`: the seat has no such way, and was given what was looked up for
    it."""

    call: str
    seat: str | None
    tool: str
    asked: str
    found: int | None
    source: int | None
    failure: str | None


class ClaimQuote(Told):
    """Words of a source, and what they back: `supports`, `contradicts` or a stance, null where
    nobody said it. `found`: they stand there."""

    source: int
    quote: str
    says: str | None
    found: bool


class ClaimLookedUp(Told):
    """A claim of the analysis of a fusion that was looked up: for a reader, or `before_writing`
    for the writer of that fusion. `done`: it is over."""

    fusion: int
    claim: str
    text: str
    before_writing: bool
    done: bool
    queries: list[str]
    sources: list[int]
    quotes: list[ClaimQuote]
    note: str | None


class Researched(Told):
    """What was looked up for a run. `steps`: what each seat did by itself. `note`: why there is
    less than was wished for."""

    searches: list[Searched]
    sources: list[PooledSource]
    steps: list[LookedUp]
    lookups: list[ClaimLookedUp]
    note: str | None


def researched(state: RunState) -> Researched:
    return Researched(
        searches=[
            Searched(
                query=search["query"],
                engine=search["engine"],
                found=len(search["found"]),
                failure=search.get("failure"),
                reason=search.get("reason"),
                lacks=search.get("lacks"),
            )
            for search in pool.searches(state.research)
        ],
        sources=[
            PooledSource(
                number=source.number,
                url=source.url,
                title=source.title,
                words=source.words,
                hash=source.hash,
                at=source.at,
                failure=source.failure or None,
                orders=source.orders or None,
                cited_by=[call.key for call in source.cited_by],
                named_by=[letter(seat) for seat in source.named_by],
            )
            for source in pooled(state)
        ],
        steps=[
            LookedUp(
                call=step["call"],
                seat=None if (seat := seat_of(step["call"])) is None else letter(seat),
                tool=step["tool"],
                asked=step["asked"],
                found=step.get("found"),
                source=step.get("number"),
                failure=step.get("failure"),
            )
            for step in pool.trail(state.research)
        ],
        lookups=[_claim_looked_up(one) for one in pool.lookups(state.research)],
        note=state.research.get("note"),
    )


def _claim_looked_up(one: dict[str, Any]) -> ClaimLookedUp:
    return ClaimLookedUp(
        fusion=one["fusion"],
        claim=one["claim"],
        text=one["text"],
        before_writing=bool(one.get("before")),
        done=bool(one.get("is_over")),
        queries=one.get("queries", []),
        sources=one.get("sources", []),
        quotes=[
            ClaimQuote(**(quote | {"says": quote["says"] or None}))
            for quote in one.get("quotes", [])
        ],
        note=one.get("note"),
    )
