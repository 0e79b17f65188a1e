"""A request to `/v1/responses` in chat's words.

`previous_response_id` is read from the run that gave the response: nothing else is stored.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from django.http import Http404

from ... import access
from ...engine.provider import Message
from ...models import Run
from ...record.asked import Forgotten, asked
from ...record.rows import state_from_rows
from ...services.attaching import tickets_of
from ..http.base import ApiCall, parse
from ..http.errors import ApiError
from ..planning.attached import KEPT
from ..planning.plan import DECIDE
from ..planning.schemas import Part, as_function
from . import shapes
from .chat_run import view
from .requests import ChatRequest, InputItem, ResponseRequest

PREFIX = "resp_"
# What other responses' output brings along when it is sent back, and nobody reads: what servers'
# own tools found stands in the answer after it.
_PASSED_OVER = (
    *("reasoning", "item_reference", "image_generation_call", "web_search_call"),
    *("file_search_call", "code_interpreter_call", "mcp_list_tools"),
)


def as_chat(call: ApiCall[ResponseRequest]) -> ApiCall[ChatRequest]:
    """Raises ApiError. Reads the database."""
    body = call.body
    messages: list[dict[str, Any]] = []
    if body.instructions:
        messages.append({"role": "system", "content": body.instructions})
    if body.previous_response_id:
        messages += _before(call, body.previous_response_id)
    items = body.input
    if isinstance(items, str):
        items = [InputItem(role="user", content=items)]
    for number, item in enumerate(items):
        _append(messages, item, number)
    shared = body.model_dump(
        include={
            *("model", "plugins", "temperature", "top_p", "seed"),
            *("provider", "models", "transforms", "stop_server_tools_when", "max_cost"),
        }
    )
    chat = shared | {
        "messages": messages,
        "tools": body.tools,
        "tool_choice": body.tool_choice,
        "parallel_tool_calls": body.parallel_tool_calls,
        "max_tokens": body.max_output_tokens,
        "response_format": _response_format(body),
        "reasoning": body.reasoning.model_dump() if body.reasoning else None,
        "fusion": body.fusion.model_dump(),
        "stream": body.stream,
    }
    try:
        return replace(call, body=parse(ChatRequest, chat))  # type: ignore[arg-type, return-value]
    except ApiError as error:
        raise in_our_words(error) from None


def in_our_words(error: ApiError) -> ApiError:
    if error.param and error.param.split(".")[0] == "messages":
        error.param = "input"
    return error


def _append(messages: list[dict[str, Any]], item: InputItem, number: int) -> None:
    match item.type:
        case "message":
            if item.role is None:
                param = f"input.{number}.role"
                raise ApiError("invalid_request", "A message has a role.", param=param)
            messages.append({"role": item.role, "content": _content(item.content)})
        case "function_call" | "custom_tool_call":
            function = {"name": item.name, "arguments": item.arguments}
            if item.type == "custom_tool_call":
                function = as_function(item.name, item.input)
            called = {"id": item.call_id, "type": "function", "function": function}
            last = messages[-1] if messages else {}
            if last.get("role") == "assistant":
                # Chat has calls made together, and what was said with them, in one message.
                last.setdefault("tool_calls", []).append(called)
            else:
                messages.append({"role": "assistant", "content": None, "tool_calls": [called]})
        case "function_call_output" | "custom_tool_call_output":
            output = _content(item.output)
            messages.append({"role": "tool", "content": output, "tool_call_id": item.call_id})
        case kind if kind in _PASSED_OVER or kind.startswith("openrouter:"):
            pass
        case kind:
            raise ApiError(
                "unsupported_content",
                f"Items of type “{kind}” cannot be read.",
                param=f"input.{number}.type",
            )


def _content(content: str | list[Part] | None) -> Any:
    return [p.model_dump() for p in content] if isinstance(content, list) else content


def _before(call: ApiCall[ResponseRequest], response_id: str) -> list[dict[str, Any]]:
    """The conversation that the earlier response ended."""
    number, has_turn, turn = response_id.removeprefix(PREFIX).partition("_")
    run = _run_of(call, number) if turn.isdecimal() or not has_turn else None
    try:
        ended = _ended_by(run, int(turn or 0)) if run else None
    except (Forgotten, KeyError):
        ended = None
    if ended is None:
        raise ApiError(
            "invalid_request",
            "There is no response of this id to go on from. Send the conversation as input.",
            param="previous_response_id",
        )
    conversation, answer = ended
    if call.body.instructions and conversation and conversation[0].get("role") == "system":
        # Those of the earlier request: instructions are not carried over.
        conversation = conversation[1:]
    last: dict[str, Any] = {"role": "assistant", "content": answer.text}
    if answer.tool_calls:
        last["tool_calls"] = answer.tool_calls
    return [*conversation, last]


def _ended_by(run: Run, turn: int) -> tuple[list[dict[str, Any]], shapes.FinalAnswer] | None:
    """(what was asked, what was answered) in the run, or in a turn of it. Raises Forgotten, and
    KeyError where there is no such turn."""
    state = state_from_rows(run)
    answer = shapes.told_of(run.frozen_spec, view(state, turn))
    if answer is None or any(c["function"]["name"] == DECIDE for c in answer.tool_calls):
        return None
    since = state.said_since(state.fusions[turn]) if turn else []
    return [*_sendable(run, asked(run).messages), *since], answer


def _sendable(run: Run, messages: list[Message]) -> list[Message]:
    """As a program could have sent them: a file goes by a ticket of whose run it is."""
    if run.owner is None or not any(isinstance(m.get("content"), list) for m in messages):
        return messages
    tickets = tickets_of(run=run, owner=run.owner)

    def part(kept: dict[str, Any]) -> dict[str, Any]:
        if kept.get("type") != "file":
            return kept
        return {"type": KEPT, "ticket": tickets.get(kept["hash"], "")}

    return [
        {**m, "content": [part(p) for p in m["content"]]} if isinstance(m["content"], list) else m
        for m in messages
    ]


def _run_of(call: ApiCall[ResponseRequest], number: str) -> Run | None:
    try:
        return access.run_owned_by(call.token.owner, uuid.UUID(hex=number))
    except (ValueError, Http404):
        return None


def _response_format(body: ResponseRequest) -> dict[str, Any] | None:
    wanted = body.text.format if body.text else None
    if not wanted or wanted.get("type", "text") == "text":
        return None
    if wanted["type"] == "json_schema":
        schema = {k: v for k, v in wanted.items() if k != "type" and v is not None}
        return {"type": "json_schema", "json_schema": schema}
    return wanted
