"""Bodies as they come over the wire, and the addresses they are sent to."""

from __future__ import annotations

import gzip
import json
import re
import threading
import zlib
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from django.http import HttpRequest, JsonResponse
from django.test import RequestFactory
from pydantic import ValidationError

from console.api.http import base
from console.api.openai.requests import ChatRequest, ResponseRequest
from console.models.tokens import Scope
from tests.upstream import Script

from .conftest import Api
from .test_errors import error

ASK = {"model": "good", "messages": [{"role": "user", "content": "Grüße? " * 50}]}
RAW = json.dumps(ASK, ensure_ascii=False).encode()


def packed(raw: bytes, level: int = 9) -> bytes:
    """The same at any second, since a test is named after it."""
    return gzip.compress(raw, level, mtime=0)


def post(api: Api, content: bytes, coding: str, path: str = "/chat/completions") -> Any:
    return api.post(path, content=content, headers={"Content-Encoding": coding})


@pytest.mark.parametrize(
    ("content", "coding"),
    [
        (packed(RAW), "gzip"),
        (packed(RAW), "X-GZIP"),
        (packed(RAW, 0), "GZip"),
        (RAW, "identity"),
        (RAW, "none"),
        (RAW, ""),
    ],
)
def test_a_packed_body_is_read_as_it_was(api: Api, content: bytes, coding: str) -> None:
    api.script("good", Script(text="Hello."))
    answer = post(api, content, coding)
    assert answer.status_code == 200, answer.text
    assert api.upstream.calls[0].body["messages"] == ASK["messages"]


def test_so_it_is_for_responses_and_runs(api: Api) -> None:
    for path, more in (("/responses", {"input": "Why?"}), ("/runs", {"prompt": "Why?"})):
        body = packed(json.dumps({"model": "good"} | more).encode())
        assert post(api, body, "gzip", path).status_code in (200, 202)


@pytest.mark.parametrize("coding", ["deflate", "zstd", "br", "gzip, gzip", "compress", "a" * 300])
def test_other_codings_are_refused_by_name(api: Api, coding: str) -> None:
    refused = error(post(api, zlib.compress(RAW), coding), 415, "unsupported_encoding")
    assert coding[:50] in refused["message"] and "gzip" in refused["message"]


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (RAW, 400, "bad_request"),
        (packed(RAW)[:-9], 400, "bad_request"),
        (packed(RAW)[:30], 400, "bad_request"),
        (packed(b"{" + RAW), 400, "invalid_json"),
        (packed(b" " * 10_000_001), 413, "request_too_large"),
        # What unpacks to a hundred megabytes is unpacked to the limit only.
        (packed(b" " * 10**8, 1), 413, "request_too_large"),
    ],
)
def test_what_does_not_unpack_is_refused(api: Api, content: bytes, status: int, code: str) -> None:
    error(post(api, content, "gzip"), status, code)
    assert not api.upstream.calls


LIST_TOOLS = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/list",
        "params": {
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2025-11-25",
                "about": "Grüße? " * 50,
            }
        },
    },
    ensure_ascii=False,
).encode()


def to_mcp(api: Api, content: bytes, coding: str) -> httpx.Response:
    return httpx.post(
        f"{api.stack.url}/mcp",
        content=content,
        headers={
            "Authorization": f"Bearer {api.key}",
            "Accept": "application/json, text/event-stream",
            "Content-Type": "application/json",
            "MCP-Protocol-Version": "2025-11-25",
            "Content-Encoding": coding,
        },
        timeout=60,
    )


@pytest.mark.parametrize(
    ("content", "coding"),
    [
        (packed(LIST_TOOLS), "gzip"),
        (packed(LIST_TOOLS, 0), "X-GZip"),
        (LIST_TOOLS, "identity"),
        (LIST_TOOLS, ""),
    ],
)
def test_what_is_packed_for_mcp_is_read_as_it_was(api: Api, content: bytes, coding: str) -> None:
    answer = to_mcp(api, content, coding)
    assert answer.status_code == 200 and "fusion_ask" in answer.text


