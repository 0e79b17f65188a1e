"""The worker killed at random moments with five runs in flight."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict

import pytest

from tests.stack import Stack

from .questions import Questions, over, resumed_after

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]

RUNS = 5


@pytest.mark.rounds(short=5, long=50)
async def test_five_runs_survive_the_death_of_their_worker(
    stack: Stack,
    questions: Questions,
    luck: random.Random,
    figures: defaultdict[str, list[float]],
    round_number: int,
) -> None:
    async with questions.in_flight(RUNS) as witnesses:
        await asyncio.sleep(luck.uniform(0, 6))
        stack.kill("worker")
        killed = time.time()
        # Each run's task is delivered twice more: it is claimed once.
        for run in [*questions.asked, *questions.asked]:
            await asyncio.to_thread(stack.ring, run)
        stack.start_worker()
        await over(witnesses)
    requests = len(questions.upstream.calls)
    for run in questions.asked:
        await asyncio.to_thread(stack.ring, run)  # nor does a delivery after the end do anything
    rows = await asyncio.to_thread(questions.look)
    figures["worker kills, five runs in flight each"].append(1)
    for witness in witnesses:
        run = witness.run
        questions.assert_completed(run, rows[run])
        witness.assert_saw_all(questions.alice.page(run), rows[run])
        assert rows[run].run["attempt"] <= 2
        after = resumed_after(rows[run], killed)
        if after is not None:
            figures["seconds from kill to the first call of the resumed run"].append(after)
        figures["runs"].append(1)
        figures["calls on record"].append(len(rows[run].calls))
        interrupted = sum(c["reason"] == "worker_lost" for c in rows[run].calls)
        figures["of these interrupted and made again"].append(interrupted)
        figures["of these never sent after all"].append(questions.unsent(run, rows[run]))
    assert len(questions.upstream.calls) == requests
