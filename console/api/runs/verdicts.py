"""`POST /v1/runs/{id}/verdict`: which of a run's answers the token's owner found best."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponseBase, JsonResponse

from ... import access
from ...models.tokens import Scope
from ...services.errors import Refused
from ...services.verdicts import WhatWasSeen, verdict_set, verdict_take_back
from ..http.base import ApiCall, endpoint
from ..http.db import db
from ..http.errors import ApiError
from . import replies
from .object import run_reply
from .requests import VerdictRequest


@endpoint(Scope.RUN, body=VerdictRequest, reply=replies.Run, example={"best": "tie"})
async def verdict(call: ApiCall[VerdictRequest], run_id: uuid.UUID) -> HttpResponseBase:
    """Say which answer of a run that has ended is best, instead of what was said before."""
    return JsonResponse((await db(_verdict, call, run_id)).model_dump(mode="json"))


def _verdict(call: ApiCall[VerdictRequest], run_id: uuid.UUID) -> replies.Run:
    body, person = call.body, call.token.owner
    run = access.run_visible_to(person, run_id)
    # The whole run is the answer: a token that may not read finds only what it started itself.
    if Scope.READ not in call.token.scopes and run.token_id != call.token.pk:
        raise Http404
    if body.best is None:
        verdict_take_back(run=run, person=person)
    else:
        seen = WhatWasSeen(names=body.names_shown, order=tuple(body.order))
        try:
            verdict_set(run=run, person=person, best=body.best, note=body.note, seen=seen)
        except Refused as refused:
            raise ApiError("invalid_request", str(refused), param="best") from None
    return run_reply(call.request, call.token, run)
