"""The official MCP client before the whole stack, over HTTP and over stdio."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tests.api.conftest import GPT, Api
from tests.stack import ROOT
from tests.upstream import Script

pytestmark = pytest.mark.live
UNDER_WAY = ("queued", "running")
PANEL = {"panel": ["openrouter:mcp-one", "openrouter:mcp-two"], "judge": "openrouter:mcp-judge"}


@asynccontextmanager
async def over_http(api: Api, key: str = "", **headers: str) -> AsyncIterator[Client]:
    headers = {"Authorization": f"Bearer {key or api.key}"} | headers
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(
            streamable_http_client(f"{api.at or api.stack.url}/mcp", http_client=http)
        ) as client,
    ):
        yield client


@asynccontextmanager
async def over_stdio(api: Api) -> AsyncIterator[Client]:
    server = StdioServerParameters(
        command=sys.executable, args=["manage.py", "mcp"], env=api.stack.env, cwd=ROOT
    )
    async with Client(server) as client:
        yield client


def said_at_once(api: Api, *messages: dict[str, Any]) -> dict[Any, dict[str, Any]]:
    """What a program is answered that says all of it and closes its end, by the requests' ids."""
    first = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "pipe", "version": "1"},
    }
    lines = [
        {"id": 0, "method": "initialize", "params": first},
        {"method": "notifications/initialized"},
        *messages,
    ]
    done = subprocess.run(
        [sys.executable, "manage.py", "mcp"],
        input="".join(json.dumps({"jsonrpc": "2.0"} | line) + "\n" for line in lines),
        env=api.stack.env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return {answer["id"]: answer for answer in answers if "id" in answer}


def test_what_was_read_is_answered_though_the_input_has_ended(api: Api) -> None:
    api.script(GPT, Script(text="Slowly.", tokens_per_second=5))
    prompt = {"name": "fusion_ask", "arguments": {"prompt": "Name one prime number."}}
    answers = said_at_once(
        api,
        {"id": 1, "method": "tools/list"},
        {"id": "two", "method": "tools/call", "params": prompt},
        {"id": 3, "method": "tools/call", "params": {"name": "fusion_list_presets"}},
        {"id": 4, "method": "no/such"},
    )
    assert answers.keys() == {0, 1, "two", 3, 4}
    assert len(answers[1]["result"]["tools"]) == 5 and "error" in answers[4]
    asked = answers["two"]["result"]["structuredContent"]
    assert asked["status"] == "completed" and asked["answer"]
    assert "quality" in str(answers[3]["result"])
    assert "Connection closed" not in str(answers)


def test_whoever_asks_nothing_or_takes_a_request_back_is_not_waited_for(api: Api) -> None:
    assert said_at_once(api).keys() == {0}
    api.script(GPT, Script(text="Never mind.", hold_after=0))
    prompt = {"name": "fusion_ask", "arguments": {"prompt": "Name one prime number."}}
    back = {"requestId": 1, "reason": "changed my mind"}
    answers = said_at_once(
        api,
        {"id": 1, "method": "tools/call", "params": prompt},
        {"method": "notifications/cancelled", "params": back},
        {"id": 2, "method": "tools/list"},
    )
    api.upstream.release()
    assert answers.keys() == {0, 2}


async def ask(client: Client, tool: str = "fusion_ask", **arguments: Any) -> Any:
    return await client.call_tool(tool, arguments, read_timeout_seconds=90)


def words(result: Any) -> str:
    return "\n".join(part.text for part in result.content)


@pytest.mark.parametrize("transport", [over_http, over_stdio])
async def test_a_panel_is_asked_and_each_seat_is_heard_of(api: Api, transport: Any) -> None:
    api.script("mcp-one", Script(text="The first answer."))
    api.script("mcp-two", Script(text="The second answer.", first_token_after=0.3))
    api.script("mcp-judge", Script(text="The fused answer."))
    heard: list[tuple[float, float | None, str | None]] = []

    async def listen(done: float, total: float | None, said: str | None) -> None:
        heard.append((done, total, said))

    async with transport(api) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert set(tools) == {
            "fusion_ask",
            "fusion_start",
            "fusion_get_run",
            "fusion_list_presets",
            "fusion_search",
        }
        assert "Do NOT use for routine chat" in str(tools["fusion_ask"].description)
        result = await client.call_tool(
            "fusion_ask",
            {"prompt": "Which answer is first?"} | PANEL,
            read_timeout_seconds=90,
            progress_callback=listen,
        )
    assert not result.is_error
    told = result.structured_content
    assert told["answer"] == "The fused answer." and told["status"] == "completed"
    assert words(result).startswith("The fused answer.") and told["run_url"] in words(result)
    assert [seat["status"] for seat in told["panel"]] == ["completed", "completed"]
    assert told["seconds"] > 0 and "cost_usd" in told
    said = "\n".join(str(sentence) for _, _, sentence in heard)
    assert "A · mcp-one answered" in said and "B · mcp-two answered" in said
    steps = [done for done, _, _ in heard]
    assert steps == sorted(set(steps)), "progress that does not grow is none"


async def test_a_run_is_started_and_read_later(api: Api) -> None:
    api.script("mcp-one", Script(text="Slowly.", first_token_after=1))
    api.script("mcp-two", Script(text="At once.", chunk={"citations": ["https://a.example/"]}))
    api.script("mcp-judge", Script(text="Both."))
    async with over_http(api) as client:
        started = await ask(client, "fusion_start", prompt="When?", **PANEL)
        run_id = started.structured_content["run_id"]
        assert started.structured_content["status"] in ("queued", "running")
        at_once = await ask(client, "fusion_get_run", run_id=run_id, wait_seconds=0)
        assert not at_once.is_error and run_id in words(at_once)
        read = await ask(client, "fusion_get_run", run_id=run_id, include_answers=True)
        assert read.structured_content["answer"] == "Both."
        page = "https://a.example/"
        assert read.structured_content["sources"] == [{"url": page, "title": page}]
        assert "Slowly." in words(read) and "At once." in words(read)
    assert len(api.upstream.calls_of("mcp-one")) >= 1
    page = await asyncio.to_thread(api.get, f"/runs/{run_id}")
    assert page.json()["status"] == "completed"


async def test_a_run_that_takes_long_is_answered_with_its_number(api: Api, another: Api) -> None:
    """Clients give up after a minute, and would ask, and pay, again."""
    api.script("mcp-one", Script(text="Slowly.", hold_after=0))
    api.script("mcp-two", Script(text="At once."))
    api.script("mcp-judge", Script(text="Both."))
    api.upstream.hold(everything=False)
    heard: list[str | None] = []

    async def listen(done: float, total: float | None, said: str | None) -> None:
        heard.append(said)

    async with over_http(another) as client:
        result = await client.call_tool(
            "fusion_ask",
            {"prompt": "How long?"} | PANEL,
            read_timeout_seconds=90,
            progress_callback=listen,
        )
        run_id = result.structured_content["run_id"]
        assert not result.is_error and result.structured_content["status"] in UNDER_WAY
        assert "fusion_get_run" in words(result) and run_id in words(result)
        assert any(run_id in str(sentence) for sentence in heard)
        early = await ask(client, "fusion_get_run", run_id=run_id, wait_seconds=300)
        assert early.structured_content["status"] in UNDER_WAY
        api.upstream.release()
        read = early
        while read.structured_content["status"] in UNDER_WAY:
            assert not read.is_error
            read = await ask(client, "fusion_get_run", run_id=run_id)
    assert read.structured_content["answer"] == "Both."
    assert len(api.upstream.calls_of("mcp-one")) == 1


@pytest.mark.parametrize("transport", [over_http, over_stdio])
async def test_the_tools_list_the_presets_that_can_run(api: Api, transport: Any) -> None:
    async with transport(api) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    for name in ("fusion_ask", "fusion_start"):
        preset = tools[name].input_schema["properties"]["preset"]
        (named, nothing) = preset["anyOf"]
        assert {"quality", "budget"} <= set(named["enum"]) and nothing == {"type": "null"}
        assert not {"dead", "off"} & set(named["enum"])
    assert "preset" not in tools["fusion_get_run"].input_schema["properties"]


async def test_a_name_that_is_nearly_right_is_refused_with_those_like_it(api: Api) -> None:
    async with over_http(api) as client:
        for arguments, near in (
            ({"preset": "qualty"}, "“quality”"),
            ({"panel": ["gpt-latest"], "judge": "good"}, f"“{GPT}”"),
            ({"panel": ["good"], "judge": "goood"}, "“good”"),
        ):
            refused = await ask(client, prompt="Hm?", **arguments)
            assert refused.is_error and f"Did you mean {near}" in words(refused), words(refused)


async def test_what_is_refused_is_told_in_plain_words(api: Api) -> None:
    async with over_http(api) as client:
        for arguments, sentence in (
            ({"prompt": "Hm?", "preset": "nowhere"}, "nowhere"),
            ({"prompt": "   "}, "prompt"),
            ({"prompt": "Hm?", "preset": "quality", "judge": "openrouter:good"}, "either a preset"),
            ({"prompt": "Hm?", "preset": "dead"}, "not set up"),
            ({"question": "Hm?"}, "prompt: Field required"),
            ({"prompt": "Hm?", "panel": ["a"] * 9}, "panel: List should have at most 8 items"),
            ({"prompt": "Hm?", "maxCost": 1}, "as “max_cost” of the request itself"),
            ({"prompt": "Hm?", "max_price": 1}, "as “max_cost” of the request itself"),
            ({"prompt": "Hm?", "zero_retention": True}, "in “terms”: they are not read here"),
            ({"prompt": "Hm?", "provider": {"zdr": True}}, "in “terms”: they are not read here"),
            ({"prompt": "Hm?", "fusion": {"no_training": True}}, "in “terms”: they are not read"),
        ):
            refused = await ask(client, **arguments)
            assert refused.is_error and sentence in words(refused), words(refused)
            assert "pydantic" not in words(refused) and "Hm?" not in words(refused)
        missing = await ask(client, "fusion_get_run", run_id="no-run")
        assert missing.is_error and "no run" in words(missing)
        nothing = await ask(client, "fusion_search", words="?!")
        assert nothing.is_error and "Name a word" in words(nothing)
        listed = await ask(client, "fusion_list_presets")
        assert "quality" in words(listed)


async def test_what_is_asked_of_data_is_kept_or_refused(api: Api) -> None:
    terms = {"zero_retention": True, "only_providers": ["azure"]}
    async with over_http(api) as client:
        (tool,) = (t for t in (await client.list_tools()).tools if t.name == "fusion_ask")
        assert "zero_retention" in str(tool.input_schema)
        assert not (await ask(client, prompt="Whose?", terms=terms, **PANEL)).is_error
        for call in api.upstream.calls:
            assert call.body["provider"] == {"zdr": True, "only": ["azure"]}
        asked = len(api.upstream.calls)
        for refused in ({"only_local": True}, {"no_traning": True}):
            result = await ask(client, prompt="Whose?", terms=refused, **PANEL)
            assert result.is_error
        assert "does not promise: only on this machine" in words(
            await ask(client, prompt="Whose?", terms={"only_local": True}, **PANEL)
        )
        assert len(api.upstream.calls) == asked


async def test_what_its_calls_may_cost_is_kept(api: Api) -> None:
    priced = {"panel": ["openrouter:good", "openrouter:echo"], "judge": "openrouter:good"}
    async with over_http(api) as client:
        for tool in ("fusion_ask", "fusion_start"):
            (told,) = (t for t in (await client.list_tools()).tools if t.name == tool)
            assert "US dollars" in str(told.input_schema["properties"]["max_cost"])
        refused = await ask(client, prompt="How much?", max_cost=0.000001, **priced)
        assert (
            refused.is_error and refused.structured_content["failure_reason"] == "budget_exceeded"
        )
        assert "This run's budget of $0.000001 does not pay for this call" in words(refused)
        assert refused.structured_content["error_code"] == "budget_exceeded"
        for wrong in (-1, "much", 10**9):
            assert (await ask(client, prompt="How much?", max_cost=wrong, **priced)).is_error
        assert not api.upstream.calls
        assert not (await ask(client, prompt="How much?", max_cost=2, **priced)).is_error


async def test_where_a_budget_stops_it_the_error_keeps_what_was_finished(api: Api) -> None:
    priced = {"panel": ["openrouter:good", "openrouter:echo"], "judge": "openrouter:writer"}
    dear = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, "cost": 3}
    api.script("good", Script(text="Dear, and good.", usage=dear))
    async with over_http(api) as client:
        stopped = await ask(client, prompt="How much?", max_cost=2, **priced)
        told = stopped.structured_content
        assert stopped.is_error and told["error_code"] == "budget_exceeded"
        assert told["status"] == "completed" and told["answer"]
        assert told["finished"][:2] == ["A", "B"]
        error, finished = (part.text for part in stopped.content)
        assert error.startswith("budget_exceeded: This run's budget of $2 does not pay")
        assert "Whoever started it can let it go on for more." in error
        assert "Finished: A, B" in error and finished.startswith(told["answer"])
        # Whoever reads it later is told the same.
        again = await ask(client, "fusion_get_run", run_id=told["run_id"], include_answers=True)
        assert again.is_error and "Dear, and good." in words(again)
    assert not api.upstream.calls_of("writer")


