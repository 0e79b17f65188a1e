"""A run that was brought in is one like any other: it is followed, fused again and asked on from,
though it never had a log here."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from console.engine.state import RunState
from console.models import Run, Visibility
from console.record import eventlog
from console.record.asked import asked
from console.record.follow import follow, until_final
from console.record.portable import bring_in, read, to_json, write
from console.record.rows import state_from_rows
from console.services import fusions
from console.services.follow import run_follow
from console.worker.worker import Worker
from tests.realtime.conftest import StartRun
from tests.realtime.test_run_again import carried_out

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def brought(worker: Worker, start: StartRun) -> Run:
    finished = carried_out(worker, start("good", "echo"))
    assert finished.status == "completed"
    document = read(to_json(write([finished])).encode())
    owner = User.objects.get(username="alice")
    (run,) = bring_in(document, owner=owner, visibility=Visibility.PRIVATE, origin="page")
    assert state_from_rows(run).to_dict() == state_from_rows(finished).to_dict()
    return Run.objects.get(pk=run.pk)


@pytest.mark.database
def test_its_readers_are_told_its_end_from_its_rows(brought: Run) -> None:
    state = asyncio.run(until_final(brought, print))
    assert state.to_dict() == state_from_rows(brought).to_dict()


def test_who_reads_logs_first_is_told_too(brought: Run, valkey: str) -> None:
    async def last() -> RunState:
        redis, state = eventlog.connect(), RunState()
        try:
            async for seen in follow(
                brought.pk, redis=redis, db=lambda work, *a: sync_to_async(work)(*a), log_first=True
            ):
                state = seen.state
        finally:
            await redis.aclose()
        return state

    assert asyncio.run(last()).to_dict() == state_from_rows(brought).to_dict()


def test_it_is_fused_again_and_its_answers_stay(worker: Worker, brought: Run) -> None:
    before = [*brought.calls.order_by("pk").values()]
    fusions.run_fuse(run=brought, judge="test:other")
    run = carried_out(worker, brought)
    assert run.status == "completed" and run.fusions.count() == 2
    assert [*run.calls.order_by("pk").values()][: len(before)] == before
    second = run.fusions.get(number=2)
    assert second.text and second.judge["model"] == "other"
    # And taken along with both.
    assert len(write([run]).runs[0].fusions) == 2


def test_it_is_asked_on_from(worker: Worker, brought: Run) -> None:
    owner = User.objects.get(username="alice")
    after = carried_out(worker, run_follow(run=brought, owner=owner, prompt="And then?"))
    assert after.status == "completed" and len(asked(after).messages) == 3
    both = bring_in(
        read(to_json(write([brought, after])).encode()),
        owner=owner,
        visibility=Visibility.PRIVATE,
        origin="page",
    )
    assert asked(Run.objects.get(pk=both[1].pk)) == asked(after)
