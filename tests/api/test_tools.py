"""Tools of a request's own: who is given them, and what of them cannot be served."""

from __future__ import annotations

from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionToolParam

from tests.upstream import Script

from .conftest import OPUS, Api, tool_call

SAY = {"messages": [{"role": "user", "content": "What is the weather?"}]}
SCHEMA = {"type": "object", "properties": {}}
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "weather", "parameters": SCHEMA},
}
FLAT = {"type": "function", "name": "weather", "parameters": SCHEMA}
PANEL = {"type": "openrouter:fusion"}
PLUGIN = {"plugins": [{"id": "fusion"}]}
NAMED = {"type": "function", "function": {"name": "weather"}}


def obeys(body: dict[str, Any]) -> Script:
    """A model that calls a tool where it has to, and not otherwise."""
    choice = body.get("tool_choice")
    forced = choice == "required" or isinstance(choice, dict)
    return tool_call("weather") if body.get("tools") and forced else Script(text="No tool.")


def writers_body(api: Api, model: str = OPUS) -> dict[str, Any]:
    """Of the call that wrote the answer: the last of its model."""
    return dict(api.upstream.calls_of(model)[-1].body)


@pytest.mark.parametrize(
    "more",
    [
        {"model": "fusion"},
        {"model": "fusion/quality"},
        {"model": "openrouter/fusion"},
        {"model": "openrouter/fusion", **PLUGIN},
        {"model": "fusion", "fusion": {"judge": OPUS}},
        {"model": "fusion", "tools": [WEATHER, PANEL]},
        {"model": "fusion", "tool_choice": NAMED},
    ],
)
def test_a_function_that_has_to_be_called_is_called_by_whoever_writes(
    api: Api, more: dict[str, Any]
) -> None:
    api.script(OPUS, obeys)
    body = SAY | {"tools": [WEATHER], "tool_choice": "required"} | more
    answer = api.post(json=body).json()
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0]["function"]["name"] == "weather"
    assert len(answer["fusion"]["responses"]) == 3
    assert writers_body(api)["tool_choice"] == body["tool_choice"]
    panel, judge = api.upstream.calls_of(OPUS)[:2]
    assert "tool_choice" not in panel.body and "tool_choice" not in judge.body


def test_responses_have_it_called_too_whole_and_streamed(api: Api) -> None:
    api.script(OPUS, obeys)
    body = {"model": "fusion", "input": "Weather?", "tools": [FLAT], "tool_choice": "required"}
    output = api.post("/responses", json=body).json()["output"]
    assert output[-1]["type"] == "function_call" and output[-1]["name"] == "weather"
    stream = api.post("/responses", json=body | {"stream": True}).text
    assert '"type":"function_call"' in stream and "output_text.delta" not in stream


def test_the_openai_client_gets_its_call_streamed(api: Api, program: openai.OpenAI) -> None:
    api.script(OPUS, obeys)
    with program.chat.completions.stream(
        model="fusion",
        messages=[{"role": "user", "content": "What is the weather?"}],
        tools=[WEATHER],
        tool_choice="required",
    ) as stream:
        (choice,) = stream.get_final_completion().choices
    assert choice.finish_reason == "tool_calls"


@pytest.mark.parametrize("choice", ["required", PANEL])
def test_where_only_the_panel_can_be_required_the_writer_is_free(api: Api, choice: Any) -> None:
    api.script(OPUS, obeys)
    more = {"model": "fusion", "tools": [PANEL], "tool_choice": choice}
    answer = api.post(json=SAY | more).json()
    assert answer["choices"][0]["message"]["content"] == "No tool."
    assert answer["fusion"]["deliberated"] is True
    assert not {"tools", "tool_choice"} & set(writers_body(api))


@pytest.mark.parametrize("choice", ["auto", "none"])
def test_a_choice_that_forces_nothing_reaches_the_writer_as_it_is(api: Api, choice: str) -> None:
    api.script(OPUS, obeys)
    more = {"model": "fusion", "tools": [WEATHER], "tool_choice": choice}
    assert api.post(json=SAY | more).json()["choices"][0]["finish_reason"] == "stop"
    assert writers_body(api)["tool_choice"] == choice


