"""What Anthropic's stream says, and how it ends, over real sockets, in order and out of it."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import httpx
import pytest

from console.engine.errors import ProviderError, Reason
from console.engine.provider import Alive, Request
from console.engine.usage import Usage
from console.providers.anthropic import API, Anthropic
from console.providers.wire.answer import AnswerLimits
from console.providers.wire.anthropic_answer import MessagesReader
from console.providers.wire.sse import ServerSentEvent
from tests.providers.asking import KEY, Got, collect
from tests.upstream import Script, Upstream
from tests.upstream.anthropic import (
    PING,
    begin,
    block,
    close,
    delta,
    end,
    message,
    text,
    thinking,
    tool,
)
from tests.upstream.server import Choice

Ask = Callable[..., Awaitable[Got]]
WET = text("Rain ", "is wet.")
SAID = "Rain is wet."


@pytest.fixture
def asks(up: Upstream, client: httpx.AsyncClient) -> Ask:
    async def ask(*choices: Choice | bytes, limits: AnswerLimits | None = None, **more: Any) -> Got:
        scripts = [Script(raw=[c]) if isinstance(c, bytes) else c for c in choices]
        up.script("alpha", *scripts)
        provider = Anthropic(up.url, KEY, client=client, headers=API, linger=0.2, limits=limits)
        return await collect(provider, **more)

    return ask


async def test_an_answer_arrives_with_its_thoughts_its_tokens_and_its_number(asks: Ask) -> None:
    whole = begin("alpha-20260101", {"input_tokens": 25, "output_tokens": 1}) + PING
    whole += thinking("Let me ", "see.") + text("Rain ", "is wet.", index=1)
    whole += end(tokens={"output_tokens": 15, "output_tokens_details": {"thinking_tokens": 9}})
    got = await asks(Script(raw=[whole], headers={"request-id": "req_011"}))
    assert (got.text, got.reasoning, got.deltas) == (SAID, "Let me see.", ["Rain ", "is wet."])
    assert got.finish and got.finish.finish_reason == "stop"
    assert got.finish.usage == Usage(25, 15, reasoning_tokens=9)
    assert (got.finish.model, got.finish.generation_id) == ("alpha-20260101", "req_011")
    assert (await asks(begin() + WET + end())).finish.generation_id == "msg_1"  # type: ignore[union-attr]


async def test_it_survives_any_cutting_and_any_ends_of_lines(asks: Ask) -> None:
    words = "a\u2028b\x85c \U0001f600 ü"
    whole = b"\xef\xbb\xbf: hello\n\n" + begin() + thinking("Hm.") + text(words, index=1) + end()
    for ends in (b"\n", b"\r\n", b"\r"):
        stream = whole.replace(b"\n", ends)
        got = await asks(Script(raw=[bytes([byte]) for byte in stream]))
        assert (got.text, got.reasoning, got.reason) == (words, "Hm.", None)


async def test_an_answer_may_come_as_one_document(asks: Ask) -> None:
    content = [
        {"type": "thinking", "thinking": "Hm.", "signature": "x"},
        {"type": "text", "text": "Rain ", "citations": None},
        {"type": "text", "text": "is wet.", "citations": [
            {"type": "web_search_result_location", "url": "https://a.example/1", "title": "A"},
        ]},
        {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}},
    ]  # fmt: skip
    usage = {"input_tokens": 4, "output_tokens": 9}
    body = message("alpha", content=content, stop_reason="tool_use", usage=usage)
    for document in (body, {name: v for name, v in body.items() if name != "type"}):
        got = await asks(Script(body=json.dumps(document)))
        assert (got.text, got.reasoning, got.reason) == (SAID, "Hm.", None)
        assert got.finish and got.finish.usage == Usage(4, 9)
        assert got.finish.citations == ({"url": "https://a.example/1", "title": "A"},)
        assert [c["function"]["arguments"] for c in got.finish.tool_calls] == ['{"city": "Oslo"}']


@pytest.mark.parametrize(
    ("start", "stop", "usage"),
    [
        ({"input_tokens": 7, "output_tokens": 1}, {"output_tokens": 9}, Usage(7, 9)),
        (
            {"input_tokens": 7, "cache_creation_input_tokens": 20, "cache_read_input_tokens": 100},
            {"output_tokens": 9},
            Usage(127, 9, cached_tokens=100),
        ),
        # They count from the beginning, whichever event says it.
        ({"input_tokens": 0}, {"input_tokens": 7, "output_tokens": 9}, Usage(7, 9)),
        ({"input_tokens": 7}, {"input_tokens": 0, "output_tokens": 9}, Usage(7, 9)),
        ({"input_tokens": 7}, {"input_tokens": None, "output_tokens": 9}, Usage(7, 9)),
        (
            {"input_tokens": 7},
            {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 30}},
            Usage(7, 9, reasoning_tokens=9),
        ),
        # What nobody can have counted is not known.
        ({"input_tokens": -7}, {"output_tokens": 9}, Usage(None, 9)),
        ({"input_tokens": 7}, {"output_tokens": -9}, Usage(7, None)),
        ({"input_tokens": "7"}, {"output_tokens": 9.5}, Usage()),
        ({"input_tokens": 7, "output_tokens": 1}, "none", Usage(7)),
        ("none", {}, Usage()),
    ],
)
async def test_tokens_are_counted_as_they_are_billed(
    asks: Ask, start: Any, stop: Any, usage: Usage
) -> None:
    got = await asks(begin(given=start) + WET + end(tokens=stop))
    assert got.finish and got.finish.usage == usage


@pytest.mark.parametrize(
    ("reason", "means"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("pause_turn", None),
        (None, None),
        ("a_new_one", "stop"),
    ],
)
async def test_reasons_to_stop_have_one_spelling(asks: Ask, reason: Any, means: Any) -> None:
    got = await asks(begin() + WET + end(reason))
    assert (got.text, got.finish and got.finish.finish_reason) == (SAID, means)


async def test_why_it_refused_is_said_where_nothing_else_is(asks: Ask) -> None:
    why = {"stop_details": {"type": "refusal", "category": "bio", "explanation": "Not this."}}
    got = await asks(begin() + end("refusal", **why))
    assert (got.text, got.finish and got.finish.finish_reason) == ("Not this.", "content_filter")
    got = await asks(begin() + WET + end("refusal", **why))
    assert (got.text, got.finish and got.finish.finish_reason) == (SAID, "content_filter")


async def test_calls_of_several_tools_are_put_together_however_they_come(asks: Ask) -> None:
    whole = begin() + text("I look.")
    whole += block(1, "tool_use", id="toolu_a", name="weather", input={})
    whole += block(2, "tool_use", id="toolu_b", name="time", input={})
    for piece, other in (('{"ci', '{"zone"'), ('ty": "Os', ": 1}"), ('lo"}', "")):
        whole += delta(1, "input_json_delta", partial_json=piece)
        whole += delta(2, "input_json_delta", partial_json=other)
    whole += close(2) + close(1) + tool("now", index=3, id="toolu_c")
    whole += block(4, "tool_use", id="toolu_d", name="given", input={"a": 1})
    whole += delta(4, "input_json_delta", partial_json='{"a": 1}') + close(4)
    got = await asks(whole + end("tool_use"))
    assert got.finish and got.finish.finish_reason == "tool_calls"
    calls = {c["id"]: c["function"] for c in got.finish.tool_calls}
    assert calls == {
        "toolu_a": {"name": "weather", "arguments": '{"city": "Oslo"}'},
        "toolu_b": {"name": "time", "arguments": '{"zone": 1}'},
        "toolu_c": {"name": "now", "arguments": "{}"},
        "toolu_d": {"name": "given", "arguments": '{"a": 1}'},
    }
    assert got.text == "I look."


async def test_what_its_own_tools_do_is_passed_over_and_what_it_found_is_cited(asks: Ask) -> None:
    whole = begin() + text("I look it up.")
    whole += block(1, "server_tool_use", id="srvtoolu_1", name="web_search", input={})
    whole += delta(1, "input_json_delta", partial_json='{"query": "rain"}') + close(1)
    found = [{"type": "web_search_result", "url": "https://not-cited.example/", "title": "No"}]
    whole += block(2, "web_search_tool_result", tool_use_id="srvtoolu_1", content=found) + close(2)
    whole += block(3, "text", text="") + delta(3, "text_delta", text="Rain ") + close(3)
    whole += block(4, "text", text="", citations=[]) + delta(4, "text_delta", text="is wet.")
    for citation in (
        {"type": "web_search_result_location", "url": "https://a.example/1", "title": "A",
         "cited_text": "x", "encrypted_index": "y"},
        {"type": "search_result_location", "source": "https://b.example/2", "title": None},
        {"type": "char_location", "document_title": "mine", "cited_text": "x"},
        {"type": "search_result_location", "source": "javascript:alert(1)", "title": "x"},
        None,
    ):  # fmt: skip
        whole += delta(4, "citations_delta", citation=citation)
    got = await asks(whole + close(4) + end())
    assert got.text == f"I look it up.\n\n{SAID}"
    assert got.finish and got.finish.tool_calls == ()
    assert [c["url"] for c in got.finish.citations] == [
        "https://a.example/1",
        "https://b.example/2",
    ]


async def test_thoughts_between_texts_part_them(asks: Ask) -> None:
    whole = begin() + thinking("One.") + text("A.", index=1)
    whole += thinking("Two.", index=2) + text("B.", index=3) + text("C.", index=4)
    got = await asks(whole + end())
    assert (got.reasoning, got.text) == ("One.\n\nTwo.", "A.\n\nB.C.")


async def test_secret_thoughts_and_signatures_are_signs_of_life(asks: Ask, up: Upstream) -> None:
    whole = begin() + block(0, "redacted_thinking", data="EmwKAhgB" * 20_000) + close(0)
    whole += block(1, "thinking", thinking="", signature="")
    whole += delta(1, "signature_delta", signature="EqQB" * 20_000) + close(1)
    got = await asks(whole + text("Rain is wet.", index=2) + end())
    assert (got.reasoning, got.text, got.reason) == ("", SAID, None)


async def test_a_ping_is_a_sign_of_life(up: Upstream, client: httpx.AsyncClient) -> None:
    up.script("alpha", Script(raw=[begin(), 0.05, PING, 0.05, WET + end()]))
    provider = Anthropic(up.url, KEY, client=client, headers=API)
    request = Request("alpha", [{"role": "user", "content": "Why?"}])
    chunks = [chunk async for chunk in provider.stream(request)]
    assert chunks[:2] == [Alive(), Alive()]


async def test_thoughts_that_leak_into_the_text_are_thoughts(asks: Ask) -> None:
    leaked = "<thinking>\nLet me see.\n</thinking>\n\nRain is wet."
    pieces = [leaked[i : i + 5] for i in range(0, len(leaked), 5)]
    got = await asks(begin() + text(*pieces) + end())
    assert (got.text, got.reasoning.strip()) == (SAID, "Let me see.")


async def test_bounds_hold_for_thoughts_and_arguments(asks: Ask) -> None:
    small = AnswerLimits(text=1000, reasoning=1000)
    long = thinking("x" * 2000)
    assert (await asks(begin() + long, limits=small)).reason == Reason.TOO_LARGE
    arguments = tool("weather", *["x" * 100] * 20)
    assert (await asks(begin() + arguments, limits=small)).reason == Reason.TOO_LARGE
    many = b"".join(tool("weather", index=n, id=f"toolu_{n}") for n in range(200))
    assert (await asks(begin() + many + end("tool_use"))).reason == Reason.TOO_LARGE


ODD: list[Any] = [None, "", "x", 0, -1, 7, 1.5, True, [], {}, ["x"], {"a": 1}, "\ud83d", "ü" * 3]
FIELDS = (
    *("index", "message", "content_block", "delta", "usage", "content", "error", "type"),
    *("stop_reason", "choices"),
)
KINDS = (
    *("message_start", "content_block_start", "content_block_delta", "content_block_stop"),
    *("message_delta", "message_stop", "ping", "error", "message", "aside"),
)
PARTS = (
    *("text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "text_delta"),
    *("thinking_delta", "input_json_delta", "citations_delta", "signature_delta", "other"),
)


def anything(random: Random, depth: int = 0) -> Any:
    """Nearly what it might send, with something odd in any place."""
    if depth > 2 or random.random() < 0.2:
        return random.choice(ODD)
    kind = random.choice(PARTS if depth else KINDS)
    inner = {name: anything(random, depth + 1) for name in FIELDS if random.random() < 0.5}
    part = {
        name: random.choice(ODD)
        for name in ("text", "thinking", "partial_json", "citation", "input", "name", "id")
    }
    return inner | part | {"type": kind}


@pytest.mark.parametrize("seed", range(20))
def test_whatever_comes_in_whatever_order_is_read_or_refused(seed: int) -> None:
    random = Random(seed)
    for _ in range(500 if os.environ.get("FUSION_LONG_TESTS") == "1" else 100):
        reader = MessagesReader("alpha", AnswerLimits(), str)
        try:
            for _ in range(random.randrange(1, 12)):
                payload = anything(random)
                data = json.dumps(payload)
                list(reader.take(ServerSentEvent(data, random.choice(["", "ping", "x"]))))
            list(reader.rest(finished=True))
            finish = reader.finish()
        except ProviderError as error:
            assert error.reason in Reason and error.message
        else:
            assert finish.finish_reason in (None, "stop", "length", "content_filter", "tool_calls")
            json.dumps(finish.to_dict()).encode()
