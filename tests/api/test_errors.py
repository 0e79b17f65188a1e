"""Every way in which the API says no: one shape, never HTML, never a 500."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.api.http.errors import TABLE, ApiError
from console.api.openai import chat, models, responses
from console.api.planning.conversation import conversation
from console.api.planning.schemas import ChatMessage, FunctionCall, Part, ToolCall
from console.services.tokens import token_create
from tests.upstream import Script

from .conftest import GEMINI, GPT, OPUS, Api
from .test_chat import ASK

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"


def seat(model: str = "good", **options: Any) -> dict[str, Any]:
    return {"model": model} | options


def error(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"].startswith("req_")
    assert response.headers["x-fusion"] == "1"  # another Fusion knows us by it
    said: dict[str, Any] = response.json()["error"]
    if isinstance(said["code"], int):  # asked in OpenRouter's words
        assert (said["code"], said["metadata"]["code"]) == (status, code)
    else:
        assert said["code"] == code
    assert said["type"] == TABLE[code].type
    assert said["message"] and "param" in said
    return said


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_request"),
        (b"{", "invalid_json"),
        (b"[]", "invalid_json"),
        (b'"text"', "invalid_json"),
        (b"\xff\xfe", "invalid_json"),
        (b'{"messages": NaN}', "invalid_json"),
        (b'{"a":' * 100_000, "invalid_json"),
        (b'{"n": ' + b"1" * 10_000 + b"}", "invalid_json"),
        (b'{"model": "good", "tools": [{"maximum": 1e999}]}', "invalid_json"),
        (b'{"model": "good", "metadata": {"x": -1e999}}', "invalid_json"),
        (b"{}", "invalid_request"),
        (b'{"model": "fusion"}', "invalid_request"),
        (b'{"model": null, "messages": []}', "invalid_request"),
    ],
)
def test_a_body_that_cannot_be_read(api: Api, body: bytes, code: str) -> None:
    error(api.post(content=body), 400, code)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": "hello"}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages.0.role"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "system", "content": " "}]}, "messages"),
        ({"messages": [{"role": "user", "content": " \n"}]}, "messages"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": 3}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 2}, "n"),
        ({"stop": {"a": 1}}, "stop"),
        ({"stream": "perhaps"}, "stream"),
        ({"model": ""}, "model"),
        ({"model": "x" * 300}, "model"),
        ({"tools": "all"}, "tools"),
        ({"functions": [{"name": "weather"}]}, "functions"),
        ({"fusion": {"panel": []}}, "fusion.panel"),
        ({"fusion": {"panel": ["a"] * 9}}, "fusion.panel"),
        ({"fusion": {"panel": [5]}}, "fusion.panel.0"),
        ({"fusion": {"panel": ["a", {"temperature": 1}]}}, "fusion.panel.1.model"),
        ({"fusion": {"panel": ["a", seat(temperature=2.1)]}}, "fusion.panel.1.temperature"),
        ({"fusion": {"panel": [seat(temperature="hot")]}}, "fusion.panel.0.temperature"),
        (
            {"fusion": {"panel": [seat(max_completion_tokens=0)]}},
            "fusion.panel.0.max_completion_tokens",
        ),
        ({"fusion": {"panel": [seat(reasoning_effort="utmost")]}}, "fusion.panel.0.reasoning_ef"),
        ({"fusion": {"panel": [seat(system_prompt=["x"])]}}, "fusion.panel.0.system_prompt"),
        ({"fusion": {"panel": [seat(fallback="")]}}, "fusion.panel.0.fallback"),
        ({"fusion": {"panel": [seat(max_tokens=5)]}}, "fusion.panel.0.max_tokens"),
        ({"fusion": {"policy": {"luck": 1}}}, "fusion.policy"),
        ({"fusion": {"visibility": "link"}}, "fusion.visibility"),
        ({"plugins": [{"id": "fusion", "analysis_models": []}]}, "plugins.0.analysis_models"),
        ({"plugins": [{"id": "fusion", "max_tool_calls": 17}]}, "plugins.0.max_tool_calls"),
        (
            {"tools": [{"type": "openrouter:fusion", "parameters": {"temperature": 9}}]},
            "tools.0.temperature",
        ),
    ],
)
def test_a_wrong_value_names_its_field(api: Api, change: dict[str, Any], param: str) -> None:
    said = error(api.post(json=ASK | {"model": "fusion"} | change), 400, "invalid_request")
    assert str(said["param"]).startswith(param)
    assert not api.upstream.calls


@pytest.mark.parametrize(
    ("change", "param", "message"),
    [
        ({"stop": ["a"] * 17}, "stop", "List should have at most 16 items"),
        (
            {"messages": [{"role": "user", "content": [{"text": "x"}]}]},
            "messages.0.content.0.type",
            "Field required",
        ),
        (
            {"messages": [{"role": "user", "content": ["x"]}]},
            "messages.0.content.0",
            "valid dictionary",
        ),
        ({"tool_choice": 3}, "tool_choice", "valid string"),
        ({"fusion": {"policy": {"quorum": {}}}}, "fusion.policy.quorum", "valid number"),
    ],
)
def test_of_a_field_with_several_types_it_tells_what_is_wrong_with_the_one_meant(
    api: Api, change: dict[str, Any], param: str, message: str
) -> None:
    said = error(api.post(json=ASK | {"model": "fusion"} | change), 400, "invalid_request")
    assert said["param"] == param and said["message"].startswith(f"{param}: ")
    assert message in said["message"]


def test_a_body_of_30_mb_is_too_large(api: Api) -> None:
    body = json.dumps(ASK | {"model": "fusion", "padding": "x" * 30_000_000}).encode()
    error(api.post(content=body), 413, "request_too_large")


LONG = "x" * 500_000
MANY = [{"role": "user", "content": "x"}] * 2_001


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/chat/completions", {"messages": [{"role": "user", "content": LONG}]}, "messages"),
        ("/chat/completions", {"messages": MANY}, "messages"),
        ("/responses", {"input": LONG}, "input"),
        ("/responses", {"input": "x", "instructions": LONG}, "input"),
        ("/responses", {"input": MANY}, "input"),
        ("/runs", {"prompt": LONG}, "messages"),
        ("/runs", {"messages": MANY}, "messages"),
    ],
)
@pytest.mark.parametrize("model", ["fusion", "good"])
def test_a_conversation_that_is_too_long_for_us_is_told_in_the_word_that_agents_know(
    api: Api, path: str, body: dict[str, Any], param: str, model: str
) -> None:
    reply = api.post(path, json={"model": model} | body)
    assert error(reply, 400, "context_length_exceeded")["param"] == param
    assert not api.upstream.calls


def test_a_list_that_is_too_long_but_no_conversation_is_a_request_of_the_wrong_form(
    api: Api,
) -> None:
    body = ASK | {"model": "fusion", "fusion": {"panel": ["good"] * 9}}
    error(api.post(json=body), 400, "invalid_request")


@pytest.mark.parametrize(
    ("others", "status", "code"),
    [(400, 400, "context_length_exceeded"), (401, 424, "all_panels_failed")],
)
def test_what_is_too_long_for_every_model_is_told_so_too(
    api: Api, others: int, status: int, code: str
) -> None:
    sentence = {"error": {"code": "context_length_exceeded", "message": "Too long."}}
    too_long = Script(status=400, body=json.dumps(sentence))
    api.script("good", too_long)
    api.script("writer", too_long if others == 400 else Script(status=others))
    body = ASK | {"model": "fusion", "fusion": {"panel": ["good", "writer"], "judge": "good"}}
    error(api.post(json=body), status, code)
    stream = api.post(json=body | {"stream": True}).text
    assert f'"code":"{code}"' in stream
    stream = api.post("/responses", json={"input": "Hm?", "stream": True} | body).text
    assert f'"code":"{code}"' in stream


@pytest.mark.parametrize("kind", ["image_url", "input_audio", "file"])
def test_what_is_no_text_is_refused_by_name(api: Api, kind: str) -> None:
    content = [{"type": "text", "text": "What is this?"}, {"type": kind, kind: {"url": "data:,"}}]
    messages = [{"role": "user", "content": content}]
    said = error(api.post(json={"model": "good", "messages": messages}), 400, "unsupported_content")
    assert kind in said["message"] and said["param"] == "messages.0.content"


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("gpt-17", 404, "model_not_found"),
        ("fusion/no-such-preset", 404, "model_not_found"),
        ("fusion/", 404, "model_not_found"),
        ("fusion/off", 404, "model_not_found"),
        ("fusion/dead", 400, "preset_unavailable"),
        ("fusion/local", 400, "preset_unavailable"),
        ("twin:anything", 400, "no_credential"),
        ("ollama:anything", 400, "no_credential"),
        ("a\nb", 404, "model_not_found"),
    ],
)
def test_a_model_that_cannot_be_asked(api: Api, model: str, status: int, code: str) -> None:
    said = error(api.post(json=ASK | {"model": model}), status, code)
    assert said["param"] == "model"
    assert not api.upstream.calls


def test_a_seat_of_a_model_that_cannot_be_asked_is_named(api: Api) -> None:
    for panel, status, code, param in (
        (["good", seat("gpt-17")], 404, "model_not_found", "fusion.panel.1"),
        (["good", seat(fallback="gpt-17")], 404, "model_not_found", "fusion.panel.1.fallback"),
        (["ollama:x"], 400, "no_credential", "fusion.panel.0"),
        (["good", seat(fallback="ollama:x")], 400, "no_credential", "fusion.panel.1.fallback"),
    ):
        body = ASK | {"model": "fusion", "fusion": {"panel": panel}}
        said = error(api.post(json=body), status, code)
        assert said["param"] == param
    for who in ("judge", "synthesizer", "judge_fallback", "synthesizer_fallback"):
        body = ASK | {"model": "fusion", "fusion": {who: "gpt-17"}}
        assert error(api.post(json=body), 404, "model_not_found")["param"] == f"fusion.{who}"
    assert not api.upstream.calls


def test_a_panel_with_an_unknown_model_is_refused_before_anybody_is_asked(api: Api) -> None:
    plugin = {"id": "fusion", "analysis_models": ["good", "gpt-17"]}
    said = error(
        api.post(json=ASK | {"model": "fusion", "plugins": [plugin]}), 404, "model_not_found"
    )
    assert "gpt-17" in said["message"] and not api.upstream.calls


@pytest.mark.parametrize(
    ("status", "answered", "code"),
    [
        (401, 424, "run_failed"),
        (402, 424, "insufficient_credits"),
        (404, 404, "model_not_found"),
        (429, 424, "rate_limited"),
        (500, 424, "run_failed"),
        (503, 424, "run_failed"),
    ],
)
def test_what_a_models_server_answers_is_never_answered_as_repeatable(
    api: Api, status: int, answered: int, code: str
) -> None:
    api.script("good", Script(status=status))
    body = ASK | {"model": "good", "fusion": {"policy": {"retries": 0}}}
    response = api.post(json=body)
    said = error(response, answered, code)
    assert said["metadata"]["run_url"].startswith(api.stack.url)
    assert response.headers["x-should-retry"] == "false"


def test_a_panel_that_failed_says_why(api: Api) -> None:
    for model in (OPUS, GPT, GEMINI):
        api.script(model, Script(status=402))
    said = error(api.post(json=ASK | {"model": "fusion"}), 424, "insufficient_credits")
    assert "out of credit" in said["message"] or "402" in said["message"] or said["message"]


@pytest.mark.parametrize("path", ["", "/", "/chat", "/chat/", "/completions/", "/x.html"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_whatever_is_not_there_is_json_too(api: Api, path: str, method: str) -> None:
    response = httpx.request(method, api.url + path, headers={"Authorization": f"Bearer {api.key}"})
    assert response.status_code == 404
    assert response.json()["error"]["code"] in ("not_found", "model_not_found")


def test_a_wrong_method_says_which_are_right(api: Api) -> None:
    response = api.get("/chat/completions")
    error(response, 405, "method_not_allowed")
    assert response.headers["Allow"] == "POST"
    error(api.post("/models", json={}), 405, "method_not_allowed")


def test_a_host_that_is_not_ours_is_told_so_in_json(api: Api) -> None:
    error(api.post(json={}, headers={"Host": "evil.example"}), 400, "bad_request")


@pytest.mark.django_db(transaction=True)
def test_an_unforeseen_failure_is_json_and_its_number_is_in_the_log(
    client: Client, alice: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(token: object) -> None:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr(models, "_all", broken)
    _, secret = token_create(owner=alice, requests_per_minute=None)
    response = client.get("/v1/models", headers={"Authorization": f"Bearer {secret}"})
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "internal_error"
    assert "secret" not in response.content.decode()
    assert response.headers["x-request-id"] in caplog.text and "ZeroDivisionError" in caplog.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["chat/completions", "responses"])
def test_what_fails_unforeseen_once_models_have_been_asked_invites_nobody_to_ask_again(
    client: Client, alice: User, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    async def broken(chat: object) -> None:
        raise ZeroDivisionError

    for module, name in ((chat, "begin"), (responses, "_begin")):
        monkeypatch.setattr(module, name, Mock())
        monkeypatch.setattr(module, "answered", broken)
    _, secret = token_create(owner=alice, requests_per_minute=None)
    body = {"model": "fusion", "input": "Hello"} | ASK
    headers = {"Authorization": f"Bearer {secret}"}
    response = client.post(f"/v1/{path}", body, content_type="application/json", headers=headers)
    assert response.status_code == 424 and response.headers["x-should-retry"] == "false"
    assert response.json()["error"]["code"] == "run_failed"


def test_no_text_a_client_sends_breaks_the_api(api: Api) -> None:
    for text in ("\x00", "\ud800", "a\x00b\ud83d", "\u202e", "'; DROP TABLE console_run; --"):
        body = json.dumps(ASK | {"model": "good", "user": text, "metadata": {text: text}} | {
            "messages": [{"role": "user", "content": f"Say: {text}"}]})  # fmt: skip
        response = api.post(content=body.encode())
        assert response.status_code == 200, response.text


def test_the_documentation_has_the_same_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \| `(\w+)` \|", DOCS.read_text(), re.M)
    assert {code: (int(status), kind) for code, status, kind in rows} == {
        code: (condition.status, condition.type) for code, condition in TABLE.items()
    }
    assert not [c for c in TABLE if TABLE[c].type == "run_failed" and TABLE[c].status != 424]


def test_of_system_messages_alone_the_last_is_the_question() -> None:
    said = [ChatMessage(role="system", content=text) for text in ("Be brief.", "Why is rain wet?")]
    asked = conversation(said, with_tools=False, owner=User())
    assert asked.prompt == "Why is rain wet?"
    assert [m["role"] for m in asked.messages] == ["system", "user"]
    called = [ToolCall(id="look", function=FunctionCall(name="look"))]
    said += [ChatMessage(role="assistant", tool_calls=called)]
    said += [ChatMessage(role="tool", tool_call_id="look", content="Rain.")]
    on = conversation(said, with_tools=True, owner=User())
    assert on.messages[:2] == asked.messages and on.prompt == asked.prompt


@pytest.mark.parametrize("empty", ["", None, [], "  "])
def test_an_empty_question_is_refused_whatever_the_system_says(empty: Any) -> None:
    said = [ChatMessage(role="system", content="Be brief.")]
    said += [ChatMessage(role="user", content=empty)]
    with pytest.raises(ApiError, match="No message of the user says anything"):
        conversation(said, with_tools=False, owner=User())


@pytest.mark.parametrize("kind", ["image_url", "input_image"])
@pytest.mark.parametrize("with_tools", [False, True])
def test_a_picture_in_a_tools_result_ends_no_session(kind: str, with_tools: bool) -> None:
    shot = [Part(type="text", text="Done."), Part(type=kind, image_url="data:image/png;base64,AA")]
    said = [
        ChatMessage(role="user", content="Look."),
        ChatMessage(role="tool", tool_call_id="look", content=shot),
    ]
    asked = conversation(said, with_tools=with_tools, owner=User())
    assert asked.messages[-1]["content"].endswith("Done.\n[a picture]") and not asked.files
    assert asked.warnings == ("Pictures and files in results of tools are not shown: 1.",)
