"""What one model thought comes back with its answer, whole and streamed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.upstream import Script, sse

from .conftest import OPUS, Api, tool_call

ASK: dict[str, Any] = {"model": "good", "messages": [{"role": "user", "content": "Is rain wet?"}]}
RESPOND: dict[str, Any] = {"model": "good", "input": "Is rain wet?"}
THOUGHT, TEXT = "Let me see. Rain is water. Water is wet.", "Rain is wet."
THINKS = Script(text=TEXT, reasoning=THOUGHT)


def events(api: Api, path: str, body: dict[str, Any]) -> list[dict[str, Any]]:
    text = api.post(path, json=body | {"stream": True}).text
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]


def deltas(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [choice["delta"] for chunk in chunks for choice in chunk["choices"]]


def test_a_chat_completion_has_it_beside_the_text(api: Api) -> None:
    api.script("good", THINKS)
    message = api.post(json=ASK).json()["choices"][0]["message"]
    assert (message["content"], message["reasoning"]) == (TEXT, THOUGHT)
    detail = {"type": "reasoning.text", "text": THOUGHT, "index": 0}
    assert message["reasoning_details"] == [detail]


def test_its_stream_tells_it_before_the_text_and_never_in_it(api: Api) -> None:
    api.script("good", THINKS)
    told = deltas(events(api, "/chat/completions", ASK))
    assert "".join(d.get("reasoning", "") for d in told) == THOUGHT
    assert "".join(t["text"] for d in told for t in d.get("reasoning_details", [])) == THOUGHT
    assert "".join(d.get("content") or "" for d in told) == TEXT
    last_thought = max(n for n, d in enumerate(told) if d.get("reasoning"))
    assert last_thought < min(n for n, d in enumerate(told) if d.get("content"))


def test_a_response_has_an_item_for_it_before_the_message(api: Api) -> None:
    api.script("good", THINKS)
    thought, message = api.post("/responses", json=RESPOND).json()["output"]
    assert thought["type"] == "reasoning" and message["type"] == "message"
    assert thought["summary"] == [{"type": "summary_text", "text": THOUGHT}]


def test_its_events_are_openais(api: Api, program: openai.OpenAI) -> None:
    api.script("good", THINKS)
    told = events(api, "/responses", RESPOND)
    names = [e["type"].removeprefix("response.") for e in told]
    order = [
        *("output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta"),
        *("reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done"),
        *("content_part.added", "output_text.delta", "output_text.done", "completed"),
    ]
    assert [names.index(n) for n in order] == sorted(names.index(n) for n in order)
    of = {e["type"]: e for e in told}
    assert of["response.reasoning_summary_text.done"]["text"] == THOUGHT
    assert of["response.output_text.done"]["output_index"] == 1
    assert [i["type"] for i in told[-1]["response"]["output"]] == ["reasoning", "message"]
    with program.responses.stream(model="good", input="Is rain wet?") as stream:
        final = stream.get_final_response()
    assert final.output_text == TEXT and final.output[0].type == "reasoning"
    assert final.output[0].summary[0].text == THOUGHT


def test_what_is_thought_between_words_is_told_too(api: Api) -> None:
    pieces = [{"reasoning": "One. "}, {"content": "Rain "}, {"reasoning": "Two."}]
    steps = [sse.event(piece) for piece in [*pieces, {"content": "is wet."}]]
    api.script("good", Script(raw=[*steps, sse.event({}, "stop"), sse.DONE]))
    told = deltas(events(api, "/chat/completions", ASK))
    assert "".join(d.get("reasoning", "") for d in told) == "One. Two."
    assert "".join(d.get("content") or "" for d in told) == TEXT
    last = events(api, "/responses", RESPOND)[-1]["response"]
    thoughts = [i["summary"][0]["text"] for i in last["output"] if i["type"] == "reasoning"]
    assert thoughts == ["One. Two."] and last["output"][-1]["content"][0]["text"] == TEXT


def test_a_tool_is_called_after_it(api: Api) -> None:
    thinks = [sse.event({"reasoning": THOUGHT}), *(tool_call("weather").raw or ())]
    api.script("good", Script(raw=thinks))
    weather = {"type": "function", "name": "weather"}
    for path, body in (("/chat/completions", ASK), ("/responses", RESPOND)):
        whole = api.post(path, json=body | {"tools": [weather]}).json()
        assert THOUGHT in json.dumps(whole) and "weather" in json.dumps(whole)
    told = events(api, "/responses", RESPOND | {"tools": [weather]})
    kinds = [i["type"] for i in told[-1]["response"]["output"]]
    assert kinds == ["reasoning", "function_call"]
    done = [e["output_index"] for e in told if e["type"] == "response.output_item.done"]
    assert done == [0, 1]


@pytest.mark.parametrize("wish", [{"reasoning": {"exclude": True}}, {"include_reasoning": False}])
def test_who_wants_none_has_none(api: Api, wish: dict[str, Any]) -> None:
    api.script("good", THINKS)
    assert THOUGHT not in api.post(json=ASK | wish).text
    assert not any("reasoning" in d for d in deltas(events(api, "/chat/completions", ASK | wish)))
    if "reasoning" in wish:
        output = api.post("/responses", json=RESPOND | wish).json()["output"]
        assert [item["type"] for item in output] == ["message"]


@pytest.mark.parametrize("model", ["fusion", "good"])
def test_where_there_is_none_to_tell_there_is_no_field(api: Api, model: str) -> None:
    """Of a fused answer there is none: whoever writes it thinks about the panel."""
    api.script(OPUS, THINKS)
    for path, body in (("/chat/completions", ASK), ("/responses", RESPOND)):
        body = body | {"model": model, "fusion": {"include": False}}
        assert '"summary"' not in api.post(path, json=body).text
        told = api.post(path, json=body | {"stream": True}).text
        assert "reasoning_details" not in told and "reasoning_summary" not in told
    message = api.post(json=ASK | {"model": model}).json()["choices"][0]["message"]
    assert "reasoning" not in message


OPENED = "<think>\nLet me see.\n</think>\n\nRain is wet."
UNOPENED = "Let me see.\n</think>\n\nRain is wet."


@pytest.fixture
def forgotten(api: Api) -> Iterator[None]:
    """What the site learns of a model in one test, it does not know in the next."""
    yield
    api.shell("from console.models import ModelTrait\nsaid = ModelTrait.objects.all().delete()[0]")


@pytest.mark.parametrize("content", [OPENED, UNOPENED])
def test_thoughts_within_the_content_come_back_as_thoughts(
    api: Api, content: str, forgotten: None
) -> None:
    pieces = [content[n : n + 5] for n in range(0, len(content), 5)]
    api.script("good", Script(deltas=pieces))
    told = deltas(events(api, "/chat/completions", ASK))
    text = "".join(d.get("content") or "" for d in told)
    # Where nothing opened them they were told as text, which then begins again.
    assert text == TEXT or (content == UNOPENED and text.endswith(f"begins again:*\n\n{TEXT}"))
    assert "".join(d.get("reasoning", "") for d in told) == "Let me see."
    message = api.post(json=ASK | {"seed": 2}).json()["choices"][0]["message"]
    assert (message["content"], message["reasoning"]) == (TEXT, "Let me see.")
    # Learned by now: nothing begins again.
    told = events(api, "/responses", RESPOND)
    text = "".join(e["delta"] for e in told if e["type"] == "response.output_text.delta")
    thoughts = "".join(e["delta"] for e in told if e["type"].endswith("summary_text.delta"))
    assert (text, thoughts) == (TEXT, "Let me see.")
