"""Between rows and the folded state, both ways, so that one test can hold them together."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..engine.findings.given import given
from ..engine.findings.worth import changed
from ..engine.state import CallState, CallStatus, FusionState, RunState, RunStatus, Step
from ..engine.usage import Usage
from ..models import Call, Fusion, Run

CALL_FIELDS = [
    "fusion",
    "status",
    "text",
    "reasoning",
    "finish_reason",
    "reason",
    "error",
    "status_code",
    "usage",
    "cost",
    "model",
    "provider",
    "generation_id",
    "tool_calls",
    "unreadable",
    "retry_at",
    "retry_cause",
    "started_at",
    "sent_at",
    "first_token_at",
    "finished_at",
]

FUSION_FIELDS = [
    "status",
    "judge",
    "synthesizer",
    "criteria",
    "seats",
    "judged",
    "analysis",
    "analysis_reason",
    "analysis_error",
    "best",
    "poll",
    "changed",
    "text",
]


def state_from_rows(run: Run) -> RunState:
    """The run, its fusions and its calls are read one after the other while a worker writes."""
    numbers: dict[int | None, int | None] = {None: None}
    state = RunState(
        status=RunStatus(run.status),
        attempt=run.attempt,
        reason=run.reason,
        error=run.error,
        started_at=_seconds(run.started_at),
        finished_at=_seconds(run.finished_at),
        idle_seconds=run.idle_seconds,
        grace_until=_seconds(run.grace_until),
    )
    for fusion in run.fusions.all():
        numbers[fusion.pk] = fusion.number
        state.fusions[fusion.number] = FusionState(
            number=fusion.number,
            judge=fusion.judge,
            synthesizer=fusion.synthesizer,
            criteria=fusion.criteria,
            seats=fusion.seats,
            judged=fusion.judged,
            analysis=fusion.analysis,
            analysis_reason=fusion.analysis_reason,
            analysis_error=fusion.analysis_error,
            best=fusion.best,
            poll=fusion.poll,
            status=RunStatus(fusion.status),
        )
    for call in run.calls.all():
        if call.fusion_id not in numbers:
            continue  # of a fusion opened since the line above; the next reading has both
        state.calls[call.key] = CallState(
            key=call.key,
            step=Step(call.step),
            number=call.number,
            cause=call.cause,
            panelist=call.panelist,
            seat=call.seat,
            fusion=numbers[call.fusion_id],
            status=CallStatus(call.status),
            text=call.text,
            reasoning=call.reasoning,
            finish_reason=call.finish_reason,
            reason=call.reason,
            error=call.error,
            status_code=call.status_code,
            usage=Usage.from_dict(call.usage),
            cost=call.cost.normalize() if call.cost is not None else None,
            model=call.model,
            provider=call.provider,
            generation_id=call.generation_id,
            tool_calls=call.tool_calls,
            unreadable=call.unreadable,
            retry_at=_seconds(call.retry_at),
            retry_cause=call.retry_cause,
            started_at=_seconds(call.started_at),
            sent_at=_seconds(call.sent_at),
            first_token_at=_seconds(call.first_token_at),
            finished_at=_seconds(call.finished_at),
        )
    return state


def call_row(run_id: Any, call: CallState) -> Call:
    """Without its fusion, whose row may not be there yet."""
    return Call(
        run_id=run_id,
        key=call.key,
        step=call.step,
        seat=call.seat,
        number=call.number,
        cause=call.cause,
        panelist=call.panelist,
        status=call.status,
        text=_storable(call.text),
        reasoning=_storable(call.reasoning),
        finish_reason=call.finish_reason,
        reason=call.reason,
        error=_storable(call.error),
        status_code=call.status_code,
        usage=call.usage.to_dict(),
        cost=call.cost,
        model=call.model[:200],
        provider=call.provider[:200],
        generation_id=call.generation_id[:200],
        tool_calls=call.tool_calls,
        unreadable=call.unreadable,
        retry_at=when(call.retry_at),
        retry_cause=call.retry_cause,
        started_at=when(call.started_at),
        sent_at=when(call.sent_at),
        first_token_at=when(call.first_token_at),
        finished_at=when(call.finished_at),
    )


def fusion_row(run_id: Any, state: RunState, fusion: FusionState) -> Fusion:
    return Fusion(
        run_id=run_id,
        number=fusion.number,
        status=fusion.status,
        judge=fusion.judge,
        synthesizer=fusion.synthesizer,
        criteria=fusion.criteria,
        seats=fusion.seats,
        judged=fusion.judged,
        analysis=fusion.analysis,
        analysis_reason=fusion.analysis_reason,
        analysis_error=_storable(fusion.analysis_error),
        best=fusion.best,
        poll=fusion.poll,
        changed=changed(state, fusion),
        text=_storable(found.text if (found := given(state, fusion)) else ""),
    )


def run_fields(state: RunState) -> dict[str, Any]:
    """The columns of the run itself that a state decides."""
    fields: dict[str, Any] = {
        "started_at": when(state.started_at),
        "idle_seconds": state.idle_seconds,
        "grace_until": when(state.grace_until),
        "finished_at": when(state.finished_at),
    }
    if state.status.is_final:
        cost, partial = state.cost()
        fields |= {
            "status": state.status,
            "reason": state.reason,
            "error": _storable(state.error),
            "cost": cost,
            "cost_is_partial": partial,
            "lease_until": None,
        }
    return fields


def when(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else round(moment.timestamp(), 3)


def _storable(text: str) -> str:
    """PostgreSQL refuses NUL; a lone surrogate cannot be encoded by anybody."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
