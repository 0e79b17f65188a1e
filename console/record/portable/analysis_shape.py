"""A judge's analysis as it is stored (engine/findings/analysis.py), for who reads one that
somebody else has written. Analyses from before quotes were asked for have no evidence."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import AfterValidator, ConfigDict, Field, with_config
from typing_extensions import TypedDict  # before Python 3.12 pydantic takes no other

from ...engine.spec import MAX_SEATS

Seat = Annotated[int, Field(ge=0, lt=MAX_SEATS)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Score = Annotated[int, Field(ge=0, le=100)] | None
Standing = Literal["supported", "partly", "unverified"]

_strict = with_config(ConfigDict(extra="forbid", strict=True))


@_strict
class QuoteShape(TypedDict):
    """`start` and `end` are where an answer has what was found in it."""

    seat: Seat
    quote: str
    verified: NotRequired[bool]
    start: NotRequired[Count]
    end: NotRequired[Count]
    found_in: NotRequired[Seat]


def _has_its_place(quote: QuoteShape) -> QuoteShape:
    if quote.get("verified") and not {"start", "end"} <= quote.keys():
        raise ValueError("a quote that was found does not say where")
    return quote


Quotes = list[Annotated[QuoteShape, AfterValidator(_has_its_place)]]


@_strict
class ClaimShape(TypedDict):
    claim: str
    seats: list[Seat]
    evidence: NotRequired[Quotes]
    standing: NotRequired[Standing]


@_strict
class StanceShape(TypedDict):
    stance: str
    seats: list[Seat]
    evidence: NotRequired[Quotes]
    standing: NotRequired[Standing]


@_strict
class ContradictionShape(TypedDict):
    topic: str
    stances: list[StanceShape]


@_strict
class PointShape(TypedDict):
    point: str
    seats: list[Seat]
    evidence: NotRequired[Quotes]
    standing: NotRequired[Standing]


@_strict
class InsightShape(TypedDict):
    insight: str
    seat: Seat
    evidence: NotRequired[Quotes]
    standing: NotRequired[Standing]


@_strict
class RatingShape(TypedDict):
    seat: Seat
    factual_accuracy: NotRequired[Score]
    depth: NotRequired[Score]
    structure: NotRequired[Score]
    coverage: NotRequired[Score]
    reason: NotRequired[str]


@_strict
class AnalysisShape(TypedDict):
    consensus: list[ClaimShape]
    contradictions: list[ContradictionShape]
    partial_coverage: list[PointShape]
    unique_insights: list[InsightShape]
    blind_spots: list[str]
    ratings: NotRequired[list[RatingShape]]
    injections: NotRequired[Quotes]
    cut_off: NotRequired[bool]
    left_out: NotRequired[Count]
    no_claims: NotRequired[Count]
    not_asked_for: NotRequired[list[str]]
    best: NotRequired[Seat]  # of one by words: whose answer has the most in common with the others
