"""The one seam between the engine and the models.

A provider turns a `Request` into a stream of chunks: text and reasoning
deltas as they arrive, then exactly one `Finish`. Whatever else happens is a
`ProviderError`. The stream is consumed under `contextlib.aclosing`; closing it
closes the connection. A provider has no deadlines of its own beyond
connecting: the engine's policy owns time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from .usage import Usage

Message = dict[str, Any]  # {"role": ..., "content": ...}, as chat APIs have it


@dataclass(frozen=True)
class Request:
    """One call. `response_schema` asks for JSON of that JSON Schema where the provider can.

    `options` are fields of the chat API for whoever asked for them by name (tools,
    tool_choice, response_format, stop …), handed on as they are.
    """

    model: str
    messages: list[Message]
    temperature: float | None = None
    max_output_tokens: int | None = None
    seed: int | None = None
    reasoning_effort: str | None = None
    response_schema: dict[str, Any] | None = None
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TextDelta:
    text: str


@dataclass(frozen=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True)
class Complete:
    """The text is whole; what may still come for a few seconds is its receipt. A provider that
    waits for one says so first, so that no silence is taken for a stall. It bounds the wait."""


@dataclass(frozen=True)
class Finish:
    """The end of an answer.

    `finish_reason` is `stop`, `length`, `content_filter`, `tool_calls` or None
    when the stream ended properly but did not say why (shown as unconfirmed).
    `cost` is in US dollars as the provider reported it, None when it did not.
    `model` is the concrete model that answered, `provider` who served it.
    `tool_calls` are what the model asks for, as chat APIs have them.
    `unreadable` pieces of the stream were passed over: their text is missing.
    """

    finish_reason: str | None
    usage: Usage = field(default_factory=Usage)
    cost: Decimal | None = None
    model: str = ""
    provider: str = ""
    generation_id: str = ""
    tool_calls: tuple[dict[str, Any], ...] = ()
    unreadable: int = 0


Chunk = TextDelta | ReasoningDelta | Complete | Finish


class Provider(Protocol):
    def stream(self, request: Request) -> AsyncIterator[Chunk]:
        """Raises ProviderError; the caller closes the iterator."""
        ...
