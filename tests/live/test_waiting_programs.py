"""Programs on a PostgreSQL: how few connections they hold, and that it may go away for a moment."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import psycopg
import pytest

from tests.live.conftest import PASSWORD, add_people, make_stack
from tests.live.member import Member
from tests.postgres import Postgres
from tests.prose import words
from tests.stack import PATIENCE, Stack, until
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.live

EACH = 6
BURST = 150
# Threads without a request keep theirs for the next one.
IDLE_THREADS = 4
FEW = 40
PANEL = {"panel": ["openai:waits-one"], "judge": "openai:waits-judge"}
ASKED = {"model": "fusion", "fusion": PANEL}


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    """Of its own: it is ended in the midst."""
    with Postgres() as server:
        yield server


@pytest.fixture(scope="module")
def site(upstream: Upstream, database: Postgres) -> Iterator[Stack]:
    patience = {"FUSION_STALL_TIMEOUT": "600", "FUSION_RUNS_PER_PERSON": "0"}
    with ExitStack() as stack:
        site = stack.enter_context(make_stack(upstream, DATABASE_URL=database.url, **patience))
        add_people(site)
        yield site


def connections(site: Stack) -> int:
    assert site.database
    with psycopg.connect(site.database.url) as own:
        of_others = "datname = current_database() AND pid <> pg_backend_pid()"
        told = own.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {of_others}".encode())
        return int(told.fetchall()[0][0])


async def most_connections(site: Stack, task: asyncio.Future[Any]) -> int:
    most = 0
    while not task.done():
        most = max(most, await asyncio.to_thread(connections, site))
    return most


def tool(number: int) -> dict[str, Any]:
    asked = {"prompt": f"Question {number} of a tool?", **PANEL}
    params = {"name": "fusion_ask", "arguments": asked, "_meta": {"progressToken": number}}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


async def test_who_waits_holds_no_connection_to_the_database(
    site: Stack, upstream: Upstream
) -> None:
    upstream.script("waits-one", Script(text=words(20), hold_after=1))
    upstream.script("waits-judge", Script(judge=Script()))
    key = site.token("alice", "--concurrent-runs", "0", "--requests-per-minute", "0")
    before = connections(site)

    def all_asked(number: int) -> Callable[[], bool]:
        return lambda: len(upstream.calls_of("waits-one")) == number

    def few_are_held() -> bool:
        return connections(site) - before <= IDLE_THREADS

    upstream.hold(everything=False)
    async with httpx.AsyncClient(
        base_url=site.url, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE
    ) as http:

        async def chat(number: int, *, stream: bool) -> httpx.Response:
            asked = [{"role": "user", "content": f"Question {number}, {stream}?"}]
            body = {**ASKED, "messages": asked, "stream": stream}
            return await http.post("/v1/chat/completions", json=body)

        async def response(number: int) -> httpx.Response:
            body = {**ASKED, "input": f"Question {number}?", "stream": True}
            return await http.post("/v1/responses", json=body)

        async def events(number: int) -> httpx.Response:
            body = {**ASKED, "prompt": f"Question {number}?"}
            run = (await http.post("/v1/runs", json=body)).json()
            return await http.get(f"/v1/runs/{run['id']}/events")

        async def mcp(number: int) -> httpx.Response:
            accepts = {"Accept": "application/json, text/event-stream"}
            return await http.post("/mcp", json=tool(number), headers=accepts)

        waiting = [
            asyncio.ensure_future(one)
            for number in range(EACH)
            for one in (
                chat(number, stream=True),
                chat(number, stream=False),
                response(number),
                events(number),
                mcp(number),
            )
        ]
        await asyncio.to_thread(until, all_asked(len(waiting)))
        # Each asks the rows for a moment now and then, while its run is silent.
        await asyncio.to_thread(until, few_are_held)
        upstream.release()
        for reply in await asyncio.gather(*waiting):
            assert reply.status_code == 200, reply.text
    await asyncio.to_thread(until, few_are_held)


async def test_a_burst_of_short_requests_has_its_turns_of_few_connections(site: Stack) -> None:
    key = site.token("alice", "--requests-per-minute", "0")
    paths = ("/v1/models", "/v1/key", "/v1/runs", "/v1/usage")
    async with httpx.AsyncClient(
        base_url=site.url,
        headers={"Authorization": f"Bearer {key}"},
        timeout=PATIENCE,
        limits=httpx.Limits(max_connections=BURST),
    ) as http:
        burst = asyncio.gather(*(http.get(paths[n % len(paths)]) for n in range(BURST)))
        most = await most_connections(site, burst)
        assert {reply.status_code for reply in await burst} == {200}
    assert most <= FEW


@pytest.mark.parametrize("stream", [True, False])
async def test_a_database_that_is_away_for_a_moment_ends_no_reply(
    site: Stack, database: Postgres, upstream: Upstream, stream: bool
) -> None:
    said = words(60, of="away")
    upstream.script("away-one", Script(text=said, tokens_per_second=10))
    key = site.token("alice", "--requests-per-minute", "0")
    before = len(upstream.calls_of("away-one"))
    body = {"model": "openai:away-one", "messages": [{"role": "user", "content": f"{stream}?"}]}
    async with httpx.AsyncClient(
        base_url=site.url, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE
    ) as http:
        asked = http.post("/v1/chat/completions", json={**body, "stream": stream})
        reply = asyncio.ensure_future(asked)
        await asyncio.to_thread(until, lambda: len(upstream.calls_of("away-one")) > before)
        await asyncio.sleep(1)
        with database.away():
            await asyncio.sleep(2)
        whole = await reply
        assert whole.status_code == 200, whole.text
        if stream:
            lines = [line for line in whole.text.splitlines() if line[:7] == "data: {"]
            chunks = [json.loads(line[6:]) for line in lines]
            deltas = [c["delta"] for chunk in chunks for c in chunk["choices"]]
            told = "".join(delta.get("content") or "" for delta in deltas)
        else:
            told = whole.json()["choices"][0]["message"]["content"]
        assert told == said


def test_after_a_restart_of_the_database_a_page_that_is_not_there_is_still_said_to_be_so(
    site: Stack, database: Postgres
) -> None:
    nowhere = f"/fusion/runs/{uuid.uuid4()}"
    with Member(site, "alice", PASSWORD) as alice:
        assert {alice.http.get(nowhere).status_code for _ in range(8)} == {404}
        with database.away():
            pass
        assert {alice.http.get(nowhere).status_code for _ in range(8)} == {404}


def test_without_the_database_programs_are_told_to_come_back(
    site: Stack, database: Postgres
) -> None:
    key = site.token("alice", "--requests-per-minute", "0")
    with httpx.Client(
        base_url=site.url, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE
    ) as http:
        assert http.get("/v1/runs").status_code == 200
        with database.away():
            reply = http.get("/v1/runs")
            assert (reply.status_code, reply.headers["Retry-After"]) == (503, "5")
        assert http.get("/v1/runs").status_code == 200


def test_in_a_shell_a_run_is_waited_for_through_a_database_that_is_away(
    site: Stack, database: Postgres, upstream: Upstream
) -> None:
    said = words(60, of="shell")
    upstream.script("shell-one", Script(text=said, tokens_per_second=10))
    before = len(upstream.calls_of("shell-one"))
    with ThreadPoolExecutor(1) as thread:
        told = thread.submit(site.manage, "fuse", "Why?", "--panel", "openai:shell-one")
        until(lambda: len(upstream.calls_of("shell-one")) > before)
        time.sleep(1)
        with database.away():
            time.sleep(1)
        assert said in " ".join(told.result(PATIENCE).stdout.split())