@pytest.mark.parametrize(
    ("content", "coding", "status", "code"),
    [
        (zlib.compress(LIST_TOOLS), "deflate", 415, "unsupported_encoding"),
        (LIST_TOOLS, "br", 415, "unsupported_encoding"),
        (LIST_TOOLS, "gzip", 400, "bad_request"),
        (packed(LIST_TOOLS)[:-9], "gzip", 400, "bad_request"),
        (packed(b" " * 10**8, 1), "gzip", 413, "request_too_large"),
    ],
)
def test_what_does_not_unpack_is_refused_there_too(
    api: Api, content: bytes, coding: str, status: int, code: str
) -> None:
    error(to_mcp(api, content, coding), status, code)


# more of a kind than any conversation has

MANY = b",".join([b"{}"] * 120_000)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/chat/completions", b'{"messages":[{"role":"user","content":[%s]}],"model":"good"}'),
        ("/chat/completions", b'{"messages":[{"role":"user","tool_calls":[%s]}],"model":"good"}'),
        ("/chat/completions", b'{"tools":[%s],"model":"good"}'),
        ("/responses", b'{"input":[{"role":"user","content":[%s]}],"model":"good"}'),
        ("/runs", b'{"messages":[{"role":"user","content":[%s]}],"model":"good"}'),
    ],
)
@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_body_of_very_many_objects_is_refused(
    api: Api, path: str, body: bytes, coding: str
) -> None:
    raw = body % MANY
    answer = post(api, packed(raw) if coding == "gzip" else raw, coding, path)
    assert "100,000 values" in error(answer, 400, "invalid_request")["message"]


@pytest.mark.parametrize("piece", [b"[]", b"1", b'"ab"', b'{"a":1}'])
@pytest.mark.parametrize("count", [120_000, 600_000])
def test_so_is_one_of_very_many_other_values(api: Api, piece: bytes, count: int) -> None:
    raw = b'{"model":"good","metadata":{"x":[%s]}}' % b",".join([piece] * count)
    refused = error(post(api, raw, "identity"), 400, "invalid_request")
    assert "100,000 values" in refused["message"]


@pytest.mark.parametrize("count", [120_000, 600_000])
def test_so_is_one_of_very_many_names(api: Api, count: int) -> None:
    body = json.dumps(ASK | {"fusion": {"policy": dict.fromkeys(map(str, range(count)), 1)}})
    refused = error(post(api, body.encode(), "identity"), 400, "invalid_request")
    assert "100,000 values" in refused["message"]


def test_a_text_may_have_any_signs(api: Api) -> None:
    api.script("good", Script(text="Hello."))
    asked = ASK | {"messages": [{"role": "user", "content": "[{:,}]" * 50_000}]}
    assert api.post(json=asked).status_code == 200


@pytest.mark.parametrize(
    "arguments",
    [
        {"panel": [{}] * 20_000},
        {"files": [{}] * 600_000},
        {"terms": dict.fromkeys(map(str, range(20_000)), 1)},
        {"answers": [dict.fromkeys(map(str, range(20_000)), 1)]},
    ],
)
def test_so_it_is_of_a_tools_arguments(api: Api, arguments: dict[str, Any]) -> None:
    params = {"name": "fusion_ask", "arguments": {"prompt": "Why?"} | arguments}
    params["_meta"] = json.loads(LIST_TOOLS)["params"]["_meta"]
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    for coding in ("identity", "gzip"):
        raw = json.dumps(asked).encode()
        answer = to_mcp(api, packed(raw) if coding == "gzip" else raw, coding)
        assert re.search(r"more than 10?0?,000 values", answer.text), answer.text
    assert not api.upstream.calls


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"messages": [{"role": "user", "content": [{}] * 9_000}]}, "messages.0.content.0.type"),
        (
            {"messages": [{"role": "assistant", "tool_calls": [{"id": 1}] * 9_000}]},
            "messages.0.tool_calls.0.id",
        ),
        ({"input": [{"role": "user", "content": [{}] * 9_000}]}, "input.0.content.0.type"),
        ({"input": [{"output": [{}] * 9_000}]}, "input.0.output.0.type"),
    ],
)
def test_of_many_that_are_wrong_the_first_is_named_and_no_other_looked_at(
    body: dict[str, Any], param: str
) -> None:
    schema = ResponseRequest if "input" in body else ChatRequest
    with pytest.raises(ValidationError) as wrong:
        schema.model_validate({"model": "good"} | body)
    assert wrong.value.error_count() <= 3
    assert base.fault_in(wrong.value).param == param