async def test_a_panel_that_fails_says_why_of_each_seat(api: Api) -> None:
    panel = {"panel": ["openrouter:fault-401", "openrouter:fault-404"], "judge": "openrouter:good"}
    async with over_http(api) as client:
        failed = await ask(client, prompt="Anybody?", **panel)
    assert failed.is_error and "key" in words(failed)
    assert {seat["status"] for seat in failed.structured_content["panel"]} == {"failed"}


async def test_somebody_else_s_private_run_is_not_there(api: Api) -> None:
    async with over_http(api) as client:
        started = await ask(client, "fusion_start", prompt="Mine alone?", **PANEL)
        run_id = started.structured_content["run_id"]
    async with over_http(api, api.token(user="bob")) as stranger:
        found = await ask(stranger, "fusion_get_run", run_id=run_id, wait_seconds=0)
    assert found.is_error and "no run" in words(found)


async def test_one_level_only_and_no_more_than_the_token_may(api: Api) -> None:
    for header in ("x-fusion-depth", "x-openrouter-fusion-depth"):
        async with over_http(api, **{header: "1"}) as client:
            within = await ask(client, prompt="Within?", **PANEL)
            assert within.is_error and "one level only" in words(within)
    async with over_http(api, api.token("--scopes", "read,models")) as reader:
        refused = await ask(reader, prompt="May I?", **PANEL)
        assert refused.is_error and "scope" in words(refused)


