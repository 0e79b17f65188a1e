"""Tools: handed on as asked, what the model asks for put together from its pieces."""

from __future__ import annotations

import json
from typing import Any

import pytest

from console.engine.errors import ProviderError, Reason
from console.engine.provider import Finish, Request
from console.providers.openai_compatible import OpenAICompatible
from console.providers.wire.http import make_client
from tests.upstream import Script, Upstream

TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def streamed(*deltas: dict[str, Any]) -> Script:
    events = [{"choices": [{"index": 0, "delta": d}]} for d in deltas]
    events.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    lines = [b"data: " + json.dumps(e).encode() + b"\n\n" for e in events]
    return Script(raw=[*lines, b"data: [DONE]\n\n"])


async def asked(script: Script, **options: Any) -> tuple[Finish, dict[str, Any]]:
    async with Upstream() as up, make_client() as client:
        up.script("m", script)
        provider = OpenAICompatible(up.url, "", client=client)
        request = Request("m", [{"role": "user", "content": "?"}], options=options)
        chunks = [chunk async for chunk in provider.stream(request)]
        finish = chunks[-1]
        assert isinstance(finish, Finish)
        return finish, up.calls[-1].body


async def test_pieces_of_several_calls_become_whole_ones() -> None:
    finish, body = await asked(
        streamed(
            {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "weather"}}]},
            {"tool_calls": [{"index": 1, "id": "b", "function": {"name": "time"}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": '{"city":'}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": '"Oslo"}'}}]},
        ),
        tools=[TOOL],
        tool_choice="required",
        stop=["END"],
    )
    assert [(c["id"], c["function"]) for c in finish.tool_calls] == [
        ("a", {"name": "weather", "arguments": '{"city":"Oslo"}'}),
        ("b", {"name": "time", "arguments": "{}"}),
    ]
    assert finish.finish_reason == "tool_calls"
    assert (body["tools"], body["tool_choice"], body["stop"]) == ([TOOL], "required", ["END"])


async def test_a_name_that_comes_with_every_piece_is_there_once() -> None:
    finish, _ = await asked(
        streamed(
            {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "get_"}}]},
            {"tool_calls": [{"index": 0, "function": {"name": "weather"}}]},
            {"tool_calls": [{"index": 0, "id": "b", "function": {"name": "time"}}]},
            {"tool_calls": [{"index": 0, "id": "b", "function": {"name": "time"}}]},
            {"tool_calls": [
                {"index": 0, "id": "b", "function": {"name": "time", "arguments": '{"in":'}}]},
            {"tool_calls": [
                {"index": 0, "id": "b", "function": {"name": "time", "arguments": '"Oslo"}'}}]},
        )
    )  # fmt: skip
    assert [c["function"] for c in finish.tool_calls] == [
        {"name": "get_weather", "arguments": "{}"},
        {"name": "time", "arguments": '{"in":"Oslo"}'},
    ]


async def test_a_name_that_comes_again_without_a_number_is_another_call_after_a_whole_one() -> None:
    def piece(arguments: str) -> dict[str, Any]:
        function = {"name": "time", "arguments": arguments}
        return {"tool_calls": [{"index": 0, "function": function}]}

    deep = "[" * 9_000 + "}"
    finish, _ = await asked(streamed(piece(deep), piece("{}")))
    assert [c["function"]["arguments"] for c in finish.tool_calls] == [deep + "{}"]
    finish, _ = await asked(streamed(piece('{"in":'), piece('"Oslo"}'), piece('{"in":"Rome"}')))
    assert [json.loads(c["function"]["arguments"]) for c in finish.tool_calls] == [
        {"in": "Oslo"},
        {"in": "Rome"},
    ]


async def test_what_is_no_tool_call_is_passed_over() -> None:
    finish, _ = await asked(streamed({"tool_calls": ["x", {"index": 0, "function": None}, 3]}))
    assert finish.tool_calls == ()


async def test_endless_arguments_are_cut_off() -> None:
    piece = {"tool_calls": [{"index": 0, "function": {"name": "f", "arguments": "x" * 100_000}}]}
    with pytest.raises(ProviderError) as caught:
        await asked(streamed(*[piece] * 30))
    assert caught.value.reason is Reason.TOO_LARGE


async def test_a_form_that_was_asked_for_is_never_quietly_left_out() -> None:
    refused = Script(status=400, error_message="response_format is not supported")
    with pytest.raises(ProviderError) as caught:
        await asked(refused, response_format={"type": "json_object"})
    assert caught.value.reason is Reason.BAD_REQUEST


