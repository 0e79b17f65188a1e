"""What is sent, what is learned from refusals, and what closing a stream does."""

import asyncio
import json
from contextlib import aclosing

import pytest

from console.engine.errors import ProviderError, Reason
from console.engine.provider import Request
from console.providers.openai_compatible import OpenAICompatible
from console.providers.openrouter import OpenRouter
from tests.providers.asking import KEY, collect
from tests.upstream import Script

SCHEMA = {"type": "object", "properties": {"winner": {"enum": ["A", "B"]}}}
RENAMED = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens'."


def refusing(*fields):
    """A model that refuses these fields, naming one at a time."""

    def script(body):
        for name in fields:
            if name in body:
                return Script(status=400, error_message=f"Unsupported parameter: '{name}'.")
        return Script(text="Fine.")

    return script


async def test_options_are_sent_and_unset_ones_are_not(ask, up):
    await ask(Script(), temperature=0.0, max_output_tokens=50, seed=7, reasoning_effort="low")
    body = up.calls[0].body
    assert (body["temperature"], body["max_tokens"], body["seed"]) == (0.0, 50, 7)
    assert (body["reasoning_effort"], body["stream"]) == ("low", True)
    assert body["stream_options"] == {"include_usage": True}
    assert "response_format" not in body
    headers = up.calls[0].headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert headers["accept-encoding"] == "identity"
    await ask(Script())
    assert set(up.calls[1].body) == {"model", "messages", "stream", "stream_options"}


async def test_without_a_key_no_authorization_is_sent(make, up):
    await collect(make(key=""))
    assert "authorization" not in up.calls[0].headers


async def test_a_prompt_with_half_a_character_is_sent_all_the_same(provider, up):
    async with aclosing(
        provider.stream(Request("a", [{"role": "user", "content": "\ud83d"}]))
    ) as s:
        async for _ in s:
            pass
    assert up.calls[0].body["messages"][0]["content"] == "?"


async def test_a_schema_is_asked_for_and_answered(ask, up):
    got = await ask(Script(text="not JSON"), response_schema=SCHEMA)
    wanted = up.calls[0].body["response_format"]
    assert (wanted["type"], wanted["json_schema"]["schema"]) == ("json_schema", SCHEMA)
    assert got.text in ('{"winner": "A"}', '{"winner": "B"}')


async def adapting(ask, *scripts, **options):
    """Asks as the engine does: again, as long as the provider has learned from a refusal."""
    while (got := await ask(*scripts, **options)).error and got.error.adapted:
        pass
    return got


async def test_a_renamed_output_limit_is_learned_for_that_model(ask, up):
    def script(body):
        refused = "max_tokens" in body
        return Script(status=400, error_message=RENAMED) if refused else Script(text="Fine.")

    first = await ask(script, max_output_tokens=50)
    assert (first.reason, first.error.adapted, len(up.calls)) == (Reason.BAD_REQUEST, True, 1)
    assert (await ask(script, max_output_tokens=50)).text == "Fine."
    assert up.calls[1].body["max_completion_tokens"] == 50
    assert (await ask(script, max_output_tokens=60)).text == "Fine."
    assert len(up.calls) == 3
    assert up.calls[2].body["max_completion_tokens"] == 60


@pytest.mark.parametrize(
    ("host", "name"),
    [("api.openai.com", "max_completion_tokens"), ("127.0.0.1:8080", "max_tokens")],
)
async def test_openai_itself_is_asked_by_its_own_name_for_the_limit(client, host, name):
    body = OpenAICompatible(f"http://{host}/v1", "", client=client).body(
        Request("m", [], max_output_tokens=50)
    )
    assert {n: v for n, v in body.items() if "max" in n} == {name: 50}


async def test_an_output_limit_is_never_dropped(ask, up):
    script = refusing("max_tokens", "max_completion_tokens")
    got = await adapting(ask, script, max_output_tokens=50)
    assert got.reason == Reason.BAD_REQUEST
    assert len(up.calls) == 2


@pytest.mark.parametrize("name", ["temperature", "seed", "reasoning_effort", "stream_options"])
async def test_an_unsupported_option_is_left_out(ask, up, name):
    options = {"temperature": 0.5, "seed": 1, "reasoning_effort": "high"}
    got = await adapting(ask, refusing(name), **options)
    assert got.text == "Fine."
    assert set(up.calls[0].body) - set(up.calls[1].body) == {name}


async def test_several_refused_fields_are_learned_one_after_another(ask, up):
    script = refusing("temperature", "seed")
    assert (await adapting(ask, script, temperature=0.5, seed=1)).text == "Fine."
    assert (await ask(script, temperature=0.5, seed=1)).text == "Fine."
    assert len(up.calls) == 4


