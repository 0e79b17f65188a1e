"""The sources of a run: what was searched and read for it, and what providers name besides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..engine import pool
from ..engine.spec import Spec
from ..engine.state import CallState, RunState, Step
from ..record.pooled import PoolEntry, pooled
from . import figures
from .phases import Phase, is_under_way
from .seats import SeatView

NOT_READ = "Named by the provider of {letters} for a search of its own; not read by us."
ORDERS = "Tells models what to do (“{words}”). Kept as material, not followed."


@dataclass(frozen=True)
class SourceView:
    """`note`: why it was not read, or what is odd of it."""

    number: int | None
    url: str
    title: str
    host: str
    size: str
    cited_by: Sequence[SeatView]
    in_fused: bool
    quotes: str
    missing: Sequence[str]
    note: str
    orders: str
    may_be_read: bool  # by whom it is up to: a provider named it
    is_wanted: bool


@dataclass(frozen=True)
class PoolView:
    sources: Sequence[SourceView]
    searched: str
    note: str
    is_over: bool
    count: int  # of those that were read


def pool_view(spec: Spec, state: RunState, columns: Sequence[SeatView]) -> PoolView | None:
    """None where nothing is or was looked up, by anybody."""
    entries = pooled(state)
    if not (entries or state.research or spec.research):
        return None
    searches = pool.searches(state.research)
    queries = [f"“{s['query']}”" if s["query"] else "" for s in searches]
    failures = [
        f"{why} ({query})" if query else why
        for s, query in zip(searches, queries, strict=True)
        if (why := s.get("failure") or s.get("lacks"))
    ]
    notes = [*failures, *([state.research["note"]] if "note" in state.research else [])]
    return PoolView(
        sources=[_source(one, columns) for one in entries],
        searched=", ".join(filter(None, queries)),
        note=" ".join(notes),
        is_over=bool(state.research.get("is_over") or (_by_seats(spec) and state.fusion))
        or state.status.is_final,
        count=sum(one.was_read for one in entries),
    )


def phase(spec: Spec, state: RunState) -> Phase | None:
    """The first of the four steps; None where nothing is looked up."""
    told = pool.sources(state.research) or pool.searches(state.research)
    if spec.research is None and not told:
        named = any(call.citations for call in state.calls.values())
        return Phase("Sources", "absent", "none read by us") if named else None
    read, is_over = len(pool.read(state.research)), bool(state.research.get("is_over"))
    panel = [c for c in state.calls.values() if c.step is Step.PANEL and not c.is_brought]
    if _by_seats(spec):
        if any(is_under_way(state, call) for call in panel) and not state.fusion:
            return Phase("Sources", "running", f"{read} read" if read else "", since=_began(state))
        is_over = is_over or bool(panel)
    if not (is_over or panel or state.status.is_final):
        if state.started_at is None:
            return Phase("Sources", "waiting")
        what = f"{read} read" if read else ""
        return Phase("Sources", "running", what, since=_began(state))
    if read:
        return Phase("Sources", "done", str(read), figures.seconds(_seconds(state)))
    found = pool.sources(state.research) or any(
        s.get("failure") for s in pool.searches(state.research)
    )
    return Phase("Sources", "failed" if found else "skipped", "none read" if found else "")


def _began(state: RunState) -> float | None:
    starts = [c.started_at for c in _calls(state) if c.started_at is not None]
    return min(starts, default=state.started_at)


def _seconds(state: RunState) -> float | None:
    """What was read once the answers were there is no part of it."""
    began, answered = (
        _began(state),
        [c.finished_at for c in state.calls.values() if c.step is Step.PANEL and c.finished_at],
    )
    until = max(answered, default=float("inf"))
    ends = [source["at"] for source in pool.sources(state.research) if source["at"] <= until]
    return None if began is None or not ends else max(0, max(ends) - began)


def _calls(state: RunState) -> list[CallState]:
    return [c for c in state.calls.values() if c.step is Step.RESEARCH]


def is_researching(spec: Spec, state: RunState) -> bool:
    found = phase(spec, state)
    is_first = not _by_seats(spec) or any(is_under_way(state, call) for call in _calls(state))
    return found is not None and found.state == "running" and is_first


def _by_seats(spec: Spec) -> bool:
    """Each looks up by itself, beside the others' answers."""
    return spec.research is not None and not spec.research.is_for_all


def words(state: RunState) -> str:
    """What research does, as a sentence for everybody."""
    if any(is_under_way(state, call) for call in _calls(state)):
        return "Sources: queries are being written"
    read = len(pool.read(state.research))
    return f"Sources: {figures.count_of(read, 'page')} read"


def _source(one: PoolEntry, columns: Sequence[SeatView]) -> SourceView:
    seats = [columns[call.seat] for call in one.cited_by if call.seat is not None]
    note = one.failure
    if one.named_by and not one.was_read:
        letters = ", ".join(columns[seat].letter for seat in one.named_by)
        note = " ".join(filter(None, [NOT_READ.format(letters=letters), one.failure]))
    elif one.is_cut:
        note = "Only its beginning was read: it is very long."
    size = f"{one.words:,} words" if one.words else ""
    if one.pages:
        size = f"{figures.count_of(one.pages, 'page')}, {size}"
    if one.opened_by:
        letters = ", ".join(columns[seat].letter for seat in one.opened_by)
        size = ", ".join(filter(None, [size, f"opened by {letters}"]))
    return SourceView(
        number=one.number,
        url=one.url if urlsplit(one.url).scheme in ("http", "https") else "",
        title=one.title,
        host=urlsplit(one.url).netloc,
        size=size,
        cited_by=seats,
        in_fused=any(call.step is Step.SYNTHESIS for call in one.cited_by),
        quotes=f"{one.found} of {figures.count_of(one.quotes, 'quote')} found"
        if one.quotes
        else "",
        missing=list(dict.fromkeys(one.missing)),
        note=note,
        orders=ORDERS.format(words=one.orders) if one.orders else "",
        may_be_read=bool(one.may_be_read and urlsplit(one.url).scheme in ("http", "https")),
        is_wanted=one.is_wanted,
    )
