"""What goes out to Anthropic, looked at by an upstream that refuses what its API refuses."""

from __future__ import annotations

from typing import Any

import pytest

from console.engine.errors import ProviderError, Reason
from console.engine.provider import Request
from console.engine.terms import Terms
from console.providers import kinds, registry
from console.providers.anthropic import Anthropic, make
from console.providers.wire.anthropic_request import messages_body, usual_thinking
from console.providers.wire.anthropic_schema import with_its_words
from console.providers.wire.http import make_client
from tests.providers.asking import KEY, collect
from tests.upstream import Upstream

OPUS = "claude-opus-5"
HAIKU = "claude-haiku-4-5-20251001"
NEW = "a-model-that-nobody-knows"
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "How warm it is.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [
        {"id": "call|1.a", "type": "function",
         "function": {"name": "weather", "arguments": '{"city": "Oslo"}'}},
    ],
}  # fmt: skip
RESULT = {"role": "tool", "tool_call_id": "call|1.a", "content": "7 degrees"}


def say(role: str, content: Any) -> dict[str, Any]:
    return {"role": role, "content": content}


def text(*words: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": w} for w in words]


ASK = say("user", "Why?")


async def sent(model: str = OPUS, messages: Any = None, **more: Any) -> dict[str, Any]:
    """The body as it arrived, and was not refused."""
    async with Upstream() as up, make_client() as client:
        provider = make(base_url=up.url, api_key=KEY, client=client)
        request = Request(model, [ASK] if messages is None else messages, **more)
        async for _ in provider.stream(request):
            pass
        (call,) = up.calls
        assert call.path == "/v1/messages"
        assert call.headers["x-api-key"] == KEY
        assert call.headers["anthropic-version"] == "2023-06-01"
        assert "authorization" not in call.headers
        return call.body


@pytest.mark.parametrize("kind", ["anthropic"])
@pytest.mark.parametrize("suffix", ["", "/v1", "/v1/", "/v1/messages", "/"])
async def test_any_way_to_write_its_address_leads_there(kind: str, suffix: str) -> None:
    async with Upstream() as up, make_client() as client:
        typed = registry.normalise_base_url(up.url.removesuffix("/v1") + suffix)
        provider = registry.make_provider(kind, base_url=typed, api_key=KEY, client=client)
        assert (await collect(provider)).text == "This is the scripted answer of alpha."
        assert [r.path for r in up.requests] == ["/v1/messages"]


def test_without_an_address_it_is_asked_at_home() -> None:
    made = make(base_url="", api_key=KEY, client=None)  # type: ignore[arg-type]
    assert isinstance(made, Anthropic) and made._base_url == "https://api.anthropic.com/v1"
    assert kinds.ANTHROPIC.needs_key and kinds.ANTHROPIC.home is not None


async def test_a_plain_question_says_no_more_than_it_must() -> None:
    assert await sent() == {
        "model": OPUS,
        "max_tokens": kinds.FRONTIER_OUTPUT_TOKENS,
        "messages": [say("user", text("Why?"))],
        "stream": True,
    }


@pytest.mark.parametrize(
    ("messages", "system", "turns"),
    [
        ([say("system", "Be brief."), ASK], "Be brief.", [("user", ["Why?"])]),
        (
            [say("system", "A."), say("developer", "B."), ASK, say("system", "C.")],
            "A.\n\nB.\n\nC.",
            [("user", ["Why?"])],
        ),
        ([say("system", " \n"), ASK], None, [("user", ["Why?"])]),
        ([say("system", "Only this.")], None, [("user", ["Only this."])]),
        ([ASK, say("user", "Really?")], None, [("user", ["Why?", "Really?"])]),
        (
            [ASK, say("assistant", "So."), say("assistant", "Indeed."), say("user", "Oh?")],
            None,
            [("user", ["Why?"]), ("assistant", ["So.", "Indeed."]), ("user", ["Oh?"])],
        ),
        (
            [say("assistant", "Hello."), ASK],
            None,
            [
                ("user", ["(The conversation begins with your message.)"]),
                ("assistant", ["Hello."]),
                ("user", ["Why?"]),
            ],
        ),
        ([ASK, say("assistant", ""), say("user", " ")], None, [("user", ["Why?"])]),
        ([ASK, say("assistant", "It is \n")], None, [("user", ["Why?"]), ("assistant", ["It is"])]),
        ([say("user", text("a", "b"))], None, [("user", ["a\nb"])]),
        ([say("user", "a\ud800b")], None, [("user", ["a?b"])]),
    ],
)
async def test_turns_are_as_its_api_wants_them(messages: Any, system: Any, turns: Any) -> None:
    body = await sent(messages=messages)
    assert body.get("system") == system
    said = [(t["role"], [block["text"] for block in t["content"]]) for t in body["messages"]]
    assert said == turns


@pytest.mark.parametrize("messages", [[], [say("user", "")], [say("system", ""), say("user", " ")]])
async def test_where_there_is_nothing_to_ask_nobody_is_asked(messages: Any) -> None:
    with pytest.raises(ProviderError, match="no word") as caught:
        await sent(messages=messages)
    assert caught.value.reason == Reason.BAD_REQUEST


async def test_what_is_no_text_is_refused_as_by_the_others() -> None:
    part = {"type": "file", "hash": "abc"}
    with pytest.raises(ProviderError, match="takes text only") as caught:
        await sent(messages=[say("user", [part])])
    assert caught.value.reason == Reason.BAD_REQUEST


async def test_tools_and_what_they_said_go_in_its_words() -> None:
    more = {"tools": [WEATHER], "tool_choice": "auto", "parallel_tool_calls": False, "stop": "END"}
    after = [say("user", "And in Rome?")]
    body = await sent(messages=[ASK, CALL, RESULT, *after], options=more)
    function = WEATHER["function"]
    assert isinstance(function, dict)
    assert body["tools"] == [
        {
            "name": "weather",
            "description": "How warm it is.",
            "input_schema": function["parameters"],
        }
    ]
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert body["stop_sequences"] == ["END"]
    called, answered = body["messages"][1:]
    call = {"type": "tool_use", "id": "call_1_a", "name": "weather", "input": {"city": "Oslo"}}
    assert called == say("assistant", [call])
    result = {"type": "tool_result", "tool_use_id": "call_1_a", "content": "7 degrees"}
    assert answered == say("user", [result, *text("And in Rome?")])


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ("required", {"type": "any"}),
        ("none", {"type": "none"}),
        (None, {"type": "auto"}),
        (
            {"type": "function", "function": {"name": "weather"}},
            {"type": "tool", "name": "weather"},
        ),
    ],
)
async def test_which_tool_is_chosen(choice: Any, wanted: Any) -> None:
    options = {"tools": [WEATHER], "tool_choice": choice}
    body = await sent(options={k: v for k, v in options.items() if v is not None})
    assert body["tool_choice"] == wanted