async def test_two_programs_at_once_get_each_their_own(api: Api) -> None:
    api.script("mcp-echo", Script(text="{prompt}"))
    echo = {"panel": ["openrouter:mcp-echo"], "judge": "openrouter:mcp-echo"}

    async def one(prompt: str) -> str:
        async with over_http(api) as client:
            run = await ask(client, prompt=prompt, **echo)
            return words(
                await ask(
                    client,
                    "fusion_get_run",
                    run_id=run.structured_content["run_id"],
                    include_answers=True,
                )
            )

    first, second = await asyncio.gather(one("the pear"), one("the plum"))
    assert "the pear" in first and "the plum" not in first
    assert "the plum" in second and "the pear" not in second


HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
ACCEPT = {"Accept": "application/json, text/event-stream"}


def test_nobody_comes_in_without_a_token_or_from_another_site(api: Api) -> None:
    address = f"{api.stack.url}/mcp"
    known = {"Authorization": f"Bearer {api.key}"}
    assert httpx.post(address, json=HELLO, headers=ACCEPT | known).status_code == 200
    unknown = httpx.post(address, json=HELLO, headers=ACCEPT)
    assert unknown.status_code == 401 and unknown.headers["www-authenticate"].startswith("Bearer")
    wrong = ACCEPT | {"Authorization": "Bearer fsn-wrong"}
    assert httpx.post(address, json=HELLO, headers=wrong).status_code == 401
    elsewhere = ACCEPT | known | {"Origin": "https://evil.example"}
    refused = httpx.post(address, json=HELLO, headers=elsewhere)
    assert refused.status_code == 403 and refused.json()["error"]["code"] == "forbidden_origin"
    ours = ACCEPT | known | {"Origin": api.stack.url}
    assert httpx.post(address, json=HELLO, headers=ours).status_code == 200


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b'{"id": 1}'])
def test_what_is_no_request_is_refused_and_harms_nobody(api: Api, body: bytes) -> None:
    headers = ACCEPT | {
        "Authorization": f"Bearer {api.key}",
        "Content-Type": "application/json",
    }
    answer = httpx.post(f"{api.stack.url}/mcp", content=body, headers=headers)
    assert 400 <= answer.status_code < 500
    assert httpx.get(f"{api.stack.url}/readyz").status_code == 200


