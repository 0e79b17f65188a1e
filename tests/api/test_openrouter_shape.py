"""What OpenRouter's own clients insist on, beyond what OpenAI's look for.

Its SDK (npm: @openrouter/sdk) checks every answer: these fields have to be there, null where
nothing is known, and the fields of a fusion are left out rather than null.
"""

from __future__ import annotations

import json

import httpx
import pytest

from .conftest import Api
from .test_chat import ASK

# Sent back as null, or with a value.
OF_A_RESPONSE = {"completed_at", "frequency_penalty", "presence_penalty", "temperature", "top_p"}
OF_A_MODEL = {
    "canonical_slug",
    "context_length",
    "default_parameters",
    "per_request_limits",
    "supported_parameters",
    "supported_voices",
    "top_provider",
    "links",
}


def events(api: Api, path: str, **body: object) -> list[dict[str, object]]:
    headers = {"Authorization": f"Bearer {api.key}"}
    body = {"model": "fusion", "stream": True} | body
    with httpx.stream("POST", api.url + path, json=body, headers=headers, timeout=60) as answer:
        lines = [line[6:] for line in answer.iter_lines() if line.startswith("data: {")]
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(("model", "provider"), [("fusion", "fusion"), ("good", "openrouter")])
def test_a_completion_and_its_chunks_say_who_answered(api: Api, model: str, provider: str) -> None:
    whole = api.post(json=ASK | {"model": model}).json()
    assert whole["provider"] == provider and whole["system_fingerprint"] is None
    for chunk in events(api, "/chat/completions", **ASK, model=model):
        assert chunk["provider"] == provider
        assert "system_fingerprint" not in chunk, "null in an answer, left out in a chunk"


def test_a_response_has_every_field_and_a_fusion_none_that_is_null(api: Api) -> None:
    whole = api.post("/responses", json={"model": "openrouter/fusion", "input": "Hello"}).json()
    told = events(api, "/responses", model="openrouter/fusion", input="Hello")
    last = told[-1]["response"]
    for response in (whole, told[0]["response"], last):
        assert isinstance(response, dict) and response.keys() >= OF_A_RESPONSE
    assert isinstance(last, dict)
    assert whole["completed_at"] >= whole["created_at"]
    for item in (whole["output"][0], last["output"][0]):
        assert item["type"] == "openrouter:fusion" and None not in item.values()
        assert item["analysis"] and item["responses"]
    (judging,) = [e for e in told if e["type"] == "response.fusion_call.analysis.in_progress"]
    assert judging["judge_model"] == judging["analyst_model"]


def test_a_model_has_every_field(api: Api) -> None:
    answer = api.get("/models").json()
    assert answer["total_count"] == len(answer["data"]) and answer["links"] == {"next": None}
    for row in answer["data"]:
        assert row.keys() >= OF_A_MODEL
        assert row["canonical_slug"] == row["id"]
        assert row["top_provider"]["context_length"] == row["context_length"]
        assert {"tools", "response_format"} <= set(row["supported_parameters"])
        found = httpx.get(
            api.stack.url + row["links"]["details"],
            headers={"Authorization": f"Bearer {api.key}"},
        )
        assert found.status_code == 200 and found.json()["id"] == row["id"]
