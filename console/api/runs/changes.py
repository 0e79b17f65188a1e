"""`GET /v1/runs/{id}/changes`: what changed against another run of the same question."""

from __future__ import annotations

import asyncio
import uuid

from django.http import Http404, HttpResponseBase, JsonResponse

from ... import access
from ...engine.findings.changes import SaidByRun
from ...models import Run
from ...models.tokens import Scope
from ...record.changed_since import changed_since, earlier, said_by
from ...record.rows import state_from_rows
from ..http.base import ApiCall, NoBody, endpoint
from ..http.db import db
from ..http.errors import ApiError
from . import replies
from .requests import Against


@endpoint(Scope.READ, query=Against, reply=replies.ChangesReply)
async def changes(call: ApiCall[NoBody], run_id: uuid.UUID) -> HttpResponseBase:
    """What a run claims that an earlier run of the question did not, and the other way round."""
    against, before, after = await db(_both, call, run_id)
    # Long texts take a processor's time.
    reply = await asyncio.to_thread(_reply, str(run_id), against, before, after)
    return JsonResponse(reply.model_dump(mode="json"))


def _both(call: ApiCall[NoBody], run_id: uuid.UUID) -> tuple[str, SaidByRun, SaidByRun]:
    owner = call.token.owner
    run, asked = access.run_visible_to(owner, run_id), call.query(Against).against
    try:
        if asked is None:
            before = earlier(run, access.runs_visible_to(owner))
        else:
            before = access.run_visible_to(owner, asked)
    except Http404:
        before = None
    if before is None:
        message = (
            "This run asks no question again that could be read: say against which run."
            if asked is None
            else "There is no such run."
        )
        raise ApiError("invalid_request", message, param="against")
    return str(before.pk), _said(before, "against"), _said(run, None)


def _said(run: Run, param: str | None) -> SaidByRun:
    said = said_by(run.frozen_spec, state_from_rows(run))
    if not (said.analysis or said.fused):
        which = "The run to compare with" if param else "The run"
        raise ApiError("invalid_request", f"{which} has no answer yet.", param=param)
    return said


def _reply(run: str, against: str, before: SaidByRun, after: SaidByRun) -> replies.ChangesReply:
    return replies.ChangesReply(
        run=run,
        against=against,
        by="analysis" if before.analysis and after.analysis else "answer",
        changes=[
            replies.ChangeReply(kind=one.kind, before=one.before, now=one.now)
            for one in changed_since(before, after)
        ],
    )
