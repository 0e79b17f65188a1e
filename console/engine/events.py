"""Everything that can happen in a run's life, in one list.

An event is a fact with a time (`at`, seconds since the epoch). Panel events
carry the key of their call, analysis and synthesis events also the number of
their fusion. What each type carries in `data`:

    run.started             attempt [, handed_on]    the worker before was stopped, not lost
    panel.added             seat, number, cause, panelist      an empty text begins
    panel.delta             text
    panel.reasoning.delta   text
    panel.completed         the fields of a `receipt.Receipt`
    panel.failed            reason, error [, status_code, and what panel.completed carries]
    panel.retrying          retry_at, cause          another call follows; None: not any more
    panel.grace             until, usable            the quorum is in: who is silent has so long
    call.queued             [limit]                  waits for a free place with its credential,
                                                     or was about to go out and did not
    call.sent               nothing                  on record before its first byte goes out
    fusion.started          judged, judge, synthesizer, criteria  judged: keys of the calls compared
    condense.in_progress    seat, number, cause, panelist   an answer is condensed for a fusion
    condense.completed      text, and what panel.completed carries
    condense.failed         as panel.failed                 the answer is left out of the fusion
    condense.retrying       as panel.retrying
    analysis.in_progress    number, cause, panelist
    analysis.completed      analysis, and what panel.completed carries
    analysis.failed         reason, error, final               final: no other try follows
    analysis.retrying       as panel.retrying
    synthesis.in_progress   number, cause, panelist
    synthesis.delta         text
    synthesis.reasoning.delta text
    synthesis.completed     as panel.completed
    synthesis.failed        as panel.failed [, best] best: key of the answer that stands in
    synthesis.retrying      as panel.retrying
    poll.in_progress        seat, number, cause, panelist   a panelist is asked what it prefers
    poll.completed          text, vote, fused_first, and what panel.completed carries
    poll.failed             as panel.failed
    poll.retrying           as panel.retrying
    run.completed           nothing
    run.failed              reason, error
    run.cancelled           nothing

A fusion of one usable answer has no analysis: there is nothing to compare.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class EventType(StrEnum):
    RUN_STARTED = "run.started"
    PANEL_ADDED = "panel.added"
    PANEL_DELTA = "panel.delta"
    PANEL_REASONING_DELTA = "panel.reasoning.delta"
    PANEL_COMPLETED = "panel.completed"
    PANEL_FAILED = "panel.failed"
    PANEL_RETRYING = "panel.retrying"
    PANEL_GRACE = "panel.grace"
    CALL_QUEUED = "call.queued"
    CALL_SENT = "call.sent"
    FUSION_STARTED = "fusion.started"
    CONDENSE_IN_PROGRESS = "condense.in_progress"
    CONDENSE_COMPLETED = "condense.completed"
    CONDENSE_FAILED = "condense.failed"
    CONDENSE_RETRYING = "condense.retrying"
    ANALYSIS_IN_PROGRESS = "analysis.in_progress"
    ANALYSIS_COMPLETED = "analysis.completed"
    ANALYSIS_FAILED = "analysis.failed"
    ANALYSIS_RETRYING = "analysis.retrying"
    SYNTHESIS_IN_PROGRESS = "synthesis.in_progress"
    SYNTHESIS_DELTA = "synthesis.delta"
    SYNTHESIS_REASONING_DELTA = "synthesis.reasoning.delta"
    SYNTHESIS_COMPLETED = "synthesis.completed"
    SYNTHESIS_FAILED = "synthesis.failed"
    SYNTHESIS_RETRYING = "synthesis.retrying"
    POLL_IN_PROGRESS = "poll.in_progress"
    POLL_COMPLETED = "poll.completed"
    POLL_FAILED = "poll.failed"
    POLL_RETRYING = "poll.retrying"
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
            EventType(body["t"]), body["at"], body.get("c", ""), body.get("f", 0), body.get("d", {})
        )
