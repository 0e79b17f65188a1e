"""Waiting for a run to end, as the shell does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils import timezone

from ..engine.state import RunState, RunStatus
from ..models import Run
from . import eventlog


async def until_final(run: Run, warn: Callable[[str], Any]) -> None:
    """Follow the log as every viewer does; when it is silent, ask the row.

    Raises Run.DoesNotExist when the run is deleted meanwhile.
    """
    warned = False
    redis = eventlog.connect()
    state = RunState()
    try:
        async for entries in eventlog.tail(redis, run.pk):
            for entry in entries:
                state = entry.fold(state)
            if state.status.is_final:
                return
            if not entries:
                await run.arefresh_from_db(fields=["status"])
                if run.is_final:
                    return
                waited = (timezone.now() - run.created_at).total_seconds()
                if run.status == RunStatus.QUEUED and waited > 3 and not warned:
                    warned = True
                    warn("Waiting for a worker. None may be running: python3 manage.py up")
    finally:
        await redis.aclose()
