"""What is deleted while and after a worker carries it out: it is stopped, settled, and a week later
in neither database nor Redis."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from redis import Redis

from console.models import DailyWork, Run, RunDeletion
from console.record import eventlog
from console.services.deletion import runs_delete
from console.worker.upkeep import Upkeep
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.prose import words
from tests.realtime.conftest import PATIENT, StartRun
from tests.realtime.test_run_way import in_background, rows, wait_for
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

MARK = "marked-by-nobody-else"


def all_of(redis: Redis) -> bytes:
    """Whatever it holds, in one."""
    found = []
    for key in redis.scan_iter("*"):
        kind = redis.type(key)
        found.append(key)
        if kind == b"stream":
            found.append(repr(redis.xrange(key)).encode())
        elif kind == b"string":
            found.append(redis.get(key) or b"")
        elif kind == b"list":
            found.append(repr(redis.lrange(key, 0, -1)).encode())
        elif kind == b"hash":
            found.append(repr(redis.hgetall(key)).encode())
    return b"\n".join(found)


def remove(worker: Worker, upkeep: Upkeep) -> None:
    RunDeletion.objects.update(at=timezone.now() - timedelta(days=8))
    DailyWork.objects.all().delete()
    asyncio.run_coroutine_threadsafe(upkeep._remove(), worker.loop).result()


def test_a_week_later_neither_rows_nor_log_nor_file_has_a_word_of_it(
    worker: Worker, upstream: Upstream, start: StartRun, valkey: str
) -> None:
    upstream.script("good", Script(text=f"{MARK} {words(900)} {MARK}"))
    run = start("good", "good", prompt=f"What does {MARK} say?")
    carry_out(worker, str(run.pk))
    assert rows(run).status == "completed"
    redis = Redis.from_url(valkey)
    assert MARK.encode() in all_of(redis)
    runs_delete(runs=[run], by=run.owner)
    remove(worker, Upkeep(worker))
    assert not Run.objects.exists()
    assert MARK.encode() not in all_of(redis)
    assert not redis.exists(eventlog._key(run.pk))
    if connection.vendor == "sqlite":
        name = Path(connection.settings_dict["NAME"])
        for file in name.parent.glob(f"{name.name}*"):
            assert MARK.encode() not in file.read_bytes(), file


def test_a_run_that_is_deleted_under_way_is_stopped_by_its_worker_and_then_removed(
    worker: Worker, upkeep: Upkeep, upstream: Upstream, start: StartRun
) -> None:
    run = start("fault-hold", policy=PATIENT)
    thread = in_background(worker, run)
    wait_for(lambda: "panel-0-1" in rows(run).calls and rows(run).calls["panel-0-1"].text)
    owner = User.objects.get(pk=run.owner_id)
    act = runs_delete(runs=[run], by=owner)
    thread.join(60)
    state = rows(run)
    assert state.status == "cancelled" and state.calls["panel-0-1"].status == "cancelled"
    assert RunDeletion.objects.get().act == act
    remove(worker, upkeep)
    assert not Run.objects.exists()
