"""What stands in a document, by pydantic: strict, nothing passed over, everything bounded by the
columns that it is to stand in.

Calls and fusions have the fields of `CallState` and `FusionState`, made from them: a field that
they gain is in the document without a line here, unless pages rely on what is in it, which
`_CLOSER` then says. What is empty or usual is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import MISSING, fields, is_dataclass
from dataclasses import Field as DataField
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, NotRequired, get_type_hints

from django.db import models
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    TypeAdapter,
    create_model,
    with_config,
)
from typing_extensions import TypedDict

from ...engine.content import refuse_unknown
from ...engine.errors import ProviderError, Reason
from ...engine.spec import Panelist
from ...engine.state import CallState, FusionState, RunState
from ...engine.text import storable
from ...engine.usage import Usage
from ...models import Call, Fusion, Run
from ...providers.wire.citations import is_page
from .analysis_shape import AnalysisShape, Seat

VERSION = 1
MAX_RUNS, MAX_CALLS, MAX_FUSIONS, MAX_VERDICTS = 100, 2_000, 500, 500
# Of a date that every database has, and every calendar on a page.
LAST_MOMENT = datetime(2200, 1, 1, tzinfo=UTC).timestamp()
# Of a number that JavaScript reads as it was written.
MOST = 2**53 - 1

_STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, protected_namespaces=())
Moment = Annotated[float, Field(ge=0, le=LAST_MOMENT), AfterValidator(lambda at: round(at, 3))]
Amount = Annotated[
    Decimal, Field(max_digits=16, decimal_places=8, ge=0), AfterValidator(Decimal.normalize)
]


class Strict(BaseModel):
    model_config = _STRICT


def typed(value: Any) -> None:
    """Raises ValueError where a dataclass that was read from JSON has another kind of value in
    a field than it says: what reads it looks at names only."""
    for name, hint in get_type_hints(type(value)).items():
        inner = getattr(value, name)
        TypeAdapter(hint).validate_python(inner, strict=True)
        for part in inner if isinstance(inner, tuple) else (inner,):
            if is_dataclass(part):
                typed(part)


def _panelist(data: dict[str, Any]) -> dict[str, Any]:
    """Empty where there is none."""
    if data:
        try:
            typed(Panelist.from_dict(data))
        except (TypeError, AttributeError, ArithmeticError) as error:
            raise ValueError(f"it is no panelist ({error})") from None
    return data


def _reason(reason: str) -> str:
    if reason:
        Reason(reason)
    return reason


def _address(url: str) -> str:
    if not is_page(url, lambda text: text):
        raise ValueError("it is no address of a web page")
    return url


def _messages(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    try:
        refuse_unknown(messages)
    except ProviderError as error:
        raise ValueError(str(error)) from None
    if not all(isinstance(message.get("role"), str) for message in messages):
        raise ValueError("a message has no role")
    return messages


PanelistJson = Annotated[dict[str, JsonValue], AfterValidator(_panelist)]
Messages = Annotated[list[dict[str, JsonValue]], AfterValidator(_messages)]
ReasonWord = Annotated[str, Field(max_length=40), AfterValidator(_reason)]
Url = Annotated[str, AfterValidator(_address)]


@with_config(_STRICT)
class CitedShape(TypedDict):
    url: Url
    title: str
    number: NotRequired[Annotated[str, Field(pattern=r"^[0-9]{1,6}$")]]
    found: NotRequired[Annotated[str, Field(pattern=r"^[0-9]{1,4} of [0-9]{1,4}$")]]
    missing: NotRequired[Annotated[str, Field(max_length=3000)]]


@with_config(_STRICT)
class AttachmentShape(TypedDict):
    type: NotRequired[str]
    bytes: NotRequired[Annotated[int, Field(ge=0, le=MOST)]]
    url: NotRequired[Url]
    # Of a picture that is kept; `data` is all of it, in base64.
    hash: NotRequired[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]
    width: NotRequired[Annotated[int, Field(ge=0, le=100_000)]]
    height: NotRequired[Annotated[int, Field(ge=0, le=100_000)]]
    alt: NotRequired[Annotated[str, Field(max_length=300)]]
    why: NotRequired[Annotated[str, Field(max_length=300)]]
    data: NotRequired[Annotated[str, Field(max_length=7_000_000)]]


@with_config(_STRICT)
class FunctionShape(TypedDict):
    name: str
    arguments: str


@with_config(_STRICT)
class ToolCallShape(TypedDict):
    id: Annotated[str, Field(max_length=200)]
    type: Literal["function"]
    function: FunctionShape


@with_config(_STRICT)
class GoesOnShape(TypedDict, total=False):
    """Empty of a call that is an answer. What its model wants to have back stays where it was."""

    back: dict[str, JsonValue]


@with_config(_STRICT)
class VoteShape(TypedDict):
    seat: Seat
    vote: Literal["fused", "own", "equal", "unparsed"]
    fused_first: bool


@with_config(_STRICT)
class TurnShape(TypedDict, total=False):
    """Empty of a fusion that is none."""

    root: int
    after: int
    messages: Messages
    request: dict[str, JsonValue]


Words = Annotated[str, AfterValidator(storable)]
Short = Annotated[str, Field(max_length=2000), AfterValidator(storable)]


@with_config(_STRICT)
class HitShape(TypedDict):
    url: Url
    title: Short


@with_config(_STRICT)
class SearchShape(TypedDict):
    query: Short
    engine: Short
    found: Annotated[list[HitShape], Field(max_length=100)]
    failure: NotRequired[Short]
    reason: NotRequired[ReasonWord]
    lacks: NotRequired[Short]
    cost: NotRequired[Annotated[str, Field(pattern=r"^[0-9]{1,9}(\.[0-9]{1,12})?$")]]


@with_config(_STRICT)
class CheckedShape(TypedDict):
    found: NotRequired[Annotated[str, Field(pattern=r"^[0-9]{1,6} of [0-9]{1,6}$")]]
    missing: NotRequired[Words]


@with_config(_STRICT)
class SourceShape(TypedDict):
    url: Url
    title: Short
    query: Short
    at: Moment
    asked: NotRequired[Url]
    number: NotRequired[Annotated[int, Field(ge=1, le=999)]]
    hash: NotRequired[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]]
    words: NotRequired[Annotated[int, Field(ge=0, le=MOST)]]
    pages: NotRequired[Annotated[int, Field(ge=0, le=MOST)]]
    is_cut: NotRequired[Literal[True]]
    orders: NotRequired[Short]
    checked: NotRequired[dict[Annotated[str, Field(max_length=40)], CheckedShape]]
    leads_to: NotRequired[Annotated[int, Field(ge=1, le=999)]]
    failure: NotRequired[Short]


@with_config(_STRICT)
class StepShape(TypedDict):
    call: Annotated[str, Field(max_length=40)]
    place: Annotated[int, Field(ge=0, le=MOST)]
    tool: Short
    asked: Short
    at: Moment
    found: NotRequired[Annotated[int, Field(ge=0, le=MOST)]]
    number: NotRequired[Annotated[int, Field(ge=1, le=999)]]
    room: NotRequired[Annotated[int, Field(ge=0, le=2**31 - 1)]]
    about: NotRequired[Short]
    failure: NotRequired[Short]
    refused: NotRequired[Literal[True]]


@with_config(_STRICT)
class ClaimQuoteShape(TypedDict):
    source: Annotated[int, Field(ge=1, le=999)]
    quote: Words
    says: Annotated[str, Field(pattern=r"^(|supports|contradicts|stance-[1-9][0-9]?)$")]
    found: bool


@with_config(_STRICT)
class LookupShape(TypedDict):
    id: Annotated[int, Field(ge=1, le=MOST)]
    fusion: Annotated[int, Field(ge=1, le=32_767)]
    claim: Annotated[str, Field(pattern=r"^[a-z_]{1,30}-[1-9][0-9]{0,3}$")]
    text: Words
    stances: list[Words]
    at: Moment
    before: NotRequired[Literal[True]]
    call: NotRequired[Short]
    queries: NotRequired[Annotated[list[Short], Field(max_length=100)]]
    sources: NotRequired[list[Annotated[int, Field(ge=1, le=999)]]]
    quotes: NotRequired[Annotated[list[ClaimQuoteShape], Field(max_length=100)]]
    note: NotRequired[Short]
    is_over: NotRequired[Literal[True]]


@with_config(_STRICT)
class ResearchShape(TypedDict, total=False):
    """What was searched and read (`engine/pool.py`). What the pages say stays where it was."""

    searches: Annotated[list[SearchShape], Field(max_length=300)]
    sources: Annotated[list[SourceShape], Field(max_length=500)]
    trail: Annotated[list[StepShape], Field(max_length=10_000)]
    lookups: Annotated[list[LookupShape], Field(max_length=500)]
    is_over: Literal[True]
    note: Short


@with_config(_STRICT)
class RulingShape(TypedDict):
    on: Annotated[int, Field(ge=1, le=32_767)]
    claim: Annotated[str, Field(pattern=r"^[a-z_]{1,30}-[1-9][0-9]{0,3}$")]
    text: Words
    verdict: NotRequired[Annotated[str, Field(pattern=r"^(right|wrong|none|stance-[1-9][0-9]?)$")]]
    note: NotRequired[Words]
    stances: NotRequired[list[Words]]


@with_config(_STRICT)
class WishShape(TypedDict, total=False):
    rulings: list[RulingShape]
    facts: list[Words]
    on: Annotated[int, Field(ge=1, le=32_767)]
    root: Annotated[int, Field(ge=1, le=32_767)]
    instruction: Words
    way: Literal["best", "vote"]
    preset: Annotated[str, Field(max_length=60)]
    analysis_only: Literal[True]


@with_config(_STRICT)
class GivenFileShape(TypedDict, total=False):
    name: Words
    type: Words
    given: Literal["as_it_is", "page_images", "text", "not_given"]
    shown: Words
    why: Words


# What pages, programs and later calls rely on, where the state itself says less.
_CLOSER: dict[str, Any] = {
    "panelist": PanelistJson,
    "judge": PanelistJson,
    "synthesizer": PanelistJson,
    "reason": ReasonWord,
    "analysis_reason": ReasonWord,
    "analysis": AnalysisShape | None,
    "citations": list[CitedShape],
    "attachments": list[AttachmentShape],
    "files": list[GivenFileShape],
    "tool_calls": list[ToolCallShape],
    "goes_on": GoesOnShape,
    "poll": list[VoteShape],
    "turn": TurnShape,
    "wish": WishShape,
    "research": ResearchShape,
    "seat": Seat | None,
    "seats": list[Seat],
}


def _of_column(hint: Any, column: models.Field[Any, Any]) -> Any:
    """What a column of a database takes."""
    match column:
        case models.DateTimeField():
            return Moment | None
        case models.DecimalField():
            return Amount | None
        case models.PositiveSmallIntegerField() | models.PositiveIntegerField():
            most = 32_767 if isinstance(column, models.PositiveSmallIntegerField) else 2**31 - 1
            bounded = Annotated[int, Field(ge=0, le=most)]
            return bounded | None if column.null else bounded
        case models.CharField() | models.TextField() if hint in (str, str | None):
            text = Annotated[str, Field(max_length=column.max_length), AfterValidator(storable)]
            return text | None if column.null else text
    return hint


def _model(
    kind: type,
    rows: type[models.Model] | None,
    own: Mapping[str, Any],
    without: Set[str] = frozenset(),
) -> type[Strict]:
    """The dataclass as a shape."""
    hints: Mapping[str, Any] = get_type_hints(kind)
    shape: dict[str, Any] = {}
    for one in fields(kind):
        if one.name in without:
            continue
        hint = own.get(one.name) or _CLOSER.get(one.name)
        if hint is None:
            hint = hints[one.name]
            if rows is not None:
                hint = _of_column(hint, rows._meta.get_field(one.name))  # type: ignore[arg-type]
        shape[one.name] = (hint, _usual(one))
    return create_model(f"{kind.__name__}Shape", __base__=Strict, **shape)


def _usual(one: DataField[Any]) -> Any:
    if one.default_factory is not MISSING:
        return Field(default_factory=one.default_factory)
    return ... if one.default is MISSING else one.default


Tokens = Annotated[int, Field(ge=0, le=MOST)] | None
UsageShape: Any = _model(Usage, None, {one.name: Tokens for one in fields(Usage)})
_CallShape: Any = _model(CallState, Call, {}, without={"usage", "fusion"})
FusionShape: Any = _model(FusionState, Fusion, {})


class CallShape(_CallShape):  # type: ignore[misc]  # made above
    fusion: Annotated[int, Field(ge=1, le=32_767)] | None = None
    usage: UsageShape = Field(default_factory=UsageShape)


_RunShape: Any = _model(RunState, Run, {"idle_seconds": Moment}, without={"calls", "fusions"})


@with_config(_STRICT)
class FollowedShape(TypedDict):
    """`record/asked.py::Followed`."""

    said: list[str]
    lettered: bool
    fusion: int
    seats: dict[Annotated[str, Field(pattern=r"^[0-7]$")], str]
    ruled: NotRequired[Annotated[int, Field(ge=1, le=32_767)]]
    files: NotRequired[list[Annotated[str, Field(max_length=64)]]]


Letter = Annotated[str, Field(pattern=r"^[A-H]$")]


@with_config(_STRICT)
class SeenShape(TypedDict):
    names: bool
    order: Annotated[list[Letter], Field(max_length=8)]
    look: Annotated[str, Field(max_length=40)]


class VerdictShape(Strict):
    """What somebody found best. Who it was stays where it was said."""

    best: Annotated[str, Field(pattern=r"^([A-H]|tie|all_bad)$")]
    note: Annotated[str, Field(max_length=500), AfterValidator(storable)] = ""
    answers: dict[Letter, Annotated[str, Field(max_length=40)]]
    seen: SeenShape
    at: Moment


class TemplateShape(Strict):
    """What the prompt was filled in from, by the name that its template had then, and which of its
    texts. `values` stand in the prompt already."""

    name: Short
    version: Annotated[int, Field(ge=1, le=MOST)]
    values: Annotated[dict[Short, Annotated[str, AfterValidator(storable)]], Field(max_length=100)]


class RunShape(_RunShape):  # type: ignore[misc]  # made above
    """`follows`: the place in the document of the run that it goes on from."""

    prompt: Annotated[str, Field(min_length=1), AfterValidator(storable)]
    preset: Annotated[str, Field(max_length=40)]
    preset_name: Annotated[str, Field(max_length=60)]
    created_at: Annotated[
        float, Field(ge=0, le=LAST_MOMENT), AfterValidator(lambda at: round(at, 6))
    ]
    spec: dict[str, JsonValue]
    # What its project told every run in it: before the messages.
    context: Annotated[str, Field(max_length=400_000), AfterValidator(storable)] = ""
    messages: Messages = Field(default_factory=list)
    histories: dict[Annotated[str, Field(pattern=r"^[0-7]$")], Messages] = Field(
        default_factory=dict
    )
    follows: Annotated[int, Field(ge=0, lt=MAX_RUNS)] | None = None
    follows_from: Annotated[str, Field(pattern=r"^(|fused|own|seat-[0-7])$")] = ""
    follows_calls: FollowedShape | None = None
    calls: Annotated[list[CallShape], Field(max_length=MAX_CALLS)] = Field(default_factory=list)
    fusions: Annotated[list[FusionShape], Field(max_length=MAX_FUSIONS)] = Field(
        default_factory=list
    )
    verdicts: Annotated[list[VerdictShape], Field(max_length=MAX_VERDICTS)] = Field(
        default_factory=list
    )
    template: TemplateShape | None = None
    # Where its question was asked before, and whether who takes it along has put it away.
    again_of: Annotated[str, Field(pattern=r"^[0-9a-f-]{36}$")] | None = None
    archived: bool = False


class Document(Strict):
    v: Literal[1] = 1
    runs: Annotated[list[RunShape], Field(min_length=1, max_length=MAX_RUNS)]
