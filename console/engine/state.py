"""The folded state of a run, and the one reducer that makes it.

`apply(state, event)` is used by the engine while a run goes on, by every
reader of the event log, and by the tests that hold rows and log together:
folding the log gives the same state as reading the rows.

A call's key is `panel-<seat>-<number>`, `analysis-f<fusion>-<number>` or
`synthesis-f<fusion>-<number>`; numbers start at 1.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from .errors import SENTENCES, Reason
from .events import Event, EventType
from .usage import Usage, total_cost


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self not in (RunStatus.QUEUED, RunStatus.RUNNING)


class CallStatus(StrEnum):
    WAITING = "waiting"  # made known, nothing has arrived
    STREAMING = "streaming"
    RETRYING = "retrying"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in (CallStatus.COMPLETED, CallStatus.FAILED, CallStatus.CANCELLED)


class Step(StrEnum):
    PANEL = "panel"
    ANALYSIS = "analysis"
    SYNTHESIS = "synthesis"


def call_key(step: Step, place: int, number: int) -> str:
    """`place` is the seat of a panel call and the fusion of any other."""
    return f"{step}-{place}-{number}" if step is Step.PANEL else f"{step}-f{place}-{number}"


@dataclass
class CallState:
    key: str
    step: Step
    number: int
    cause: str
    panelist: dict[str, Any]
    seat: int | None = None
    fusion: int | None = None
    status: CallStatus = CallStatus.WAITING
    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    reason: str = ""
    error: str = ""
    status_code: int | None = None
    usage: Usage = field(default_factory=Usage)
    cost: Decimal | None = None
    model: str = ""
    provider: str = ""
    generation_id: str = ""
    started_at: float | None = None
    first_token_at: float | None = None
    finished_at: float | None = None

    @property
    def is_usable(self) -> bool:
        return self.status is CallStatus.COMPLETED and bool(self.text.strip())

    @property
    def was_billable(self) -> bool:
        """Ended after something came back, so somebody may have been charged for it.

        A refused or empty answer may have cost its thoughts, which are not always shown.
        """
        came_back = self.text or self.reasoning or self.usage != Usage() or self.cost is not None
        return self.status.is_final and (self.status is CallStatus.COMPLETED or bool(came_back))

    @property
    def is_unconfirmed(self) -> bool:
        """Ended properly, without saying why."""
        return self.status is CallStatus.COMPLETED and self.finish_reason is None

    def to_dict(self) -> dict[str, Any]:
        data = {k: v for k, v in asdict(self).items() if v not in (None, "", {})}
        data["usage"] = self.usage.to_dict()
        if self.cost is not None:
            data["cost"] = str(self.cost)
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> CallState:
        return cls(
            **(
                data
                | {
                    "step": Step(data["step"]),
                    "status": CallStatus(data["status"]),
                    "panelist": data.get("panelist", {}),
                    "usage": Usage.from_dict(data.get("usage")),
                    "cost": Decimal(data["cost"]) if "cost" in data else None,
                }
            )
        )


@dataclass
class FusionState:
    number: int
    judged: list[str] = field(default_factory=list)
    analysis: dict[str, Any] | None = None
    analysis_reason: str = ""
    analysis_error: str = ""
    status: RunStatus = RunStatus.RUNNING

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> FusionState:
        return cls(**(data | {"status": RunStatus(data["status"])}))


@dataclass
class RunState:
    status: RunStatus = RunStatus.QUEUED
    attempt: int = 0
    reason: str = ""
    error: str = ""
    started_at: float | None = None
    finished_at: float | None = None
    calls: dict[str, CallState] = field(default_factory=dict)
    fusions: dict[int, FusionState] = field(default_factory=dict)

    def calls_of(
        self, step: Step, *, seat: int | None = None, fusion: int | None = None
    ) -> list[CallState]:
        return [
            c
            for c in self.calls.values()
            if c.step is step and c.seat == seat and c.fusion == fusion
        ]

    def latest(
        self, step: Step, *, seat: int | None = None, fusion: int | None = None
    ) -> CallState | None:
        return max(
            self.calls_of(step, seat=seat, fusion=fusion), key=lambda c: c.number, default=None
        )

    @property
    def fusion(self) -> FusionState | None:
        """The latest fusion."""
        return self.fusions[max(self.fusions)] if self.fusions else None

    @property
    def fused(self) -> CallState | None:
        """The call that writes, or wrote, the fused answer."""
        return self.latest(Step.SYNTHESIS, fusion=self.fusion.number) if self.fusion else None

    @property
    def fused_answer(self) -> str:
        return self.fused.text if self.fused and self.fused.is_usable else ""

    def cost(self) -> tuple[Decimal | None, bool]:
        """(known cost or None, whether some finished call's cost is unknown)."""
        return total_cost(c.cost for c in self.calls.values() if c.was_billable)

    def usage(self) -> Usage:
        return sum((c.usage for c in self.calls.values()), Usage())

    def to_dict(self) -> dict[str, Any]:
        return {
            "status": self.status.value,
            "attempt": self.attempt,
            "reason": self.reason,
            "error": self.error,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "calls": [c.to_dict() for c in self.calls.values()],
            "fusions": [asdict(f) for f in self.fusions.values()],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> RunState:
        return cls(
            status=RunStatus(data["status"]),
            attempt=data["attempt"],
            reason=data["reason"],
            error=data["error"],
            started_at=data["started_at"],
            finished_at=data["finished_at"],
            calls={c["key"]: CallState.from_dict(c) for c in data["calls"]},
            fusions={f["number"]: FusionState.from_dict(f) for f in data["fusions"]},
        )


def apply(state: RunState, event: Event) -> RunState:
    """Fold one event into the state, in place; returns the state."""
    _APPLY[event.type](state, event)
    return state


def _run_started(state: RunState, event: Event) -> None:
    state.status = RunStatus.RUNNING
    state.attempt = event.data["attempt"]
    state.started_at = state.started_at or event.at
    # Whatever a lost worker had left open was interrupted; its text stays.
    for call in _open_calls(state):
        _end(call, event.at, CallStatus.FAILED, Reason.WORKER_LOST)


def _added(state: RunState, event: Event) -> None:
    data, step = event.data, Step(event.type.split(".")[0])
    if event.fusion and event.fusion not in state.fusions:
        state.fusions[event.fusion] = FusionState(event.fusion)
    if step is Step.ANALYSIS:
        state.fusions[event.fusion].judged = data["judged"]
    if not event.call:
        return
    state.calls[event.call] = CallState(
        key=event.call,
        step=step,
        seat=data.get("seat"),
        fusion=event.fusion or None,
        number=data["number"],
        cause=data["cause"],
        panelist=data["panelist"],
        started_at=event.at,
    )


def _delta(state: RunState, event: Event) -> None:
    call = state.calls[event.call]
    if call.first_token_at is None:
        call.first_token_at, call.status = event.at, CallStatus.STREAMING
    if ".reasoning." in event.type:
        call.reasoning += event.data["text"]
    else:
        call.text += event.data["text"]


def _finished(state: RunState, event: Event) -> None:
    call, data = state.calls[event.call], event.data
    failed = event.type in (EventType.PANEL_FAILED, EventType.SYNTHESIS_FAILED)
    _receipt(call, data)
    if failed:
        _end(call, event.at, CallStatus.FAILED, data["reason"], data["error"])
    else:
        _end(call, event.at, CallStatus.COMPLETED)


def _retrying(state: RunState, event: Event) -> None:
    call = state.calls[event.call]
    call.status, call.reason, call.error = (
        CallStatus.RETRYING,
        event.data["reason"],
        event.data["error"],
    )


def _analysis_completed(state: RunState, event: Event) -> None:
    state.fusions[event.fusion].analysis = event.data["analysis"]
    call = state.calls[event.call]
    _receipt(call, event.data)
    _end(call, event.at, CallStatus.COMPLETED)


def _analysis_failed(state: RunState, event: Event) -> None:
    data = event.data
    if data["final"]:
        fusion = state.fusions[event.fusion]
        fusion.analysis_reason, fusion.analysis_error = data["reason"], data["error"]
    if event.call:
        call = state.calls[event.call]
        _receipt(call, data)
        _end(call, event.at, CallStatus.FAILED, data["reason"], data["error"])


def _run_ended(state: RunState, event: Event) -> None:
    state.status = RunStatus(event.type.split(".")[1])
    state.finished_at = event.at
    state.reason = event.data.get("reason", "")
    state.error = event.data.get("error", "")
    for fusion in state.fusions.values():
        if not fusion.status.is_final:
            fusion.status = state.status
    for call in _open_calls(state):
        _end(call, event.at, CallStatus.CANCELLED, Reason.CANCELLED)


def _open_calls(state: RunState) -> Iterator[CallState]:
    return (c for c in state.calls.values() if not c.status.is_final)


def _receipt(call: CallState, data: dict[str, Any]) -> None:
    call.finish_reason = data.get("finish_reason")
    call.usage = Usage.from_dict(data.get("usage"))
    call.cost = Decimal(data["cost"]) if data.get("cost") is not None else None
    call.model = data.get("model", "")
    call.provider = data.get("provider", "")
    call.generation_id = data.get("generation_id", "")
    call.status_code = data.get("status_code")
    if "text" in data:  # an analysis does not stream: its text comes whole
        call.text = data["text"]


def _end(call: CallState, at: float, status: CallStatus, reason: str = "", error: str = "") -> None:
    call.status, call.finished_at, call.reason = status, at, str(reason)
    call.error = error or (SENTENCES[Reason(reason)] if reason else "")


_APPLY = {
    EventType.RUN_STARTED: _run_started,
    EventType.PANEL_ADDED: _added,
    EventType.PANEL_DELTA: _delta,
    EventType.PANEL_REASONING_DELTA: _delta,
    EventType.PANEL_COMPLETED: _finished,
    EventType.PANEL_FAILED: _finished,
    EventType.PANEL_RETRYING: _retrying,
    EventType.ANALYSIS_IN_PROGRESS: _added,
    EventType.ANALYSIS_COMPLETED: _analysis_completed,
    EventType.ANALYSIS_FAILED: _analysis_failed,
    EventType.SYNTHESIS_IN_PROGRESS: _added,
    EventType.SYNTHESIS_DELTA: _delta,
    EventType.SYNTHESIS_REASONING_DELTA: _delta,
    EventType.SYNTHESIS_COMPLETED: _finished,
    EventType.SYNTHESIS_FAILED: _finished,
    EventType.RUN_COMPLETED: _run_ended,
    EventType.RUN_FAILED: _run_ended,
    EventType.RUN_CANCELLED: _run_ended,
}
