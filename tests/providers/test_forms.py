"""Requests in another form: what changes, and how a model comes to be asked so."""

from __future__ import annotations

import json
from typing import Any

import pytest

from console.engine.errors import ProviderError, Reason
from console.engine.provider import Request, Unstreamed
from console.providers.openai_compatible import OpenAICompatible
from console.providers.traits import Traits
from console.providers.wire.forms import change
from tests.providers.asking import collect
from tests.upstream import Script

SCHEMA = {"type": "object", "properties": {"winner": {"enum": ["A", "B"]}}}
SYSTEM = {"role": "system", "content": "Be brief."}
USER = {"role": "user", "content": "Why is rain wet?"}


def changed(messages: list[dict[str, Any]], name: str = "system_role", value: str = "user") -> Any:
    return change({"messages": messages}, name, value)["messages"]


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def test_instructions_go_in_front_of_the_message_that_follows_them() -> None:
    answer = {"role": "assistant", "content": "It is water."}
    assert changed([SYSTEM, USER]) == [user("Be brief.\n\nWhy is rain wet?")]
    assert changed([SYSTEM, {"role": "developer", "content": "In French."}, USER]) == [
        user("Be brief.\n\nIn French.\n\nWhy is rain wet?")
    ]
    assert changed([USER, answer, SYSTEM, USER]) == [
        USER, answer, user("Be brief.\n\nWhy is rain wet?"),
    ]  # fmt: skip
    assert changed([SYSTEM]) == [user("Be brief.")]
    assert changed([USER, SYSTEM]) == [user("Why is rain wet?\n\nBe brief.")]
    assert changed([{"role": "system", "content": ""}, USER]) == [USER]
    parts = [{"type": "text", "text": "Why?"}]
    assert changed([SYSTEM, user(parts)]) == [
        user([{"type": "text", "text": "Be brief."}, *parts]),
    ]
    body = {"messages": [USER, answer]}
    assert change(body, "system_role", "user") is body


def test_instructions_are_one_message_at_the_beginning_where_a_template_wants_them_there() -> None:
    late = {"role": "system", "content": "In French."}
    answer = {"role": "assistant", "content": "It is water."}
    joined = {"role": "system", "content": "Be brief.\n\nIn French."}
    assert changed([SYSTEM, USER, answer, late, USER], value="first") == [
        joined, USER, answer, USER,
    ]  # fmt: skip
    assert changed([USER, answer, late], value="first") == [late, USER, answer]
    kept = [SYSTEM, USER]
    assert changed(kept, value="first") is kept


def test_neighbours_of_one_role_become_one_message() -> None:
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}]}
    tools = [{"role": "tool", "content": "1", "tool_call_id": i} for i in ("c1", "c2")]
    assert changed([USER, USER], "roles", "alternate") == [
        user("Why is rain wet?\n\nWhy is rain wet?")
    ]
    kept = [USER, call, *tools]
    assert changed(kept, "roles", "alternate") is kept


def refusing_system(body: dict[str, Any]) -> Script:
    """vLLM with Gemma's template."""
    error = {"object": "error", "message": "System role not supported"}
    error |= {"type": "BadRequestError", "code": 400}
    if any(message["role"] == "system" for message in body["messages"]):
        return Script(status=400, body=json.dumps(error))
    return Script(text="Fine.")


def refusing_schema(body: dict[str, Any]) -> Script:
    message = "The provided JSON schema contains features not supported by xgrammar."
    return (
        Script(status=400, error_message=message)
        if "response_format" in body
        else Script(text="Fine.")
    )


def limited_to_4096(body: dict[str, Any]) -> Script:
    if (asked := body.get("max_tokens", 0)) <= 4096:
        return Script(text="Fine.")
    message = (
        f"max_tokens is too large: {asked}. This model supports at most 4096 completion tokens, "
        f"whereas you provided {asked}."
    )
    return Script(status=400, error_message=message)


def never_streamed(body: dict[str, Any]) -> Script:
    if body["stream"]:
        message = "Your organization must be verified to stream this model."
        return Script(status=400, error_message=message)
    return Script(text="Fine.")


async def adapting(ask: Any, *scripts: Any, **options: Any) -> Any:
    while (got := await ask(*scripts, **options)).error and got.error.adapted:
        pass
    return got


@pytest.mark.parametrize(
    ("script", "options", "asked"),
    [
        (refusing_schema, {"response_schema": SCHEMA}, 2),
        (limited_to_4096, {"max_output_tokens": 8000}, 2),
        (never_streamed, {}, 2),
    ],
)
async def test_it_is_asked_again_without_and_from_then_on(
    ask: Any, up: Any, script: Any, options: dict[str, Any], asked: int
) -> None:
    assert (await adapting(ask, script, **options)).text == "Fine."
    assert len(up.calls) == asked
    assert (await ask(script, **options)).text == "Fine."
    assert len(up.calls) == asked + 1


async def test_a_refusal_within_a_stream_that_says_nothing_else_is_one(ask: Any, up: Any) -> None:
    """SGLang and LM Studio begin to stream before they look."""

    def script(body: dict[str, Any]) -> Script:
        error = {"message": "response_format is not supported", "code": 400}
        event = f"data: {json.dumps({'error': error})}\n\n".encode()
        return Script(raw=[event]) if "response_format" in body else Script(text="Fine.")

    assert (await adapting(ask, script, response_schema=SCHEMA)).text == "Fine."
    assert len(up.calls) == 3


