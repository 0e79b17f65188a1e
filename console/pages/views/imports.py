"""`/fusion/import`: runs that were taken along from another site, brought in to be read.

It is the one form that takes a file: who sends it is known before it is read (docs/design.md).
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from ...api.http.errors import too_large
from ...services.errors import Refused
from ...services.imports import runs_import

PAGE = "console/runs/import.html"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@csrf_exempt
def import_runs(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        return redirect_to_login(reverse("run-import"))
    request.upload_handlers = [TemporaryFileUploadHandler(request)]
    return _form(request)


@csrf_protect
def _form(request: HttpRequest) -> HttpResponse:
    assert request.user.is_authenticated  # `import_runs` has seen to it
    if request.method != "POST":
        return render(request, PAGE)
    try:
        runs = runs_import(raw=_read(request), owner=request.user, limit=settings.IMPORT_BYTES)
    except Refused as why:
        return render(request, PAGE, {"refused": str(why)}, status=422)
    return redirect("run-detail", run_id=runs[0].pk)


def _read(request: HttpRequest) -> bytes:
    """Raises Refused."""
    file = request.FILES.get("file")
    if file is None:
        raise Refused("Choose a file.")
    if (file.size or 0) > settings.IMPORT_BYTES:
        raise Refused(too_large(settings.IMPORT_BYTES))
    raw: bytes = file.read()
    return raw
