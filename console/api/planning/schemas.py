"""What clients send to be answered: OpenAI's fields, OpenRouter's words for Fusion, our own.

Only what has a meaning here is named; everything else is accepted and ignored.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AliasChoices,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
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
    image_url: str | ImageOfPart | None = None
    file: FileOfPart | None = None
    filename: Annotated[str, Field(max_length=1000)] | None = None
    file_data: str | None = None
    file_url: str | None = None
    file_id: str | None = None
    ticket: str | None = None


class FunctionCall(Schema):
    name: Annotated[str, Field(max_length=200)] = ""
    arguments: str = ""


class ToolCall(Schema):
    id: Annotated[str, Field(max_length=200)] = ""
    type: str = "function"
    function: FunctionCall = FunctionCall()


class ChatMessage(Schema):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    tool_calls: list[ToolCall] | None = None
    tool_call_id: Annotated[str, Field(max_length=200)] | None = None
    name: Annotated[str, Field(max_length=200)] | None = None


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


class StreamOptions(Schema):
    include_usage: bool = False


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

    @field_validator("fusion", mode="before")
    @classmethod
    def _null_is_none(cls, value: Any) -> Any:
        return {} if value is None else value


Messages = Annotated[list[ChatMessage], Field(min_length=1, max_length=MAX_MESSAGES)]


class Answering(Asking):
    """Chat completions and runs: what is asked of the call that answers, in chat's words."""

    max_tokens: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    max_completion_tokens: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    response_format: dict[str, Any] | None = None
    reasoning_effort: str | None = None
    reasoning: Reasoning | None = None
    include_reasoning: bool | None = None
    stop: str | Annotated[list[str], Field(max_length=16)] | None = None


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
    content: str | list[Part] | None = None
    call_id: Annotated[str, Field(max_length=200)] = ""
    name: Annotated[str, Field(max_length=200)] = ""
    arguments: str = ""
    output: str | list[Part] | None = None


class TextOptions(Schema):
    format: dict[str, Any] | None = None


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


class RunRequest(Answering):
    """Either a prompt or messages. `project`: as `fusion.project`."""

    prompt: str | None = None
    messages: Messages | None = None
    project: Annotated[str, Field(max_length=40)] | None = None

    @model_validator(mode="after")
    def _is_of_fusion(self) -> Self:
        if self.project is not None:
            self.fusion = self.fusion.model_copy(update={"project": self.project})
        return self


class RulingRequest(Schema):
    """`claim`: its part of the analysis and its place in it, from 1 (`contradictions-1`).
    `verdict`: `right` or `wrong`; of a contradiction `stance-1` and so on, or `none` of them.
    `on`: the fusion whose analysis it stands in, where that is another than the request's."""

    model_config = ConfigDict(extra="forbid")

    claim: Annotated[str, Field(min_length=1, max_length=60)]
    verdict: Annotated[str, Field(max_length=60)] | None = None
    note: Annotated[str, Field(max_length=10_000)] = ""
    on: Annotated[int, Field(ge=1, le=32_767)] | None = None


class FuseRequest(OwnTerms):
    """Another fusion of a run's answers; what is not given stays as it was, rulings and facts of
    the fusion before included: empty lists take them back."""

    judge: Name | None = None
    synthesizer: Name | None = None
    criteria: Annotated[str, Field(max_length=2000)] = ""
    seats: Annotated[
        list[Literal["A", "B", "C", "D", "E", "F", "G", "H"]], Field(max_length=8)
    ] = []
    provider: ProviderWishes | None = None
    rulings: Annotated[list[RulingRequest], Field(max_length=500)] | None = None
    facts: (
        Annotated[list[Annotated[str, Field(max_length=20_000)]], Field(max_length=500)] | None
    ) = None
    on: Annotated[int, Field(ge=1, le=32_767)] | None = None
    way: Literal["fuse", "best", "vote"] = "fuse"
    preset: Name | None = None
    instruction: Annotated[str, Field(max_length=20_000)] = ""
    analysis_only: bool = False
    max_cost: Dollars | None = None