async def test_a_limit_is_named_by_the_model_and_a_smaller_one_stays(ask: Any, up: Any) -> None:
    await adapting(ask, limited_to_4096, max_output_tokens=8000)
    assert [call.body["max_tokens"] for call in up.calls] == [8000, 4096]
    await ask(limited_to_4096, max_output_tokens=100)
    assert up.calls[-1].body["max_tokens"] == 100
    await ask(limited_to_4096)
    assert "max_tokens" not in up.calls[-1].body


async def test_what_is_left_beside_one_prompt_is_not_the_limit_beside_another(
    ask: Any, up: Any, make: Any
) -> None:
    def window(body: dict[str, Any]) -> Script:
        prompt = len(body["messages"][0]["content"])
        if prompt + body["max_tokens"] <= 8192:
            return Script(text="Fine.")
        total = prompt + body["max_tokens"]
        message = (
            f"This model's maximum context length is 8192 tokens. However, you requested {total} "
            f"tokens ({prompt} in the messages, {body['max_tokens']} in the completion)."
        )
        return Script(status=400, error_message=message)

    up.script("alpha", window)
    provider = make()

    async def limits(prompt: int, repeats: int) -> list[int]:
        before = len(up.calls)
        for _ in range(repeats):
            request = Request("alpha", [user("x" * prompt)], max_output_tokens=8000)
            try:
                async for _ in provider.stream(request):
                    pass
            except ProviderError as error:
                assert error.reason == Reason.CONTEXT_LENGTH
                adapted.append(error.adapted)
        return [call.body["max_tokens"] for call in up.calls[before:]]

    adapted: list[bool] = []
    assert await limits(5000, 3) == [8000, 3192, 3192]
    assert await limits(1000, 2) == [8000, 7192]
    assert adapted == [True, True]
    assert await limits(8100, 2) == [8000, 8000], "too little is left for an answer"
    assert adapted[2:] == [False, False]


async def test_a_model_that_is_not_streamed_says_so_before_it_is_asked(
    provider: Any, up: Any
) -> None:
    up.script("alpha", never_streamed)
    chunks: list[Any] = []
    for _ in range(2):
        try:
            async for chunk in provider.stream(Request("alpha", [USER])):
                chunks.append(chunk)
        except ProviderError as error:
            assert error.adapted
    assert isinstance(chunks[0], Unstreamed) and len(chunks) == 3
    sent = up.calls[-1].body
    assert sent["stream"] is False and "stream_options" not in sent


async def test_a_refusal_that_quotes_a_prompt_about_such_things_teaches_nothing(
    provider: Any, up: Any
) -> None:
    prompt = "What does 'System role not supported' mean, and temperature, and max_tokens 4096?"
    message = f"Content refused: {prompt}"
    up.script("alpha", Script(status=400, error_message=message))
    messages = [SYSTEM, user(prompt)]
    with pytest.raises(ProviderError, match="Content refused") as refused:
        async for _ in provider.stream(
            Request("alpha", messages, temperature=0.5, max_output_tokens=8000)
        ):
            pass
    assert refused.value.adapted is False


@pytest.mark.parametrize("written", [json.dumps, repr])
async def test_a_refusal_that_quotes_the_whole_request_is_not_asked_again_in_vain(
    make: Any, up: Any, written: Any
) -> None:
    def quoting(body: dict[str, Any]) -> Script:
        return Script(status=400, error_message=f"Cannot handle {written(body)}")

    up.script("alpha", quoting)
    provider = make()
    for prompt in ("Why?", 'A "long" one } with seed and temperature. ' * 1000):
        request = Request("alpha", [user(prompt)], temperature=0.5, seed=1, response_schema=SCHEMA)
        with pytest.raises(ProviderError) as refused:
            async for _ in provider.stream(request):
                pass
        assert (refused.value.reason, refused.value.adapted) == (Reason.BAD_REQUEST, False)


async def test_what_an_earlier_run_learned_is_doubted_once_where_it_no_longer_holds(
    up: Any, client: Any
) -> None:
    def only_streams(body: dict[str, Any]) -> Script:
        message = "This model only support stream mode."
        return Script(text="Fine.") if body["stream"] else Script(status=400, error_message=message)

    kept: list[Any] = []
    traits = Traits([("alpha", "stream", "without")], lambda *trait: kept.append(trait))
    provider = OpenAICompatible(up.url, "", client=client, traits=traits)
    up.script("alpha", only_streams)
    assert (await collect(provider)).error.adapted  # type: ignore[union-attr]
    assert (await collect(provider)).text == "Fine."
    assert kept == [("alpha", "stream", "")]


async def test_a_system_role_that_is_refused_is_no_loss_of_instructions(
    provider: Any, up: Any
) -> None:
    up.script("alpha", refusing_system)
    request = Request("alpha", [SYSTEM, USER])
    with pytest.raises(ProviderError) as refused:
        async for _ in provider.stream(request):
            pass
    assert refused.value.adapted
    async for _ in provider.stream(request):
        pass
    assert up.calls[-1].body["messages"] == [user("Be brief.\n\nWhy is rain wet?")]