@pytest.mark.parametrize(
    ("arguments", "input"),
    [
        ('{"a": 1}', {"a": 1}),
        ("", {}),
        (None, {}),
        ("{}", {}),
        ('{"a": ', {"arguments": '{"a": '}),
        ("[1]", {"arguments": [1]}),
    ],
)
def test_arguments_that_are_no_object_are_handed_on_within_one(arguments: Any, input: Any) -> None:
    call = {"id": "1", "function": {"name": "f", "arguments": arguments}}
    messages = [ASK, {"role": "assistant", "content": "", "tool_calls": [call]}]
    body = messages_body({"model": OPUS, "max_tokens": 9, "messages": messages})
    assert body["messages"][1]["content"][0]["input"] == input


# ---- thinking and sampling


@pytest.mark.parametrize(
    ("model", "form"),
    [
        ("claude-opus-5", "adaptive"),
        ("claude-opus-4-6", "adaptive"),
        ("claude-sonnet-4-6", "adaptive"),
        ("claude-opus-4-10", "adaptive"),
        ("claude-haiku-5-5", "adaptive"),
        ("a-model-of-somebody-else", "adaptive"),
        ("claude-haiku-4-5", "budget"),
        ("claude-haiku-4-5-20251001", "budget"),
        ("claude-opus-4-1-20250805", "budget"),
        ("claude-sonnet-4-20250514", "budget"),
        ("claude-sonnet-4-0", "budget"),
        ("claude-sonnet-4-5@20250929", "budget"),
        ("claude-3-7-sonnet-latest", "budget"),
        ("claude-3-haiku-20240307", "budget"),
    ],
)
def test_how_a_model_likes_to_be_told_to_think(model: str, form: str) -> None:
    assert usual_thinking(model) == form


