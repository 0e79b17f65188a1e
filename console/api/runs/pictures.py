"""`GET /v1/runs/{id}/pictures/{hash}`: a picture that came with an answer of the run."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpResponse, HttpResponseBase

from ... import access
from ...files.kinds import PICTURES
from ...files.store import read_bytes
from ...models.tokens import Scope
from ..http.base import ApiCall, NoBody, endpoint
from ..http.db import db


@endpoint(Scope.READ, files=PICTURES)
async def picture(call: ApiCall[NoBody], run_id: uuid.UUID, hash: str) -> HttpResponseBase:
    """A picture that came with an answer, by the hash that the run's call has for it."""
    type, data = await db(_read, call, run_id, hash)
    return HttpResponse(data, content_type=type, headers={"X-Content-Type-Options": "nosniff"})


def _read(call: ApiCall[NoBody], run_id: uuid.UUID, hash: str) -> tuple[str, bytes]:
    row = access.picture_of(access.run_visible_to(call.token.owner, run_id), hash)
    data = read_bytes(row.file_id)
    if data is None:
        raise Http404("The picture is not there any more.")
    return row.file.type, data
