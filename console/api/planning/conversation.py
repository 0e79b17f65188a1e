"""A client's messages as the conversation a panel is asked."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from ...engine.provider import Message
from ..http.errors import ApiError
from .schemas import ChatMessage, Part


def conversation(
    chat_messages: list[ChatMessage], *, with_tools: bool
) -> tuple[list[Message], str]:
    """(messages, the prompt the run is known by). Raises ApiError.

    `with_tools` keeps tool calls and their results as they are, for one model that is given
    the tools; to a panel, which is not, they are told as text.
    """
    messages: list[Message] = []
    prompt = ""
    size = 0
    for number, message in enumerate(chat_messages):
        text = _text(message, number)
        size += len(text)
        if message.role == "user" and text.strip():
            prompt = text
        messages.append(_as_it_is(message, text) if with_tools else _as_text(message, text))
    messages = [m for m in messages if m["content"] or m.get("tool_calls") or m["role"] == "tool"]
    if not prompt:
        raise ApiError("invalid_request", "No message of the user says anything.", param="messages")
    if size > settings.MAX_PROMPT_CHARACTERS:
        raise ApiError(
            "context_length_exceeded",
            f"The conversation is too long: its messages have {size:,} characters; at most "
            f"{settings.MAX_PROMPT_CHARACTERS:,} are accepted.",
            param="messages",
        )
    return messages, prompt


def _text(message: ChatMessage, number: int) -> str:
    match message.content:
        case str(text):
            return text
        case None:
            return ""
        case parts:
            return "\n".join(_part(part, number) for part in parts)


def _part(part: Part, number: int) -> str:
    if part.type in ("text", "input_text", "output_text", "refusal"):
        return part.text or ""
    raise ApiError(
        "unsupported_content",
        f"Only text can be asked about; message {number} has a part of type “{part.type}”.",
        param=f"messages.{number}.content",
    )


def _role(message: ChatMessage) -> str:
    return {"developer": "system", "function": "tool"}.get(message.role, message.role)


def _as_it_is(message: ChatMessage, text: str) -> Message:
    converted: dict[str, Any] = {"role": _role(message), "content": text}
    if message.tool_calls:
        converted["tool_calls"] = [c.model_dump() for c in message.tool_calls]
    if converted["role"] == "tool":
        converted["tool_call_id"] = message.tool_call_id or message.name or ""
    return converted


def _as_text(message: ChatMessage, text: str) -> Message:
    role = _role(message)
    if role == "tool":
        name = message.name or message.tool_call_id or "a tool"
        return {"role": "user", "content": f"[Result of {name}]\n{text}"}
    calls = [f"[{c.function.name}({c.function.arguments})]" for c in message.tool_calls or ()]
    return {"role": role, "content": "\n".join(filter(None, [text, *calls]))}
