"""A response and the items of its output, in OpenAI's shape; a fusion is OpenRouter's item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...engine.state import RunState
from ..http.base import ApiCall
from ..http.errors import ApiError
from ..planning.asked import SERVER_TOOL
from ..planning.schemas import ResponseRequest
from . import shapes
from .chat_run import Chat
from .responses_input import PREFIX

# Why an answer was broken off -> OpenAI's word for it.
INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


@dataclass(frozen=True)
class Asked:
    """What was asked, and the run that is its first answer: the response bears its number."""

    call: ApiCall[ResponseRequest]
    first: Chat

    @property
    def number(self) -> str:
        return self.first.run.pk.hex

    def response(
        self,
        status: str,
        output: list[dict[str, Any]],
        *,
        usage: dict[str, Any] | None = None,
        error: ApiError | None = None,
        why_incomplete: str | None = None,
        completed_at: int | None = None,
        fusion: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        body, data = self.call.body, self.call.data
        said = {
            "id": f"{PREFIX}{self.number}",
            "object": "response",
            "created_at": int(self.first.run.created_at.timestamp()),
            "completed_at": completed_at,
            "status": status,
            "error": None,
            # Asked of nobody, but clients look for what every response of OpenAI's has.
            "frequency_penalty": None,
            "presence_penalty": None,
            "incomplete_details": {"reason": why_incomplete} if why_incomplete else None,
            "instructions": body.instructions,
            "max_output_tokens": body.max_output_tokens,
            "metadata": data.get("metadata") or {},
            "model": body.model,
            "output": output,
            "parallel_tool_calls": body.parallel_tool_calls is not False,
            "previous_response_id": body.previous_response_id,
            "reasoning": {"effort": body.reasoning.effort if body.reasoning else None},
            "temperature": body.temperature,
            "text": {"format": (body.text and body.text.format) or {"type": "text"}},
            "tool_choice": body.tool_choice or "auto",
            "tools": body.tools or [],
            "top_p": body.top_p,
            "usage": usage,
        }
        if error:
            said["error"] = {"code": error.code, "message": error.message} | error.extra
        if fusion:
            said["fusion"] = fusion
        return said

    def finished(
        self, chat: Chat, state: RunState, answer: shapes.Answer, output: list[dict[str, Any]]
    ) -> dict[str, Any]:
        why = INCOMPLETE.get(answer.finish_reason)
        where: dict[str, Any] | None = None
        if self.call.body.fusion.include:
            told = chat.fusion(state)
            names = ("status", "run_id", "run_url", "preset", "deliberated", "note")
            where = {name: told[name] for name in names if name in told}
        return self.response(
            "incomplete" if why else "completed",
            output,
            usage=usage(chat.states(state)),
            completed_at=None if why or not state.finished_at else int(state.finished_at),
            why_incomplete=why,
            fusion=where,
        )


def fusion_item(chat: Chat, state: RunState, *, status: str = "completed") -> dict[str, Any]:
    told = chat.fusion(state) if status == "completed" else {}
    # OpenRouter leaves out what it does not know, and its clients take no null for that.
    told = {name: value for name, value in told.items() if value is not None}
    # OpenAI's Python client takes an item that it does not know for a message: an empty one.
    item = {"type": SERVER_TOOL, "id": fusion_id(chat), "content": []}
    return item | told | {"status": status}


def fusion_id(chat: Chat) -> str:
    return f"fus_{chat.run.pk.hex}"


def message_id(chat: Chat) -> str:
    return f"msg_{chat.run.pk.hex}"


def message_item(chat: Chat, text: str, status: str) -> dict[str, Any]:
    content = [part(text)] if text else []
    return {
        "type": "message",
        "id": message_id(chat),
        "role": "assistant",
        "status": status,
        "content": content,
    }


def part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def call_item(chat: Chat, number: int, called: dict[str, Any], status: str) -> dict[str, Any]:
    function = called["function"]
    return {
        "type": "function_call",
        "id": f"fc_{chat.run.pk.hex}_{number}",
        "call_id": called["id"],
        "name": function["name"],
        "arguments": function["arguments"] if status == "completed" else "",
        "status": status,
    }


def usage(states: list[RunState]) -> dict[str, Any]:
    used = shapes.usage_of(states)
    return {
        "input_tokens": used["prompt_tokens"],
        "input_tokens_details": used["prompt_tokens_details"],
        "output_tokens": used["completion_tokens"],
        "output_tokens_details": used["completion_tokens_details"],
        "total_tokens": used["total_tokens"],
        "cost": used["cost"],
        "cost_is_partial": used["cost_is_partial"],
    }
