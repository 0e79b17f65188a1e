"""`/fusion/files`: a file is brought before its question is asked; and the files of a run, to be
looked at by whoever may read it.

Nothing that a browser would run is served as itself: pictures of four kinds are shown, all else is
downloaded.
"""

from __future__ import annotations

import uuid
from urllib.parse import quote

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from ... import access
from ...files.kinds import is_picture
from ...files.store import read_bytes
from ..attaching import attached_by
from ..uploads import Attachments

private_file = cache_control(private=True, max_age=3600)
NOTHING_RUNS = "default-src 'none'; sandbox"


@csrf_exempt  # looked at below: a file is read of whom it is known
@require_POST
@never_cache
@login_required
def bring(request: HttpRequest) -> HttpResponse:
    request.upload_handlers = [Attachments(request)]
    return _bring(request)


@csrf_protect
def _bring(request: HttpRequest) -> HttpResponse:
    attached = attached_by(request)
    status = 422 if attached.errors else 200
    return render(request, "console/compose/_attached.html", attached.context, status=status)


@login_required
@private_file
@require_safe
def of_run(request: HttpRequest, run_id: uuid.UUID, number: int) -> HttpResponse:
    row = access.file_of(access.run_visible_to(request.user, run_id), number)
    shown = is_picture(row.file.type)
    # A text is a text, whatever language it is written in.
    type = row.file.type if shown else "application/octet-stream"
    how = "inline" if shown else "attachment"
    return _served(row.file_id, "bytes", type, f"{how}; filename*=UTF-8''{quote(row.name)}")


@login_required
@private_file
@require_safe
def thumbnail(request: HttpRequest, run_id: uuid.UUID, number: int) -> HttpResponse:
    row = access.file_of(access.run_visible_to(request.user, run_id), number)
    if not is_picture(row.file.type):
        raise Http404("No picture.")
    return _served(row.file_id, "thumbnail", "image/png", "inline")


def _served(hash: str, kind: str, type: str, disposition: str) -> HttpResponse:
    data = read_bytes(hash, kind)
    if data is None:
        raise Http404("The file is not there any more.")
    response = HttpResponse(data, content_type=type)
    response["Content-Disposition"] = disposition
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = NOTHING_RUNS
    return response
