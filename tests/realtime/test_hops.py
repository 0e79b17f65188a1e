"""What a run asks of the database: counted, so that nobody adds a round trip unseen."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection

from console.engine.state import CallStatus
from console.models import Run
from console.record.rows import call_row
from console.worker import recorder, saving
from console.worker.upkeep import left_behind
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.realtime.conftest import PATIENT, StartRun
from tests.realtime.test_run_way import assert_log_equals_rows, in_background, rows, wait_for
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]

# Until the first request of a run of three seats goes out: what the ring was for, who has runs
# going on, who waits; claim, run, fusions, calls; keys, traits; the run and its calls as sent.
QUERIES_OF_A_START = 11
COMMITS_OF_A_START = 2


@dataclass
class Asked:
    """Of the worker's database thread."""

    queries: list[str] = field(default_factory=list)
    commits: int = 0
    turns: int = 0  # how often the loop waited for that thread

    @property
    def figures(self) -> tuple[int, int, int]:
        return len(self.queries), self.commits, self.turns


@pytest.fixture
def asked(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Asked:
    asked = Asked()

    def count(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        if not sql.startswith(("BEGIN", "SAVEPOINT", "RELEASE")):
            asked.queries.append(sql)
        return execute(sql, *args)

    def listen() -> None:
        connection.ensure_connection()
        connection.execute_wrappers.append(count)
        commit = connection.commit

        def counted() -> None:
            asked.commits += 1
            commit()

        connection.commit = counted  # type: ignore[method-assign]

    asyncio.run_coroutine_threadsafe(worker.db(listen), worker.loop).result(60)
    db = worker._shared.db

    async def turn(*args: Any) -> Any:
        asked.turns += 1
        return await db(*args)

    monkeypatch.setattr(worker, "db", turn)
    object.__setattr__(worker._shared, "db", turn)
    return asked


def test_three_seats_are_asked_after_one_claim_and_one_more_transaction(
    worker: Worker, upstream: Upstream, start: StartRun, asked: Asked
) -> None:
    started: list[tuple[int, int, int]] = []

    def script(body: dict[str, Any]) -> Script:
        started.append(asked.figures)
        return Script(text="An answer.")

    upstream.script("model", script)
    run = start("model", "model", "model", policy=PATIENT)
    carry_out(worker, str(run.pk))
    assert rows(run).status == "completed"
    queries, commits, turns = started[0]
    assert queries <= QUERIES_OF_A_START, "\n".join(asked.queries[:queries])
    assert (commits, turns) == (COMMITS_OF_A_START, 2)


def test_one_model_passed_through_costs_three_transactions(
    worker: Worker, upstream: Upstream, start: StartRun, asked: Asked, settings: Any
) -> None:
    settings.CHECKPOINT_SECONDS = 60
    run = start("good")
    Run.objects.filter(pk=run.pk).update(spec=run.spec | {"stop_after": "panel"})
    carry_out(worker, str(run.pk))
    assert rows(run).status == "completed"
    assert asked.commits <= 3, "claimed, sent, ended"


def test_ends_of_calls_within_a_moment_share_a_transaction_with_what_follows(
    worker: Worker, upstream: Upstream, start: StartRun, asked: Asked, settings: Any
) -> None:
    """Claimed; three sent; three ended; analysis sent; fused answer sent; run ended. Each seat may
    end alone."""
    settings.CHECKPOINT_SECONDS = 60
    run = start("good", "good", "good")
    carry_out(worker, str(run.pk))
    assert rows(run).status == "completed"
    assert asked.commits <= 8
    # Seven of them read what the search finds of it, in the transaction of its end.
    assert len(asked.queries) <= 36, "\n".join(asked.queries)
    assert_log_equals_rows(run)


def test_how_a_call_ended_is_written_once(
    worker: Worker, upstream: Upstream, start: StartRun, settings: Any, monkeypatch: Any
) -> None:
    """Not again with the end of its run, unless that says something else of it, even where the
    run ends while the last of them is saved."""
    settings.CHECKPOINT_SECONDS = 60
    written: list[str] = []
    is_saved, run_ends = threading.Event(), threading.Event()
    finish = recorder.Recorder.finish

    async def finishing(self: recorder.Recorder) -> None:
        await asyncio.to_thread(is_saved.wait, 10)
        run_ends.set()
        await finish(self)

    def noted(run_id: Any, call: Any) -> Any:
        if call.status.is_final:
            written.append(call.key)
            if call.key.startswith("synthesis"):
                is_saved.set()
                run_ends.wait(10)
        return call_row(run_id, call)

    monkeypatch.setattr(saving, "call_row", noted)
    monkeypatch.setattr(recorder.Recorder, "finish", finishing)
    run = start("good", "good", "refuse--status=401")
    carry_out(worker, str(run.pk))
    assert rows(run).status == "completed"
    assert sorted(written) == sorted(rows(run).calls)
    assert_log_equals_rows(run)


def test_a_call_whose_end_only_the_log_knows_is_not_bought_again(
    worker: Worker, upstream: Upstream, start: StartRun, settings: Any, monkeypatch: Any
) -> None:
    """As after a worker that was killed between telling of an end and saving it."""
    settings.LEASE_SECONDS = 0.3
    run = start("good", "hold--hold_after=1", policy=PATIENT)
    thread = in_background(worker, run)
    wait_for(lambda: rows(run).calls.get("panel-0-1") and rows(run).calls["panel-0-1"].is_usable)
    lost = worker.runs[str(run.pk)]
    lost.stopped_by = "lost"
    worker.loop.call_soon_threadsafe(lost._task.cancel)  # type: ignore[union-attr]
    thread.join(60)
    run.calls.filter(key="panel-0-1").update(status=CallStatus.STREAMING, text="", finished_at=None)
    wait_for(lambda: run.pk in left_behind())
    upstream.release()
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status == "completed" and state.attempt == 2
    assert len(upstream.calls_of("good")) == 1
    assert state.calls["panel-0-1"].is_usable
    assert_log_equals_rows(run)