@pytest.mark.parametrize(
    ("model", "takes_it"),
    [
        ("claude-opus-4-6", True),
        ("claude-sonnet-4-6", True),
        ("claude-haiku-4-5-20251001", True),
        ("claude-opus-4-20250514", True),
        ("claude-sonnet-4-5", True),
        ("claude-3-7-sonnet-latest", True),
        ("a-model-of-somebody-else", True),
        ("claude-opus-4-7", False),
        ("claude-opus-4-8", False),
        ("claude-opus-5", False),
        ("claude-sonnet-5-5", False),
        ("claude-haiku-5-5", False),
        ("claude-fable-5", False),
        ("claude-mythos-preview", False),
    ],
)
def test_a_temperature_is_for_who_takes_it(model: str, takes_it: bool) -> None:
    body = {"model": model, "max_tokens": 9, "messages": [ASK], "temperature": 0}
    assert ("temperature" in messages_body(body)) == takes_it


ADAPTIVE = {"type": "adaptive", "display": "summarized"}


@pytest.mark.parametrize(
    ("model", "more", "thinking", "effort"),
    [
        (OPUS, {}, None, None),
        (OPUS, {"reasoning_effort": "high"}, ADAPTIVE, "high"),
        (OPUS, {"reasoning_effort": "minimal"}, ADAPTIVE, "low"),
        (OPUS, {"reasoning_effort": "none"}, {"type": "disabled"}, None),
        (HAIKU, {"reasoning_effort": "high"}, 12_800, None),
        (HAIKU, {"reasoning_effort": "low", "max_output_tokens": 8000}, 1600, None),
        (HAIKU, {"reasoning_effort": "minimal", "max_output_tokens": 4000}, 1024, None),
        # Thoughts have to have their least, and an answer its room.
        (HAIKU, {"reasoning_effort": "high", "max_output_tokens": 1024}, None, None),
        (HAIKU, {}, None, None),
    ],
)
async def test_effort_becomes_thinking(model: str, more: Any, thinking: Any, effort: Any) -> None:
    body = await sent(model, temperature=0.2, **more)
    if isinstance(thinking, int):
        thinking = {"type": "enabled", "budget_tokens": thinking}
    assert body.get("thinking") == thinking
    assert body.get("output_config", {}).get("effort") == effort
    thinks = thinking is not None and thinking["type"] != "disabled"
    is_taken = model == HAIKU and not thinks
    assert ("temperature" in body) == is_taken, "it is refused beside thoughts, and by the newer"


async def test_a_tool_that_has_to_be_called_is_called_without_thoughts() -> None:
    for choice in ("required", {"type": "function", "function": {"name": "weather"}}):
        options = {"tools": [WEATHER], "tool_choice": choice}
        body = await sent(OPUS, reasoning_effort="high", options=options)
        assert body["thinking"] == {"type": "disabled"} and "output_config" not in body


