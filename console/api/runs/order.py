"""`PATCH` and `DELETE /v1/runs/{id}`: what a run is called and tagged with, and its end."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase, JsonResponse

from ... import access
from ...models import Run
from ...models.order import ARCHIVE, STAR
from ...models.tokens import Scope
from ...record.order import orders_of
from ...services.deletion import runs_delete
from ...services.errors import Refused
from ...services.order import run_tags, run_title, runs_mark
from ...services.projects import runs_project
from ..http.base import ApiCall, NoBody, endpoint
from ..http.db import db
from ..http.errors import ApiError
from . import replies
from .requests import OrderRequest


@endpoint(Scope.RUN, body=OrderRequest, reply=replies.OrderReply, example={"title": "Primes"})
async def run_change(call: ApiCall[OrderRequest], run_id: uuid.UUID) -> HttpResponseBase:
    """Name, tag, star or archive a run. What is not given stays as it is, and is told."""
    return JsonResponse((await db(_change, call, run_id)).model_dump(mode="json"))


@endpoint(Scope.RUN, status=204)
async def run_remove(call: ApiCall[NoBody], run_id: uuid.UUID) -> HttpResponseBase:
    """Delete a run and what goes on from it; one under way is stopped. For seven days its owner
    can put it back, on the page alone."""
    await db(_remove, call, run_id)
    return HttpResponse(status=204)


def own_run(call: ApiCall[Any], run_id: uuid.UUID) -> Run:
    """Of the token's owner. A token that may not read finds only what it started itself."""
    run = access.run_owned_by(call.token.owner, run_id)
    if Scope.READ not in call.token.scopes and run.token_id != call.token.pk:
        raise Http404
    return run


def _change(call: ApiCall[OrderRequest], run_id: uuid.UUID) -> replies.OrderReply:
    run, body, param = own_run(call, run_id), call.body, "title"
    try:
        if body.title is not None:
            run_title(run=run, title=body.title)
        param = "project"
        if (slug := body.project) is not None:
            project = access.projects_of(call.token.owner).filter(slug=slug).first()
            if slug and project is None:
                raise Refused(f"There is no project “{slug}”.")
            runs_project(runs=[run], project=project)
        param = "tags"
        if body.tags is not None:
            run_tags(run=run, names=body.tags)
    except Refused as refused:
        raise ApiError("invalid_request", str(refused), param=param) from None
    for kind, on in ((STAR, body.starred), (ARCHIVE, body.archived)):
        if on is not None:
            runs_mark(runs=[run], person=call.token.owner, kind=kind, on=on)
    kept = orders_of([run.pk], call.token.owner_id)[run.pk]
    return replies.OrderReply(
        id=str(run.pk),
        title=run.title,
        project=run.project.slug if run.project else None,
        tags=kept.tags,
        starred=kept.is_starred,
        archived=kept.is_archived,
    )


def _remove(call: ApiCall[NoBody], run_id: uuid.UUID) -> None:
    try:
        runs_delete(runs=[own_run(call, run_id)], by=call.token.owner)
    except Refused as refused:
        raise ApiError("invalid_request", str(refused)) from None
