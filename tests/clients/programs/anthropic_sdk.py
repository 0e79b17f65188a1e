"""Asks the scripted upstream as Anthropic's own SDK does, which checks every field that it reads,
and says as JSON what it has read. Runs in an environment that has the SDK and nothing of ours.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import anthropic
import pydantic

client = anthropic.Anthropic(
    base_url=os.environ["ASKED_URL"], api_key=os.environ["ASKED_KEY"], max_retries=0
)
TOOL = {
    "name": "weather",
    "description": "How warm it is.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


def ask(model: str, **more: Any) -> dict[str, Any]:
    return {
        "model": model,
        "max_tokens": 4000,
        "messages": [{"role": "user", "content": "Why?"}],
        **more,
    }


def checked(thing: pydantic.BaseModel) -> Any:
    """The SDK reads leniently: what does not fit its types is told by reading it once more."""
    return type(thing).model_validate(thing.model_dump(), strict=False)


def streamed(model: str, **more: Any) -> dict[str, Any]:
    events = []
    with client.messages.stream(**ask(model, **more)) as stream:
        for event in stream:
            events.append(event.type)
        message = stream.get_final_message()
    return {"events": events, **read(message)}


def read(message: Any) -> dict[str, Any]:
    checked(message)
    blocks = [b.model_dump(exclude_none=True) for b in message.content]
    return {
        "blocks": blocks,
        "stop": message.stop_reason,
        "given": message.usage.input_tokens,
        "made": message.usage.output_tokens,
    }


def refused(model: str, **more: Any) -> dict[str, Any]:
    try:
        client.messages.create(**ask(model, **more))
    except anthropic.APIStatusError as error:
        return {"error": type(error).__name__, "status": error.status_code, "kind": error.type}
    raise AssertionError("it was not refused")


def raw(model: str) -> dict[str, Any]:
    for event in client.messages.create(**ask(model), stream=True):
        checked(event)
    return {"read": True}


SCHEMA = {
    "type": "object",
    "properties": {"winner": {"type": "string"}},
    "required": ["winner"],
    "additionalProperties": False,
}
results = {
    "plain": read(client.messages.create(**ask("plain"))),
    "streamed": streamed("plain"),
    "raw": raw("thinks"),
    "thinks": streamed("thinks", thinking={"type": "adaptive"}),
    "tools": streamed("tools", tools=[TOOL]),
    "json": streamed("plain", output_config={"format": {"type": "json_schema", "schema": SCHEMA}}),
    "cites": streamed("cites"),
    "overloaded": refused("overloaded"),
    "limited": refused("limited"),
    "unknown": refused("plain", extra_body={"seed": 7}),
    "blank": refused("plain", system=" "),
    "models": [checked(model).id for model in client.models.list(limit=5)],
    "version": anthropic.__version__,
}
try:
    streamed("breaks")
except anthropic.APIStatusError as error:
    results["breaks"] = {"error": type(error).__name__, "kind": error.type}
sys.stdout.write(json.dumps(results))
