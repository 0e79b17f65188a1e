"""Whether there is anybody to carry runs out."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from ..models import Heartbeat


def is_up(seconds: float = 2) -> bool:
    """Whether the queue answers; after a supervisor's sudden death its address is left behind."""
    try:
        with Redis.from_url(
            settings.REDIS_URL, socket_connect_timeout=seconds, socket_timeout=seconds
        ) as redis:
            return bool(redis.ping())
    except (RedisError, OSError, ValueError):
        return False


def workers() -> QuerySet[Heartbeat]:
    """Those whose heart has beaten lately."""
    alive = timezone.now() - timedelta(seconds=3 * settings.HEARTBEAT_SECONDS)
    return Heartbeat.objects.filter(beat_at__gt=alive)


def has_worker() -> bool:
    return workers().exists()
