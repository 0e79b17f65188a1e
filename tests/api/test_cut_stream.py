"""A stream that its client cuts: the run ends by itself, is found, and is paid once."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.upstream import Script

from .conftest import GEMINI, GPT, OPUS, Api
from .test_runs import ended, read

TEXT = "word " * 19 + "word"
# What is sent, and what of the stream tells that the fused answer is being written.
FORMS: dict[str, tuple[str, dict[str, Any], str]] = {
    "chat": (
        "/chat/completions",
        {"messages": [{"role": "user", "content": "What is the answer?"}]},
        '"content":"word',
    ),
    "responses": ("/responses", {"input": "What is the answer?"}, "response.output_text.delta"),
}


def streamed(api: Api, path: str, body: dict[str, Any], key: str, until: str = "") -> list[str]:
    """The stream's data up to a line with `until`, where the client hangs up."""
    headers = {"Authorization": f"Bearer {api.key}", "Idempotency-Key": key}
    body = body | {"model": "fusion", "stream": True}
    heard = []
    with httpx.stream(
        "POST", f"{api.url}{path}", json=body, headers=headers, timeout=60
    ) as response:
        assert response.status_code == 200, response.read()
        for line in response.iter_lines():
            if line.startswith("data: "):
                heard.append(line[6:])
            if until and until in line:
                break
    return heard


def run_of(data: str) -> str:
    """The id of a chunk, or of the response within an event."""
    said = json.loads(data)
    number = said.get("response", said)["id"].removeprefix("chatcmpl-").removeprefix("resp_")
    return str(uuid.UUID(hex=number))


def text_of(heard: list[str]) -> str:
    text = ""
    for said in (json.loads(data) for data in heard if data != "[DONE]"):
        if said.get("type") == "response.output_text.delta":
            text += said["delta"]
        for choice in said.get("choices", ()):
            text += choice["delta"].get("content") or ""
    return text


def asked(api: Api) -> Counter[str]:
    """Every request that the upstream itself has counted, by model."""
    return Counter(call.model for call in api.upstream.calls)


@pytest.mark.parametrize("while_", ["the panel answers", "the fused answer is written"])
@pytest.mark.parametrize("form", list(FORMS))
def test_a_stream_cut_in_the_middle_is_paid_once(api: Api, form: str, while_: str) -> None:
    path, body, writing = FORMS[form]
    for model in (OPUS, GPT, GEMINI):
        api.script(model, Script(text=TEXT, tokens_per_second=20, judge=Script()))
    key = str(uuid.uuid4())
    until = writing if "fused" in while_ else '"in_progress"' if form == "responses" else "delta"
    heard = streamed(api, path, body, key, until)
    run_id = run_of(heard[0])
    assert read(api, run_id)["status"] == "running" or "panel" in while_

    run = ended(api, run_id)
    assert run["status"] == "completed" and run["answer"] == TEXT
    paid = asked(api)
    assert paid == {OPUS: 3, GPT: 1, GEMINI: 1}

    again = streamed(api, path, body, key)
    assert run_of(again[0]) == run_id
    assert text_of(again) == TEXT
    assert asked(api) == paid
    later = read(api, run_id)
    assert (later["cost"], later["calls"]) == (run["cost"], run["calls"])


def test_a_run_that_is_cut_off_from_its_events_goes_on(api: Api) -> None:
    for model in (OPUS, GPT, GEMINI):
        api.script(model, Script(text=TEXT, tokens_per_second=20, judge=Script()))
    key = {"Idempotency-Key": str(uuid.uuid4())}
    body = {"model": "fusion", "prompt": "What is the answer?"}
    started = api.post("/runs", json=body, headers=key).json()
    headers = {"Authorization": f"Bearer {api.key}"}
    with httpx.stream("GET", started["urls"]["events"], headers=headers, timeout=60) as events:
        next(line for line in events.iter_lines() if "panel.delta" in line)
    again = api.post("/runs", json=body, headers=key).json()
    assert again["id"] == started["id"]
    assert ended(api, started["id"])["answer"] == TEXT
    assert sum(asked(api).values()) == 5
