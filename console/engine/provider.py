"""The one seam between the engine and the models.

A provider turns a `Request` into a stream of chunks: text and reasoning
deltas as they arrive, which a `Recast` replaces, then exactly one `Finish`. Whatever
else happens is a `ProviderError`. The stream is consumed under `contextlib.aclosing`; closing it
closes the connection. A provider has no deadlines of its own beyond
connecting: the engine's policy owns time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .attachments import Picture
from .given_files import FileData, Told
from .receipt import Receipt
from .terms import NONE, Terms

# {"role": ..., "content": ...}, as chat APIs have it; the content is one of `content.py`.
Message = dict[str, Any]


@dataclass(frozen=True)
class WebSearch:
    """A provider's own: at most so many searches and pages, as far as it lets itself be told."""

    queries: int
    pages: int


@dataclass(frozen=True)
class Request:
    """One call. `response_schema` asks for JSON of that JSON Schema where the provider can.

    `options` are fields of the chat API for whoever asked for them by name (tools,
    tool_choice, response_format, stop …), handed on as they are. `terms` have been found to be
    kept by whoever is asked: a provider hands on what its server is told of them in a request.
    `files` are what the file parts of its messages stand for, by their hash; `given` is how each
    file that was attached is given with it, which is kept.
    """

    model: str
    messages: list[Message]
    temperature: float | None = None
    max_output_tokens: int | None = None
    seed: int | None = None
    reasoning_effort: str | None = None
    response_schema: dict[str, Any] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    terms: Terms = NONE
    files: Mapping[str, FileData] = field(default_factory=dict)
    given: tuple[Told, ...] = ()
    # How often its provider is to search the web for it, and how many pages it may take; None: it
    # is not asked to.
    search: WebSearch | None = None


@dataclass(frozen=True)
class TextDelta:
    text: str


@dataclass(frozen=True)
class ReasoningDelta:
    text: str


@dataclass(frozen=True)
class Recast:
    """In place of all text and reasoning so far: what was taken for text were thoughts, say."""

    text: str
    reasoning: str


@dataclass(frozen=True)
class Alive:
    """A sign of life without a word in it: a comment that keeps the connection open, an empty
    delta."""


@dataclass(frozen=True)
class Complete:
    """The text is whole; what may still come for a few seconds is its receipt. A provider that
    waits for one says so first, so that no silence is taken for a stall. It bounds the wait."""


@dataclass(frozen=True)
class Unstreamed:
    """The answer will come as one piece, as the model may not be streamed: said before it is
    asked, so that no silence is taken for a stall."""


@dataclass(frozen=True)
class Finish(Receipt):
    """The end of an answer, which is its receipt.

    `finish_reason` is `stop`, `length`, `content_filter`, `tool_calls` or None
    when the stream ended properly but did not say why (shown as unconfirmed).
    `cost` is what the provider reported, None when it did not: who said so is
    set by whoever asked it. `pictures` are those of its attachments that came whole.
    """

    pictures: tuple[Picture, ...] = field(default=(), repr=False)


Chunk = TextDelta | ReasoningDelta | Recast | Alive | Complete | Unstreamed | Finish


class Provider(Protocol):
    def stream(self, request: Request) -> AsyncIterator[Chunk]:
        """Raises ProviderError; the caller closes the iterator."""
        ...
