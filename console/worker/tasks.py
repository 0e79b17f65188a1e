"""Celery's edge: fetch, call, nothing else."""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import Future, wait
from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings

from .upkeep import Upkeep
from .worker import worker

SAVING_SECONDS = 60  # for all runs, beyond the grace; whoever waits no longer kills the process

_upkeep: list[Upkeep] = []
_stops: list[Future[None]] = []
_stopping = threading.Event()


@shared_task(name="console.tasks.execute_run")
def execute_run(run_id: str, **_: Any) -> None:
    """Wakes the worker and returns: its loop carries runs out. `**_`: an older or newer sender
    may say more."""
    worker().hear(run_id)


@worker_ready.connect
def start(**_: Any) -> None:
    # A thread that makes rows holds the interpreter as long as nobody asks for it, and for five
    # milliseconds more; the loop asks at every turn.
    sys.setswitchinterval(0.0005)
    upkeep = Upkeep(worker())
    _upkeep.append(upkeep)
    upkeep.start()
    if _stopping.is_set():  # in its first moments: there was nothing to stop yet
        stop()


@worker_shutting_down.connect
def stop(**_: Any) -> None:
    # Called in the signal handler: only hand it to the loop.
    _stopping.set()
    for upkeep in _upkeep:
        _stops.append(asyncio.run_coroutine_threadsafe(upkeep.stop(), worker().loop))


@worker_shutdown.connect
def end(**_: Any) -> None:
    """What was begun is brought to its end before the process ends: Celery does not wait for
    runs, whose tasks have long returned."""
    wait(_stops, timeout=settings.SHUTDOWN_GRACE_SECONDS + SAVING_SECONDS)
