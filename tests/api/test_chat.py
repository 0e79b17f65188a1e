"""`POST /v1/chat/completions`, answered whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.upstream import Script

from .conftest import GEMINI, GPT, OPUS, Api, tool_call

ASK: dict[str, Any] = {"messages": [{"role": "user", "content": "What is the answer?"}]}


def ask(api: Api, model: str = "fusion", **more: Any) -> dict[str, Any]:
    response = api.post(json=ASK | {"model": model} | more)
    assert response.status_code == 200, response.text
    said: dict[str, Any] = response.json()
    return said


@pytest.mark.parametrize("model", ["fusion", "openrouter/fusion", "fusion/quality"])
def test_every_name_of_the_preset_asks_its_panel(api: Api, model: str) -> None:
    api.script(OPUS, Script(text="The fused answer.", cost=0.005))
    said = ask(api, model)
    assert said["object"] == "chat.completion"
    assert said["model"] == (OPUS if model.startswith("openrouter/") else model)
    choice = said["choices"][0]
    assert choice["message"]["content"] == "The fused answer."
    assert choice["finish_reason"] == "stop"
    assert {c.model for c in api.upstream.calls} == {OPUS, GPT, GEMINI}
    assert len(api.upstream.calls) == 5


def used(read: int, written: int, cost: float = 0.0025, **more: Any) -> dict[str, Any]:
    both = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
    return both | {"cost": cost} | more


def test_usage_is_of_the_call_that_wrote_the_answer_and_the_cost_of_all(api: Api) -> None:
    for model in (OPUS, GPT, GEMINI):
        api.script(model, Script(usage=used(10, 7)))
    details = {"completion_tokens_details": {"reasoning_tokens": 4}}
    api.script("writer", Script(text="So.", usage=used(33, 5, **details)))
    more = {"fusion": {"synthesizer": "writer"}}
    said = ask(api, **more)
    usage, whole = said["usage"], said["fusion"]["usage"]
    assert [usage[n] for n in ("prompt_tokens", "completion_tokens", "total_tokens")] == [33, 5, 38]
    assert usage["completion_tokens_details"] == {"reasoning_tokens": 4}
    assert usage["cost"] == whole["cost"] == 0.0125 and usage["cost_is_partial"] is False
    assert [whole[n] for n in ("prompt_tokens", "completion_tokens")] == [73, 33]
    response = api.post("/responses", json={"model": "fusion", "input": "?"} | more).json()
    assert [response["usage"][n] for n in ("input_tokens", "output_tokens")] == [33, 5]
    assert response["usage"]["cost"] == 0.0125 and response["fusion"]["usage"] == whole


@pytest.mark.parametrize("stream", [False, True])
def test_of_one_model_and_of_one_that_might_have_asked_a_panel_it_is_the_same(
    api: Api, stream: bool
) -> None:
    api.script("good", Script(usage=used(10, 7)))
    for more in ({}, {"tools": [TOOL]}):
        body = ASK | {"model": "good", "stream": stream, "stream_options": {"include_usage": True}}
        text = api.post(json=body | more).text
        said = json.loads(text.split("data: ")[-2] if stream else text)
        assert said["usage"]["total_tokens"] == 17
        assert said["fusion"]["usage"] == said["usage"]


def test_where_the_panel_was_chosen_the_cost_has_the_choice_in_it(api: Api) -> None:
    def outer(body: dict[str, Any]) -> Script:
        chosen = tool_call("ask_fusion_panel") if body.get("tools") else None
        return chosen or Script(text="Fused.", usage=used(30, 2, 0.005))

    api.script("outer", outer)
    said = ask(api, "outer", tools=[TOOL])
    assert said["usage"]["total_tokens"] == 32
    assert said["fusion"]["usage"]["total_tokens"] > 32 + 8


def test_an_answer_that_stands_in_counts_its_own_tokens(api: Api) -> None:
    for model in (OPUS, GPT, GEMINI):
        api.script(model, Script(usage=used(10, 7)))
    api.script("writer", Script(status=400))
    said = ask(api, fusion={"synthesizer": "writer"})
    assert said["fusion"]["failure_reason"] == "synthesis_failed"
    assert said["usage"]["total_tokens"] == 17


def test_the_fusion_object_has_openrouters_shape(api: Api) -> None:
    api.script(GPT, Script(status=401))
    fusion = ask(api)["fusion"]
    assert fusion["status"] == "ok"
    assert set(fusion["analysis"]) == {
        *("consensus", "contradictions", "partial_coverage", "unique_insights", "blind_spots"),
        "consensus_evidence",  # ours: OpenRouter's consensus has room for texts only
    }
    assert [r["model"] for r in fusion["responses"]] == [OPUS, GEMINI]
    assert all(r["content"] for r in fusion["responses"])
    (failed,) = fusion["failed_models"]
    assert (failed["model"], failed["status_code"]) == (GPT, 401) and failed["error"]
    assert fusion["sources"] == [] and fusion["failure_reason"] is None
    assert fusion["run_url"] == f"{api.stack.url}/fusion/runs/{fusion['run_id']}"


def test_web_pages_that_answers_cite_are_their_sources(api: Api) -> None:
    page = "https://a.example/1"
    for model in (GPT, "good"):
        api.script(model, Script(text="Rain is wet [1].", chunk={"citations": [page]}))
    for model, deliberated in (("fusion", True), ("good", False)):
        fusion = ask(api, model)["fusion"]
        assert fusion["deliberated"] is deliberated
        assert fusion["sources"] == [{"url": page, "title": page}]
        run = api.get(f"/runs/{fusion['run_id']}").json()
        assert run["sources"] == fusion["sources"]
        cited = {call["model"] for call in run["calls"] if call["sources"] == run["sources"]}
        assert cited == {GPT if deliberated else "good"}


def test_a_judge_that_fails_is_told_and_the_answer_is_written_all_the_same(api: Api) -> None:
    api.script(OPUS, Script(text="Written without.", judge=Script(text="no JSON at all")))
    said = ask(api)
    assert said["choices"][0]["message"]["content"] == "Written without."
    assert said["fusion"]["analysis_by"] == "words" and said["fusion"]["analysis"]
    assert said["fusion"]["failure_reason"] == "judge_not_valid_json"
    assert len(said["fusion"]["responses"]) == 3


def test_where_words_stand_in_nobody_is_named_and_usage_is_that_of_all_calls(api: Api) -> None:
    tiny = "openrouter:maker/tiny-0.5b"
    fusion = {"panel": [tiny, tiny], "judge": tiny}
    said = ask(api, fusion=fusion)
    assert said["choices"][0]["message"]["content"]
    part = said["fusion"]
    assert part["judge"] is None and part["synthesizer"] is None
    assert part["analysis_by"] == "words"
    assert said["usage"]["total_tokens"] == part["usage"]["total_tokens"] > 0
    body = {"model": "fusion", "input": "What is the answer?", "fusion": fusion}
    response = api.post("/responses", json=body).json()
    assert response["usage"]["total_tokens"] == response["fusion"]["usage"]["total_tokens"] > 0
    run = api.get(f"/runs/{part['run_id']}").json()
    assert (run["judge"], run["fusions"][0]["judge"]) == (None, None)
    # A judge that is asked is named, and usage stays the writer's own.
    usual = ask(api)
    assert usual["fusion"]["judge"] == usual["fusion"]["synthesizer"] == OPUS
    assert usual["usage"]["total_tokens"] < usual["fusion"]["usage"]["total_tokens"]


def test_a_single_model_is_passed_through_as_a_run_of_its_own(api: Api) -> None:
    api.script("good", Script(text="One answer."))
    said = ask(api, "good")
    assert said["choices"][0]["message"]["content"] == "One answer."
    assert said["fusion"]["deliberated"] is False
    assert [c.model for c in api.upstream.calls] == ["good"]
    (run,) = [r for r in runs(api) if r["id"] == said["fusion"]["run_id"]]
    assert run == {
        "id": run["id"],
        "origin": "api",
        "owner": "alice",
        "status": "completed",
        "visibility": "private",
    }


def runs(api: Api) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.shell(
        "from console.models import Run\n"
        "said = [{'id': str(r.pk), 'origin': r.origin, 'owner': r.owner and r.owner.username, "
        "'status': r.status, 'visibility': r.visibility} for r in Run.objects.all()]"
    )
    return found


def test_credential_and_model_name_one_where_a_name_alone_would_not(api: Api) -> None:
    said = ask(api, "openrouter:good")
    assert said["model"] == "openrouter:good"
    assert [c.model for c in api.upstream.calls] == ["good"]


def test_options_go_to_whoever_writes_the_answer_and_to_nobody_else(api: Api) -> None:
    ask(
        api,
        temperature=0.3,
        max_tokens=77,
        stop=["END"],
        seed=5,
        user="somebody",
        metadata={"a": "b"},
        frobnicate=True,
    )
    written = [c for c in api.upstream.calls_of(OPUS) if not c.wants_json][-1].body
    assert (written["temperature"], written["max_tokens"]) == (0.3, 77)
    assert (written["stop"], written["seed"]) == (["END"], 5)
    assert "frobnicate" not in written and "user" not in written
    for call in api.upstream.calls_of(GPT):
        assert not {"temperature", "stop", "seed"} & call.body.keys()


def test_the_answer_takes_the_form_that_was_asked_for(api: Api) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "city", "schema": schema}}
    said = ask(api, response_format=wanted)
    assert "city" in json.loads(said["choices"][0]["message"]["content"])
    assert all("response_format" not in c.body for c in api.upstream.calls_of(GPT))


def test_a_whole_conversation_with_parts_roles_and_tools_is_understood(api: Api) -> None:
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "The weather in"},
                                     {"type": "text", "text": "Oslo?"}]},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "type": "function",
             "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}]},
        {"role": "tool", "tool_call_id": "c1", "content": "12 degrees"},
    ]  # fmt: skip
    ask(api, messages=messages)
    (asked,) = api.upstream.calls_of(GPT)
    assert [m["role"] for m in asked.body["messages"]] == ["system", "user", "assistant", "user"]
    assert asked.body["messages"][1]["content"] == "The weather in\nOslo?"
    assert "weather" in asked.body["messages"][2]["content"]
    assert "12 degrees" in asked.body["messages"][3]["content"]
    ask(api, "good", messages=messages)
    (direct,) = api.upstream.calls_of("good")
    assert direct.body["messages"][2]["tool_calls"][0]["id"] == "c1"
    assert direct.body["messages"][3] == {
        "role": "tool",
        "tool_call_id": "c1",
        "content": "12 degrees",
    }


def test_a_conversation_that_was_held_with_another_server_goes_on(api: Api) -> None:
    called = {"id": None, "type": None, "function": {"name": "weather", "arguments": None}}
    odd = {"id": "c2", "function": {"name": "weather", "arguments": {"city": "Oslo"}}}
    thought = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "I look it up."}]
    messages = [
        {"role": "user", "content": "The weather?"},
        {"role": "assistant", "content": thought, "tool_calls": [called, odd]},
        {"role": "tool", "tool_call_id": "c2", "content": "12 degrees"},
    ]
    ask(api, "good", messages=messages, stream_options={"include_usage": None})
    said = api.upstream.calls_of("good")[0].body["messages"][1]
    assert said["content"] == "I look it up."
    assert [(c["id"], c["type"]) for c in said["tool_calls"]] == [
        ("", "function"),
        ("c2", "function"),
    ]
    assert [json.loads(c["function"]["arguments"]) for c in said["tool_calls"]] == [
        {},
        {"city": "Oslo"},
    ]


WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def test_tools_are_given_to_the_synthesizer_only_and_its_calls_come_back(api: Api) -> None:
    def opus(body: dict[str, Any]) -> Script:
        return tool_call("weather", '{"city":"Oslo"}') if "tools" in body else Script()

    api.script(OPUS, opus)
    said = ask(api, tools=[WEATHER], tool_choice="auto")
    choice = said["choices"][0]
    assert choice["finish_reason"] == "tool_calls" and choice["message"]["content"] is None
    (call,) = choice["message"]["tool_calls"]
    assert call["function"] == {"name": "weather", "arguments": '{"city":"Oslo"}'}
    given = [c for c in api.upstream.calls if "tools" in c.body]
    assert [c.model for c in given] == [OPUS]


def test_the_plugin_chooses_panel_and_judge_who_also_writes(api: Api) -> None:
    api.script("writer", Script(text="By the writer."))
    plugin = {"id": "fusion", "analysis_models": ["good", "echo"], "model": "writer"}
    said = ask(api, "openrouter/fusion", plugins=[{"id": "web"}, plugin])
    assert said["choices"][0]["message"]["content"] == "By the writer."
    assert sorted(c.model for c in api.upstream.calls) == ["echo", "good", "writer", "writer"]
    assert said["fusion"]["judge"] == said["fusion"]["synthesizer"] == "writer"


def test_with_the_plugin_on_a_model_of_ones_own_that_model_writes(api: Api) -> None:
    plugin = {"id": "fusion", "analysis_models": ["good"], "model": "writer"}
    said = ask(api, "outer", plugins=[plugin])
    assert (said["fusion"]["judge"], said["fusion"]["synthesizer"]) == ("writer", "outer")


def test_a_plugin_that_is_switched_off_leaves_one_plain_model(api: Api) -> None:
    said = ask(api, plugins=[{"id": "fusion", "enabled": False}])
    assert [c.model for c in api.upstream.calls] == [OPUS]
    assert said["fusion"]["deliberated"] is False


def test_openrouters_presets_are_ours(api: Api) -> None:
    said = ask(api, plugins=[{"id": "fusion", "preset": "general-budget"}])
    assert said["fusion"]["preset"] == "budget"


def test_what_the_plugin_says_of_inner_calls_is_for_the_panel(api: Api) -> None:
    plugin = {
        "id": "fusion",
        "analysis_models": ["good", "echo"],
        "model": "writer",
        "max_completion_tokens": 123,
        "temperature": 0.9,
        "reasoning": {"effort": "low"},
        "max_tool_calls": 3,
    }
    ask(api, plugins=[plugin])
    (good,) = api.upstream.calls_of("good")
    assert (good.body["max_tokens"], good.body["temperature"]) == (123, 0.9)
    assert good.body["reasoning"] == {"effort": "low"}
    judged, written = api.upstream.calls_of("writer")
    assert judged.body["reasoning"] == {"effort": "low"} and "temperature" not in written.body
    assert "reasoning" not in written.body


TOOL = {"type": "openrouter:fusion", "parameters": {"analysis_models": ["good", "echo"]}}


def test_with_the_tool_form_a_simple_request_is_answered_directly_and_it_says_so(api: Api) -> None:
    api.script("outer", Script(text="Simple."))
    said = ask(api, "outer", tools=[TOOL])
    assert said["choices"][0]["message"]["content"] == "Simple."
    assert said["fusion"]["deliberated"] is False and "directly" in said["fusion"]["note"]
    (call,) = api.upstream.calls
    assert [t["function"]["name"] for t in call.body["tools"]] == ["ask_fusion_panel"]


def test_with_the_tool_form_the_outer_model_can_ask_the_panel(api: Api) -> None:
    def outer(body: dict[str, Any]) -> Script:
        return tool_call("ask_fusion_panel") if body.get("tools") else Script(text="Fused.")

    api.script("outer", outer)
    said = ask(api, "outer", tools=[TOOL])
    assert said["choices"][0]["message"]["content"] == "Fused."
    assert said["fusion"]["deliberated"] is True
    assert [r["model"] for r in said["fusion"]["responses"]] == ["good", "echo"]
    assert len(api.upstream.calls) == 5
    summed = said["usage"]["prompt_tokens"]
    assert summed > 5, "the deciding call is counted too"


def test_tool_choice_required_forces_the_panel(api: Api) -> None:
    said = ask(api, "outer", tools=[TOOL], tool_choice="required")
    assert said["fusion"]["deliberated"] is True
    assert len(api.upstream.calls) == 4
    assert all("tool_choice" not in c.body for c in api.upstream.calls)


def test_tool_choice_can_name_the_panel(api: Api) -> None:
    said = ask(api, "outer", tools=[TOOL], tool_choice={"type": "openrouter:fusion"})
    assert said["fusion"]["deliberated"] is True


@pytest.mark.parametrize("header", ["x-fusion-depth", "x-openrouter-fusion-depth"])
def test_a_fusion_within_a_fusion_is_refused_and_a_plain_model_is_not(
    api: Api, header: str
) -> None:
    refused = api.post(json=ASK | {"model": "fusion"}, headers={header: "1"})
    assert refused.status_code == 400
    assert refused.json()["error"]["code"] == "recursion_refused"
    plain = api.post(json=ASK | {"model": "outer", "tools": [TOOL]}, headers={header: "1"})
    assert plain.status_code == 200
    assert [c.model for c in api.upstream.calls] == ["outer"]
    assert "tools" not in api.upstream.calls[0].body


def test_every_call_says_that_it_is_within_a_fusion(api: Api) -> None:
    ask(api)
    for call in api.upstream.calls:
        assert call.headers["x-fusion-depth"] == call.headers["x-openrouter-fusion-depth"] == "1"


def test_our_own_extras_choose_panel_judge_synthesizer_and_policy(api: Api) -> None:
    own = {
        "panel": ["good", "echo"],
        "judge": "writer",
        "synthesizer": "outer",
        "policy": {"quorum": 1, "grace": 1},
        "visibility": "team",
    }
    fusion = ask(api, fusion=own)["fusion"]
    assert (fusion["judge"], fusion["synthesizer"]) == ("writer", "outer")
    (run,) = [r for r in runs(api) if r["id"] == fusion["run_id"]]
    assert run["visibility"] == "team"
    assert "fusion" not in ask(api, "good", fusion={"include": False})
