"""The database is the queue of record; Celery only rings.

A ring that is lost, doubled or late is harmless: claiming is conditional, and
every worker sweeps for runs nobody came for.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

TASK = "console.tasks.execute_run"


def ring(run_id: Any) -> bool:
    try:
        current_app.send_task(TASK, args=[str(run_id)], ignore_result=True, retry=False)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("run %s waits for the sweeper: the queue cannot be reached: %s", run_id, error)
        return False
    return True


async def waiting(redis: Redis) -> int | None:
    """Rings that no worker has taken yet, or None when the queue cannot be reached."""
    try:
        async with asyncio.timeout(2):
            return int(await redis.llen(current_app.conf.task_default_queue))
    except (RedisError, OSError, TimeoutError):
        return None
