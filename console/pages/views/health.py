"""For machines: is the process alive, is the whole able to carry out a run."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from redis import Redis
from redis.exceptions import RedisError

from ...models import Heartbeat


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    parts: dict[str, object] = {"database": True, "redis": True, "worker": False}
    try:
        alive = timezone.now() - timedelta(seconds=3 * settings.HEARTBEAT_SECONDS)
        newest = Heartbeat.objects.filter(beat_at__gt=alive).order_by("-stall_ms").first()
        parts["worker"] = newest is not None
        parts["worker_stall_ms"] = newest.stall_ms if newest else None
    except DatabaseError:
        parts["database"] = False
    try:
        with Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=1
        ) as redis:
            redis.ping()
    except (RedisError, OSError, ValueError):
        parts["redis"] = False
    ready = all(parts[name] for name in ("database", "redis", "worker"))
    response = JsonResponse(parts | {"ready": ready}, status=200 if ready else 503)
    # Not ready yet is news for whoever asked, not an error for the log at every probe.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain")
