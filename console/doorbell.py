"""The database is the queue of record; Celery only rings.

A ring that is lost, doubled or late is harmless: claiming is conditional, and
every worker sweeps for runs nobody came for.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import current_app
from kombu.exceptions import OperationalError
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
