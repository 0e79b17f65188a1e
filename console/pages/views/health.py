"""For machines: is the process alive, is the whole able to carry out a run."""

from __future__ import annotations

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from ...worker.health import is_up, workers


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    parts: dict[str, object] = {"database": True, "redis": is_up(seconds=1), "worker": False}
    try:
        slowest = workers().order_by("-stall_ms").first()
        parts["worker"] = slowest is not None
        parts["worker_stall_ms"] = slowest.stall_ms if slowest else None
    except DatabaseError:
        parts["database"] = False
    ready = all(parts[name] for name in ("database", "redis", "worker"))
    response = JsonResponse(parts | {"ready": ready}, status=200 if ready else 503)
    # Not ready yet is news for whoever asked, not an error for the log at every probe.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain")
