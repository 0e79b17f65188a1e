"""What clients send to `/v1/chat/completions` and `/v1/responses`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from ..http.base import Schema
from ..planning.schemas import (
    MAX_MESSAGES,
    Answering,
    Asking,
    Format,
    Messages,
    Name,
    Parts,
    Reasoning,
)


class StreamOptions(Schema):
    include_usage: bool | None = False


class ChatRequest(Answering):
    messages: Messages
    model: Name
    n: Literal[1] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None


class InputItem(Schema):
    """A message, a tool's call or its result; what else clients carry along is passed over."""

    type: Annotated[str, Field(max_length=100)] = "message"
    role: Literal["system", "developer", "user", "assistant"] | None = None
    content: str | Parts | None = None
    call_id: Annotated[str, Field(max_length=200)] = ""
    name: Annotated[str, Field(max_length=200)] = ""
    arguments: str = ""
    input: str = ""  # of a tool that takes free text
    output: str | Parts | None = None


class TextOptions(Schema):
    format: Format | None = None


class ResponseRequest(Asking):
    model: Name
    input: str | Annotated[list[InputItem], Field(min_length=1, max_length=MAX_MESSAGES)]
    instructions: str | None = None
    previous_response_id: Annotated[str, Field(max_length=100)] | None = None
    max_output_tokens: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    text: TextOptions | None = None
    reasoning: Reasoning | None = None
    stream: bool | None = None
    prompt: Any = None

    @field_validator("prompt")
    @classmethod
    def _has_no_stored_prompts(cls, value: Any) -> Any:
        if value is not None:
            raise ValueError("Stored prompts are not kept here. Send input and instructions.")
        return value