def test_where_very_many_things_are_wrong_none_is_named(api: Api) -> None:
    policy = {f"wish {n}": [] for n in range(5_000)}
    refused = error(api.post(json=ASK | {"fusion": {"policy": policy}}), 400, "invalid_request")
    assert refused["message"] == "More than 10,000 things are wrong in it."


def test_too_many_messages_are_told_so_though_one_is_wrong(api: Api) -> None:
    messages = [{"role": "nobody"}] * 2_001
    error(api.post(json=ASK | {"messages": messages}), 400, "context_length_exceeded")


# addresses


@pytest.mark.parametrize(
    "path",
    ["/chat/completions/", "//chat/completions", "/chat//completions", "//chat/completions//"],
)
def test_a_slash_too_many_in_an_address_does_no_harm(api: Api, path: str) -> None:
    headers = {"Idempotency-Key": "one address"}
    answers = [api.post(p, json=ASK, headers=headers) for p in (path, "/chat/completions")]
    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].json()["id"] == answers[1].json()["id"], "it is the same request"


def test_it_is_so_of_every_address(api: Api) -> None:
    run = api.post("/runs/", json={"model": "good", "prompt": "Why?"}).json()["id"]
    assert api.get(f"/runs/{run}/").json()["id"] == run
    assert api.get("/runs/?limit=1").json()["data"][0]["id"] == run
    assert api.get("/models/").json() == api.get("/models").json()
    assert api.get("/models/fusion/quality/").json()["id"] == "fusion/quality"
    assert api.post("/responses/", json={"model": "good", "input": "Why?"}).status_code == 200
    assert api.get("/openapi.json/").status_code == 200
    error(api.get("/nothing/"), 404, "not_found")
    error(api.get("/"), 404, "not_found")
    error(api.get("/chat/completions/"), 405, "method_not_allowed")


# what is kept elsewhere


@pytest.mark.parametrize("path", ["/chat/completions", "/responses", "/runs"])
@pytest.mark.parametrize("conversation", ["conv_1", {"id": "conv_1"}])
def test_a_conversation_that_is_kept_elsewhere_is_refused(
    api: Api, path: str, conversation: Any
) -> None:
    say = {"/responses": {"input": "Why?"}, "/runs": {"prompt": "Why?"}}.get(path, {})
    body = ASK | say | {"conversation": conversation}
    refused = error(api.post(path, json=body), 400, "invalid_request")
    assert refused["param"] == "conversation" and "messages" in refused["message"]


def test_a_stored_prompt_is_refused_and_none_is_none(api: Api) -> None:
    body: dict[str, Any] = {"model": "good", "input": "Why?", "conversation": None}
    refused = api.post("/responses", json=body | {"prompt": {"id": "pmpt_1"}})
    assert error(refused, 400, "invalid_request")["param"] == "prompt"
    assert api.post("/responses", json=body | {"prompt": None}).status_code == 200


@pytest.mark.parametrize(
    ("length", "headers", "beside"),
    [
        (60_000, {}, True),
        (100, {}, False),
        (100, {"Content-Encoding": "gzip"}, True),
        (100, {"Content-Length": ""}, True),
    ],
)
async def test_what_is_long_or_may_be_is_read_beside_the_loop(
    monkeypatch: pytest.MonkeyPatch, length: int, headers: dict[str, str], beside: bool
) -> None:
    read_by = []

    def read(_: HttpRequest) -> dict[str, Any]:
        read_by.append(threading.current_thread())
        return {}

    async def known(_: HttpRequest) -> Any:
        return SimpleNamespace(scopes=[Scope.RUN], defaults={})

    async def counted(*_: Any, **more: Any) -> dict[str, str]:
        return {}

    monkeypatch.setattr(base, "read_json", read)
    monkeypatch.setattr(base, "authenticate", known)
    monkeypatch.setattr(base, "take", counted)

    @base.endpoint(Scope.RUN, body=base.NoBody)
    async def view(call: base.ApiCall[base.NoBody]) -> JsonResponse:
        return JsonResponse({})

    body = b" " * length
    request = RequestFactory().post("/v1/runs", body, "application/json", headers=headers)
    assert (await view(request)).status_code == 200
    assert (read_by[0] is not threading.current_thread()) is beside
