"""A budget that pays for a quarter of the calls that programs start at once, with two workers that
are killed: never a cent over, the others are told why, and the books balance."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.live.conftest import add_people, make_stack
from tests.stack import PATIENCE, Stack, until
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1500)]

IS_LONG = os.environ.get("FUSION_LONG_TESTS") == "1"
ASKED, PAID = (200, 50) if IS_LONG else (40, 10)
PROMPT, OUTPUT = "What is the answer?", 4_000
# Of a call, in nano-dollars: what it may cost at the most at $1 and $10 a million tokens, and a
# little over, which pays for no other; then what the upstream says that it cost.
AT_MOST, COST = 40_100_000, 1_010_000

_LIMIT = """
from decimal import Decimal
from console.money.purses import purse_set
purse_set(kind="site", subject="", period="day", limit=Decimal({limit}) / 10**9)
"""
_BOOKS = """
import json
from console.models import Hold, Run, Window
window, holds = Window.objects.first(), list(Hold.objects.all())
refused = Run.objects.filter(status="failed", reason="budget_exceeded")
print(json.dumps(dict(
    spent=window.spent_nano if window else 0,
    held=window.held_nano if window else 0,
    settled=sum(h.settled_nano or 0 for h in holds),
    told=sum(h.settled_nano or 0 for h in holds if not h.is_estimated),
    open=sum(h.amount_nano for h in holds if h.settled_nano is None),
    estimated=sum(h.is_estimated for h in holds),
    completed=Run.objects.filter(status="completed").count(),
    refused=refused.count(),
    why=list(refused.values_list("error", flat=True).distinct()),
)))
"""


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as up:
        yield up


@pytest.fixture
def stack(upstream: Upstream) -> Iterator[Stack]:
    places = {"FUSION_RUNS_PER_PERSON": str(ASKED), "FUSION_RUNS_PER_WORKER": str(ASKED)}
    # A call that is held back is silent for as long as the others take to be refused.
    patience = {"FUSION_STALL_TIMEOUT": "3000", "FUSION_TOTAL_TIMEOUT": "3000"}
    # Nor is a busy machine's worker a lost one.
    patience["FUSION_LEASE_SECONDS"] = "60" if IS_LONG else "15"
    with make_stack(upstream, FUSION_WORST_PRICE="1/10", **places, **patience) as stack:
        add_people(stack)
        stack.start_worker("second")
        yield stack


def books(stack: Stack) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(stack.shell(_BOOKS))
    return said


def balance(now: dict[str, Any]) -> bool:
    """They are read one after the other: what moves meanwhile balances at another look."""
    return (now["held"], now["spent"]) == (now["open"], now["settled"])


def until_books(stack: Stack, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """As they are then."""
    known: dict[str, Any] = {}

    def looked_at() -> bool:
        known.update(books(stack))
        return condition(known)

    until(looked_at, 4 * PATIENCE, every=0.3, said=lambda: str(known))
    return known


def test_a_budget_holds_whoever_asks_at_once_and_whichever_worker_is_killed(
    stack: Stack, upstream: Upstream
) -> None:
    limit = PAID * AT_MOST
    stack.shell(_LIMIT.format(limit=limit))
    key = stack.token("alice", "--requests-per-minute", "0", "--concurrent-runs", "0")
    usage = {"prompt_tokens": 10, "completion_tokens": 100, "total_tokens": 110}
    script = Script(text="a b c", hold_after=1, usage=usage | {"cost": COST / 10**9})
    upstream.script("good", script)
    upstream.hold(everything=False)

    def ask(_: int) -> int:
        body = {"model": "good", "prompt": PROMPT, "max_tokens": OUTPUT}
        return client.post("/runs", json=body).status_code

    with (
        httpx.Client(
            base_url=f"{stack.url}/v1",
            headers={"Authorization": f"Bearer {key}"},
            timeout=PATIENCE,
        ) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        assert set(pool.map(ask, range(ASKED))) == {202}
    until_books(stack, lambda now: now["refused"] == ASKED - PAID)
    until(lambda: len(upstream.calls) == PAID)
    now = until_books(stack, balance)
    assert now["held"] == now["open"] <= limit and now["spent"] == 0
    assert all("This site's budget of" in why and "An admin can raise" in why for why in now["why"])

    stack.start_worker("third")
    for name in ("second", "worker"):
        stack.kill(name)
    # Whoever lives gives back what they held, less input and what had arrived, and asks again.
    now = until_books(stack, lambda now: now["estimated"] >= PAID and balance(now))
    assert now["held"] + now["spent"] <= limit
    upstream.release()
    now = until_books(stack, lambda now: now["completed"] == PAID and now["open"] == 0)
    assert balance(now)
    assert now["told"] == PAID * COST and now["spent"] <= limit
    assert now["refused"] == ASKED - PAID
