"""Celery's edge: fetch, call, nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down

from .execution import worker
from .upkeep import Upkeep

_upkeep: list[Upkeep] = []


@shared_task(name="console.tasks.execute_run")
def execute_run(run_id: str, **_: Any) -> None:
    """`**_`: an older or newer sender may say more."""
    worker().execute(run_id)


@worker_ready.connect
def start(**_: Any) -> None:
    upkeep = Upkeep(worker())
    _upkeep.append(upkeep)
    upkeep.start()


@worker_shutting_down.connect
def stop(**_: Any) -> None:
    # Called in the signal handler: only hand it to the loop.
    for upkeep in _upkeep:
        asyncio.run_coroutine_threadsafe(upkeep.stop(), worker().loop)
