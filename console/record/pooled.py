"""The sources of a run as they are told: those that were read, by number, those that could not be,
and those that providers name for what they searched themselves, which nobody here has read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..engine import pool
from ..engine.findings.cited import numbered
from ..engine.spec import letter
from ..engine.state import CallState, RunState, Step, seat_of


@dataclass
class PoolEntry:
    """`quotes` of it that stand there, of how many; `missing` those that do not."""

    url: str
    title: str
    number: int | None = None
    query: str = ""
    words: int | None = None
    pages: int | None = None
    hash: str | None = None
    at: float | None = None
    failure: str = ""
    orders: str = ""
    is_cut: bool = False
    cited_by: list[CallState] = field(default_factory=list)
    named_by: list[int] = field(default_factory=list)
    # Seats that opened it with tools of their own.
    opened_by: list[int] = field(default_factory=list)
    found: int = 0
    quotes: int = 0
    missing: list[str] = field(default_factory=list)
    # A reader wants it read.
    is_wanted: bool = False

    @property
    def was_read(self) -> bool:
        return self.number is not None

    @property
    def may_be_read(self) -> bool:
        """A provider named it, and nobody here has read it or is about to."""
        return bool(self.named_by) and not (self.was_read or self.is_wanted)


def pooled(state: RunState) -> list[PoolEntry]:
    """By number, then what was not read, in the order in which it came."""
    known = {
        source["url"]: PoolEntry(
            url=source["url"],
            title=source["title"] or source["url"],
            number=source.get("number"),
            query=source["query"],
            words=source.get("words"),
            pages=source.get("pages"),
            hash=source.get("hash"),
            at=source["at"],
            failure=source.get("failure", ""),
            orders=source.get("orders", ""),
            is_cut=source.get("is_cut", False),
        )
        for source in pool.sources(state.research)
    }
    by_number = {one.number: one for one in known.values() if one.was_read}
    for step in pool.trail(state.research):
        seat, opened = seat_of(step["call"]), by_number.get(step.get("number"))
        if opened and seat is not None and seat not in opened.opened_by:
            opened.opened_by.append(seat)
    led = led_to(state.research)
    checked = {s["url"]: s["checked"] for s in pool.sources(state.research) if "checked" in s}
    counted: set[tuple[str, str]] = set()
    for call in _answers(state):
        for cited in call.citations:
            one = known.get(led.get(cited["url"], cited["url"]))
            if one is not None and one.was_read:
                if call not in one.cited_by:
                    one.cited_by.append(call)
                # By an address that only leads there an answer has another number for it.
                place = cited["url"] if cited["url"] in checked else one.url
                if (call.key, place) not in counted:
                    counted.add((call.key, place))
                    _count(one, cited | checked.get(place, {}).get(call.key, {}))
            elif call.seat is not None:
                title = cited["title"] or cited["url"]
                one = known.setdefault(cited["url"], PoolEntry(cited["url"], title))
                one.named_by.append(call.seat)
    for wanted in pool.wanted(state.research):
        if wanted["url"] in known:
            known[wanted["url"]].is_wanted = True
    return sorted(known.values(), key=lambda one: (not one.was_read, one.number or 0))


def led_to(research: pool.Pool) -> dict[str, str]:
    """Address -> that of the source that was found there."""
    by_number = {source["number"]: source["url"] for source in pool.read(research)}
    led = {s["asked"]: s["url"] for s in pool.sources(research) if "asked" in s}
    for source in pool.sources(research):
        if url := by_number.get(source.get("leads_to")):
            led |= {source["url"]: url} | ({source["asked"]: url} if "asked" in source else {})
    return led


def answers_that_cite(state: RunState, number: int) -> list[tuple[str, str, int]]:
    """(letter, text, its number for that source) of each, of what was written from them “fused
    answer”."""
    source = next((s for s in pool.read(state.research) if s["number"] == number), {})
    url, led = source.get("url"), led_to(state.research)
    return [
        ("fused answer" if call.seat is None else letter(call.seat), call.text, its_number)
        for call in _answers(state)
        for its_number, one in numbered(call.citations)
        if led.get(one["url"], one["url"]) == url
    ]


def _answers(state: RunState) -> Sequence[CallState]:
    """The panel's, by seat, then what was written from them last."""
    panel = (c.seat for c in state.calls.values() if c.step is Step.PANEL)
    answers = [state.answer(seat) for seat in sorted({s for s in panel if s is not None})]
    return [call for call in (*answers, state.fused) if call and call.is_usable]


def _count(one: PoolEntry, cited: dict[str, str]) -> None:
    if "found" in cited:
        found, _, of = cited["found"].partition(" of ")
        one.found += int(found)
        one.quotes += int(of)
        one.missing += cited.get("missing", "").splitlines()