async def test_thoughts_that_are_not_kept_are_not_missed_between_calls_of_tools() -> None:
    messages, options = [ASK, CALL, RESULT], {"tools": [WEATHER]}
    older = await sent(HAIKU, messages, reasoning_effort="high", options=options)
    assert "thinking" not in older
    assert (await sent(OPUS, messages, reasoning_effort="high", options=options))["thinking"]
    again = [*messages, say("assistant", "7."), say("user", "And now?")]
    assert (await sent(HAIKU, again, reasoning_effort="high", options=options))["thinking"]


@pytest.mark.parametrize(
    ("temperature", "top_p", "wanted"),
    [
        (0, None, {"temperature": 0}),
        (0.7, None, {"temperature": 0.7}),
        (1.6, None, {"temperature": 1}),
        (0.7, 1, {"temperature": 0.7}),
        (0, 0.9, {"top_p": 0.9}),
        (None, 0.9, {"top_p": 0.9}),
        (None, 1, {}),
        (None, None, {}),
    ],
)
async def test_temperature_and_top_p_never_go_together(
    temperature: Any, top_p: Any, wanted: Any
) -> None:
    options = {} if top_p is None else {"top_p": top_p}
    body = await sent(HAIKU, temperature=temperature, options=options, seed=7)
    newer = await sent(OPUS, temperature=temperature, options=options)
    assert not {"temperature", "top_p"} & newer.keys()
    assert {k: v for k, v in body.items() if k in ("temperature", "top_p", "seed")} == wanted


async def test_of_terms_nothing_is_said_to_who_does_not_know_the_words() -> None:
    terms = Terms(zero_retention=True, no_training=True, only_providers=("anthropic",))
    assert await sent(terms=terms) == await sent()
    assert not kinds.ANTHROPIC.keeps


# ---- a form to answer in


def a_list(item: Any, least: int, most: int) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": least, "maxItems": most}


@pytest.mark.parametrize(
    ("schema", "known"),
    [
        ({"type": "string"}, {"type": "string"}),
        (
            {"type": "string", "minLength": 3, "maxLength": 9, "description": "A name."},
            {"type": "string", "description": "A name. (minLength: 3, maxLength: 9)"},
        ),
        (
            a_list({"type": "integer", "minimum": 1}, 2, 8),
            {
                "type": "array",
                "items": {"type": "integer", "description": "(minimum: 1)"},
                "description": "(minItems: 2, maxItems: 8)",
            },
        ),
        ({"type": "array", "minItems": 1}, {"type": "array", "minItems": 1}),
        ({"enum": ["A", "B"], "type": "string"}, {"enum": ["A", "B"], "type": "string"}),
        ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
        ({"format": "isbn"}, {"description": '(format: "isbn")'}),
        (
            {"oneOf": [{"type": "null"}, {"$ref": "#/$defs/x"}],
             "$defs": {"x": {"type": "object"}}},
            {
                "anyOf": [{"type": "null"}, {"$ref": "#/$defs/x"}],
                "$defs": {"x": {"type": "object", "additionalProperties": False}},
            },
        ),
        (
            {"type": "object", "properties": {"maxItems": {"type": "null"}},
             "required": ["maxItems"], "additionalProperties": True, "$schema": "x"},
            {"type": "object", "properties": {"maxItems": {"type": "null"}},
             "required": ["maxItems"], "additionalProperties": False},
        ),
        (True, True),
    ],
)  # fmt: skip
def test_limits_that_its_schemas_do_not_know_are_said_in_words(schema: Any, known: Any) -> None:
    assert with_its_words(schema) == known


async def test_an_analysis_is_asked_for_in_a_schema_that_is_taken() -> None:
    from console.engine.findings.schema import analysis_schema

    for limit in (None, 600, 1500, 2900):
        body = await sent(response_schema=analysis_schema([0, 1, 2, 3], limit))
        format = body["output_config"]["format"]
        assert format["type"] == "json_schema" and "consensus" in format["schema"]["properties"]


async def test_any_json_is_asked_for_in_words() -> None:
    body = await sent(options={"response_format": {"type": "json_object"}})
    assert body["system"] == "Answer with one JSON object and nothing else."
    assert "output_config" not in body
