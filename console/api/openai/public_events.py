"""What programs are told of an event, under which name and with which fields: all of it in one
table. What it does not list is not told.

Within, a call's life is told the same whatever its step (`engine.events`); outside it has the
names that it had first, OpenRouter's where OpenRouter has some.
"""

from __future__ import annotations

from typing import Any

from ...engine.events import Event, EventType
from ...engine.spec import Spec, letter
from ...engine.state import CallState, RunState, Step, seat_of
from ...record.public import asked_as
from . import shapes

_ADDED = ("number", "cause", "panelist")
_RETRYING = ("retry_at", "cause")
_RECEIPT = (
    *("finish_reason", "usage", "cost", "model", "provider", "generation_id"),
    *("tool_calls", "unreadable"),
)
_FAILED = ("reason", "error", "status_code", "text", *_RECEIPT)
_USAGE = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")

# (type, step of its call) -> public name, and the fields of its data in the order in which they
# are told. Without a step: of the run, or of a call of any step.
TOLD: dict[tuple[EventType, Step | None], tuple[str, tuple[str, ...]]] = {
    (EventType.RUN_STARTED, None): ("run.started", ("attempt", "handed_on")),
    (EventType.RUN_COMPLETED, None): ("run.completed", ("reason", "error")),
    (EventType.RUN_FAILED, None): ("run.failed", ("reason", "error")),
    (EventType.RUN_CANCELLED, None): ("run.cancelled", ()),
    (EventType.PANEL_GRACE, None): ("panel.grace", ("until", "usable")),
    (EventType.FUSION_STARTED, None): (
        "fusion.started",
        ("judged", "without", "judge", "synthesizer", "criteria"),
    ),
    (EventType.FUSION_COMPLETED, None): ("fusion.completed", ()),
    (EventType.CALL_QUEUED, None): ("call.queued", ("limit",)),
    (EventType.CALL_SENT, None): ("call.sent", ("output_limit",)),
    (EventType.CALL_ADDED, Step.PANEL): ("panel.added", _ADDED),
    (EventType.CALL_DELTA, Step.PANEL): ("panel.delta", ("text",)),
    (EventType.CALL_REASONING_DELTA, Step.PANEL): ("panel.reasoning.delta", ("text",)),
    (EventType.CALL_COMPLETED, Step.PANEL): ("panel.completed", _RECEIPT),
    (EventType.CALL_FAILED, Step.PANEL): ("panel.failed", _FAILED),
    (EventType.CALL_RETRYING, Step.PANEL): ("panel.retrying", _RETRYING),
    (EventType.CALL_ADDED, Step.CONDENSE): ("condense.in_progress", _ADDED),
    (EventType.CALL_COMPLETED, Step.CONDENSE): ("condense.completed", ("text", *_RECEIPT)),
    (EventType.CALL_FAILED, Step.CONDENSE): ("condense.failed", _FAILED),
    (EventType.CALL_RETRYING, Step.CONDENSE): ("condense.retrying", _RETRYING),
    (EventType.CALL_ADDED, Step.ANALYSIS): ("analysis.in_progress", _ADDED),
    (EventType.CALL_COMPLETED, Step.ANALYSIS): (
        "analysis.completed",
        ("text", *_RECEIPT, "analysis", "analysis_by"),
    ),
    (EventType.CALL_FAILED, Step.ANALYSIS): (
        "analysis.failed",
        (*_FAILED, "final", "analysis", "analysis_by"),
    ),
    (EventType.CALL_RETRYING, Step.ANALYSIS): ("analysis.retrying", _RETRYING),
    (EventType.CALL_ADDED, Step.SYNTHESIS): ("synthesis.in_progress", _ADDED),
    (EventType.CALL_DELTA, Step.SYNTHESIS): ("synthesis.delta", ("text",)),
    (EventType.CALL_REASONING_DELTA, Step.SYNTHESIS): ("synthesis.reasoning.delta", ("text",)),
    (EventType.CALL_COMPLETED, Step.SYNTHESIS): ("synthesis.completed", _RECEIPT),
    (EventType.CALL_FAILED, Step.SYNTHESIS): ("synthesis.failed", (*_FAILED, "best")),
    (EventType.CALL_RETRYING, Step.SYNTHESIS): ("synthesis.retrying", _RETRYING),
    (EventType.CALL_ADDED, Step.POLL): ("poll.in_progress", _ADDED),
    (EventType.CALL_COMPLETED, Step.POLL): (
        "poll.completed",
        ("text", "vote", "fused_first", *_RECEIPT),
    ),
    (EventType.CALL_FAILED, Step.POLL): ("poll.failed", _FAILED),
    (EventType.CALL_RETRYING, Step.POLL): ("poll.retrying", _RETRYING),
    (EventType.CALL_ADDED, Step.RESEARCH): ("research.in_progress", _ADDED),
    (EventType.CALL_COMPLETED, Step.RESEARCH): ("research.queries", ("text", *_RECEIPT)),
    (EventType.CALL_FAILED, Step.RESEARCH): ("research.failed", _FAILED),
    (EventType.CALL_RETRYING, Step.RESEARCH): ("research.retrying", _RETRYING),
    (EventType.CALL_ADDED, Step.LOOKUP): ("lookup.in_progress", _ADDED),
    (EventType.CALL_COMPLETED, Step.LOOKUP): ("lookup.read", _RECEIPT),
    (EventType.CALL_FAILED, Step.LOOKUP): ("lookup.failed", _FAILED),
    (EventType.CALL_RETRYING, Step.LOOKUP): ("lookup.retrying", _RETRYING),
    (EventType.CLAIM_LOOKED_UP, None): (
        "lookup.completed",
        ("claim", "before", "queries", "sources", "quotes", "note"),
    ),
    (EventType.RESEARCH_SEARCHED, None): (
        "research.searched",
        ("query", "engine", "found", "failure", "reason", "lacks"),
    ),
    (EventType.SOURCE_ADDED, None): (
        "source.added",
        ("number", "url", "title", "words", "query", "failure"),
    ),
    (EventType.RESEARCH_COMPLETED, None): ("research.completed", ("note",)),
    (EventType.TOOL_ANSWERED, None): (
        "tool.answered",
        ("tool", "asked", "found", "number", "failure"),
    ),
}
TURN = "panel.turn"  # a call of the panel that ended in calls of tools: its seat goes on


