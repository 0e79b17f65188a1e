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
