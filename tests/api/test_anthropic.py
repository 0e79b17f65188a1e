"""OpenAI's client asks models of Anthropic: functions, thoughts and forms go there and back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.api.conftest import Api
from tests.upstream import Script
from tests.upstream.anthropic import begin, end, text, thinking, tool

MODEL = "teller"
ASKED = f"claude:{MODEL}"
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "How warm it is.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
QUESTION: Any = {"role": "user", "content": "How warm is it in Oslo and in Rome?"}
MAKE = """
from console.models import Credential
from console.providers.secret import Secret
Credential.objects.filter(slug="claude").delete()
made = Credential(slug="claude", name="Claude", kind="anthropic", base_url={url!r})
made.secret = Secret("sk-ant-api03-of-a-test")
made.save()
said = made.is_ready
"""
DROP = """
from console.models import Credential
said = Credential.objects.filter(slug="claude").delete()[0]
"""


@pytest.fixture(scope="module", autouse=True)
def claude(api: Api) -> Iterator[None]:
    assert api.shell(MAKE.format(url=api.upstream.url))
    yield
    api.shell(DROP)


def tells(body: dict[str, Any]) -> Script:
    """Asks for both cities at once, and says what it was told of them."""
    results = [b for b in body["messages"][-1]["content"] if b["type"] == "tool_result"]
    if results:
        told = " and ".join(block["content"] for block in results)
        return Script(raw=[begin(MODEL) + text("It is ", f"{told}.") + end()])
    asks = begin(MODEL) + thinking("Both.") + text("I look.", index=1)
    asks += tool("weather", '{"city": "O', 'slo"}', index=2, id="toolu_1")
    asks += tool("weather", '{"city": "Rome"}', index=3, id="toolu_2")
    return Script(raw=[asks + end("tool_use")])


def test_functions_are_called_in_a_stream_and_their_results_come_back(
    api: Api, program: openai.OpenAI
) -> None:
    api.script(MODEL, tells)
    asked: dict[str, Any] = {"model": ASKED, "tools": [WEATHER], "tool_choice": "auto"}
    calls: dict[int, list[str]] = {}
    reason = ""
    for chunk in program.chat.completions.create(messages=[QUESTION], stream=True, **asked):
        for choice in chunk.choices:
            reason = choice.finish_reason or reason
            for call in choice.delta.tool_calls or ():
                told = calls.setdefault(call.index, ["", "", ""])
                told[0] += call.id or ""
                told[1] += (call.function and call.function.name) or ""
                told[2] += (call.function and call.function.arguments) or ""
    assert reason == "tool_calls"
    assert [(i, n, json.loads(a)) for i, n, a in calls.values()] == [
        ("toolu_1", "weather", {"city": "Oslo"}),
        ("toolu_2", "weather", {"city": "Rome"}),
    ]
    made = [
        {"id": i, "type": "function", "function": {"name": n, "arguments": a}}
        for i, n, a in calls.values()
    ]
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": degrees}
        for call, degrees in zip(made, ("7", "19"), strict=True)
    ]
    turn: Any = [QUESTION, {"role": "assistant", "content": None, "tool_calls": made}, *results]
    answer = program.chat.completions.create(messages=turn, **asked)
    assert answer.choices[0].message.content == "It is 7 and 19."
    first, second = (r.body for r in api.upstream.calls_of(MODEL))
    assert first["tools"][0]["input_schema"] == WEATHER["function"]["parameters"]
    assert [b["type"] for b in second["messages"][-1]["content"]] == ["tool_result"] * 2


def test_responses_have_the_same_and_its_thoughts(api: Api, program: openai.OpenAI) -> None:
    api.script(MODEL, tells)
    flat: Any = {"type": "function", **WEATHER["function"]}
    response = program.responses.create(
        model=ASKED, input=QUESTION["content"], tools=[flat], reasoning={"effort": "high"}
    )
    kinds = [item.type for item in response.output]
    assert kinds.count("function_call") == 2 and "reasoning" in kinds
    (call,) = api.upstream.calls_of(MODEL)
    assert call.body["thinking"]["type"] == "adaptive"
    assert call.body["output_config"] == {"effort": "high"}


def test_a_form_is_asked_for_in_its_words(api: Api, program: openai.OpenAI) -> None:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"winner": {"type": "string", "maxLength": 40}},
        "required": ["winner"],
        "additionalProperties": False,
    }
    form: Any = {"type": "json_schema", "json_schema": {"name": "f", "schema": schema}}
    api.script(MODEL, Script())
    answer = program.chat.completions.create(
        model=ASKED, messages=[QUESTION], response_format=form, temperature=0.2, top_p=1
    )
    assert set(json.loads(answer.choices[0].message.content or "")) == {"winner"}
    (call,) = api.upstream.calls_of(MODEL)
    asked = call.body["output_config"]["format"]["schema"]["properties"]["winner"]
    assert asked == {"type": "string", "description": "(maxLength: 40)"}
    assert (call.body["temperature"], "top_p" in call.body) == (0.2, False)


def test_promises_that_it_is_told_nothing_of_are_refused(api: Api) -> None:
    body = {"model": ASKED, "messages": [QUESTION], "provider": {"zdr": True}}
    refused = api.post(json=body)
    assert refused.status_code == 400 and "Claude" in refused.text
    assert not api.upstream.calls_of(MODEL)
