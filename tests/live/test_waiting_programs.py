"""Programs that wait for a run: many at once, on a PostgreSQL that has a hundred connections."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import psycopg
import pytest

from tests.live.conftest import add_people, make_stack
from tests.postgres import Postgres
from tests.prose import words
from tests.stack import PATIENCE, Stack, until
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.live

EACH = 6
# Threads without a request keep theirs for the next one.
IDLE_THREADS = 4
PANEL = {"panel": ["openai:waits-one"], "judge": "openai:waits-judge"}
ASKED = {"model": "fusion", "fusion": PANEL}


@pytest.fixture(scope="module")
def site(upstream: Upstream) -> Iterator[Stack]:
    patience = {"FUSION_STALL_TIMEOUT": "600", "FUSION_RUNS_PER_PERSON": "0"}
    with ExitStack() as stack:
        url = os.environ.get("DATABASE_URL") or stack.enter_context(Postgres()).url
        site = stack.enter_context(make_stack(upstream, DATABASE_URL=url, **patience))
        add_people(site)
        yield site


def connections(site: Stack) -> int:
    assert site.database
    with psycopg.connect(site.database.url) as own:
        of_others = "datname = current_database() AND pid <> pg_backend_pid()"
        told = own.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {of_others}".encode())
        return int(told.fetchall()[0][0])


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
