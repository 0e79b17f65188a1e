"""A new version put in place while runs are on: a new worker comes, the old one is told to end."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import defaultdict

import pytest

from tests.live.member import Member
from tests.stack import Stack
from tests.upstream import Upstream

from .questions import Questions, over

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]

RUNS = 5


def deploy(stack: Stack, grace: str = "0.3") -> None:
    """`grace` is what the next one will give its runs when it is told to end."""
    old = stack.processes.pop("worker")
    stack.start_worker(FUSION_SHUTDOWN_GRACE_SECONDS=grace)
    old.send_signal(signal.SIGTERM)
    assert old.wait(60) == 0


@pytest.mark.rounds(short=2, long=10)
async def test_five_watched_runs_survive_a_deploy(
    stack: Stack,
    questions: Questions,
    luck: random.Random,
    figures: defaultdict[str, list[float]],
    round_number: int,
) -> None:
    questions.pace = 3
    async with questions.in_flight(RUNS) as witnesses:
        await asyncio.sleep(luck.uniform(0, 2))
        await asyncio.to_thread(deploy, stack)
        await over(witnesses)
    rows = await asyncio.to_thread(questions.look)
    figures[f"deploys, {RUNS} runs in flight each"].append(1)
    for witness in witnesses:
        run = witness.run
        questions.assert_completed(run, rows[run], interrupted="worker_stopped")
        witness.assert_saw_all(questions.alice.page(run), rows[run])
        again = [c for c in rows[run].calls if c["cause"] == "resume"]
        assert len(again) <= 3
        figures["deploys: runs handed on"].append(rows[run].run["attempt"] - 1)
        figures["deploys: calls on record"].append(len(rows[run].calls))
        figures["deploys: of these interrupted and made again"].append(len(again))
        figures["deploys: of these never sent after all"].append(questions.unsent(run, rows[run]))


def test_a_worker_asked_to_end_in_its_first_moments_ends_and_takes_nothing_with_it(
    stack: Stack, alice: Member, upstream: Upstream, luck: random.Random
) -> None:
    stack.kill("worker")
    runs = [alice.ask("good") for _ in range(8)]
    for moment in (0.1, *(luck.uniform(1, 4) for _ in range(3))):
        stack.start_worker("fleeting", FUSION_SHUTDOWN_GRACE_SECONDS="0")
        time.sleep(moment)
        stack.kill("fleeting", signal.SIGTERM)
    stack.start_worker()
    for run in runs:
        assert alice.until(run).status == "completed"
    requests = upstream.calls_of("good")
    rows = stack.rows(*runs)
    sent = [c for run in runs for c in rows[run].calls if c["step"] == "panel" and c["sent_at"]]
    assert {c["reason"] for c in sent} <= {"", "worker_stopped"}
    # On record before its first byte goes out: a worker may have to end in between.
    assert len(sent) >= len(requests)
