"""A conversation as chat completions take it."""

from __future__ import annotations

from typing import Any

from console.engine.content import parts_of, text_of
from console.engine.errors import ProviderError, Reason
from console.engine.provider import Message


def wire_messages(messages: list[Message]) -> list[dict[str, Any]]:
    """Raises ProviderError (`bad_request`) for what no server of this kind can be sent."""
    return [
        message | {"content": _text(message["content"])}
        if isinstance(message.get("content"), list)
        else message
        for message in messages
    ]


def _text(content: list[Any]) -> str:
    """Parts of text are sent as one: many servers know parts in a user's message only."""
    for part in parts_of(content):
        if part["type"] != "text":
            raise ProviderError(
                Reason.BAD_REQUEST,
                f"A message has a part of type “{part['type']}”, which cannot be sent to this "
                "provider: it takes text only.",
            )
    return text_of(content)
