"""`POST /v1/chat/completions`, streamed, to its last byte."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from console.api.http.replies import ErrorReply
from console.api.openai.chat_stream import _Chunks
from console.api.openai.replies import ChatChunk
from console.engine.findings.given import fused_answer
from tests.stack import PATIENCE, until
from tests.upstream import Script

from .conftest import GEMINI, GPT, OPUS, Api, tool_call
from .test_chat import ASK, TOOL, WEATHER


@contextmanager
def streaming(api: Api, *, timeout: float = 60, **body: Any) -> Iterator[httpx.Response]:
    headers = {"Authorization": f"Bearer {api.key}"} | body.pop("headers", {})
    with httpx.stream(
        "POST",
        f"{api.url}/chat/completions",
        json=ASK | {"model": "fusion", "stream": True} | body,
        headers=headers,
        timeout=timeout,
    ) as response:
        yield response


def stream(api: Api, **body: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """(chunks, comments); whatever else came is a failure."""
    chunks, comments, done = [], [], False
    with streaming(api, **body) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-request-id"]
        for line in response.iter_lines():
            assert not (done and line), "nothing follows [DONE]"
            if line.startswith(":"):
                comments.append(line)
            elif line == "data: [DONE]":
                done = True
            elif line:
                assert line.startswith("data: ")
                chunks.append(json.loads(line[6:]))
                kind = ErrorReply if list(chunks[-1]) == ["error"] else ChatChunk
                told = kind.model_validate(chunks[-1]).payload()
                assert told == chunks[-1], "/v1/openapi.json knows every field of a chunk"
    assert done or "error" in chunks[-1]
    return chunks, comments


def text_of(chunks: list[dict[str, Any]]) -> str:
    return "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"])


def test_only_valid_chunks_are_sent_and_the_last_says_why_it_ended(api: Api) -> None:
    api.script(OPUS, Script(text="One two three."))
    chunks, _ = stream(api)
    assert {c["object"] for c in chunks} == {"chat.completion.chunk"}
    assert len({(c["id"], c["created"], c["model"]) for c in chunks}) == 1
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert text_of(chunks) == "One two three."
    assert [c["choices"][0]["finish_reason"] for c in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert "usage" not in chunks[-1] and chunks[-1]["fusion"]["analysis"]


def test_usage_comes_in_a_chunk_of_its_own_when_it_is_asked_for(api: Api) -> None:
    chunks, _ = stream(api, stream_options={"include_usage": True})
    assert chunks[-1]["choices"] == [] and chunks[-1]["usage"]["total_tokens"] > 0
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"


def test_the_answer_arrives_while_it_is_being_written(api: Api) -> None:
    held = Script(text="a b c d e f g h", hold_after=3, judge=Script())
    api.script(OPUS, lambda body: held if _writes(body) else Script(judge=Script()))
    api.upstream.hold(everything=False)
    seen = ""
    with streaming(api) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                for choice in json.loads(line.removeprefix("data: "))["choices"]:
                    seen += choice["delta"].get("content") or ""
            if seen.strip():
                api.upstream.release()
    assert seen.strip() == "a b c d e f g h"


def _writes(body: dict[str, Any]) -> bool:
    return any("Write the best possible answer" in str(m["content"]) for m in body["messages"])


def test_comments_keep_the_connection_open_while_the_panel_works(api: Api) -> None:
    for model in (GPT, GEMINI):
        api.script(model, Script(first_token_after=4))
    _, comments = stream(api)
    assert comments


def test_progress_is_told_to_whoever_asks_for_it(api: Api) -> None:
    chunks, _ = stream(api, fusion={"progress": True})
    told = [c["fusion"]["progress"] for c in chunks if "progress" in c.get("fusion", {})]
    seats = {t["seat"] for t in told if t["step"] == "panel" and t["status"] == "completed"}
    assert seats == {"A", "B", "C"}
    assert {t["step"] for t in told} == {"panel", "analysis", "synthesis"}
    chunks, _ = stream(api)
    assert not [c for c in chunks if "progress" in c.get("fusion", {})]


def test_tool_calls_of_the_synthesizer_come_as_deltas(api: Api) -> None:
    api.script(OPUS, lambda body: tool_call("weather", "{}") if "tools" in body else Script())
    chunks, _ = stream(api, tools=[WEATHER])
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"
    calls = [d for c in chunks for d in c["choices"][0]["delta"].get("tool_calls", [])]
    assert [(c["index"], c["function"]["name"]) for c in calls] == [(0, "weather")]


def test_the_tool_form_streams_the_deciding_model_and_then_the_fused_answer(api: Api) -> None:
    def outer(body: dict[str, Any]) -> Script:
        return tool_call("ask_fusion_panel") if body.get("tools") else Script(text="Fused.")

    api.script("outer", outer)
    chunks, _ = stream(api, model="outer", tools=[TOOL])
    assert text_of(chunks) == "Fused."
    assert not [c for c in chunks if c["choices"] and "tool_calls" in c["choices"][0]["delta"]]


def test_a_panel_that_fails_ends_the_stream_with_an_error_nobody_repeats(api: Api) -> None:
    for model in (OPUS, GPT, GEMINI):
        api.script(model, Script(status=401))
    chunks, _ = stream(api)
    assert list(chunks[-1]) == ["error"] and chunks[-1]["error"]["code"] == "all_panels_failed"
    assert len(api.upstream.calls) == 3


def test_a_synthesizer_that_fails_leaves_the_best_single_answer(api: Api) -> None:
    api.script(OPUS, lambda body: Script(status=400) if _writes(body) else Script(text="Opus."))
    chunks, _ = stream(api)
    assert text_of(chunks).strip()
    assert chunks[-1]["fusion"]["failure_reason"] == "synthesis_failed"


def finished(api: Api, run_id: str) -> bool:
    return bool(api.stack.state(run_id).status.is_final)


def run_of(line: str) -> str:
    return str(json.loads(line.removeprefix("data: "))["id"]).removeprefix("chatcmpl-")


def test_a_client_that_goes_away_loses_nothing_and_pays_once(api: Api) -> None:
    for model in (GPT, GEMINI):
        api.script(model, Script(first_token_after=1))
    key = {"Idempotency-Key": "the-same-request"}
    with streaming(api, headers=key) as response:
        run_id = run_of(next(response.iter_lines()))
    until(lambda: finished(api, run_id), 90, 0.5)
    assert api.stack.state(run_id).status == "completed"
    asked = len(api.upstream.calls)
    chunks, _ = stream(api, headers=key)
    assert run_of(json.dumps(chunks[0])) == run_id
    assert text_of(chunks) == fused_answer(api.stack.state(run_id))
    assert len(api.upstream.calls) == asked


def test_the_same_key_joins_the_run_that_is_going_on(api: Api) -> None:
    for model in (GPT, GEMINI):
        api.script(model, Script(first_token_after=1.5))
    answers: list[str] = []

    def ask() -> None:
        answers.append(text_of(stream(api, headers={"Idempotency-Key": "joined"})[0]))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(answers)) == 1 and len(answers) == 3 and answers[0]
    assert len(api.upstream.calls) == 5


RETRIED = {"x-stainless-retry-count": "1"}


def test_a_repetition_by_a_client_library_joins_the_run_without_a_key(api: Api) -> None:
    for model in (OPUS, GPT, GEMINI):
        api.script(model, Script(first_token_after=0.5))
    with streaming(api, seed=99) as response:
        first = json.loads(next(response.iter_lines()).removeprefix("data: "))
    again, _ = stream(api, seed=99, headers=RETRIED)
    assert again[0]["id"] == first["id"] and text_of(again)
    another, _ = stream(api, seed=99)
    assert another[0]["id"] != first["id"]


@pytest.mark.parametrize("streamed", [True, False])
def test_the_same_question_again_has_an_answer_of_its_own_though_refused_at_first(
    api: Api, streamed: bool
) -> None:
    body = ASK | {"model": "good", "seed": 98, "stream": streamed}
    whole = api.post(json=body)
    assert whole.status_code == 200 and whole.read()
    again = api.post(json=body, headers=RETRIED)
    assert again.status_code == 200 and again.read()
    assert len(api.upstream.calls) == 2


def test_of_several_repetitions_at_once_one_asks(api: Api) -> None:
    api.script("good", Script(first_token_after=4))
    heard: list[str] = []

    def repeat() -> None:
        # A request that no other test makes: it would be joined.
        body = ASK | {"model": "good", "seed": 4711}
        answer = api.post(json=body, headers={"x-stainless-retry-count": "1"})
        heard.append(answer.json()["id"])

    threads = [threading.Thread(target=repeat) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(heard) == 8 and len(set(heard)) == 1
    assert len(api.upstream.calls) == 1


def test_the_same_key_with_another_request_is_refused(api: Api) -> None:
    headers = {"Idempotency-Key": "once"}
    assert api.post(json=ASK | {"model": "good"}, headers=headers).status_code == 200
    refused = api.post(json=ASK | {"model": "echo"}, headers=headers)
    assert refused.status_code == 422
    assert refused.json()["error"]["code"] == "idempotency_mismatch"


@pytest.mark.parametrize("streamed", [True, False])
def test_a_client_can_ask_for_the_run_to_end_with_it(api: Api, streamed: bool) -> None:
    api.script("good", Script(text="a b c d", hold_after=1))
    wish = {"model": "good", "fusion": {"cancel_on_disconnect": True}, "stream": streamed}
    headers = {"Authorization": f"Bearer {api.key}", "Content-Type": "application/json"}
    api.upstream.hold(everything=False)
    client = HTTPConnection(urlsplit(api.url).netloc)
    try:
        client.request("POST", "/v1/chat/completions", json.dumps(ASK | wish), headers)
        if streamed:
            client.getresponse().readline()  # of one that is not there is nothing yet
        api.upstream.wait_until(lambda: bool(api.upstream.calls), PATIENCE)
    finally:
        client.close()  # in the middle of the stream, or before there is a reply
        until(lambda: api.upstream.calls[0].closed_by_client)
        api.upstream.release()
    said = "said = [r.status for r in Run.objects.order_by('-created_at')[:1]]"
    until(lambda: api.shell(f"from console.models import Run\n{said}") != ["running"])
    assert api.shell(f"from console.models import Run\n{said}") == ["cancelled"]


@pytest.mark.parametrize("text", ["Eight ", 'a "quote"\n', "{} %s", "\ud83d", "é", ""])
def test_a_piece_of_text_is_the_chunk_that_any_other_would_be(text: str) -> None:
    run = SimpleNamespace(pk="1", created_at=datetime.now(UTC))
    name = 'maker/"content":""'
    chunks = _Chunks(SimpleNamespace(run=run, of_turn="", provider="x", model=lambda: name))  # type: ignore[arg-type]
    assert chunks.text(text) == chunks.delta(content=text)