async def test_two_halves_of_a_character_may_come_in_two_pieces() -> None:
    finish, _ = await asked(
        streamed(
            {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "say"}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": '"\ud83d'}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": '\ude00 \0 \ud83d"'}}]},
        ),
        tools=[TOOL],
    )
    assert finish.tool_calls[0]["function"]["arguments"] == '"\U0001f600 \ufffd \ufffd"'


def _piece(arguments: str, **fields: Any) -> dict[str, Any]:
    name = {"name": fields.pop("name")} if "name" in fields else {}
    return {"tool_calls": [{**fields, "function": {**name, "arguments": arguments}}]}


@pytest.mark.parametrize(
    "deltas",
    [
        # An id made up for every piece, as older vLLM has it.
        [_piece('{"x":', index=0, id="a", name="f"), _piece("1}", index=0, id="b")],
        [_piece('{"x":', id="a", name="f"), _piece("1}", id="b")],
        # One call where there is a list of them, and its fields without a function around them.
        [{"tool_calls": {"index": 0, "function": {"name": "f", "arguments": '{"x":1}'}}}],
        [{"tool_calls": [{"index": 0, "name": "f", "arguments": '{"x":1}'}]}],
        # OpenAI's own before it had tools.
        [{"function_call": {"name": "f", "arguments": ""}},
         {"function_call": {"arguments": '{"x":'}}, {"function_call": {"arguments": "1}"}}],
    ],
)  # fmt: skip
async def test_a_call_in_another_form_is_the_same_call(deltas: list[dict[str, Any]]) -> None:
    finish, _ = await asked(streamed(*deltas), tools=[TOOL])
    assert [c["function"] for c in finish.tool_calls] == [{"name": "f", "arguments": '{"x":1}'}]
    assert finish.finish_reason == "tool_calls"


async def test_places_may_be_written_as_text() -> None:
    finish, _ = await asked(
        streamed(
            _piece('{"x":', index="0", id="a", name="f"),
            _piece('{"y":', index="1", id="b", name="g"),
            _piece("1}", index="0"),
            _piece("2}", index="1"),
        )
    )
    assert [c["function"]["arguments"] for c in finish.tool_calls] == ['{"x":1}', '{"y":2}']


async def test_no_two_calls_have_the_same_id() -> None:
    calls = [_piece("{}", index=n, id="same", name=name) for n, name in enumerate("fg")]
    finish, _ = await asked(streamed(*calls))
    assert [c["function"]["name"] for c in finish.tool_calls] == ["f", "g"]
    assert len({c["id"] for c in finish.tool_calls}) == 2


def _older(arguments: str, name: str = "f") -> dict[str, Any]:
    return {"function_call": {"name": name, "arguments": arguments}}


@pytest.mark.parametrize("ids", [("call_1", "call_1"), ("call_1", ""), ("", "call_0"), ("", "")])
async def test_an_id_that_is_made_up_takes_no_call_s_place(ids: tuple[str, str]) -> None:
    calls = [
        _piece("{}", index=n, id=id, name=name)
        for n, (id, name) in enumerate(zip(ids, "fg", strict=True))
    ]
    finish, _ = await asked(streamed(*calls))
    assert [c["function"]["name"] for c in finish.tool_calls] == ["f", "g"]
    assert len({c["id"] for c in finish.tool_calls}) == 2


async def test_a_call_that_is_said_once_more_as_it_was_before_is_one() -> None:
    both = streamed(_piece('{"x":1}', index=0, id="a", name="f"), _older('{"x":1}'))
    finish, _ = await asked(both)
    assert [c["id"] for c in finish.tool_calls] == ["a"]
    once_more = {"choices": [{"index": 0, "message": _older('{"x":1}'), "finish_reason": "stop"}]}
    script = streamed(_older('{"x":1}'))
    script.raw.insert(1, b"data: " + json.dumps(once_more).encode() + b"\n\n")
    finish, _ = await asked(script)
    assert [c["function"]["name"] for c in finish.tool_calls] == ["f"]


async def test_a_place_of_thousands_of_digits_is_none() -> None:
    finish, _ = await asked(streamed(_piece("{}", index="9" * 5000, id="a", name="f")))
    assert [c["function"]["name"] for c in finish.tool_calls] == ["f"]
