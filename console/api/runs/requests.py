"""What clients send to `/v1/runs`: to ask, and of a run that is there."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, field_validator, model_validator

from ..http.base import Schema, StrictSchema
from ..planning.schemas import Answering, Dollars, Messages, Name, OwnTerms, ProviderWishes, Seat


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


class RulingRequest(StrictSchema):
    """`claim`: its part of the analysis and its place in it, from 1 (`contradictions-1`).
    `verdict`: `right` or `wrong`; of a contradiction `stance-1` and so on, or `none` of them.
    `on`: the fusion whose analysis it stands in, where that is another than the request's."""

    claim: Annotated[str, Field(min_length=1, max_length=60)]
    verdict: Annotated[str, Field(max_length=60)] | None = None
    note: Annotated[str, Field(max_length=10_000)] = ""
    on: Annotated[int, Field(ge=1, le=32_767)] | None = None


class FuseRequest(OwnTerms, StrictSchema):
    """Another fusion of a run's answers; what is not given stays as it was, rulings and facts of
    the fusion before included: empty lists take them back."""

    judge: Name | None = None
    synthesizer: Name | None = None
    criteria: Annotated[str, Field(max_length=2000)] = ""
    seats: Annotated[list[Seat], Field(max_length=8)] = []
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


class LookUpRequest(StrictSchema):
    """A claim of an analysis, by its part and its place there from 1 (`contradictions-2`).
    `fusion`: whose analysis; without it the latest fusion's."""

    claim: Annotated[str, Field(max_length=40)]
    fusion: Annotated[int, Field(ge=1, le=32_767)] | None = None


class VerdictRequest(StrictSchema):
    """What was found best: a seat's letter, `tie` or `all_bad`; null takes back what was said.
    `names_shown`: whether it was seen which models answered; `order`: the letters as they stood."""

    best: Literal[Seat, "tie", "all_bad"] | None
    note: Annotated[str, Field(max_length=500)] = ""
    names_shown: bool = True
    order: Annotated[list[Seat], Field(max_length=8)] = []


class OrderRequest(StrictSchema):
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
