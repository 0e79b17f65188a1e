"""A run as `GET /v1/runs/{id}` tells it."""

from __future__ import annotations

import uuid
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse

from ... import access
from ...engine.errors import Reason
from ...engine.spec import Spec
from ...engine.state import RunState, RunStatus
from ...models import ApiToken, Run
from ...models.tokens import Scope
from ...record.order import RunOrder, orders_of
from ...record.parts import money
from ...record.public import run_object
from ...record.rows import state_from_rows
from ...record.thread import Neighbours, neighbours
from ...record.turns import note_place
from ...site.public_url import public_url
from ..http.errors import ApiError
from ..http.replies import Error
from ..openai import shapes
from . import replies

PROMPT_SHOWN = 200


def run_reply(request: HttpRequest, token: ApiToken, run: Run) -> replies.Run:
    """From its rows, to whoever has the token."""
    note_place(run)
    with_order(run, token.owner_id)
    return run_at(
        request, token.owner_id, run, state_from_rows(run), neighbours(run, _readable(token))
    )


def with_order(run: Run, viewer_id: int) -> Run:
    """For who tells it where no database can be asked: how it is kept when it is read."""
    run.order = orders_of([run.pk], viewer_id)[run.pk]  # type: ignore[attr-defined]
    _ = run.project  # it is at hand from here on
    return run


def _readable(token: ApiToken) -> QuerySet[Run]:
    """A token that may not read finds only what it started itself."""
    runs = access.runs_visible_to(token.owner)
    return runs if Scope.READ in token.scopes else runs.filter(token=token)


def run_at(
    request: HttpRequest,
    viewer_id: int,
    run: Run,
    state: RunState,
    beside: Neighbours | None = None,
) -> replies.Run:
    """As it stands in `state`, which may be ahead of the rows; `run` is one `with_order`."""
    spec = run.frozen_spec
    fields = dict(run_object(run, spec, state, viewer_id=viewer_id, beside=beside))
    waits = state.status is RunStatus.QUEUED
    more = {
        "context": run.context or None,
        "error": _error(spec, state, run),
        "queue_place": run.queue_place if waits else None,
    }
    order = getattr(run, "order", RunOrder())
    return replies.Run(**run_row(request, viewer_id, run, order) | fields | more)


def run_row(request: HttpRequest, viewer_id: int, run: Run, order: RunOrder) -> dict[str, Any]:
    return {
        "id": str(run.pk),
        "status": run.status,
        "preset": run.preset,
        "preset_name": run.preset_name,
        "preset_version": run.preset_version,
        "prompt": "",
        "title": run.title,
        "tags": order.tags,
        "starred": order.is_starred,
        "archived": order.is_archived,
        "origin": run.origin,
        "visibility": run.shared_with,
        "project": run.project.slug if run.project else None,
        "is_own": run.owner_id == viewer_id,
        "created_at": run.created_at.timestamp(),
        "started_at": run.started_at.timestamp() if run.started_at else None,
        "finished_at": run.finished_at.timestamp() if run.finished_at else None,
        "cost": money(run.cost),
        "cost_is_partial": run.cost_is_partial,
        "urls": urls_of(request, run.pk),
    }


def urls_of(request: HttpRequest, run_id: uuid.UUID) -> replies.Urls:
    def url(name: str) -> str:
        return public_url(reverse(name, args=[run_id]), request)

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
