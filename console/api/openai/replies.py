"""What OpenAI's clients are answered: chat completions and responses.

/v1/openapi.json is made from these, and so is what is sent: fields in the order in which they
stand here, those that were not given left out, null where null was given. Deltas of a stream,
of which there are many, are written by hand in their places.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from ...record.parts import Analysis, CachedTokens, ReasoningTokens, Usage
from ...record.told import Best, CallStatus, GivenFile, Source
from ..http.replies import Error, Reply


class PanelAnswer(Reply):
    """`in_place_of`: the model that was meant to sit there, where another answered."""

    model: str
    content: str
    seat: str
    in_place_of: str | None = None


class FailedModel(Reply):
    model: str
    error: str
    reason: str
    status_code: int | None = None
    seat: str
    in_place_of: str | None = None


class SeatsFile(GivenFile):
    """A file of the request, and how the seat's model was given it."""

    seat: str
    model: str


class FusionOutcome(Reply):
    """`usage` is the whole run's, also where the answer's own is that of one call. `warnings`:
    what of the request was left out. `attachments`: how each seat was given each file."""

    status: Literal["ok", "error"]
    usage: Usage | None = None
    warnings: list[str] | None = None
    attachments: list[SeatsFile] | None = None


class RunOfAnswer(Reply):
    run_id: str
    run_url: str
    preset: str | None = None
    deliberated: bool
    note: str | None = None


class FusionPart(RunOfAnswer):
    """Fusion's part in an answer, in OpenRouter's shape. Missing where nothing was fused: see
    `deliberated`; `analysis` and `analysis_by` where there was nothing to compare.
    `judge` and `synthesizer` are null where words stand in for a model."""

    panel: list[str] | None = None
    judge: str | None = None
    synthesizer: str | None = None
    responses: list[PanelAnswer]
    failed_models: list[FailedModel]
    sources: list[Source]
    failure_reason: str | None
    error: str | None
    best: Best | None = None
    analysis_by: Literal["model", "words"] | None = None
    analysis: Analysis | None = None


# What a class inherits comes first, of its last base before all.
class FusionOfChat(FusionPart, FusionOutcome):
    pass


class CalledFunction(Reply):
    name: str
    arguments: str


class Called(Reply):
    id: str
    type: Literal["function"]
    function: CalledFunction


class ReasoningDetail(Reply):
    """In OpenRouter's form."""

    type: Literal["reasoning.text"]
    text: str
    index: int


class ImageAddress(Reply):
    url: str


class Image(Reply):
    """In OpenRouter's form: a picture that came with the answer, as a data: address."""

    type: Literal["image_url"]
    image_url: ImageAddress


class Message(Reply):
    """`reasoning` is of one model passed through; `images` came with the text."""

    role: Literal["assistant"]
    content: str | None
    refusal: None
    reasoning: str | None = None
    reasoning_details: list[ReasoningDetail] | None = None
    tool_calls: list[Called] | None = None
    images: list[Image] | None = None


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


class _Numbered(Reply):
    index: int


class CalledDelta(Called, _Numbered):
    pass


class ImageDelta(Image, _Numbered):
    pass


class Delta(Reply):
    role: Literal["assistant"] | None = None
    content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[ReasoningDetail] | None = None
    tool_calls: list[CalledDelta] | None = None
    images: list[ImageDelta] | None = None


class ChunkChoice(Reply):
    index: int
    delta: Delta
    finish_reason: str | None
    logprobs: None


class Progress(Reply):
    """A call of the run has come to this status."""

    step: Literal["research", "panel", "condense", "analysis", "synthesis", "poll", "lookup"]
    status: CallStatus
    seat: str | None = None
    model: str | None = None
    error: str | None = None


class FusionProgress(Reply):
    progress: Progress


class ChatChunk(Reply):
    """Of a stream. `usage` and `fusion` come with the last, `fusion.progress` on the way."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    provider: str
    choices: list[ChunkChoice] = Field(max_length=1)
    usage: Usage | None = None
    fusion: FusionOfChat | FusionProgress | None = None
    error: Error | None = None


ItemStatus = Literal["in_progress", "completed", "incomplete"]


class FusionItemBegun(Reply):
    type: Literal["openrouter:fusion"]
    id: str
    content: list[Any] = Field(max_length=0)
    status: ItemStatus


class FusionItem(FusionPart, FusionItemBegun):
    failure_reason: str | None = None
    error: str | None = None


class SummaryText(Reply):
    type: Literal["summary_text"]
    text: str


class ReasoningItem(Reply):
    """Of one model passed through: what it thought, as far as its server tells."""

    type: Literal["reasoning"]
    id: str
    status: ItemStatus
    summary: list[SummaryText]


class OutputText(Reply):
    type: Literal["output_text"]
    text: str
    annotations: list[Any]
    logprobs: list[Any]


class MessageItem(Reply):
    type: Literal["message"]
    id: str
    role: Literal["assistant"]
    status: ItemStatus
    content: list[OutputText]


class CallItem(Reply):
    type: Literal["function_call"]
    id: str
    call_id: str
    name: str
    arguments: str
    status: ItemStatus


class PictureItem(Reply):
    """A picture that came with the answer; `result` is all of it, in base64."""

    type: Literal["image_generation_call"]
    id: str
    status: ItemStatus
    result: str


Item = FusionItem | ReasoningItem | MessageItem | CallItem | PictureItem


class ResponseUsage(Reply):
    input_tokens: int
    input_tokens_details: CachedTokens
    output_tokens: int
    output_tokens_details: ReasoningTokens
    total_tokens: int
    cost: float | None = None
    cost_is_partial: bool


class Incomplete(Reply):
    reason: str


class FusionOfResponse(RunOfAnswer, FusionOutcome):
    pass


class ResponseError(Reply):
    code: str
    message: str
    metadata: dict[str, Any] | None = None


class ResponseSoFar(Reply):
    """As the events of a stream have it."""

    id: str
    object: Literal["response"]
    created_at: int
    completed_at: int | None
    status: Literal["in_progress", "completed", "incomplete", "failed"]
    error: ResponseError | None
    # Asked of nobody, but clients look for what every response of OpenAI's has.
    frequency_penalty: None
    presence_penalty: None
    incomplete_details: Incomplete | None
    instructions: str | None
    max_output_tokens: int | None
    metadata: dict[str, Any]
    model: str
    output: list[Item]
    parallel_tool_calls: bool
    previous_response_id: str | None
    reasoning: dict[str, Any]
    temperature: float | None
    text: dict[str, Any]
    tool_choice: str | dict[str, Any]
    tools: list[dict[str, Any]]
    top_p: float | None
    usage: ResponseUsage | None
    fusion: FusionOfResponse | None = None


class Response(ResponseSoFar):
    status: Literal["completed", "incomplete"]
    error: None
    usage: ResponseUsage


class ResponseEvent(Reply):
    """Of a stream: the first two, and the last."""

    type: Literal[
        "response.created",
        "response.in_progress",
        "response.completed",
        "response.incomplete",
        "response.failed",
    ]
    sequence_number: int
    response: ResponseSoFar


class OtherEvent(Reply):
    """Of a stream, between those: OpenAI's and OpenRouter's, with fields of their own."""

    type: str
    sequence_number: int
