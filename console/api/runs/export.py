"""`GET /v1/runs/{id}/export`: a run, or its thread, as a file (docs/export.md)."""

from __future__ import annotations

import uuid
from functools import partial

from django.http import HttpResponse, HttpResponseBase
from django.utils.http import content_disposition_header

from ... import access
from ...engine.spec_versions import SpecTooNew, SpecUnreadable
from ...export import Export, ended_in_thread, export_runs
from ...models.tokens import Scope
from ...record.portable import Unfinished, Unwritable
from ..http.base import ApiCall, NoBody, endpoint
from ..http.db import db
from ..http.errors import ApiError
from .requests import ExportForm

FILES = ("application/json", "text/markdown", "text/html")


@endpoint(Scope.READ, query=ExportForm, files=FILES, fails=(409,))
async def export(call: ApiCall[NoBody], run_id: uuid.UUID) -> HttpResponseBase:
    """A run that has ended as one file: JSON that can be brought in again, Markdown, or a web page
    that asks nothing of anybody."""
    taken = await db(_export, call, run_id, call.query(ExportForm))
    disposition = content_disposition_header(True, taken.name)
    return HttpResponse(
        taken.body, content_type=taken.type, headers={"Content-Disposition": disposition or ""}
    )


def _export(call: ApiCall[NoBody], run_id: uuid.UUID, asked: ExportForm) -> Export:
    reader = call.token.owner
    run = access.run_visible_to(reader, run_id)
    readable = access.runs_visible_to(reader)
    runs = ended_in_thread(run, readable) if asked.thread else [run]
    shown = partial(access.shown_to, reader)
    try:
        return export_runs(runs, asked.format, shown, readable, reader.pk)
    except Unfinished as why:
        raise ApiError("run_under_way", str(why), headers={"x-should-retry": "false"}) from None
    except SpecTooNew:
        raise
    except (SpecUnreadable, Unwritable) as why:
        raise ApiError("invalid_request", str(why)) from None
