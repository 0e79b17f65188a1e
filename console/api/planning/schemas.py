"""What clients send to be answered, wherever: OpenAI's fields, OpenRouter's words for Fusion, our
own.

Only what has a meaning here is named; everything else is accepted and ignored.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
)

from ...engine.spec import MAX_SEATS
from ...engine.wait_for import WaitFor
from ...models.presets import MAX_OUTPUT_TOKENS, MAX_SYSTEM_PROMPT, MAX_TEMPERATURE, Effort
from ...services.errors import WaitForRefused
from ...services.wait_for import read_wait_for
from ..http.base import Schema

Dollars = Annotated[Decimal, Field(ge=0, lt=10**8)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Models = Annotated[list[Name], Field(min_length=1, max_length=8)]
Seat = Literal["A", "B", "C", "D", "E", "F", "G", "H"]
MAX_MESSAGES = 2000


class ImageOfPart(Schema):
    url: str


class FileOfPart(Schema):
    filename: Annotated[str, Field(max_length=1000)] | None = None
    file_data: str | None = None
    file_id: str | None = None


class Part(Schema):
    """Text, a picture (`image_url`, `input_image`) or a file (`file`, `input_file`), as a data:
    URI."""

    type: Annotated[str, Field(max_length=50)]
    text: str | None = None
    refusal: str | None = None
    image_url: str | ImageOfPart | None = None
    file: FileOfPart | None = None
    filename: Annotated[str, Field(max_length=1000)] | None = None
    file_data: str | None = None
    file_url: str | None = None
    file_id: str | None = None
    ticket: str | None = None


# One that is wrong is all that is told of: who sends a million of them has each looked at.
Parts = Annotated[list[Part], Field(fail_fast=True)]


def _written_out(arguments: Any) -> Any:
    """As they stand in what servers say that are no OpenAI's: an object, or none at all."""
    if arguments is None:
        return "{}"
    return json.dumps(arguments) if isinstance(arguments, dict) else arguments


class FunctionCall(Schema):
    name: Annotated[str, Field(max_length=200), BeforeValidator(lambda said: said or "")] = ""
    arguments: Annotated[str, BeforeValidator(_written_out)] = ""


def as_function(name: Any, text: Any) -> dict[str, Any]:
    """A call with free text, which no function takes."""
    return {"name": name, "arguments": json.dumps({"input": text})}


def _function_of(call: Any) -> Any:
    if isinstance(call, dict) and isinstance(own := call.get("custom"), dict):
        function = as_function(own.get("name"), own.get("input"))
        return {"id": call.get("id"), "function": function}
    return call


class ToolCall(Schema):
    id: Annotated[str, Field(max_length=200), BeforeValidator(lambda said: said or "")] = ""
    type: Annotated[str, BeforeValidator(lambda said: said or "function")] = "function"
    function: FunctionCall = FunctionCall()


ToolCalls = Annotated[
    list[Annotated[ToolCall, BeforeValidator(_function_of)]], Field(fail_fast=True)
]


class ChatMessage(Schema):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | Parts | None = None
    tool_calls: ToolCalls | None = None
    tool_call_id: Annotated[str, Field(max_length=200)] | None = None
    name: Annotated[str, Field(max_length=200)] | None = None
    refusal: str | None = None
    function_call: FunctionCall | None = None


class Reasoning(Schema):
    effort: Literal["max", "xhigh", "high", "medium", "low", "minimal", "none"] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    exclude: bool = False


