"""What OpenAI's clients are answered, for /v1/openapi.json: chat completions, responses, models."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ...record.parts import Analysis, CachedTokens, ReasoningTokens, Usage
from ...record.public import Source
from ..http.replies import Reply


class Answer(Reply):
    model: str
    content: str


class FailedModel(Reply):
    model: str
    error: str
    reason: str
    status_code: int | None = None


class FusionPart(Reply):
    """Fusion's part in an answer, in OpenRouter's shape. Missing where nothing was fused: see
    `deliberated`; `analysis` is missing where the judge failed."""

    run_id: str
    run_url: str
    preset: str | None = None
    deliberated: bool
    note: str | None = None
    panel: list[str] | None = None
    judge: str | None = None
    synthesizer: str | None = None
    analysis: Analysis | None = None
    responses: list[Answer]
    failed_models: list[FailedModel]
    sources: list[Source]
    failure_reason: str | None
    error: str | None


class FusionOfChat(FusionPart):
    status: Literal["ok", "error"]


class CalledFunction(Reply):
    name: str
    arguments: str


class Called(Reply):
    id: str
    type: Literal["function"]
    function: CalledFunction


class Message(Reply):
    role: Literal["assistant"]
    content: str | None
    refusal: None
    tool_calls: list[Called] | None = None


class Choice(Reply):
    index: int
    message: Message
    finish_reason: str
    logprobs: None


class ChatCompletion(Reply):
    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    provider: str
    system_fingerprint: None
    choices: list[Choice] = Field(min_length=1, max_length=1)
    usage: Usage
    fusion: FusionOfChat | None = None


class FusionItem(FusionPart):
    type: Literal["openrouter:fusion"]
    id: str
    status: Literal["in_progress", "completed"]
    content: list[Any] = Field(max_length=0)
    failure_reason: str | None = None
    error: str | None = None


class OutputText(Reply):
    type: Literal["output_text"]
    text: str
    annotations: list[Any]
    logprobs: list[Any]


class MessageItem(Reply):
    type: Literal["message"]
    id: str
    role: Literal["assistant"]
    status: Literal["in_progress", "completed"]
    content: list[OutputText]


class CallItem(Reply):
    type: Literal["function_call"]
    id: str
    call_id: str
    name: str
    arguments: str
    status: Literal["in_progress", "completed"]


class ResponseUsage(Reply):
    input_tokens: int
    input_tokens_details: CachedTokens
    output_tokens: int
    output_tokens_details: ReasoningTokens
    total_tokens: int
    cost: float | None
    cost_is_partial: bool


class Incomplete(Reply):
    reason: str


class FusionOfResponse(Reply):
    status: Literal["ok", "error"]
    run_id: str
    run_url: str
    preset: str | None = None
    deliberated: bool
    note: str | None = None


class Response(Reply):
    id: str
    object: Literal["response"]
    created_at: int
    completed_at: int | None
    status: Literal["completed", "incomplete"]
    error: None
    frequency_penalty: None
    incomplete_details: Incomplete | None
    instructions: str | None
    max_output_tokens: int | None
    metadata: dict[str, Any]
    model: str
    output: list[FusionItem | MessageItem | CallItem]
    parallel_tool_calls: bool
    presence_penalty: None
    previous_response_id: str | None
    reasoning: dict[str, Any]
    temperature: float | None
    text: dict[str, Any]
    tool_choice: str | dict[str, Any]
    tools: list[dict[str, Any]]
    top_p: float | None
    usage: ResponseUsage
    fusion: FusionOfResponse | None = None


class Architecture(Reply):
    input_modalities: list[str]
    output_modalities: list[str]
    modality: str


class Member(Reply):
    model: str
    context_length: int | None
    pricing: dict[str, str] | None


class Panel(Reply):
    panel: list[Member]
    judge: Member
    synthesizer: Member


class Links(Reply):
    details: str


class TopProvider(Reply):
    context_length: int | None
    max_completion_tokens: int | None
    is_moderated: bool


class Model(Reply):
    """Prices are US dollars per token; -1 varies, null is not known."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    name: str
    description: str | None = None
    context_length: int | None
    architecture: Architecture
    pricing: dict[str, str] | None
    fusion: Panel | None = None
    canonical_slug: str
    supported_parameters: list[str]
    default_parameters: None
    per_request_limits: None
    supported_voices: None
    top_provider: TopProvider
    links: Links


class Pages(Reply):
    next: None


class ModelList(Reply):
    """The whole list."""

    object: Literal["list"]
    data: list[Model]
    total_count: int
    links: Pages
