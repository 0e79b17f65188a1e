"""A conversation as chat completions take it.

A file whose bytes go along is a part of its own, in OpenAI's words: a picture as a data URI, a
document as a file. https://platform.openai.com/docs/guides/images-vision
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from console.engine.content import Part, parts_of, text_of
from console.engine.errors import ProviderError, Reason
from console.engine.given_files import FileData
from console.engine.provider import Message

Files = Mapping[str, FileData]


def wire_messages(messages: list[Message], files: Files | None = None) -> list[dict[str, Any]]:
    """Raises ProviderError (`bad_request`) for what no server of this kind can be sent."""
    return [
        message | {"content": _content(message["content"], files or {})}
        if isinstance(message.get("content"), list)
        else message
        for message in messages
    ]


def _content(content: list[Any], files: Files) -> str | list[dict[str, Any]]:
    """Where all is text it is sent as one: many servers know parts in a user's message only."""
    parts = parts_of(content)
    if all(part["type"] == "text" for part in parts):
        return text_of(content)
    return [_part(part, files) for part in parts]


def _part(part: Part, files: Files) -> dict[str, Any]:
    if part["type"] == "text":
        return {"type": "text", "text": part["text"]}
    file = files.get(part["hash"]) if part["type"] == "file" else None
    if file is None:
        raise ProviderError(
            Reason.BAD_REQUEST,
            f"A message has a part of type “{part['type']}”, which cannot be sent to this "
            "provider: it takes text only.",
        )
    data = f"data:{file.type};base64,{base64.b64encode(file.data).decode()}"
    if file.type.startswith("image/"):
        return {"type": "image_url", "image_url": {"url": data}}
    return {"type": "file", "file": {"filename": file.name, "file_data": data}}


def size_of(messages: list[dict[str, Any]]) -> int:
    """In characters, roughly, with what goes along."""
    return sum(_size(message.get("content")) for message in messages)


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    return sum(map(_size, value)) if isinstance(value, list) else 0
