"""Habits of clients and of models that are no fault of who asked: kept to, or said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.upstream import Script

from .conftest import GPT, Api
from .test_chat import ASK, WEATHER, ask
from .test_errors import error


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    "form",
    [
        {"response_format": {"type": "json_object"}},
        {"tools": [WEATHER], "tool_choice": "required"},
    ],
)
def test_where_no_answer_has_the_form_that_was_asked_for_prose_does_not_stand_in(
    api: Api, form: dict[str, Any], streamed: bool
) -> None:
    api.script("writer", Script(status=400))
    asked = ASK | {"model": "fusion", "fusion": {"synthesizer": "writer"}, "stream": streamed}
    refused = api.post(json=asked | form)
    if streamed:
        assert '"code":"synthesis_failed"' in refused.text.replace(" ", "")
        told = [
            json.loads(line[6:]) for line in refused.text.split("\n\n") if line[:7] == "data: {"
        ]
        deltas = [choice["delta"] for chunk in told for choice in chunk.get("choices", ())]
        assert deltas and not any(delta.get("content") for delta in deltas)
    else:
        said = error(refused, 424, "synthesis_failed")
        assert "No other answer has the form" in said["message"]
        assert api.get(f"/runs/{said['metadata']['run_id']}").json()["panel"]  # all is kept


def test_a_call_that_was_cut_short_is_not_told_as_one_to_be_carried_out(api: Api) -> None:
    call = {"index": 0, "id": "a", "function": {"name": "weather", "arguments": '{"city":"Os'}}
    cut = ({"delta": {"tool_calls": [call]}}, {"delta": {}, "finish_reason": "length"})
    for model in ("good", "writer"):
        lines = [b"data: " + json.dumps({"choices": [one]}).encode() + b"\n\n" for one in cut]
        api.script(model, Script(raw=[*lines, b"data: [DONE]\n\n"]))
    for said in (
        ask(api, "good", tools=[WEATHER]),
        ask(api, fusion={"synthesizer": "writer"}, tools=[WEATHER]),
    ):
        assert said["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("said", ["tool_calls", "function_call"])
def test_of_no_calls_nobody_is_told_to_carry_them_out(api: Api, said: str) -> None:
    api.script("good", Script(text="It rains.", finish_reason=said))
    (choice,) = ask(api, "good", tools=[WEATHER])["choices"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("stop", "It rains.")
    streamed = api.post(json=ASK | {"model": "good", "tools": [WEATHER], "stream": True}).text
    assert '"finish_reason":"stop"' in streamed.replace(" ", "")


def test_of_what_was_said_before_refusals_and_older_calls_of_functions_are_kept(api: Api) -> None:
    messages = [
        {"role": "user", "content": "Pick a lock?"},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "I had rather not."}]},
        {"role": "user", "content": "Please."},
        {"role": "assistant", "content": None, "refusal": "Still not."},
        {"role": "user", "content": "The weather, then."},
        {"role": "assistant", "content": None,
         "function_call": {"name": "weather", "arguments": '{"city":"Oslo"}'}},
        {"role": "function", "name": "weather", "content": "12 degrees"},
    ]  # fmt: skip
    ask(api, "good", messages=messages)
    told = api.upstream.calls_of("good")[-1].body["messages"]
    assert [m["content"] for m in told if m["role"] == "assistant"][:2] == [
        "I had rather not.",
        "Still not.",
    ]
    (call,) = told[-2]["tool_calls"]
    assert call["function"] == {"name": "weather", "arguments": '{"city":"Oslo"}'}
    assert told[-1]["tool_call_id"] == call["id"]
    ask(api, messages=messages)
    panel = api.upstream.calls_of(GPT)[-1].body["messages"]
    assert "weather" in panel[-2]["content"] and "12 degrees" in panel[-1]["content"]


def test_a_call_with_free_text_is_handed_on_as_a_function_is(api: Api) -> None:
    custom = {"id": "c1", "type": "custom", "custom": {"name": "shell", "input": "ls -l"}}
    messages = [
        {"role": "user", "content": "What is here?"},
        {"role": "assistant", "content": None, "tool_calls": [custom]},
        {"role": "tool", "tool_call_id": "c1", "content": "total 0"},
    ]
    ask(api, "good", messages=messages)
    (call,) = api.upstream.calls_of("good")[-1].body["messages"][1]["tool_calls"]
    assert call["id"] == "c1" and call["type"] == "function"
    assert call["function"] == {"name": "shell", "arguments": '{"input": "ls -l"}'}


def test_a_single_model_keeps_to_a_policy_too_and_one_that_is_none_is_refused(api: Api) -> None:
    api.script("good", Script(text="Too many words, and then nothing.", stall_after=3))
    policy = {"stall_timeout": 1, "alive_timeout": 2, "retries": 0}
    refused = api.post(json=ASK | {"model": "good", "fusion": {"policy": policy}})
    assert refused.status_code >= 400 or refused.json()["choices"][0]["finish_reason"] != "stop"
    wrong = api.post(json=ASK | {"model": "good", "fusion": {"policy": {"nonsense": 1}}})
    assert "nonsense" in error(wrong, 400, "invalid_request")["message"]