def public(
    event: Event, call: CallState | None, spec: Spec, state: RunState | None = None
) -> tuple[str, dict[str, Any]] | None:
    """(name, what is told) of an event of this call, which `state` knows of; None when programs
    are not told of it.

    Of models they are told the names, of costs numbers, of seats letters.
    """
    listed = TOLD.get((event.type, call.step if call else None)) or TOLD.get((event.type, None))
    if listed is None:
        return None
    name, fields = listed
    if event.data.get("before") and not event.data.get("is_over"):
        return None  # a claim is about to be looked up
    if event.type is EventType.CALL_COMPLETED and event.data.get("goes_on"):
        name = TURN
    body: dict[str, Any] = {"type": name, "at": event.at}
    if event.call:
        body["call"] = event.call
        seat = seat_of(event.call)
        if seat is not None:
            body["seat"] = letter(seat)
    if event.fusion:
        body["fusion"] = event.fusion
    for field in fields:
        if field in event.data:
            body |= _told(field, event, spec, state)
    if call and call.is_by_words and "model" in body:
        body["model"] = None  # nobody is asked
    return name, body


def _told(field: str, event: Event, spec: Spec, state: RunState | None) -> dict[str, Any]:
    value = event.data[field]
    match field:
        case "panelist":
            return {"model": value["model"]}
        case "judge" | "synthesizer":
            return {field: asked_as(value)}
        case "analysis":
            judged = shapes.judged(state, state.fusions.get(event.fusion or 0)) if state else []
            return {field: shapes.analysis_object(spec, value, judged)}
        case "before":
            return {"before_writing": value}
        case "cost":
            return {field: None if value is None else float(value)}
        case "usage":
            return {field: {name: value[name] for name in _USAGE if name in value}}
        case _:
            return {field: value}


def name_of(kind: EventType, step: Step) -> str:
    return TOLD[kind, step][0]


def tells_deltas(step: Step) -> bool:
    """Whether the text of such a call is told while it is written."""
    return (EventType.CALL_DELTA, step) in TOLD
