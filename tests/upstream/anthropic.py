"""Anthropic's Messages API, as its documentation has it: requests are looked at as closely as
there, answers stream in its events.

https://platform.claude.com/docs/en/api/messages, …/build-with-claude/streaming, …/api/errors
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from .received import Received
    from .script import Script

Json = dict[str, Any]

FIELDS = {
    *("model", "max_tokens", "messages", "system", "stream", "stop_sequences", "temperature"),
    *("top_p", "top_k", "tools", "tool_choice", "thinking", "output_config", "metadata"),
    *("cache_control", "service_tier"),
}
STOPS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
TYPES = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error",
    403: "permission_error", 404: "not_found_error", 413: "request_too_large",
    429: "rate_limit_error", 500: "api_error", 504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip
# With the fields of the one before that are gone: …/api/versioning
VERSIONS: dict[str, set[str]] = {
    "2023-06-01": set(),
    "2026-10-21": {"temperature", "top_p", "top_k"},
}
NO_LIMITS = {"minLength", "maxLength", "maxItems", "minimum", "maximum", "multipleOf", "oneOf"}


# ---- what a request may say


def refusal(request: Received) -> str:
    """In its words; "" where there is nothing to refuse."""
    version = request.headers.get("anthropic-version")
    if version not in VERSIONS:
        return "anthropic-version: header is required"
    if gone := VERSIONS[version or ""] & request.body.keys():
        return f"{min(gone)}: Extra inputs are not permitted"
    return next(_faults(request.body), "") if request.is_messages else ""


def _faults(body: Json) -> Iterator[str]:
    for name in body.keys() - FIELDS:
        yield f"{name}: Extra inputs are not permitted"
    for name in ("max_tokens", "messages", "model"):
        if not body.get(name):
            yield f"{name}: Field required"
    if not 0 <= body.get("temperature", 1) <= 1:
        yield "temperature: range: 0..1"
    if re.match(r"claude-(?:opus-(?:4-[7-9]|[5-9])|sonnet-[5-9]|fable|mythos)", body["model"]):
        for name in body.keys() & {"temperature", "top_p", "top_k"}:
            yield f"`{name}` is deprecated for this model."
    if "temperature" in body and "top_p" in body:
        yield "`temperature` and `top_p` cannot both be specified for this model."
    system = body.get("system")
    if system is not None and not system.strip():
        yield "system: text content blocks must contain non-whitespace text"
    if any(not stop.strip() for stop in body.get("stop_sequences", ())):
        yield "stop_sequences: each stop sequence must contain non-whitespace"
    yield from _faults_of_turns(body["messages"])
    yield from _faults_of_thinking(body)
    format = body.get("output_config", {}).get("format")
    if format:
        yield from _faults_of_schema(format["schema"], "output_config.format.schema")


def _faults_of_turns(turns: list[Json]) -> Iterator[str]:
    if turns[0]["role"] != "user":
        yield 'messages: first message must use the "user" role'
    called: set[str] = set()
    for number, turn in enumerate(turns):
        if turn["role"] not in ("user", "assistant"):
            yield f'messages: Unexpected role "{turn["role"]}".'
        if number and turns[number - 1]["role"] == turn["role"]:
            yield "messages: roles must alternate between user and assistant"
        blocks = turn["content"]
        blocks = [{"type": "text", "text": blocks}] if isinstance(blocks, str) else blocks
        if not blocks:
            yield f"messages.{number}: all messages must have non-empty content"
        kinds = [block["type"] for block in blocks]
        if kinds != sorted(kinds, key=lambda kind: kind != "tool_result"):
            yield f"messages.{number}: `tool_result` blocks must come first"
        for block in blocks:
            if block["type"] == "text" and not block["text"].strip():
                yield "messages: text content blocks must contain non-whitespace text"
            if block["type"] == "tool_use" and not re.fullmatch(r"[\w-]+", block["id"], re.ASCII):
                yield f"messages.{number}.content: id: String should match pattern"
        results = {b["tool_use_id"] for b in blocks if b["type"] == "tool_result"}
        if results != called:
            yield (
                "`tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(sorted(called ^ results))}"
            )
        called = {b["id"] for b in blocks if b["type"] == "tool_use"}
    end = turns[-1]
    if end["role"] == "assistant" and end["content"][-1].get("text", "").endswith((" ", "\n")):
        yield "messages: final assistant content cannot end with trailing whitespace"


def _faults_of_thinking(body: Json) -> Iterator[str]:
    thinking = body.get("thinking", {"type": "disabled"})
    if thinking["type"] == "disabled":
        return
    if "temperature" in body:
        yield "`temperature` may only be set to 1 when thinking is enabled."
    if body.get("tool_choice", {}).get("type") in ("any", "tool"):
        yield "Thinking may not be enabled when tool_choice forces tool use."
    if thinking["type"] != "enabled":
        return
    if thinking["budget_tokens"] < 1024:
        yield "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
    if thinking["budget_tokens"] >= body["max_tokens"]:
        yield "`max_tokens` must be greater than `thinking.budget_tokens`."
    last = next((t for t in reversed(body["messages"]) if t["role"] == "assistant"), None)
    blocks = last["content"] if last else []
    if "tool_use" in [b["type"] for b in blocks] and blocks[0]["type"] != "thinking":
        answered = body["messages"][-1]["content"]
        if any(block["type"] == "tool_result" for block in answered):
            yield "Expected `thinking` or `redacted_thinking`, but found `tool_use`."


def _faults_of_schema(schema: Any, where: str) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    kind = schema.get("type")
    for name in sorted(NO_LIMITS & schema.keys()):
        yield f"{where}: For '{kind}' type, property '{name}' is not supported"
    if schema.get("minItems", 0) not in (0, 1):
        yield f"{where}: For 'array' type, 'minItems' values other than 0 or 1 are not supported"
    if kind == "object" and schema.get("additionalProperties") is not False:
        yield f"{where}: For 'object' type, 'additionalProperties' must be explicitly set to false"
    for name, value in schema.items():
        inner = value.values() if name in ("properties", "$defs") else [value]
        for one in itertools.chain(inner, value if isinstance(value, list) else ()):
            yield from _faults_of_schema(one, where)


# ---- what it answers


def error(status: int, message: str) -> Json:
    kind = TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def usage(body: Json, words: int) -> Json:
    said = json.dumps([body.get("system"), body.get("messages")]).split()
    return {"input_tokens": len(said), "output_tokens": words}


def message(model: str, **more: Any) -> Json:
    plain = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": []}
    return plain | {"stop_reason": None, "stop_sequence": None} | more


def whole(model: str, script: Script, text: str, usage: Json) -> Json:
    content: list[Json] = []
    if script.reasoning:
        content.append({"type": "thinking", "thinking": script.reasoning, "signature": "c2ln"})
    content.append({"type": "text", "text": text, "citations": None})
    reason = STOPS.get(script.finish_reason or "stop", script.finish_reason)
    return message(model, content=content, stop_reason=reason, usage=usage) | script.chunk


def models(names: list[str], path: str) -> Json:
    """A page of the list, as long as the query says."""
    query = parse_qs(urlsplit(path).query)
    after = query.get("after_id", [""])[0]
    begin = names.index(after) + 1 if after in names else 0
    page = names[begin : begin + int(query.get("limit", ["20"])[0])]
    data = [
        {
            "type": "model",
            "id": name,
            "display_name": name.title(),
            "created_at": "2026-02-04T00:00:00Z",
            "lifecycle": "active",
            "max_input_tokens": 200_000,
            "max_tokens": 64_000,
        }
        for name in page
    ]
    more = begin + len(page) < len(names)
    return {
        "data": data,
        "has_more": more,
        "first_id": page[0] if page else None,
        "last_id": page[-1] if page else None,
    }


# ---- its events, as bytes


def event(type: str, **more: Any) -> bytes:
    data = json.dumps({"type": type, **more}, ensure_ascii=False)
    return f"event: {type}\ndata: {data}\n\n".encode()


def begin(model: str = "alpha", given: Any = None, **more: Any) -> bytes:
    tokens = {"input_tokens": 4, "output_tokens": 1} if given is None else given
    return event("message_start", message=message(model, usage=tokens, **more))


def block(index: Any, type: str, **more: Any) -> bytes:
    return event("content_block_start", index=index, content_block={"type": type, **more})


def delta(index: Any, type: str, **more: Any) -> bytes:
    return event("content_block_delta", index=index, delta={"type": type, **more})


def close(index: Any) -> bytes:
    return event("content_block_stop", index=index)


def text(*pieces: str, index: int = 0) -> bytes:
    said = b"".join(delta(index, "text_delta", text=piece) for piece in pieces)
    return block(index, "text", text="") + said + close(index)


def thinking(*pieces: str, index: int = 0) -> bytes:
    said = b"".join(delta(index, "thinking_delta", thinking=piece) for piece in pieces)
    signed = delta(index, "signature_delta", signature="EqQBCgIYAhIM")
    return block(index, "thinking", thinking="", signature="") + said + signed + close(index)


def tool(name: str, *pieces: str, index: int = 0, id: str = "toolu_1") -> bytes:
    said = b"".join(delta(index, "input_json_delta", partial_json=piece) for piece in pieces)
    return block(index, "tool_use", id=id, name=name, input={}) + said + close(index)


def end(reason: str | None = "end_turn", tokens: Any = None, **more: Any) -> bytes:
    stop = {"stop_reason": reason, "stop_sequence": None, **more}
    usage = {"output_tokens": 3} if tokens is None else tokens
    return event("message_delta", delta=stop, usage=usage) + event("message_stop")


PING = event("ping")


class Words:
    """A script's stream in these events, piece by piece."""

    def __init__(self, request: Received, script: Script) -> None:
        self._model, self._script = request.model, script
        self._index = 0
        self._is_open = False

    def begin(self, body: Json) -> bytes:
        given = self._script.usage
        if given is None:
            given = usage(body, 1)
        return begin(self._model, given, **self._script.chunk) + PING

    def thought(self, words: str) -> bytes:
        said = thinking(words, index=self._index)
        self._index += 1
        return said

    def piece(self, words: str) -> bytes:
        opened = b"" if self._is_open else block(self._index, "text", text="")
        self._is_open = True
        return opened + delta(self._index, "text_delta", text=words)

    def failure(self) -> bytes:
        failed = error(500, self._script.error_message)
        return event("error", error=failed["error"], request_id=failed["request_id"])

    def end(self, usage: Json, body: Json) -> bytes:
        reason = self._script.finish_reason
        said = close(self._index) if self._is_open else b""
        if not reason:
            return said + (event("message_stop") if self._script.done else b"")
        made = {name: count for name, count in usage.items() if name == "output_tokens"}
        stop = {"stop_reason": STOPS.get(reason, reason), "stop_sequence": None}
        said += event("message_delta", delta=stop, usage=made)
        return said + (event("message_stop") if self._script.done else b"")