class FusionParameters(Schema):
    """Of OpenRouter's plugin and server tool."""

    analysis_models: Models | Literal["auto"] | None = None
    model: Name | None = Field(None, validation_alias=AliasChoices("model", "judge_model"))
    preset: Name | None = None
    max_tool_calls: Annotated[int, Field(ge=1, le=16)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    reasoning: Reasoning | None = None
    enabled: bool = True


class Plugin(FusionParameters):
    id: Annotated[str, Field(max_length=100)]


Providers = Annotated[list[Name], Field(max_length=50)]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class MaxPrice(Schema):
    """Dollars: per million tokens, per request, per image."""

    model_config = ConfigDict(extra="forbid")

    prompt: Price | None = None
    completion: Price | None = None
    request: Price | None = None
    image: Price | None = None
    audio: Price | None = None


class ProviderWishes(Schema):
    """OpenRouter's: who may be asked, on what terms. A name that is not known may promise
    something, and is refused."""

    model_config = ConfigDict(extra="forbid")

    zdr: bool | None = None
    data_collection: Literal["allow", "deny"] | None = None
    only: Providers | None = None
    ignore: Providers | None = None
    max_price: MaxPrice | None = None
    order: Providers | None = None
    allow_fallbacks: bool | None = None
    require_parameters: bool | None = None
    enforce_distillable_text: bool | None = None
    quantizations: Annotated[list[Name], Field(max_length=20)] | None = None
    sort: str | dict[str, Any] | None = None
    preferred_min_throughput: float | dict[str, Any] | None = None
    preferred_max_latency: float | dict[str, Any] | None = None


class OwnTerms(Schema):
    """The same in our words."""

    zero_retention: bool = False
    no_training: bool = False
    only_local: bool = False
    only_providers: Providers = []


class PanelSeat(OwnTerms):
    """A model and what is asked of it. A misspelt option is refused: it may cost money."""

    model_config = ConfigDict(extra="forbid")

    model: Name
    temperature: Annotated[float, Field(ge=0, le=MAX_TEMPERATURE)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=MAX_OUTPUT_TOKENS)] | None = None
    reasoning_effort: Effort | None = None
    system_prompt: Annotated[str, Field(max_length=MAX_SYSTEM_PROMPT)] = ""
    fallback: Name | None = None
    provider: ProviderWishes | None = None


class AtLeast(Schema):
    model_config = ConfigDict(extra="forbid")

    at_least: Annotated[int, Field(ge=1, le=MAX_SEATS)]


class First(Schema):
    model_config = ConfigDict(extra="forbid")

    first: Annotated[int, Field(ge=1, le=MAX_SEATS)]


def _known_words(value: Any) -> Any:
    """In the words of the schema, or refused in one sentence."""
    try:
        found = read_wait_for(value)
    except WaitForRefused as refused:
        raise ValueError(str(refused)) from None
    return found and found.to_json()


# Whom the run waits for before it fuses.
WaitingFor = Annotated[
    Literal["everyone", "all_but_one"] | AtLeast | First, BeforeValidator(_known_words)
]


class BroughtAnswer(Schema):
    """An answer from elsewhere: a name for its column, its text, and who wrote it, where that is
    known. A misspelt field is refused: it would be missed."""

    model_config = ConfigDict(extra="forbid")

    name: str
    content: str
    model: str | None = None


class OwnOptions(OwnTerms):
    """Ours, under `fusion`. `answers` from elsewhere stand behind those of the panel; with an
    empty `panel` nobody else answers. `web`: whether the web is searched before the panel is
    asked (`shared`), by each seat with tools (`own`), or by the seats' providers (`provider`);
    without it the preset says so. `web_claims`: where the web is searched, what is doubtful in the
    analysis is looked up before the fused answer is written. `over_budget`: what is answered where
    a budget pays for no fused answer, an error or the best single answer. `project`: by its name
    in addresses; its context goes before the messages, and the visibility `project` is the team's
    as long as it is in one. `reuse_answers`: a run of the same question, of which answers are
    taken over where the same model would be asked with the same options. `reuse`: the answer to
    the very same question may stand for as long as its preset says. `files_as_text`: seats that
    are given the text of what is attached, whatever they take."""

    panel: Annotated[list[Name | PanelSeat], Field(max_length=8)] | None = None
    answers: Annotated[list[BroughtAnswer], Field(max_length=MAX_SEATS)] = []
    judge: Name | None = None
    synthesizer: Name | None = None
    judge_writes: bool = False
    judge_fallback: Name | None = None
    synthesizer_fallback: Name | None = None
    wait_for: WaitingFor | None = None
    policy: dict[str, float | bool | str | None] = {}
    web: Literal["shared", "own", "provider", "off"] | None = None
    web_claims: bool | None = None
    reuse_answers: UUID | None = None
    reuse: bool = False
    files_as_text: Annotated[list[Seat], Field(max_length=MAX_SEATS)] = []
    visibility: Literal["private", "project", "team"] = "private"
    project: Annotated[str, Field(max_length=40)] = ""
    progress: bool = False
    include: bool | None = None
    cancel_on_disconnect: bool = False
    fanout: Literal["once", "every"] = "once"
    over_budget: Literal["error", "best"] = "error"

    @property
    def chosen_wait_for(self) -> WaitFor | None:
        chosen = self.wait_for
        return read_wait_for(chosen.model_dump() if isinstance(chosen, Schema) else chosen)