async def test_a_schema_is_loosened_before_it_is_dropped(ask, up):
    def script(body):
        if "response_format" in body:
            return Script(judge=Script(status=400, error_message="Invalid response_format"))
        return Script(text="{}")

    assert (await adapting(ask, script, response_schema=SCHEMA)).text == "{}"
    strict = [c.body.get("response_format", {}).get("json_schema", {}) for c in up.calls]
    assert [s.get("strict") for s in strict] == [True, False, None]


async def test_what_was_not_sent_is_not_left_out(ask, up):
    got = await ask(Script(status=400, error_message="temperature must not be hot"))
    assert (got.reason, got.error.adapted, len(up.calls)) == (Reason.BAD_REQUEST, False, 1)


async def test_what_was_asked_for_by_name_is_not_left_out(ask, up):
    options = {"response_format": {"type": "json_object"}}
    got = await ask(refusing("response_format"), options=options)
    assert (got.reason, got.error.adapted) == (Reason.BAD_REQUEST, False)


async def test_two_seats_refused_at_once_for_the_same_field_both_do_without_it(ask, provider, up):
    up.script("alpha", refusing("response_format"))
    options = {"temperature": 0.5, "response_schema": SCHEMA}
    for strict in (True, False):
        both = await asyncio.gather(*(collect(provider, **options) for _ in range(2)))
        assert [got.error.adapted for got in both] == [True, True]
        asked = [call.body["response_format"]["json_schema"]["strict"] for call in up.calls[-2:]]
        assert asked == [strict, strict]
    got = await collect(provider, **options)
    assert (got.text, up.calls[-1].body["temperature"]) == ("Fine.", 0.5)


async def test_a_server_that_refuses_everything_is_not_asked_for_ever(ask, up):
    script = Script(status=400, error_message="Neither temperature, seed nor max_tokens, please.")
    got = await adapting(ask, script, temperature=0.5, seed=1, max_output_tokens=5)
    assert (got.reason, len(up.calls)) == (Reason.BAD_REQUEST, 4)


async def test_a_refusal_that_quotes_the_whole_request_takes_no_field_from_later_ones(ask, up):
    def quoting(body):
        detail = [{"msg": "The first message must not be empty.", "input": body}]
        return Script(status=422, body=json.dumps({"detail": detail}))

    options = {"temperature": 0.5, "max_output_tokens": 50, "reasoning_effort": "low"}
    assert (await adapting(ask, refusing("reasoning_effort"), **options)).text == "Fine."
    assert (await adapting(ask, quoting, **options)).reason == Reason.BAD_REQUEST
    assert (await ask(Script(text="Fine."), **options)).text == "Fine."
    sent = up.calls[-1].body
    assert (sent["temperature"], sent["max_tokens"]) == (0.5, 50) and "stream_options" in sent
    assert "reasoning_effort" not in sent, "that one was learned"


async def test_a_prompt_too_long_is_not_asked_again(ask, up):
    message = "max_tokens plus prompt exceed the context length of 8192."
    got = await ask(Script(status=400, error_message=message), max_output_tokens=50)
    assert (got.reason, len(up.calls)) == (Reason.CONTEXT_LENGTH, 1)


async def test_closing_the_stream_closes_the_connection(provider, up):
    up.script("alpha", Script(stall_after=1))
    async with aclosing(provider.stream(Request("alpha", []))) as chunks:
        await anext(chunks)
        assert up.open_connections == 1
    await up.until(lambda: up.calls[0].closed_by_client and up.open_connections == 0, timeout=1)


async def test_cancelling_closes_the_connection_even_before_the_headers(provider, up):
    up.script("alpha", Script(delay=30))
    call = asyncio.create_task(collect(provider))
    await up.until(lambda: up.calls)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await up.until(lambda: up.calls[0].closed_by_client and up.open_connections == 0, timeout=1)


async def test_eight_streams_run_side_by_side(provider, up):
    up.hold()
    calls = [asyncio.create_task(collect(provider, f"model-{n}")) for n in range(8)]
    await up.until(lambda: sum(call.deltas_sent for call in up.calls) == 8)
    up.release()
    texts = {got.text for got in await asyncio.gather(*calls)}
    assert texts == {f"This is the scripted answer of model-{n}." for n in range(8)}


