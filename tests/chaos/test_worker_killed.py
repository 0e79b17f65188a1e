from __future__ import annotations

import asyncio
import signal

import pytest

from tests.live.member import Member, View
from tests.prose import words
from tests.stack import Stack, until
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.chaos


async def test_a_killed_worker_s_run_is_resumed_and_the_page_says_so(
    stack: Stack, alice: Member, upstream: Upstream
) -> None:
    upstream.script("slow", Script(text=words(60), tokens_per_second=30))
    run = alice.ask("good", "slow")
    view = View()
    async with alice.socket(run) as socket:
        await view.follow(socket, until=lambda v: v.text("seat-1").count("word") > 5)
        stack.kill("worker")
        await view.follow(socket, until=lambda v: "worker was lost" in str(v.fragments), seconds=90)
        stack.start_worker()
        await view.follow(socket, seconds=90)
    assert view.status == "completed"
    page = alice.page(run)
    for place in ("seat-0", "seat-1", "fused"):
        assert view.text(place).split() == page.texts[place].split()
    assert len(upstream.calls_of("good")) == 1  # a finished call is never bought again
    state = stack.state(run)
    interrupted, again = (c for c in state.calls.values() if c.seat == 1)
    assert interrupted.reason == "worker_lost" and "word" in interrupted.text
    assert again.cause == "resume" and again.is_usable


def test_a_worker_asked_to_end_hands_its_run_on(
    stack: Stack, alice: Member, upstream: Upstream
) -> None:
    upstream.script("slow", Script(text=words(400), tokens_per_second=30))
    stack.kill("worker", signal.SIGTERM)
    stack.start_worker(FUSION_SHUTDOWN_GRACE_SECONDS="0.3")
    run = alice.ask("good", "slow")
    until(lambda: "word1 word2 word3" in alice.page(run).texts["seat-1"])
    upstream.script("slow", Script(text="At the second try."))
    stack.kill("worker", signal.SIGTERM)
    stack.start_worker()
    page = alice.until(run)
    assert page.status == "completed" and "At the second try." in page.texts["seat-1"]
    assert len(upstream.calls_of("good")) == 1


async def test_valkey_killed_in_mid_run_loses_nothing(
    stack: Stack, alice: Member, upstream: Upstream
) -> None:
    upstream.script("slow", Script(text=words(90), tokens_per_second=30))
    run = alice.ask("slow", "slow")
    view = View()
    async with alice.socket(run) as socket:
        await view.follow(socket, until=lambda v: v.text("seat-0").count("word") > 5)
        stack.valkey.kill()
        await asyncio.sleep(1)
        stack.valkey.start()
        await view.follow(socket, seconds=90)
    page = alice.until(run)
    assert view.status == page.status == "completed"
    for place in ("seat-0", "seat-1", "fused"):
        assert view.text(place).split() == page.texts[place].split()
    # Asking goes on working, and a ring that finds no queue is made up for by the sweeper.
    stack.valkey.kill()
    waiting = alice.ask("good")
    stack.valkey.start()
    assert alice.until(waiting).status == "completed"
