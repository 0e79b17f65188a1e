"""The real `openai` client, sync and async, against the live server."""

from __future__ import annotations

import json

import openai
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import BaseModel

from tests.upstream import Script

from .conftest import GEMINI, GPT, OPUS, Api, tool_call

ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "What is the answer?"}]
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}


def test_plain(api: Api, program: openai.OpenAI) -> None:
    api.script(OPUS, Script(text="Forty-two."))
    said = program.chat.completions.create(model="fusion", messages=ASK)
    assert said.choices[0].message.content == "Forty-two."
    assert said.usage and said.usage.total_tokens > 0
    assert said.model_extra and said.model_extra["fusion"]["status"] == "ok"


def test_streamed(api: Api, program: openai.OpenAI) -> None:
    api.script(OPUS, Script(text="Forty-two."))
    text, usage = "", None
    for chunk in program.chat.completions.create(
        model="fusion", messages=ASK, stream=True, stream_options={"include_usage": True}
    ):
        usage = chunk.usage or usage
        for choice in chunk.choices:
            text += choice.delta.content or ""
    assert text == "Forty-two."
    assert usage and usage.total_tokens > 0


async def test_asynchronously_plain_and_streamed(api: Api) -> None:
    api.script(OPUS, Script(text="Forty-two."))
    async with openai.AsyncOpenAI(base_url=api.url, api_key=api.key, max_retries=0) as client:
        said = await client.chat.completions.create(model="fusion", messages=ASK)
        assert said.choices[0].message.content == "Forty-two."
        stream = await client.chat.completions.create(model="fusion", messages=ASK, stream=True)
        text = "".join([c.choices[0].delta.content or "" async for c in stream])
        assert text == "Forty-two."


def test_the_streaming_helper_accumulates_tools_and_text(api: Api, program: openai.OpenAI) -> None:
    api.script(OPUS, lambda body: tool_call("weather", "{}") if "tools" in body else Script())
    with program.chat.completions.stream(model="fusion", messages=ASK, tools=[WEATHER]) as stream:
        for _ in stream:
            pass
        final = stream.get_final_completion()
    (call,) = final.choices[0].message.tool_calls or []
    assert call.function.name == "weather"


def test_tools_there_and_back(api: Api, program: openai.OpenAI) -> None:
    api.script(OPUS, lambda body: tool_call("weather", '{"a":1}') if "tools" in body else Script())
    said = program.chat.completions.create(model="fusion", messages=ASK, tools=[WEATHER])
    message = said.choices[0].message
    assert message.tool_calls and message.tool_calls[0].type == "function"
    assert json.loads(message.tool_calls[0].function.arguments) == {"a": 1}
    api.script(OPUS, Script(text="It is warm."))
    messages: list[ChatCompletionMessageParam] = [
        *ASK,
        message.model_dump(exclude_none=True),  # type: ignore[list-item]
        {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "warm"},
    ]
    said = program.chat.completions.create(model="fusion", messages=messages, tools=[WEATHER])
    assert said.choices[0].message.content == "It is warm."


def test_structured_output(api: Api, program: openai.OpenAI) -> None:
    class City(BaseModel):
        name: str
        inhabitants: int

    said = program.chat.completions.parse(model="fusion", messages=ASK, response_format=City)
    assert isinstance(said.choices[0].message.parsed, City)


def test_models(api: Api, program: openai.OpenAI) -> None:
    ids = [m.id for m in program.models.list()]
    assert ids[:2] == ["fusion", "openrouter/fusion"] and "good" in ids
    assert program.models.retrieve("fusion/quality").id == "fusion/quality"
    with pytest.raises(openai.NotFoundError):
        program.models.retrieve("fusion/nothing")


def test_errors_are_the_clients_own(api: Api, program: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        program.chat.completions.create(model="no-such-model", messages=ASK)
    assert missing.value.code == "model_not_found" and missing.value.request_id
    with pytest.raises(openai.AuthenticationError):
        api.client("fus_wrong").models.list()
    with pytest.raises(openai.BadRequestError) as bad:
        program.chat.completions.create(model="fusion", messages=ASK, temperature=99)
    assert bad.value.param == "temperature"


def test_a_failed_panel_is_asked_once_though_the_client_repeats_errors(api: Api) -> None:
    for model in (OPUS, GPT, GEMINI):
        api.script(model, Script(status=401))
    eager = api.client(max_retries=3)
    with pytest.raises(openai.APIStatusError) as failed:
        eager.chat.completions.create(model="fusion", messages=ASK)
    assert failed.value.status_code == 424 and failed.value.code == "all_panels_failed"
    assert len(api.upstream.calls) == 3
    with pytest.raises(openai.APIError, match="No panelist"):
        for _ in eager.chat.completions.create(model="fusion", messages=ASK, stream=True):
            pass
    assert len(api.upstream.calls) == 6


# responses


def test_responses_plain_and_streamed(api: Api, program: openai.OpenAI) -> None:
    api.script(OPUS, Script(text="Forty-two."))
    said = program.responses.create(model="fusion", input="What is the answer?")
    assert said.output_text == "Forty-two." and said.status == "completed"
    assert said.usage and said.usage.total_tokens > 0
    assert [item.type for item in said.output] == ["message"]
    for own in (None, {"include": True}):
        text, kinds = "", set()
        for event in program.responses.create(
            model="fusion", input="What is it?", stream=True, extra_body={"fusion": own}
        ):
            kinds.add(event.type)
            if event.type == "response.output_text.delta":
                text += event.delta
        assert text == "Forty-two." and "response.completed" in kinds
        assert ("response.fusion_call.panel.completed" in kinds) is bool(own)


async def test_responses_asynchronously(api: Api) -> None:
    api.script(OPUS, Script(text="Forty-two."))
    async with openai.AsyncOpenAI(base_url=api.url, api_key=api.key, max_retries=0) as client:
        said = await client.responses.create(model="fusion", input="What is the answer?")
        assert said.output_text == "Forty-two."
        stream = await client.responses.create(model="fusion", input="What is it?", stream=True)
        last = [event async for event in stream][-1]
        assert last.type == "response.completed" and last.response.output_text == "Forty-two."


def test_the_responses_helper_accumulates_text_and_tools(api: Api, program: openai.OpenAI) -> None:
    weather = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
    api.script(OPUS, lambda body: tool_call("weather", "{}") if "tools" in body else Script())
    with program.responses.stream(model="fusion", input="Weather?", tools=[weather]) as stream:  # type: ignore[list-item]
        final = stream.get_final_response()
    assert [item.type for item in final.output] == ["function_call"]
    api.script(OPUS, Script(text="Forty-two."))
    with program.responses.stream(model="fusion", input="What is the answer?") as stream:
        assert stream.get_final_response().output_text == "Forty-two."


def test_responses_of_a_structure_and_in_a_conversation(api: Api, program: openai.OpenAI) -> None:
    class City(BaseModel):
        name: str
        inhabitants: int

    said = program.responses.parse(model="fusion", input="A city?", text_format=City)
    assert isinstance(said.output_parsed, City)
    again = program.responses.create(
        model="good", input="And its river?", previous_response_id=said.id
    )
    assert again.previous_response_id == said.id and again.output_text


def test_responses_errors_are_the_clients_own(api: Api, program: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as missing:
        program.responses.create(model="no-such-model", input="?")
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError):
        program.responses.create(model="fusion", input="?", temperature=99)
