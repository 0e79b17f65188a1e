"""`/fusion/files`: a file is brought before its question is asked; and the files of a run, to be
looked at by whoever may read it.

Nothing that a browser would run is served as itself: pictures of four kinds are shown, all else is
downloaded.
"""

from __future__ import annotations

import uuid
from urllib.parse import quote

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from ... import access
from ...files.kinds import PDF, is_picture
from ...files.store import read_bytes
from ...models import Run
from ...services.attaching import refuse_size, text_of_document
from ...services.errors import Refused
from ..attaching import attached_as, attached_by
from ..uploads import AttachedUploads
from .fragment import by_htmx

# No cache keeps a copy: a run may be deleted, or stop being shared.
private_file = cache_control(private=True, no_store=True)
NOTHING_RUNS = "default-src 'none'; sandbox"


@csrf_exempt  # looked at below: a file is read of whom it is known
@require_POST
@never_cache
@login_required
def bring(request: HttpRequest) -> HttpResponse:
    request.upload_handlers = [AttachedUploads(request)]
    return _bring(request)


@csrf_protect
def _bring(request: HttpRequest) -> HttpResponse:
    attached = attached_by(request)
    # A part of a page says it where it was attached; it is no failure of that page's.
    status = 422 if attached.errors and not by_htmx(request) else 200
    return render(request, "console/compose/_attached.html", attached.context, status=status)


@csrf_exempt  # as above
@require_POST
@never_cache
@login_required
def text(request: HttpRequest) -> HttpResponse:
    """What a document says, for the field of an answer from elsewhere; it is not attached."""
    request.upload_handlers = [AttachedUploads(request)]
    return _text(request)


@csrf_protect
def _text(request: HttpRequest) -> HttpResponse:
    upload = request.FILES.get("files")
    if upload is None:
        return JsonResponse({"error": "Choose a file."})
    try:
        if getattr(upload, "is_too_large", False):
            raise refuse_size(upload.name or "")
        assert isinstance(request.user, User)  # its view has seen to it
        text = text_of_document(name=upload.name or "", data=upload.chunks(), by=request.user)
        return JsonResponse({"text": text})
    except Refused as refused:
        return JsonResponse({"error": str(refused)})


@login_required
@private_file
@require_safe
def small(request: HttpRequest) -> HttpResponse:
    """What was brought as a small picture, for who has brought it (`of`: its ticket)."""
    assert isinstance(request.user, User)  # its view has seen to it
    found = attached_as([request.GET.get("of", "")], request.user).files
    if not found:
        raise Http404("No such file.")
    type = "image/jpeg" if found[0].type == PDF else "image/png"
    return _served(found[0].hash, "thumbnail", type, "inline")


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
    type = "image/jpeg" if row.file.type == PDF else "image/png"
    return _served(row.file_id, "thumbnail", type, "inline")


def picture(run: Run, hash: str) -> HttpResponse:
    """One that came with an answer of a run that its reader has got at."""
    row = access.picture_of(run, hash)
    response = _served(row.file_id, "bytes", row.file.type, "inline")
    response["Cache-Control"] = "private, no-store"
    return response


def download(hash: str, name: str) -> HttpResponse:
    """A file that is never shown, whatever is in it."""
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return _served(hash, "bytes", "application/octet-stream", disposition)


def _served(hash: str, kind: str, type: str, disposition: str) -> HttpResponse:
    data = read_bytes(hash, kind)
    if data is None:
        raise Http404("The file is not there any more.")
    response = HttpResponse(data, content_type=type)
    response["Content-Disposition"] = disposition
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = NOTHING_RUNS
    return response