# what cannot be served

OTHERS: list[dict[str, Any]] = [
    {"type": "namespace", "name": "mcp__docs", "tools": [FLAT]},
    {"type": "web_search"},
    {"type": "custom", "name": "apply_patch", "format": {"type": "text"}},
    {"type": "local_shell"},
    {"type": "x" * 90 + "\r\nSet-Cookie: a=b"},
]
WARNING = (
    "Tools of these types cannot be served here and were left out: "
    "custom, local_shell, namespace, other, web_search."
)


def asked(api: Api, path: str, **body: Any) -> Any:
    say = SAY | {"input": "Weather?", "prompt": "Weather?"}
    key = {"/chat/completions": "messages", "/responses": "input", "/runs": "prompt"}[path]
    return api.post(path, json={key: say[key], "model": "fusion", **body})


@pytest.mark.parametrize("path", ["/chat/completions", "/responses", "/runs"])
def test_tools_of_other_types_are_left_out_and_that_is_said(api: Api, path: str) -> None:
    for model, offered in (("fusion", [*OTHERS, FLAT]), ("good", [WEATHER, *OTHERS])):
        api.upstream.requests.clear()
        answer = asked(api, path, model=model, tools=offered)
        assert answer.status_code in (200, 202), answer.text
        assert answer.headers["x-fusion-warnings"] == WARNING
        if path == "/runs":
            continue
        assert answer.json()["fusion"]["warnings"] == [WARNING]
        assert writers_body(api, OPUS if model == "fusion" else "good")["tools"] == [WEATHER]
    assert "tools" not in answer.json() or answer.json()["tools"] == [WEATHER]


def test_a_stream_says_so_at_once_and_at_its_end(api: Api) -> None:
    body = {"tools": OTHERS, "stream": True, "tool_choice": "auto"}
    for path in ("/chat/completions", "/responses"):
        answer = asked(api, path, **body)
        assert answer.headers["x-fusion-warnings"] == WARNING and WARNING in answer.text
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(writers_body(api))


def test_where_nothing_is_left_out_nothing_is_said(api: Api) -> None:
    for tools in (None, [], [FLAT], [{"name": "weather"}], [WEATHER, PANEL]):
        answer = asked(api, "/chat/completions", tools=tools)
        assert "x-fusion-warnings" not in answer.headers
        assert "warnings" not in answer.json()["fusion"]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"tool_choice": {"type": "web_search"}}, "tool_choice"),
        ({"tool_choice": {"type": "custom", "custom": {"name": "apply_patch"}}}, "tool_choice"),
        ({"tool_choice": {"type": "mcp"}}, "tool_choice"),
        ({"tool_choice": {"type": "function", "name": "rain"}}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "rain"}}}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": 5}}, "tool_choice"),
        ({"tools": [{"type": "function"}]}, "tools.0.function.name"),
        ({"tools": [WEATHER, {"type": "function", "function": {}}]}, "tools.1.function.name"),
    ],
)
@pytest.mark.parametrize("path", ["/chat/completions", "/responses"])
def test_what_has_to_be_called_and_cannot_be_is_refused_before_anybody_is_asked(
    api: Api, path: str, change: dict[str, Any], param: str
) -> None:
    answer = (
        asked(api, path, tools=[WEATHER, *OTHERS], **change)
        if "tools" not in change
        else (asked(api, path, **change))
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == param and not api.upstream.calls


@pytest.mark.parametrize(
    ("path", "choice"),
    [
        ("/chat/completions", {"allowed_tools": {"mode": "required", "tools": [NAMED]}}),
        ("/responses", {"mode": "required", "tools": [{"type": "function", "name": "weather"}]}),
    ],
)
def test_of_several_functions_those_that_are_allowed_are_offered(
    api: Api, path: str, choice: dict[str, Any]
) -> None:
    api.script(OPUS, obeys)
    rain = {"type": "function", "name": "rain"}
    asked(api, path, tools=[rain, WEATHER], tool_choice={"type": "allowed_tools"} | choice)
    assert writers_body(api)["tools"] == [WEATHER]
    assert writers_body(api)["tool_choice"] == "required"
