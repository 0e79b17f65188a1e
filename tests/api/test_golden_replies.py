"""What programs are answered whole is what they were answered before, byte for byte; so are the
first and the last chunks of a chat completion's stream.

What was heard stands in `golden/replies/<name>.txt`; ids, times, the server's port and costs
(of which the list of prices is heard sooner or later) are left out of the comparison, and so is
a field that was added (`streams.BY_MODEL`). After a
change that is meant:

    FUSION_RECORD_GOLDEN=1 python3 manage.py test tests/api/test_golden_replies.py -q
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.upstream import Script

from .conftest import GPT, OPUS, Api, tool_call
from .streams import BY_MODEL
from .test_responses import WEATHER

GOLDEN = Path(__file__).parent / "golden" / "replies"
ASK = [{"role": "user", "content": "What is the answer?"}]
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
FORM = {"type": "json_schema", "name": "a", "schema": {"type": "object"}}
DECIDING = {"tools": [{"type": "openrouter:fusion"}]}
# Name, what the models say beyond the usual, and the request's body.
Said = tuple[str, dict[str, Any], dict[str, Any]]
REPLIES: list[Said] = [
    ("fused", {}, {"model": "fusion"}),
    ("fused-plainly", {}, {"model": "fusion", "fusion": {"include": False}}),
    ("fused-in-openrouters-words", {}, {"model": "openrouter/fusion"}),
    ("one-model", {}, {"model": "good"}),
    ("panelist-failed", {GPT: Script(status=401)}, {"model": "fusion"}),
    ("judge-failed", {OPUS: Script(judge=Script(text="no JSON at all"))}, {"model": "fusion"}),
    ("no-panel-asked", {"outer": Script(text="Simple.")}, {"model": "outer", **DECIDING}),
    (
        "cited",
        {"good": Script(text="Rain is wet.", chunk={"citations": ["https://a.example/1"]})},
        {"model": "good"},
    ),
    ("cut", {"good": Script(text="One two", finish_reason="length")}, {"model": "good"}),
    ("filtered", {"good": Script(text="One", finish_reason="content_filter")}, {"model": "good"}),
    ("escaped", {"good": Script(text='Schöne 😀 \\ud83d "Grüße"\n')}, {"model": "good"}),
]
CHATS: list[Said] = [
    *REPLIES,
    ("tools", {"good": tool_call("weather", '{"a":1}')}, {"model": "good", "tools": [TOOL]}),
]
RESPONSES: list[Said] = [
    *REPLIES,
    ("tools", {"good": tool_call("weather", '{"a":1}')}, {"model": "good", "tools": [WEATHER]}),
    (
        "wishes",
        {},
        {
            "model": "good",
            "instructions": "Be brief.",
            "max_output_tokens": 77,
            "metadata": {"b": 1, "a": [None, 1e3]},
            "temperature": 1,
            "top_p": 0.5,
            "reasoning": {"effort": "low"},
            "text": {"format": FORM},
            "tools": [WEATHER],
            "tool_choice": {"type": "function", "name": "weather"},
            "parallel_tool_calls": False,
        },
    ),
]


def each(said: list[Said]) -> Any:
    names = [name for name, _, _ in said]
    return pytest.mark.parametrize(("name", "scripts", "body"), said, ids=names)


def compare(name: str, heard: str) -> None:
    heard = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}", "<run>", heard)
    heard = re.sub(r"http://127\.0\.0\.1:\d+", "http://<host>", heard)
    heard = re.sub(r'"(created|created_at|completed_at)":( ?)\d{5,}', r'"\1":\2<time>', heard)
    heard = re.sub(r'"cost":( ?)\d[\d.e-]*', r'"cost":\1<cost>', heard)
    heard = re.sub(BY_MODEL, "", heard)
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("FUSION_RECORD_GOLDEN") == "1":
        file.parent.mkdir(exist_ok=True)
        file.write_text(heard + "\n", encoding="utf-8", newline="\n")
    else:
        assert heard + "\n" == file.read_text(encoding="utf-8"), file.name


def asked(api: Api, path: str, scripts: dict[str, Script], body: dict[str, Any]) -> str:
    for model, script in scripts.items():
        api.script(model, script)
    response = api.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.text


@each(CHATS)
def test_a_whole_chat_completion(
    api: Api, name: str, scripts: dict[str, Script], body: dict[str, Any]
) -> None:
    body = body | {"messages": ASK}
    compare(f"{name}.chat", asked(api, "/chat/completions", scripts, body))


@each(CHATS)
def test_the_first_and_last_chunks_of_a_chat_completion(
    api: Api, name: str, scripts: dict[str, Script], body: dict[str, Any]
) -> None:
    said = []
    for usage in (False, True):
        wish = {"messages": ASK, "stream": True, "stream_options": {"include_usage": usage}}
        stream = asked(api, "/chat/completions", scripts, body | wish)
        said += [e for e in stream.split("\n\n") if '"delta":{"content":' not in e and e[:1] != ":"]
    compare(f"{name}.chunks", "\n\n".join(said).strip())


@each(RESPONSES)
def test_a_whole_response(
    api: Api, name: str, scripts: dict[str, Script], body: dict[str, Any]
) -> None:
    body = body | {"input": "What is the answer?"}
    compare(f"{name}.response", asked(api, "/responses", scripts, body))


@each(RESPONSES)
def test_the_first_and_last_events_of_a_response(
    api: Api, name: str, scripts: dict[str, Script], body: dict[str, Any]
) -> None:
    body = body | {"input": "What is the answer?", "stream": True}
    stream = asked(api, "/responses", scripts, body)
    said = [e for e in stream.split("\n\n") if '"response":' in e or '"item":' in e]
    compare(f"{name}.events", re.sub(r'("sequence_number":)\d+', r"\1<n>", "\n\n".join(said)))


def test_the_chunk_and_the_event_of_a_failure(api: Api) -> None:
    said = []
    for words in ({}, {"usage": {"include": True}}):
        for path, ask in (("/chat/completions", {"messages": ASK}), ("/responses", {"input": "?"})):
            body = {"model": "good", "stream": True} | ask | words
            stream = asked(api, path, {"good": Script(status=401)}, body)
            said.append(stream.strip().split("\n\n")[-1])
    compare("failed", re.sub(r'("sequence_number":)\d+', r"\1<n>", "\n\n".join(said)))


def test_the_list_of_models_and_one_of_them(api: Api) -> None:
    rows = {path: api.get(path).text for path in ("/models/fusion", "/models/openrouter:good")}
    whole = api.get("/models").text
    assert rows["/models/fusion"] in whole
    whole = re.sub(r'"data": \[.*\], "total_count": \d+', '"data": […], "total_count": <n>', whole)
    compare("models", "\n\n".join([whole, *rows.values()]))