def test_there_is_no_stream_of_what_nobody_asked_for(api: Api) -> None:
    """Clients open one at once, and do without where they are told so."""
    known = {"Authorization": f"Bearer {api.key}", "Accept": "text/event-stream"}
    with httpx.stream("GET", f"{api.stack.url}/mcp", headers=known, timeout=30) as answer:
        assert answer.status_code == 405 and answer.headers["allow"] == "POST"


def test_a_body_of_30_mb_is_refused_in_json(api: Api) -> None:
    headers = ACCEPT | {"Authorization": f"Bearer {api.key}"}
    answer = httpx.post(
        f"{api.stack.url}/mcp", json=HELLO | {"padding": "x" * 30_000_000}, headers=headers
    )
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "request_too_large"


def test_too_many_requests_are_told_to_wait(api: Api) -> None:
    key = api.token("--requests-per-minute", "2")
    headers = ACCEPT | {"Authorization": f"Bearer {key}"}
    answers = [httpx.post(f"{api.stack.url}/mcp", json=HELLO, headers=headers) for _ in range(3)]
    assert answers[-1].status_code == 429 and int(answers[-1].headers["retry-after"]) > 0


def test_no_key_is_in_the_log(api: Api) -> None:
    assert not re.search(re.escape(api.key), api.stack.log.read_text(errors="replace"))
