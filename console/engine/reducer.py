"""The one reducer: folds events into the state of a run.

`apply(state, event)` is used by the engine while a run goes on, by every
reader of the event log, and by the tests that hold rows and log together:
folding the log gives the same state as reading the rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from .errors import SENTENCES, Reason
from .events import Event, EventType
from .pool import over, with_lookup, with_search, with_source, with_step
from .receipt import Receipt
from .state import CallState, CallStatus, FusionState, RunState, RunStatus, Step


def apply(state: RunState, event: Event) -> RunState:
    """Fold one event into the state, in place; returns the state."""
    _APPLY[event.type](state, event)
    return state


def _run_started(state: RunState, event: Event) -> None:
    state.status = RunStatus.RUNNING
    state.attempt = event.data["attempt"]
    if state.finished_at is not None:
        if state.started_at is not None:  # else it was stopped before it began
            state.idle_seconds = round(state.idle_seconds + event.at - state.finished_at, 3)
        state.finished_at, state.reason, state.error = None, "", ""
    state.started_at = state.started_at or event.at
    state.grace_until = None
    # Whatever the worker before had left open was interrupted; its text stays.
    why = Reason.WORKER_STOPPED if event.data.get("handed_on") else Reason.WORKER_LOST
    for call in _open_calls(state):
        if not call.is_unsent:
            _end(call, event.at, CallStatus.FAILED, why)


def _added(state: RunState, event: Event) -> None:
    data = event.data
    state.calls[event.call] = CallState(
        key=event.call,
        step=Step(data["step"]),
        seat=data.get("seat"),
        fusion=event.fusion or None,
        number=data["number"],
        cause=data["cause"],
        panelist=data["panelist"],
        started_at=event.at,
    )


def _queued(state: RunState, event: Event) -> None:
    call = state.calls[event.call]
    call.sent_at = None  # where it was about to go out, it did not after all
    if not call.status.is_final:
        call.status = CallStatus.QUEUED


def _sent(state: RunState, event: Event) -> None:
    call = state.calls[event.call]
    call.status, call.sent_at = CallStatus.WAITING, event.at
    call.output_limit = event.data.get("output_limit")
    call.files = event.data.get("files", call.files)


def _alive(state: RunState, event: Event) -> None:
    call = state.calls[event.call]
    if call.status is CallStatus.WAITING:
        call.status = CallStatus.STREAMING


def _grace(state: RunState, event: Event) -> None:
    state.grace_until = event.data["until"]


def _fusion_started(state: RunState, event: Event) -> None:
    fusion = state.fusions.setdefault(event.fusion, FusionState(event.fusion))
    fusion.status = RunStatus.RUNNING
    fusion.judged = event.data["judged"]
    fusion.judge, fusion.synthesizer = event.data["judge"], event.data["synthesizer"]
    fusion.criteria = event.data["criteria"]
    fusion.without = event.data.get("without", [])


def _fusion_completed(state: RunState, event: Event) -> None:
    fusion = state.fusions[event.fusion]
    fusion.status = RunStatus.COMPLETED
    fusion.best = event.data.get("best", fusion.best)


def _delta(state: RunState, event: Event) -> None:
    call = state.calls[event.call]
    _write(call, event.at)
    # Taken out of the call while it grows: what nobody else holds is not copied as a whole.
    if event.type is EventType.CALL_REASONING_DELTA:
        text, call.reasoning = call.reasoning, ""
        text += event.data["text"]
        call.reasoning = text
    else:
        if call.first_text_at is None:
            call.first_text_at = event.at
        text, call.text = call.text, ""
        text += event.data["text"]
        call.text = text


def _recast(state: RunState, event: Event) -> None:
    call = state.calls[event.call]
    if not call.status.is_final:
        _write(call, event.at)
        # What had been taken for its text were thoughts.
        call.first_text_at = event.at if event.data["text"] else None
    call.text, call.reasoning = event.data["text"], event.data["reasoning"]


def _completed(state: RunState, event: Event) -> None:
    call, data = state.calls[event.call], event.data
    _receipt(call, data)
    _end(call, event.at, CallStatus.COMPLETED)
    if call.step is Step.ANALYSIS:
        _analysed(state.fusions[event.fusion], data)
    if call.step is Step.POLL:
        vote = {"seat": call.seat, "vote": data["vote"], "fused_first": data["fused_first"]}
        state.fusions[event.fusion].poll.append(vote)


def _failed(state: RunState, event: Event) -> None:
    call, data = state.calls[event.call], event.data
    _receipt(call, data)
    stopped = data["reason"] == Reason.CANCELLED
    status = CallStatus.CANCELLED if stopped else CallStatus.FAILED
    _end(call, event.at, status, data["reason"], data["error"])
    if call.step is Step.ANALYSIS and data["final"]:
        fusion = state.fusions[event.fusion]
        fusion.analysis_reason, fusion.analysis_error = data["reason"], data["error"]
        if "analysis" in data:
            _analysed(fusion, data)
    if data.get("best"):
        state.fusions[event.fusion].best = data["best"]


def _analysed(fusion: FusionState, data: dict[str, Any]) -> None:
    fusion.analysis, fusion.analysis_by = data["analysis"], data.get("analysis_by", "")


def _searched(state: RunState, event: Event) -> None:
    state.research = with_search(state.research, event.data)


def _source_added(state: RunState, event: Event) -> None:
    state.research = with_source(state.research, event.data)


def _tool_answered(state: RunState, event: Event) -> None:
    state.research = with_step(state.research, {"call": event.call, **event.data})


def _looked_up(state: RunState, event: Event) -> None:
    said = {"fusion": event.fusion, **event.data} | ({"call": event.call} if event.call else {})
    state.research = with_lookup(state.research, said)


def _research_completed(state: RunState, event: Event) -> None:
    state.research = over(state.research, event.data.get("note", ""))


def _retrying(state: RunState, event: Event) -> None:
    call = state.calls[event.call]
    call.retry_at, call.retry_cause = event.data["retry_at"], event.data["cause"]


def _run_ended(state: RunState, event: Event) -> None:
    state.status = RunStatus(event.type.split(".")[1])
    state.finished_at = event.at
    state.reason = event.data.get("reason", "")
    state.error = event.data.get("error", "")
    state.grace_until = None
    for fusion in state.fusions.values():
        if not fusion.status.is_final:
            fusion.status = state.status
    why = SENTENCES[Reason.WORKER_LOST] if state.reason == Reason.WORKER_LOST else ""
    for call in _open_calls(state):
        # Not as interrupted, even then: it is asked again only when somebody wishes it.
        _end(call, event.at, CallStatus.CANCELLED, Reason.CANCELLED, why)
    for call in state.calls.values():
        # Nor does anything follow any more, if the run is handed to a worker again.
        if call is state.latest(call.step, seat=call.seat, fusion=call.fusion):
            call.retry_at, call.retry_cause = None, ""
            if call.is_turn:  # its worker was lost before the next was known
                _end(call, event.at, CallStatus.CANCELLED, Reason.CANCELLED, why)


def _open_calls(state: RunState) -> Iterator[CallState]:
    return (c for c in state.calls.values() if not c.status.is_final)


def _receipt(call: CallState, data: dict[str, Any]) -> None:
    received = Receipt.from_dict(data)
    for f in fields(received):
        value = getattr(received, f.name)
        setattr(call, f.name, list(value) if isinstance(value, tuple) else value)
    call.status_code = data.get("status_code")
    if "text" in data:  # an analysis comes whole, in the place of what was told of it before
        call.text = data["text"]


def _write(call: CallState, at: float) -> None:
    if call.first_token_at is None:
        call.first_token_at, call.status = at, CallStatus.STREAMING


def _end(call: CallState, at: float, status: CallStatus, reason: str = "", error: str = "") -> None:
    call.status, call.finished_at, call.reason = status, at, str(reason)
    call.error = error or (SENTENCES[Reason(reason)] if reason else "")


_APPLY = {
    EventType.RUN_STARTED: _run_started,
    EventType.CALL_ADDED: _added,
    EventType.CALL_QUEUED: _queued,
    EventType.CALL_SENT: _sent,
    EventType.CALL_ALIVE: _alive,
    EventType.CALL_DELTA: _delta,
    EventType.CALL_REASONING_DELTA: _delta,
    EventType.CALL_RECAST: _recast,
    EventType.CALL_COMPLETED: _completed,
    EventType.CALL_FAILED: _failed,
    EventType.CALL_RETRYING: _retrying,
    EventType.PANEL_GRACE: _grace,
    EventType.FUSION_STARTED: _fusion_started,
    EventType.FUSION_COMPLETED: _fusion_completed,
    EventType.RESEARCH_SEARCHED: _searched,
    EventType.SOURCE_ADDED: _source_added,
    EventType.RESEARCH_COMPLETED: _research_completed,
    EventType.TOOL_ANSWERED: _tool_answered,
    EventType.CLAIM_LOOKED_UP: _looked_up,
    EventType.RUN_COMPLETED: _run_ended,
    EventType.RUN_FAILED: _run_ended,
    EventType.RUN_CANCELLED: _run_ended,
}
