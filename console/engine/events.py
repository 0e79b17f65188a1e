"""Everything that can happen in a run's life, in one list.

An event is a fact with a time (`at`, seconds since the epoch). What happens to a
call is the same whatever its step: its events carry its key, and of what becomes of
a fusion also the number of that. What each type carries in `data`:

    run.started             attempt [, handed_on]    the worker before was stopped, not lost
    call.added              step, number, cause, panelist [, seat]   an empty text begins
    call.queued             [limit]                  waits for a free place with its credential,
                                                     or was about to go out and did not
    call.sent               [output_limit]           on record before its first byte goes out; with
                                                     a limit: a budget paid for no more
    call.alive              nothing                  a sign of life before the first word
    call.delta              text
    call.reasoning.delta    text
    call.recast             text, reasoning          in place of both, as far as they had come
    call.completed          the fields of a `receipt.Receipt` [, text]
    call.failed             reason, error, final [, status_code, and what call.completed carries]
    call.retrying           retry_at, cause          another call follows; None: not any more
    panel.grace             until, usable            the quorum is in: who is silent has so long
    fusion.started          judged, judge, synthesizer, criteria  judged: keys of the calls compared
                            [, without]              keys of those that write on meanwhile
    fusion.completed        nothing                  of a fusion beside which somebody still writes,
                            or best                  of one that chose an answer instead of writing
    research.searched       query, engine, found [, failure, reason, lacks, cost]   (pool.py)
    source.added            url, title, query, at, and of one that was read number, hash, words
                            [, asked, pages, is_cut, orders], of another failure (pool.py)
    research.completed      nothing, or note         nothing more is searched
    tool.answered           place, tool, asked, at [, found, number, room, about, failure]   what
                            came of a tool that a call asked for (pool.py)
    claim.looked_up         id, claim, text, stances, at, queries, sources, quotes, is_over [, note]
                            of a fusion, by its first call: what pages say of it (pool.py)
    run.completed           nothing, or reason and error where another answer stands in, or
                            error alone where there is no judge
    run.failed              reason, error
    run.cancelled           nothing

`final`: no other try follows. `text` is of a call that does not stream: it comes whole.
What a step finds for its fusion, its call's end carries too:

    analysis                call.completed: analysis [, analysis_by]   "words": no judge was asked
                            call.failed: the same, where none could be asked and no other follows
    synthesis               call.failed: best        key of the answer that stands in
    poll                    call.completed: vote, fused_first

A fusion of one usable answer has no analysis: there is nothing to compare.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class EventType(StrEnum):
    RUN_STARTED = "run.started"
    CALL_ADDED = "call.added"
    CALL_QUEUED = "call.queued"
    CALL_SENT = "call.sent"
    CALL_ALIVE = "call.alive"
    CALL_DELTA = "call.delta"
    CALL_REASONING_DELTA = "call.reasoning.delta"
    CALL_RECAST = "call.recast"
    CALL_COMPLETED = "call.completed"
    CALL_FAILED = "call.failed"
    CALL_RETRYING = "call.retrying"
    PANEL_GRACE = "panel.grace"
    FUSION_STARTED = "fusion.started"
    FUSION_COMPLETED = "fusion.completed"
    RESEARCH_SEARCHED = "research.searched"
    SOURCE_ADDED = "source.added"
    RESEARCH_COMPLETED = "research.completed"
    TOOL_ANSWERED = "tool.answered"
    CLAIM_LOOKED_UP = "claim.looked_up"
    RUN_COMPLETED = "run.completed"
    RUN_FAILED = "run.failed"
    RUN_CANCELLED = "run.cancelled"

    @property
    def is_delta(self) -> bool:
        return self.value.endswith(".delta")

    @property
    def ends_something(self) -> bool:
        """A call, a fusion or the run: rows are written at once, the log is flushed."""
        return self.value.endswith((".completed", ".failed", ".cancelled"))


TYPES = {kind.value: kind for kind in EventType}


@dataclass(frozen=True)
class Event:
    type: EventType
    at: float
    call: str = ""
    fusion: int = 0
    data: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        body: dict[str, Any] = {"t": self.type.value, "at": self.at}
        if self.call:
            body["c"] = self.call
        if self.fusion:
            body["f"] = self.fusion
        if self.data:
            body["d"] = self.data
        return body

    @classmethod
    def from_dict(cls, body: dict[str, Any]) -> Event:
        return cls(
            TYPES[body["t"]], body["at"], body.get("c", ""), body.get("f", 0), body.get("d", {})
        )
