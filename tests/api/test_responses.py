"""`POST /v1/responses`: OpenAI's words in, its items out, OpenRouter's item for the fusion."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from console.api.openai.replies import ResponseEvent
from tests.upstream import Script

from .conftest import GEMINI, GPT, OPUS, Api, tool_call
from .test_chat import TOOL
from .test_errors import error

ASK: dict[str, Any] = {"model": "openrouter/fusion", "input": "What is the answer?"}
WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object"}, "strict": None}


def ask(api: Api, **body: Any) -> dict[str, Any]:
    response = api.post("/responses", json=ASK | body)
    assert response.status_code == 200, response.text
    said: dict[str, Any] = response.json()
    return said


def stream(api: Api, **body: Any) -> list[dict[str, Any]]:
    headers = {"Authorization": f"Bearer {api.key}"} | body.pop("headers", {})
    events: list[dict[str, Any]] = []
    with httpx.stream(
        "POST",
        f"{api.url}/responses",
        json=ASK | {"stream": True} | body,
        headers=headers,
        timeout=60,
    ) as response:
        assert response.status_code == 200, response.read()
        name = ""
        for line in response.iter_lines():
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                events.append(json.loads(line[6:]))
                assert events[-1]["type"] == name
                if "response" in events[-1]:
                    assert ResponseEvent.model_validate(events[-1]).payload() == events[-1]
    assert [e["sequence_number"] for e in events] == list(range(len(events)))
    return events


def texts(response: dict[str, Any]) -> list[str]:
    return [p["text"] for i in response["output"] for p in i.get("content", [])]


def test_a_fusion_is_an_item_before_the_message(api: Api) -> None:
    api.script(OPUS, Script(text="Forty-two [^A,B]."))
    said = ask(api)
    assert said["status"] == "completed" and said["model"] == OPUS
    fusion, message = said["output"]
    assert fusion["type"] == "openrouter:fusion" and fusion["status"] == "completed"
    assert fusion["analysis"]["consensus"] and len(fusion["responses"]) == 3
    assert fusion["failed_models"] == [] and "failure_reason" not in fusion
    assert message["type"] == "message" and texts(said) == ["Forty-two."]
    assert said["usage"]["total_tokens"] == (
        said["usage"]["input_tokens"] + said["usage"]["output_tokens"]
    )
    assert said["usage"]["cost"] > 0
    assert said["fusion"]["run_url"].endswith(said["fusion"]["run_id"])
    plain = ask(api, fusion={"include": False})
    assert [i["type"] for i in plain["output"]] == ["message"] and "fusion" not in plain


def test_what_was_asked_reaches_the_model_in_its_own_words(api: Api) -> None:
    ask(
        api,
        model="good",
        instructions="Be brief.",
        max_output_tokens=77,
        temperature=0.5,
        reasoning={"effort": "low"},
        text={"format": {"type": "json_schema", "name": "a", "schema": {"type": "object"}}},
        tools=[WEATHER],
        tool_choice={"type": "function", "name": "weather"},
        input=[
            {"role": "developer", "content": "In English."},
            {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"},
            {"type": "function_call", "call_id": "c2", "name": "weather", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "warm"},
            {"type": "function_call_output", "call_id": "c2", "output": "cold"},
            {"type": "openrouter:fusion", "id": "fus_1", "analysis": {}},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text"}]},
            {"role": "user", "content": "And now?"},
        ],
    )
    (call,) = api.upstream.calls
    said = call.body["messages"]
    assert [m["role"] for m in said] == [
        *("system", "system", "user", "assistant", "tool", "tool", "user")
    ]
    assert [c["id"] for c in said[3]["tool_calls"]] == ["c1", "c2"]
    assert call.body["tools"][0]["function"]["name"] == "weather"
    assert call.body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert call.body["response_format"]["json_schema"]["name"] == "a"
    assert call.body["temperature"] == 0.5
    assert 77 in (call.body.get("max_tokens"), call.body.get("max_completion_tokens"))


def test_what_a_server_s_own_tools_left_in_a_conversation_does_no_harm(api: Api) -> None:
    ask(
        api,
        model="good",
        input=[
            {"role": "user", "content": "Patch it."},
            {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {}},
            {"type": "code_interpreter_call", "id": "ci_1", "code": "1", "outputs": None},
            {"type": "custom_tool_call", "call_id": "c1", "name": "patch", "input": "*** Begin"},
            {"type": "custom_tool_call_output", "call_id": "c1", "output": "Done."},
        ],
    )
    _, called, result = api.upstream.calls[0].body["messages"]
    function = called["tool_calls"][0]["function"]
    assert function == {"name": "patch", "arguments": '{"input": "*** Begin"}'}
    assert result == {"role": "tool", "tool_call_id": "c1", "content": "Done."}


def test_tool_calls_are_items(api: Api) -> None:
    api.script("good", tool_call("weather", '{"a":1}'))
    (item,) = ask(api, model="good", tools=[WEATHER])["output"]
    assert (item["type"], item["name"], item["arguments"]) == (
        *("function_call", "weather"),
        '{"a":1}',
    )
    events = stream(api, model="good", tools=[WEATHER])
    (done,) = [e for e in events if e["type"] == "response.function_call_arguments.done"]
    assert done["arguments"] == '{"a":1}' and done["name"] == "weather"
    assert events[-1]["response"]["output"][0]["call_id"] == item["call_id"]


def test_an_answer_that_was_cut_is_incomplete(api: Api) -> None:
    api.script("good", Script(text="One two", finish_reason="length"))
    said = ask(api, model="good")
    assert said["status"] == "incomplete"
    assert said["incomplete_details"] == {"reason": "max_output_tokens"}
    assert said["output"][-1]["status"] == "incomplete"
    *_, item, end = stream(api, model="good")
    assert (item["item"]["status"], end["type"]) == ("incomplete", "response.incomplete")


def test_a_conversation_goes_on_from_its_last_response(api: Api) -> None:
    api.script("good", Script(text="Paris."))
    first = ask(api, model="good", instructions="Be brief.", input="Capital of France?")
    ask(
        api,
        model="good",
        instructions="Be long.",
        input="And of Spain?",
        previous_response_id=first["id"],
    )
    said = [(m["role"], m["content"]) for m in api.upstream.calls[-1].body["messages"]]
    assert said == [
        ("system", "Be long."),
        ("user", "Capital of France?"),
        ("assistant", "Paris."),
        ("user", "And of Spain?"),
    ]
    headers = {"Authorization": f"Bearer {api.token(user='bob')}"}
    for number, response_id in ((headers, first["id"]), ({}, "resp_5"), ({}, "chatcmpl-\0")):
        body = ASK | {"previous_response_id": response_id}
        refused = api.post("/responses", json=body, headers=number)
        assert error(refused, 400, "invalid_request")["param"] == "previous_response_id"


# streamed


def test_the_events_of_a_fused_answer(api: Api) -> None:
    api.script(OPUS, Script(text="One two [^A] three."))
    api.script(GPT, Script(status=401))
    events = stream(api)
    names = [e["type"].removeprefix("response.") for e in events]
    assert names[:4] == ["created", "in_progress", "output_item.added", "fusion_call.in_progress"]
    order = [
        "fusion_call.panel.added",
        "fusion_call.panel.delta",
        "fusion_call.panel.completed",
        "fusion_call.analysis.in_progress",
        "fusion_call.analysis.completed",
        "fusion_call.panel.failed",
        "fusion_call.completed",
        "output_item.done",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "completed",
    ]
    assert [names.index(n) for n in order] == sorted(names.index(n) for n in order)
    (failed,) = [e for e in events if e["type"].endswith("panel.failed")]
    assert failed["model"] == GPT and failed["status_code"] == 401
    told: dict[str, str] = {}
    for e in events:
        if e["type"].endswith("panel.delta"):
            told[e["model"]] = told.get(e["model"], "") + e["delta"]
    contents = {e["model"]: e["content"] for e in events if e["type"].endswith("panel.completed")}
    assert told == contents and set(told) == {OPUS, GEMINI}
    final = events[-1]["response"]
    assert final["output"][0]["type"] == "openrouter:fusion"
    assert [i["type"] for i in final["output"]] == ["openrouter:fusion", "message"]
    text = "".join(e["delta"] for e in events if e["type"] == "response.output_text.delta")
    assert texts(final) == [text] == ["One two three."]
    indexes = {e["output_index"] for e in events if "fusion_call" in e["type"]}
    assert indexes == {0} and final["usage"]["total_tokens"] > 0


def test_one_model_alone_streams_its_text_only(api: Api) -> None:
    api.script("good", Script(text="a b c"))
    events = stream(api, model="good")
    assert not [e for e in events if "fusion_call" in e["type"]]
    assert texts(events[-1]["response"]) == ["a b c"]
    assert events[-1]["response"]["fusion"]["deliberated"] is False


def test_the_tool_form_tells_the_deciding_model_and_then_the_panel(api: Api) -> None:
    def outer(body: dict[str, Any]) -> Script:
        return tool_call("ask_fusion_panel") if body.get("tools") else Script(text="Fused.")

    api.script("outer", outer)
    events = stream(api, model="outer", tools=[TOOL])
    final = events[-1]["response"]
    assert [i["type"] for i in final["output"]] == ["openrouter:fusion", "message"]
    assert texts(final) == ["Fused."]
    said = ask(api, model="outer", tools=[TOOL])
    assert texts(said) == ["Fused."]
    went_on = ASK | {"previous_response_id": final["id"]}
    assert error(api.post("/responses", json=went_on), 400, "invalid_request")


def test_a_panel_that_fails_ends_in_a_failed_response_nobody_repeats(api: Api) -> None:
    for model in (OPUS, GPT, GEMINI):
        api.script(model, Script(status=401))
    events = stream(api)
    assert events[-1]["type"] == "response.failed"
    failed = events[-1]["response"]
    assert failed["status"] == "failed" and failed["error"]["code"] == "all_panels_failed"
    assert len([e for e in events if e["type"].endswith("panel.failed")]) == 3
    error(api.post("/responses", json=ASK), 424, "all_panels_failed")
    assert len(api.upstream.calls) == 6


def test_the_same_key_is_the_same_response(api: Api) -> None:
    headers = {"Idempotency-Key": "responses-once"}
    first = stream(api, headers=headers)[-1]["response"]
    asked = len(api.upstream.calls)
    again = stream(api, headers=headers)[-1]["response"]
    assert again == first and len(api.upstream.calls) == asked


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"input": 5}, "invalid_request", "input"),
        ({"input": []}, "invalid_request", "input"),
        ({"input": " "}, "invalid_request", "input"),
        ({"input": [{"content": "no role"}]}, "invalid_request", "input.0.role"),
        ({"input": [{"type": "compaction"}]}, "unsupported_content", "input.0.type"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image"}]}]},
            "unsupported_content",
            "input",
        ),
        ({"tools": [{"type": "function"}]}, "invalid_request", "tools.0.function.name"),
        ({"tool_choice": {"type": "mcp"}}, "invalid_request", "tool_choice"),
        ({"temperature": 9}, "invalid_request", "temperature"),
        ({"max_output_tokens": 0}, "invalid_request", "max_output_tokens"),
        ({"text": "json"}, "invalid_request", "text"),
        ({"text": {"format": {"type": "bogus"}}}, "invalid_request", "text.format"),
        ({"tool_choice": "bogus"}, "invalid_request", "tool_choice"),
    ],
)
def test_what_cannot_be_asked(api: Api, change: dict[str, Any], code: str, param: str) -> None:
    said = error(api.post("/responses", json=ASK | change), 400, code)
    assert str(said["param"]).startswith(param)
    assert not api.upstream.calls
