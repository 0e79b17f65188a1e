"""Who asks in OpenRouter's words is answered in them, whoever does not in OpenAI's alone."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest
from django.test import RequestFactory

from console.api.http.errors import TABLE, ApiError
from console.api.http.openrouter import in_openrouters_words, openrouters_body
from tests.upstream import Script

from .conftest import GEMINI, GPT, OPUS, Api

SDK = "speakeasy-sdk/typescript 1.3.19 2.800.0 1.0.0 @openrouter/sdk"
SAY: dict[str, Any] = {"messages": [{"role": "user", "content": "What is the answer?"}]}
CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
Headers = dict[str, str]


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        ({"model": "openrouter/fusion"}, {}),
        ({"model": "openrouter/fusion-flash"}, {}),
        ({"model": "openrouter/auto"}, {}),
        ({"model": "fusion", "plugins": [{"id": "fusion"}]}, {}),
        ({"model": "good", "plugins": [{"id": "web"}]}, {}),
        ({"tools": [named("f"), {"type": "openrouter:fusion"}]}, {}),
        ({"tools": [{"type": "openrouter:web_search"}]}, {}),
        ({"usage": {"include": True}}, {}),
        ({"route": "fallback"}, {}),
        ({"fusion": {"include": True}}, {}),
        ({}, {"User-Agent": SDK}),
        ({}, {"User-Agent": "ai-sdk/openrouter/2.10.0 ai/6.0.1 runtime/node.js/22"}),
        ({}, {"X-OpenRouter-Title": "An app"}),
        ({}, {"x-openrouter-metadata": "enabled"}),
    ],
)
def test_its_names_plugins_tools_fields_and_clients_are_its_words(
    data: dict[str, Any], headers: Headers
) -> None:
    for path in (CHAT, RESPONSES):
        request = RequestFactory().post(path, headers=headers)
        assert in_openrouters_words(request, data)
    runs = RequestFactory().post("/v1/runs", headers=headers)
    assert not in_openrouters_words(runs, data), "that address is ours alone"


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        ({"model": "fusion"}, {}),
        ({"model": "openrouter:good"}, {}),
        ({"model": "my/openrouter/fusion"}, {}),
        ({"model": ["openrouter/fusion"]}, {}),
        ({"plugins": [], "usage": None, "transforms": [], "fusion": None}, {}),
        ({"tools": [named("openrouter:fusion")], "tool_choice": "required"}, {}),
        ({"tools": {"type": "openrouter:fusion"}}, {}),
        ({"tools": ["openrouter:fusion", None]}, {}),
        ({"fusion": {"include": False}}, {}),
        ({"fusion": {"include": None, "panel": ["a"]}}, {}),
        ({"provider": {"zdr": True}, "models": ["a"], "transforms": ["middle-out"]}, {}),
        ({"metadata": {"plugins": "fusion"}, "messages": [{"content": "openrouter/fusion"}]}, {}),
        ({}, {"User-Agent": "OpenAI/Python 3.54.0"}),
        ({}, {"X-OpenRouter-Fusion-Depth": "1"}),
        ({}, {"HTTP-Referer": "https://openrouter.example", "X-Title": "An app"}),
    ],
)
def test_what_only_looks_like_them_is_not(data: dict[str, Any], headers: Headers) -> None:
    for path in (CHAT, RESPONSES):
        assert not in_openrouters_words(RequestFactory().post(path, headers=headers), data)


@pytest.mark.parametrize(
    ("body", "is_its"),
    [
        (b'{"model": "openrouter/fusion"}', True),
        (b'{"model": "fusion"}', False),
        (b"[]", False),
        (b"{", False),
        (b'{"a":' * 20_000, False),
        (b'{"model": "openrouter/fusion"' + b" " * 200_000 + b"}", False),
    ],
)
def test_of_a_body_that_was_not_read_yet_a_little_is(body: bytes, is_its: bool) -> None:
    request = RequestFactory().post(CHAT, body, content_type="application/json")
    assert in_openrouters_words(request, None) is is_its


@pytest.mark.parametrize("code", TABLE)
def test_every_error_has_a_number_for_a_code_and_openrouters_word_for_its_kind(code: str) -> None:
    body = openrouters_body(ApiError(code, extra={"metadata": {"run_id": "5"}}))["error"]
    assert body["code"] == TABLE[code].status and body["message"]
    kind = body["metadata"].pop("error_type")
    assert kind in ERROR_TYPES
    assert body["metadata"] == {"code": code, "run_id": "5"}
    assert (TABLE[code].status == 429) <= (kind == "rate_limit_exceeded")


ERROR_TYPES = {
    *("context_length_exceeded", "authentication", "permission_denied", "payment_required"),
    *("rate_limit_exceeded", "provider_overloaded", "provider_unavailable", "invalid_request"),
    *("not_found", "precondition_failed", "payload_too_large", "unprocessable", "server"),
    *("timeout", "unmapped"),
}


# responses


def events(api: Api, **body: Any) -> list[dict[str, Any]]:
    body = {"model": "fusion", "input": "What is it?", "stream": True} | body
    text = api.post("/responses", json=body).text
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]


IN_ITS_WORDS: list[dict[str, Any]] = [
    {"model": "openrouter/fusion"},
    {"plugins": [{"id": "fusion"}]},
    {"tools": [{"type": "openrouter:fusion"}], "tool_choice": "required"},
    {"fusion": {"include": True}},
]
IN_OTHERS: list[dict[str, Any]] = [
    {},
    {"model": "fusion/quality"},
    {"fusion": {"include": False}},
    {"model": "openrouter/fusion", "fusion": {"include": False}},
]


@pytest.mark.parametrize("body", IN_ITS_WORDS)
def test_its_events_and_its_item_are_sent_to_those_who_ask_for_them(
    api: Api, body: dict[str, Any]
) -> None:
    api.script(GPT, Script(status=401))
    told = events(api, **body)
    assert any(e["type"] == "response.fusion_call.panel.failed" and e["error"] for e in told)
    kinds = [item["type"] for item in told[-1]["response"]["output"]]
    assert kinds == ["openrouter:fusion", "message"]
    whole = api.post("/responses", json={"model": "fusion", "input": "What is it?"} | body).json()
    assert [item["type"] for item in whole["output"]] == kinds


@pytest.mark.parametrize("body", IN_OTHERS)
def test_to_others_a_degraded_run_streams_openais_events_alone(
    api: Api, body: dict[str, Any]
) -> None:
    api.script(GPT, Script(status=401))
    told = events(api, **body)
    assert not [e for e in told if "error" in e or "fusion_call" in e["type"]]
    assert [item["type"] for item in told[-1]["response"]["output"]] == ["message"]
    whole = api.post("/responses", json={"model": "fusion", "input": "What is it?"} | body).json()
    assert [item["type"] for item in whole["output"]] == ["message"]
    assert ("fusion" in whole) is not ("fusion" in body)


@pytest.mark.parametrize("failing", [{GPT: 401}, {GPT: 500, GEMINI: 429}])
def test_the_openai_client_reads_a_degraded_run_to_its_end(
    api: Api, program: openai.OpenAI, failing: dict[str, int]
) -> None:
    api.script(OPUS, Script(text="Forty-two."))
    for model, status in failing.items():
        api.script(model, *[Script(status=status)] * 3)
    text = ""
    for event in program.responses.create(model="fusion", input="What is it?", stream=True):
        if event.type == "response.output_text.delta":
            text += event.delta
    assert text == "Forty-two."
    with program.responses.stream(model="fusion", input="What is it?") as stream:
        assert stream.get_final_response().output_text == "Forty-two."


# chat completions


def chunks(api: Api, **body: Any) -> list[dict[str, Any]]:
    text = api.post(json=SAY | {"model": "fusion", "stream": True} | body).text
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]


def test_the_last_chunk_of_an_answer_in_its_words_has_usage_and_cost(api: Api) -> None:
    for body in ({"model": "openrouter/fusion"}, {"model": "good", "usage": {"include": True}}):
        last = chunks(api, **body)[-1]
        assert last["usage"]["total_tokens"] > 0 and "cost" in last["usage"]
    assert all("usage" not in chunk for chunk in chunks(api))


@pytest.mark.parametrize("stream", [False, True])
def test_a_cost_that_nobody_knows_is_left_out(api: Api, stream: bool) -> None:
    """OpenRouter's provider for the AI SDK, which names any model, refuses a whole answer for a
    null."""
    body = SAY | {"model": "nobody-listed", "stream": stream}
    for words in ({}, {"usage": {"include": True}}):
        text = api.post(json=body | words | {"stream_options": {"include_usage": True}}).text
        usage = json.loads(text.split("data: ")[-2] if stream else text)["usage"]
        assert "cost" not in usage and usage["cost_is_partial"] is True
    response = {"model": "nobody-listed", "input": "?", "stream": stream}
    text = api.post("/responses", json=response).text.split("data: ")[-1]
    said = json.loads(text)["response"] if stream else json.loads(text)
    assert "cost" not in said["usage"] and said["fusion"]["usage"]["cost"] is None


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"model": "openrouter/nothing"}, 404, "model_not_found"),
        ({"model": "openrouter/fusion", "temperature": 9}, 400, "invalid_request"),
        ({"model": "openrouter/fusion", "messages": 5}, 400, "invalid_request"),
        ({"model": "good", "plugins": [{"id": "fusion", "preset": "no"}]}, 404, "model_not_found"),
    ],
)
def test_what_is_refused_in_its_words_has_a_number(
    api: Api, body: dict[str, Any], status: int, code: str
) -> None:
    for path in ("/chat/completions", "/responses"):
        asked = SAY | {"input": "?"} | body
        if path == "/responses" and body.get("messages"):
            asked["input"] = 5
        answer = api.post(path, json=asked)
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (status, status)
        assert error["metadata"]["code"] == code and error["metadata"]["error_type"]
        assert error["message"] and error["param"]


def test_so_has_a_key_that_is_unknown_and_a_model_that_is_asked_after(api: Api) -> None:
    wrong = {"Authorization": "Bearer fus_wrong"}
    refused = api.post(json=SAY | {"model": "openrouter/fusion"}, headers=wrong)
    assert refused.json()["error"]["code"] == refused.status_code == 401
    missing = api.post("/chat/completions", json=SAY, headers={"User-Agent": SDK})
    assert missing.json()["error"]["code"] == missing.status_code == 400


def test_a_panel_that_fails_has_its_number_whole_and_in_the_stream(api: Api) -> None:
    for model in (OPUS, GPT, GEMINI):
        api.script(model, *[Script(status=401)] * 2)
    whole = api.post(json=SAY | {"model": "openrouter/fusion"})
    assert whole.status_code == whole.json()["error"]["code"] == 424
    last = chunks(api, model="openrouter/fusion")[-1]
    assert last["error"]["code"] == 424 and last["id"] and last["object"] and last["model"]
    assert last["error"]["metadata"]["error_type"] == "provider_unavailable"
    assert last["error"]["metadata"]["code"] == "all_panels_failed"
    assert last["choices"] == [], "else clients of its, too, read an empty answer"


@pytest.mark.parametrize(
    ("agent", "stands_alone"),
    [
        ("ai/6.0 ai-sdk/openai/3.0.1 ai-sdk/provider-utils/4.0.23 runtime/node.js/22", True),
        ("ai-sdk-openai/4.0.118 ai-sdk-provider-utils/5.0.81 node.js/v20.20.2", True),
        ("AI-SDK/OpenAI/3.1", True),
        ("ai-sdk-openai-compatible/3.0.92 ai-sdk-provider-utils/5.0.81 node.js/v20.20.2", False),
        ("ai/6.0 ai-sdk/openai-compatible/2.0.1 runtime/node.js/22", False),
        ("ai-sdk/openrouter/3.1.0", False),
        ("OpenAI/Python 3.57.0", False),
        ("langchain-openrouter/1.0", False),
        ("", False),
    ],
)
def test_a_client_of_openais_that_asks_by_its_names_reads_the_error(
    api: Api, agent: str, stands_alone: bool
) -> None:
    """The AI SDK's provider for OpenAI took the chunk for an empty answer."""
    for model in (OPUS, GPT, GEMINI):
        api.script(model, *[Script(status=401)] * 2)
    body = SAY | {"model": "openrouter/fusion", "stream": True}
    reply = api.post(json=body, headers={"User-Agent": agent})
    last = json.loads(reply.text.strip().split("\n\n")[-1].removeprefix("data: "))
    assert last["error"]["code"] == 424 and last["error"]["metadata"]["run_id"]
    assert ("choices" not in last) is stands_alone