class LookUpRequest(Schema):
    """A claim of an analysis, by its part and its place there from 1 (`contradictions-2`).
    `fusion`: whose analysis; without it the latest fusion's."""

    claim: Annotated[str, Field(max_length=40)]
    fusion: Annotated[int, Field(ge=1, le=32_767)] | None = None


class VerdictRequest(Schema):
    """What was found best: a seat's letter, `tie` or `all_bad`; null takes back what was said.
    `names_shown`: whether it was seen which models answered; `order`: the letters as they stood."""

    best: Literal["A", "B", "C", "D", "E", "F", "G", "H", "tie", "all_bad"] | None
    note: Annotated[str, Field(max_length=500)] = ""
    names_shown: bool = True
    order: Annotated[
        list[Literal["A", "B", "C", "D", "E", "F", "G", "H"]], Field(max_length=8)
    ] = []


class OrderRequest(Schema):
    """What is not given stays. `title`: empty, and the run is called by the first sentence of its
    prompt. `project`: "" takes it out of its own. `tags` take the place of those that it had.
    `starred` and `archived` are the token's owner's alone."""

    title: Annotated[str, Field(max_length=200)] | None = None
    project: Annotated[str, Field(max_length=40)] | None = None
    tags: Annotated[list[Annotated[str, Field(max_length=41)]], Field(max_length=20)] | None = None
    starred: bool | None = None
    archived: bool | None = None


class TwoTexts(Schema):
    """`A` to `H`: a seat's answer; `fused-2`, `analysis-2`: of the second fusion; `fused`,
    `analysis`: of the latest."""

    left: Annotated[str, Field(min_length=1, max_length=20)]
    right: Annotated[str, Field(min_length=1, max_length=20)]


class Against(Schema):
    """The run to compare with; without it the one whose question is asked again."""

    against: UUID | None = None


class ExportForm(Schema):
    """`thread`: with the runs that it goes on from and those that go on from it."""

    format: Literal["json", "md", "html"] = "json"
    thread: bool = False


class RunFilters(Schema):
    """Of the list of runs: `since` and `until` are when a run was started. `q`: words, "phrases"
    and beginnings*; `person`: a username; `degraded`: a seat, the analysis or the fused answer is
    missing; `best`: somebody said which answer is; `starred` and `archived` are the token's
    owner's."""

    q: Annotated[str, Field(max_length=300)] | None = None
    order: Literal["newest", "best"] = "newest"
    model: Annotated[str, Field(max_length=200)] | None = None
    person: Annotated[str, Field(max_length=150)] | None = None
    cost: Literal["cents", "dime", "dollar", "more"] | None = None
    degraded: bool = False
    contradictions: bool = False
    rulings: bool = False
    best: bool = False
    status: Literal["queued", "running", "completed", "failed", "cancelled"] | None = None
    preset: Annotated[str, Field(max_length=40)] | None = None
    origin: Literal["page", "shell", "api", "sample", "evaluation", "imported"] | None = None
    since: datetime | None = None
    until: datetime | None = None
    own: bool = False
    tag: Annotated[str, Field(max_length=40)] | None = None
    project: Annotated[str, Field(max_length=40)] | None = None
    starred: bool = False
    archived: bool | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    cursor: Annotated[str, Field(max_length=100)] | None = None

    @property
    def is_search(self) -> bool:
        """Whether something is asked for that only the search knows."""
        asked = (self.q, self.model, self.person, self.cost, self.degraded, self.contradictions)
        return any(asked) or self.rulings or self.best

    @field_validator("since", "until")
    @classmethod
    def _of_our_time(cls, moment: datetime | None) -> datetime | None:
        """Without a zone it is UTC; no database reckons with the ends of the calendar."""
        if moment is None:
            return None
        if not 1970 <= moment.year < 2200:
            raise ValueError("This is no date of a run.")
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
