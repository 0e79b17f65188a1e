"""A run as `GET /v1/runs/{id}` tells it."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from ...engine.errors import Reason
from ...engine.findings.given import given
from ...engine.spec import Spec, letter
from ...engine.state import CallState, FusionState, RunState, RunStatus
from ...engine.steps.condense import condensing_of
from ...models import Run
from ...record.rows import state_from_rows
from ..http.errors import ApiError
from ..http.replies import Analysis, Error, Usage
from ..openai import shapes
from . import replies

PROMPT_SHOWN = 200


def run_reply(request: HttpRequest, viewer_id: int, run: Run) -> replies.Run:
    """From its rows."""
    return run_at(request, viewer_id, run, state_from_rows(run))


def run_at(request: HttpRequest, viewer_id: int, run: Run, state: RunState) -> replies.Run:
    """As it stands in `state`, which may be ahead of the rows."""
    spec = run.frozen_spec
    answer = shapes.answer_of(spec, state) if state.status.is_final else None
    cost, partial = state.cost()
    row = run_row(request, viewer_id, run) | {
        "status": state.status.value,
        "prompt": run.prompt,
        "started_at": state.started_at,
        "finished_at": state.finished_at,
        "cost": shapes.money(cost),
        "cost_is_partial": partial,
    }
    return replies.Run(
        **row,
        panel=[p.model for p in spec.panel],
        judge=spec.judge.model,
        synthesizer=spec.writer.model,
        answer=answer.text if answer else None,
        tool_calls=answer.tool_calls if answer else [],
        finish_reason=answer.finish_reason if answer else None,
        usage=Usage(**shapes.usage_of([state])),
        calls=[_call(call) for call in state.calls.values()],
        fusions=[_fusion(spec, state, fusion) for fusion in state.fusions.values()],
        error=_error(spec, state, run),
    )


def run_row(request: HttpRequest, viewer_id: int, run: Run) -> dict[str, Any]:
    return {
        "id": str(run.pk),
        "status": run.status,
        "preset": run.preset,
        "preset_name": run.preset_name,
        "prompt": "",
        "origin": run.origin,
        "visibility": run.visibility,
        "is_own": run.owner_id == viewer_id,
        "created_at": run.created_at.timestamp(),
        "started_at": run.started_at.timestamp() if run.started_at else None,
        "finished_at": run.finished_at.timestamp() if run.finished_at else None,
        "cost": shapes.money(run.cost),
        "cost_is_partial": run.cost_is_partial,
        "urls": urls_of(request, run.pk),
    }


def urls_of(request: HttpRequest, run_id: uuid.UUID) -> replies.Urls:
    def url(name: str) -> str:
        path = reverse(name, args=[run_id])
        base = settings.BASE_URL
        return f"{base}{path}" if base else request.build_absolute_uri(path)

    return replies.Urls(
        run=url("api-run"),
        events=url("api-run-events"),
        cancel=url("api-run-cancel"),
        fusions=url("api-run-fusions"),
        page=url("run-detail"),
    )


def _error(spec: Spec, state: RunState, run: Run) -> Error | None:
    if state.status is RunStatus.QUEUED and state.reason == Reason.NEEDS_NEWER_VERSION:
        # Of its workers: what answers this can read it.
        waits = ApiError(state.reason)
        return Error(
            message=waits.message,
            type=waits.condition.type,
            param=None,
            code=waits.code,
            metadata={"reason": state.reason},
        )
    if state.status not in shapes.ENDED_BADLY:
        return None
    failure = shapes.failure(spec, state, run_id=str(run.pk), run_url="")
    return Error(
        message=failure.message,
        type=failure.condition.type,
        param=None,
        code=failure.code,
        metadata={"reason": failure.extra["metadata"]["reason"]},
    )


def _call(call: CallState) -> replies.Call:
    return replies.Call(
        key=call.key,
        step=call.step.value,
        seat=None if call.seat is None else letter(call.seat),
        fusion=call.fusion,
        number=call.number,
        cause=call.cause,
        model=shapes.model_of(call),
        answered_by=call.model or None,
        provider=call.provider or None,
        status=call.status.value,
        text=shapes.text_of(call),
        reasoning=call.reasoning,
        tool_calls=call.tool_calls,
        finish_reason=call.finish_reason,
        unreadable=call.unreadable,
        reason=call.reason or None,
        error=call.error or None,
        status_code=call.status_code,
        usage=call.usage.to_dict(),
        cost=shapes.money(call.cost),
        retry_at=call.retry_at,
        started_at=call.started_at,
        sent_at=call.sent_at,
        first_token_at=call.first_token_at,
        finished_at=call.finished_at,
    )


def _fusion(spec: Spec, state: RunState, fusion: FusionState) -> replies.Fusion:
    analysis = shapes.analysis_object(spec, fusion.analysis) if fusion.analysis else None
    answer = given(state, fusion) if fusion.status.is_final else None
    shortened = condensing_of(state, fusion.number)
    return replies.Fusion(
        number=fusion.number,
        status=fusion.status.value,
        judge=str(fusion.judge.get("model", "")),
        synthesizer=str(fusion.synthesizer.get("model", "")),
        criteria=fusion.criteria,
        seats=[letter(seat) for seat in fusion.seats],
        judged=fusion.judged,
        analysis=Analysis.model_validate(analysis) if analysis else None,
        answer=(answer.text or None) if answer else None,
        stands_in=fusion.best or None,
        condensed=[letter(seat) for seat in shortened.condensed],
        left_out=[letter(seat) for seat in shortened.left_out],
        failure_reason=fusion.analysis_reason or None,
        error=fusion.analysis_error or None,
    )
