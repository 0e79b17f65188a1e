"""An agent's turn: the panel is asked once for what the user said, its writer as often as tools
have something to say."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.upstream import Script

from .conftest import Api, tool_call
from .test_errors import error

TURNS = 5
PANEL = {"panel": ["good", "echo"], "judge": "writer", "synthesizer": "outer"}
LOOK = {
    "type": "function",
    "function": {"name": "look", "parameters": {"type": "object", "properties": {}}},
}
ASK: dict[str, Any] = {"model": "fusion", "tools": [LOOK], "fusion": PANEL}
QUESTION: dict[str, Any] = {"role": "user", "content": "What is in the files?"}


def looks(*numbers: str) -> list[Script]:
    return [tool_call("look", json.dumps({"file": n}), n) for n in numbers]


def asked(api: Api) -> dict[str, int]:
    models = [call.model for call in api.upstream.calls]
    return {model: models.count(model) for model in sorted(set(models))}


def streamed(api: Api, body: dict[str, Any], **kw: Any) -> dict[str, Any]:
    """The message of a stream, as a client puts it together."""
    reply = api.post(json=body | {"stream": True}, **kw)
    assert reply.status_code == 200, reply.text
    message: dict[str, Any] = {"role": "assistant", "content": ""}
    for line in reply.text.splitlines():
        if not line.startswith("data: {"):
            continue
        for choice in json.loads(line[6:])["choices"]:
            message["content"] += choice["delta"].get("content") or ""
            for call in choice["delta"].get("tool_calls") or ():
                message.setdefault("tool_calls", []).append(
                    {name: call[name] for name in ("id", "type", "function")}
                )
    return message


def plain(api: Api, body: dict[str, Any], **kw: Any) -> dict[str, Any]:
    reply = api.post(json=body, **kw)
    assert reply.status_code == 200, reply.text
    message: dict[str, Any] = reply.json()["choices"][0]["message"]
    return message


def with_results(messages: list[dict[str, Any]], said: dict[str, Any]) -> list[dict[str, Any]]:
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": f"Seen: {call['id']}"}
        for call in said["tool_calls"]
    ]
    return [*messages, said, *results]


def count(api: Api) -> int:
    number: int = api.shell("from console.models import Run\nsaid = Run.objects.count()")
    return number


def runs(api: Api) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = api.get("/runs?own=true&limit=100").json()["data"]
    return rows


@pytest.mark.parametrize("ask", [plain, streamed])
def test_five_tool_turns_are_one_panel_and_six_calls_of_the_writer(api: Api, ask: Any) -> None:
    before = count(api)
    api.script("outer", *looks("a1", "a2", "a3", "a4", "a5"), Script(text="All seen."))
    messages = [{"role": "system", "content": "Be an agent."}, QUESTION]
    for _ in range(TURNS):
        messages = with_results(messages, ask(api, ASK | {"messages": messages}))
    said = ask(api, ASK | {"messages": messages})
    assert said["content"] == "All seen."
    assert asked(api) == {"echo": 1, "good": 1, "outer": TURNS + 1, "writer": 1}
    assert count(api) == before + 1
    run = api.get(f"/runs/{runs(api)[0]['id']}").json()
    assert [fusion["after"] for fusion in run["fusions"]] == [None, 1, 2, 3, 4, 5]
    assert run["answer"] == "All seen." and run["status"] == "completed"
    # The writer has the answers, their analysis and all that has been said since.
    first, last = (call.body["messages"] for call in api.upstream.calls_of("outer")[::TURNS])
    assert last[: len(first)] == first
    assert [m["role"] for m in last[len(first) :]] == ["assistant", "tool"] * TURNS
    assert [m["tool_call_id"] for m in last if m["role"] == "tool"] == [
        "a1",
        "a2",
        "a3",
        "a4",
        "a5",
    ]
    assert last[-1]["content"] == "Seen: a5"
    # A new message of the user asks all again.
    messages += [said, {"role": "user", "content": "And now?"}]
    assert ask(api, ASK | {"messages": messages})["content"] == "All seen."
    assert asked(api) == {"echo": 2, "good": 2, "outer": TURNS + 2, "writer": 2}


def test_each_request_tells_what_its_own_calls_cost(api: Api) -> None:
    api.script("outer", *looks("b1"), Script(text="Seen."))
    first = api.post(json=ASK | {"messages": [QUESTION]}).json()
    messages = with_results([QUESTION], first["choices"][0]["message"])
    second = api.post(json=ASK | {"messages": messages}).json()
    assert second["id"] != first["id"]
    assert second["fusion"]["run_id"] == first["fusion"]["run_id"]
    run = api.get(f"/runs/{first['fusion']['run_id']}").json()
    calls = [call for call in run["calls"] if call["fusion"] == 2]
    assert [call["step"] for call in calls] == ["synthesis"]
    assert second["usage"]["completion_tokens"] == calls[0]["usage"]["output_tokens"]


def test_several_tools_at_once_are_one_turn(api: Api) -> None:
    looked = {"name": "look", "arguments": "{}"}
    calls = [{"index": n, "id": f"c{n}", "type": "function", "function": looked} for n in range(3)]
    events = [
        {"choices": [{"index": 0, "delta": {"tool_calls": calls}}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
    ]
    lines = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events]
    api.script("outer", Script(raw=[*lines, b"data: [DONE]\n\n"]), Script(text="Seen."))
    messages = with_results([QUESTION], plain(api, ASK | {"messages": [QUESTION]}))
    assert len(messages) == 5
    assert plain(api, ASK | {"messages": messages})["content"] == "Seen."
    assert asked(api) == {"echo": 1, "good": 1, "outer": 2, "writer": 1}


def test_every_time_the_panel_is_asked_who_wishes_it(api: Api) -> None:
    api.script("outer", *looks("d1"), Script(text="Seen."))
    body = ASK | {"fusion": PANEL | {"fanout": "every"}}
    messages = with_results([QUESTION], plain(api, body | {"messages": [QUESTION]}))
    assert plain(api, body | {"messages": messages})["content"] == "Seen."
    assert asked(api) == {"echo": 2, "good": 2, "outer": 2, "writer": 2}


def other_token(api: Api, messages: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    return ASK | {"messages": messages}, {"headers": {"Authorization": f"Bearer {api.token()}"}}


def somebody_else(
    api: Api, messages: list[dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    key = api.token(user="bob")
    return ASK | {"messages": messages}, {"headers": {"Authorization": f"Bearer {key}"}}


def made_up_number(
    api: Api, messages: list[dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    text = json.dumps(messages).replace("e-made_up_number", "e-another_number")
    return ASK | {"messages": json.loads(text)}, {}


def another_question(
    api: Api, messages: list[dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    return ASK | {"messages": [QUESTION | {"content": "Something else?"}, *messages[1:]]}, {}


def another_panel(
    api: Api, messages: list[dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    other = PANEL | {"panel": ["echo", "good"]}
    return ASK | {"messages": messages, "fusion": other}, {}


def run_deleted(api: Api, messages: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    number = runs(api)[0]["id"]
    api.shell(
        f"from console.models import Run\nsaid = Run.objects.filter(pk={number!r}).delete()[0]"
    )
    return ASK | {"messages": messages}, {}


def a_word_after_it(
    api: Api, messages: list[dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    return ASK | {"messages": [*messages, {"role": "user", "content": "Go on."}]}, {}


@pytest.mark.parametrize(
    "other",
    [
        *(other_token, somebody_else, made_up_number, another_question, another_panel),
        *(run_deleted, a_word_after_it),
    ],
)
def test_whatever_is_not_the_same_turn_is_asked_of_the_panel(api: Api, other: Any) -> None:
    # Of each its own: the others' runs are still there.
    number = f"e-{other.__name__}"
    api.script("outer", *looks(number), Script(text="Seen."))
    messages = with_results([QUESTION], plain(api, ASK | {"messages": [QUESTION]}))
    body, more = other(api, messages)
    assert plain(api, body, **more)["content"] == "Seen."
    assert asked(api) == {"echo": 2, "good": 2, "outer": 2, "writer": 2}


def test_the_clock_of_a_system_message_and_other_tools_make_no_other_turn(api: Api) -> None:
    api.script("outer", *looks("f1"), Script(text="Seen."))
    at = [{"role": "system", "content": "It is 10:00."}, QUESTION]
    messages = with_results(at, plain(api, ASK | {"messages": at}))
    messages[0] = {"role": "system", "content": "It is 10:01."}
    body = ASK | {"messages": messages, "tool_choice": "none", "temperature": 0.3}
    assert plain(api, body)["content"] == "Seen."
    last = api.upstream.calls_of("outer")[-1].body
    assert (last["tool_choice"], last["temperature"]) == ("none", 0.3)
    assert asked(api)["good"] == 1


def test_servers_that_number_all_calls_alike_confuse_no_turns(api: Api) -> None:
    api.script("outer", *looks("call_0", "call_0"), Script(text="Seen."))
    messages = with_results([QUESTION], plain(api, ASK | {"messages": [QUESTION]}))
    messages = with_results(messages, plain(api, ASK | {"messages": messages}))
    assert plain(api, ASK | {"messages": messages})["content"] == "Seen."
    assert asked(api) == {"echo": 1, "good": 1, "outer": 3, "writer": 1}
    last = api.upstream.calls_of("outer")[-1].body["messages"]
    assert [m["role"] for m in last[-4:]] == ["assistant", "tool"] * 2


def test_the_same_request_again_is_the_same_turn(api: Api) -> None:
    api.script("outer", *looks("g1"), Script(text="Seen.", delay=0.2), Script(text="Again."))
    messages = with_results([QUESTION], plain(api, ASK | {"messages": [QUESTION]}))
    body, key = ASK | {"messages": messages}, {"headers": {"Idempotency-Key": "g-turn"}}
    for _ in range(2):
        assert plain(api, body, **key)["content"] == "Seen."
    refused = api.post(json=body | {"temperature": 1}, **key)
    error(refused, 422, "idempotency_mismatch")
    assert asked(api)["outer"] == 2


def test_a_writer_that_cannot_go_on_is_an_error_and_no_answer_of_the_panel(api: Api) -> None:
    api.script("outer", *looks("h1"), Script(status=400, error_message="Not like this."))
    messages = with_results([QUESTION], plain(api, ASK | {"messages": [QUESTION]}))
    refused = error(api.post(json=ASK | {"messages": messages}), 424, "synthesis_failed")
    assert "could not go on" in refused["message"] and "Not like this." in refused["message"]
    assert asked(api)["good"] == 1


def respond(api: Api, **body: Any) -> dict[str, Any]:
    tools = [{"type": "function"} | LOOK["function"]]
    reply = api.post("/responses", json={"model": "fusion", "fusion": PANEL, "tools": tools} | body)
    assert reply.status_code == 200, reply.text
    answer: dict[str, Any] = reply.json()
    return answer


def outputs(response: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "function_call_output", "call_id": item["call_id"], "output": "Seen."}
        for item in response["output"]
        if item["type"] == "function_call"
    ]


@pytest.mark.parametrize("echoed", [True, False])
def test_the_turns_of_responses_are_the_same_by_id_or_sent_back(api: Api, echoed: bool) -> None:
    api.script("outer", *looks("i1", "i2", "i3"), Script(text="All seen."))
    items: list[dict[str, Any]] = [{"role": "user", "content": "What is there?"}]
    response = respond(api, input=items)
    seen = {response["id"]}
    for _ in range(3):
        items += [*response["output"], *outputs(response)]
        if echoed:
            response = respond(api, input=items)
        else:
            response = respond(api, input=outputs(response), previous_response_id=response["id"])
        seen.add(response["id"])
    assert len(seen) == 4
    (message,) = (item for item in response["output"] if item["type"] == "message")
    assert message["content"][0]["text"] == "All seen."
    assert asked(api) == {"echo": 1, "good": 1, "outer": 4, "writer": 1}
    last = api.upstream.calls_of("outer")[-1].body["messages"]
    assert [m["role"] for m in last[-6:]] == ["assistant", "tool"] * 3
    # The first response is still what it was, and a later question goes on from the last.
    respond(api, input="And then?", previous_response_id=response["id"])
    assert asked(api)["good"] == 2


def test_a_response_s_turn_streams_its_own_items(api: Api) -> None:
    api.script("outer", *looks("j1"), Script(text="Seen."))
    first = respond(api, input="What is there?")
    body = {"model": "fusion", "fusion": PANEL, "stream": True, "input": outputs(first)}
    tools = [{"type": "function"} | LOOK["function"]]
    body |= {"previous_response_id": first["id"], "tools": tools}
    text = api.post("/responses", json=body).text
    events = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: {")]
    assert [e["type"] for e in events if "fusion_call" in e["type"]] == []
    assert events[-1]["type"] == "response.completed"
    output = events[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["message"]
    assert asked(api)["good"] == 1


def test_no_such_turn_is_no_response_to_go_on_from(api: Api) -> None:
    first = respond(api, input="What is there?")
    for turn in ("_2", "_x", "_", "_1_1", "_-1"):
        body = {"model": "fusion", "input": "On.", "previous_response_id": first["id"] + turn}
        refused = error(api.post("/responses", json=body), 400, "invalid_request")
        assert refused["param"] == "previous_response_id"