def test_the_error_of_any_other_stream_stands_alone(api: Api, program: openai.OpenAI) -> None:
    for model in (OPUS, GPT, GEMINI):
        api.script(model, *[Script(status=401)] * 2)
    last = chunks(api)[-1]
    assert list(last) == ["error"]
    assert last["error"]["code"] == "all_panels_failed" and last["error"]["metadata"]["run_id"]
    with pytest.raises(openai.APIError, match="No panelist"):
        list(program.chat.completions.create(model="fusion", messages=SAY["messages"], stream=True))


# who answered


def test_an_answer_in_its_words_names_the_model_that_wrote_it(api: Api) -> None:
    judged = {"model": "openrouter/fusion", "plugins": [{"id": "fusion", "model": "good"}]}
    for body, writer in (({"model": "openrouter/fusion"}, OPUS), (judged, "good")):
        assert api.post(json=SAY | body).json()["model"] == writer
        assert {chunk["model"] for chunk in chunks(api, **body)} == {writer}
        told = events(api, **body)
        assert {e["response"]["model"] for e in told if "response" in e} == {writer}
    for name in ("fusion", "fusion/quality", "good"):
        assert api.post(json=SAY | {"model": name}).json()["model"] == name


def test_the_quickest_seats_are_asked_by_its_name_for_them(api: Api) -> None:
    for _ in range(2):  # the second time something is known of who is quick
        answer = api.post(json=SAY | {"model": "openrouter/fusion-flash"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["model"] == OPUS and len(answer.json()["fusion"]["panel"]) == 3
    listed = [row["id"] for row in api.get("/models").json()["data"]]
    assert "openrouter/fusion-flash" in listed
    row = api.get("/models/openrouter/fusion-flash").json()
    assert len(row["fusion"]["panel"]) == 3