TOOL_CHOICES = ("none", "auto", "required")
# Of OpenAI; and of servers that have more of them, where one of their models is passed through.
FORMATS = ("text", "json_object", "json_schema", "grammar", "python", "structural_tag")


def known_format(value: dict[str, Any]) -> dict[str, Any]:
    """Refused before anybody is asked: a server would do so after the panel was paid."""
    if value.get("type", "text") not in FORMATS:
        raise ValueError(f"The type of a format is one of {', '.join(FORMATS)}.")
    return value


Format = Annotated[dict[str, Any], AfterValidator(known_format)]


class Asking(Schema):
    """What chat completions, responses and runs have in common."""

    model: Name = "fusion"
    plugins: Annotated[list[dict[str, Any]], Field(max_length=50)] | None = None
    tools: Annotated[list[dict[str, Any]], Field(max_length=200)] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    seed: Annotated[int, Field(ge=-(2**63), lt=2**63)] | None = None
    user: str | None = None
    metadata: dict[str, Any] | None = None
    provider: ProviderWishes | None = None
    models: Annotated[list[Name], Field(max_length=50)] | None = None
    transforms: Annotated[list[Name], Field(max_length=10)] | None = None
    stop_server_tools_when: Annotated[list[dict[str, Any]], Field(max_length=20)] | None = None
    max_cost: Dollars | None = None
    conversation: Any = None
    functions: Any = None
    fusion: OwnOptions = OwnOptions()

    @field_validator("conversation")
    @classmethod
    def _is_not_kept(cls, value: Any) -> Any:
        """Whoever names one relies on what was said in it."""
        if value is not None:
            raise ValueError(
                "Conversations are not kept here. Send the messages themselves, or to "
                "/v1/responses a previous_response_id."
            )
        return value

    @field_validator("functions")
    @classmethod
    def _are_tools_now(cls, value: Any) -> Any:
        """Whoever offers some waits for a call."""
        if value:
            raise ValueError(
                "Functions are offered as tools here, and chosen by tool_choice: "
                '"tools": [{"type": "function", "function": {…}}].'
            )
        return value

    @field_validator("tool_choice")
    @classmethod
    def _is_known(cls, value: Any) -> Any:
        if value == "any":  # as some servers have it
            return "required"
        if isinstance(value, str) and value not in TOOL_CHOICES:
            words = ", ".join(TOOL_CHOICES)
            raise ValueError(f"A choice of tools is one of {words}, or an object that names one.")
        return value

    @field_validator("fusion", mode="before")
    @classmethod
    def _null_is_none(cls, value: Any) -> Any:
        return {} if value is None else value


Messages = Annotated[list[ChatMessage], Field(min_length=1, max_length=MAX_MESSAGES)]


class Answering(Asking):
    """Chat completions and runs: what is asked of the call that answers, in chat's words."""

    max_tokens: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    response_format: Format | None = None
    reasoning_effort: str | None = None
    reasoning: Reasoning | None = None
    include_reasoning: bool | None = None
    stop: str | Annotated[list[str], Field(max_length=16)] | None = None
