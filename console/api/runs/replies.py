"""What programs are answered about runs. The schema at /v1/openapi.json is made from these.

Moments are seconds since 1970, costs US dollars, seats letters. What is not known is null.
"""

from __future__ import annotations

from typing import Any, Literal

from ..http.replies import Analysis, Error, Reply, Usage

Status = Literal["queued", "running", "completed", "failed", "cancelled"]
CallStatus = Literal["waiting", "queued", "streaming", "completed", "failed", "cancelled"]


class Call(Reply):
    """One request to one model. Another try is another call."""

    key: str
    step: Literal["panel", "condense", "analysis", "synthesis", "poll"]
    seat: str | None
    fusion: int | None
    number: int
    cause: str
    model: str
    answered_by: str | None
    provider: str | None
    status: CallStatus
    text: str
    reasoning: str
    tool_calls: list[dict[str, Any]]
    finish_reason: str | None
    unreadable: int
    reason: str | None
    error: str | None
    status_code: int | None
    usage: dict[str, int]
    cost: float | None
    retry_at: float | None
    started_at: float | None
    sent_at: float | None
    first_token_at: float | None
    finished_at: float | None


class Fusion(Reply):
    """One judging of the panel's answers. `stands_in`: the call whose answer stands in.

    `condensed`: answers that were shortened to fit the judge's or the synthesizer's context;
    `left_out`: those that could not be.
    """

    number: int
    status: Status
    judge: str
    synthesizer: str
    criteria: str
    seats: list[str]
    judged: list[str]
    analysis: Analysis | None
    answer: str | None
    stands_in: str | None
    condensed: list[str]
    left_out: list[str]
    failure_reason: str | None
    error: str | None


class Urls(Reply):
    run: str
    events: str
    cancel: str
    fusions: str
    page: str


class RunRow(Reply):
    """As lists have it; the prompt's beginning only."""

    id: str
    object: Literal["run"] = "run"
    status: Status
    preset: str
    preset_name: str
    prompt: str
    origin: str
    visibility: Literal["private", "team", "link"]
    is_own: bool
    created_at: float
    started_at: float | None
    finished_at: float | None
    cost: float | None
    cost_is_partial: bool
    urls: Urls


class Run(RunRow):
    """`answer` is null until there is one, and for good where there is none: see `error`."""

    panel: list[str]
    judge: str
    synthesizer: str
    answer: str | None
    tool_calls: list[dict[str, Any]]
    finish_reason: str | None
    usage: Usage
    calls: list[Call]
    fusions: list[Fusion]
    error: Error | None


class RunList(Reply):
    """`next_cursor` continues; null on the last page."""

    object: Literal["list"] = "list"
    data: list[RunRow]
    has_more: bool
    next_cursor: str | None