@pytest.mark.parametrize(
    ("limits", "script"),
    [
        ({"text": 1000}, Script(deltas=["xüx"] * 1000)),
        ({"line": 1000}, Script(deltas=["short", "x" * 5000])),
        ({"events": 10}, Script(deltas=["x"] * 100)),
        ({"whole": 1000}, Script(body='{"choices": ["' + "x" * 5000 + '"]}')),
    ],
)
async def test_an_answer_too_large_is_cut_and_the_connection_closed(make, up, ask, limits, script):
    got = await ask(script, by=make(**limits))
    assert got.reason == Reason.TOO_LARGE
    assert len(got.text.encode()) <= 1000
    # aiohttp keeps a connection whose answer had come to its end, read or not.
    await up.until(lambda: up.open_connections == 0 or up.calls[0].finished, timeout=1)


async def test_thoughts_too_large_are_cut(make, ask):
    got = await ask(Script(reasoning="x" * 5000), by=make(reasoning=1000))
    assert (got.reason, len(got.reasoning)) == (Reason.TOO_LARGE, 1000)


async def test_a_hundred_megabytes_stop_at_the_limit(ask, up):
    got = await ask(Script(deltas=["x" * 65536] * 1600))
    assert (got.reason, len(got.text)) == (Reason.TOO_LARGE, 2 * 1024 * 1024)
    await up.until(lambda: up.calls[0].closed_by_client)
    assert up.calls[0].bytes_sent < 20_000_000


async def test_openrouter_reports_cost_model_and_provider(make, up, ask):
    by = make(OpenRouter, headers={"X-OpenRouter-Title": "Fusion"})
    chunk = {"model": "maker/model-2026", "provider": "Cloud", "id": ""}
    headers = {"X-Generation-Id": "gen-1"}
    got = await ask(
        Script(cost=0.00123, chunk=chunk, headers=headers), by=by, reasoning_effort="high"
    )
    assert str(got.finish.cost) == "0.00123"
    assert (got.finish.model, got.finish.provider) == ("maker/model-2026", "Cloud")
    assert got.finish.generation_id == "gen-1"
    assert up.calls[0].body["reasoning"] == {"effort": "high"}
    assert "reasoning_effort" not in up.calls[0].body
    assert up.calls[0].headers["x-openrouter-title"] == "Fusion"


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"cost": 0}, "0"),
        ({"cost": "0.5"}, "0.5"),
        ({"cost": -1}, None),
        ({"cost": 1e12}, None),
        ({"cost": "NaN"}, None),
        ({"cost": True}, None),
        ({"prompt_tokens": 1}, None),
        (
            {"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.2}},
            "0.21",
        ),
    ],
)
async def test_a_cost_that_cannot_be_is_unknown(make, ask, usage, cost):
    got = await ask(Script(usage=usage), by=make(OpenRouter))
    assert got.finish.cost is None if cost is None else str(got.finish.cost) == cost


async def test_what_a_gateway_says_it_charged_is_believed(ask):
    assert str((await ask(Script(cost=0.25))).finish.cost) == "0.25"


async def test_a_cost_that_was_not_reported_is_none(ask):
    assert (await ask(Script())).finish.cost is None


@pytest.mark.parametrize(
    ("content", "sent"),
    [
        ("Why?", "Why?"),
        ("", ""),
        (None, None),
        ([{"type": "text", "text": "Why?"}], "Why?"),
        ([{"type": "text", "text": "Why?"}, {"type": "text", "text": "How?"}], "Why?\nHow?"),
    ],
)
@pytest.mark.parametrize("kind", [OpenAICompatible, OpenRouter])
async def test_parts_of_text_go_out_as_one_text(make, up, kind, content, sent):
    """Beside whatever else the message has."""
    said = [{"role": "tool", "content": content, "tool_call_id": "c1"}]
    async with aclosing(make(kind).stream(Request("alpha", said))) as chunks:
        async for _ in chunks:
            pass
    assert up.calls[0].body["messages"] == [said[0] | {"content": sent}]
    assert said == [{"role": "tool", "content": content, "tool_call_id": "c1"}]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "file", "hash": "9f2b"},
        {"type": "source", "number": 2},
        {"type": "image_url", "image_url": {"url": "data:,"}},
        {"type": "text"},
    ],
)
@pytest.mark.parametrize("kind", [OpenAICompatible, OpenRouter])
async def test_a_part_that_cannot_be_sent_is_refused_by_name_before_anything_goes_out(
    make, up, kind, part
):
    said = [{"role": "user", "content": [{"type": "text", "text": "Why?"}, part]}]
    with pytest.raises(ProviderError) as refused:
        async with aclosing(make(kind).stream(Request("alpha", said))) as chunks:
            async for _ in chunks:
                pass
    assert refused.value.reason is Reason.BAD_REQUEST and not refused.value.retryable
    assert f"“{part['type']}”" in refused.value.message
    assert up.requests == [] and up.open_connections == 0
