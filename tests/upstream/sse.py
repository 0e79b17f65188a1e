"""Server-sent events as bytes, for scripts that say every byte themselves."""

from __future__ import annotations

import json
from typing import Any

DONE = b"data: [DONE]\n\n"


def event(delta: Any = None, finish: str | None = None, **more: Any) -> bytes:
    """A chunk with one choice; `more` stands beside `choices`."""
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return data({"choices": [choice], **more})


def text(content: Any) -> bytes:
    return event({"content": content})


def data(said: Any, *, ascii: bool = True) -> bytes:
    return b"data: " + json.dumps(said, ensure_ascii=ascii).encode() + b"\n\n"


STOP = event(finish="stop") + DONE
