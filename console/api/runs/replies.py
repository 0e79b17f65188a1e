"""What programs are answered about runs. The schema at /v1/openapi.json is made from these.

Moments are seconds since 1970, costs US dollars, seats letters. What is not known is null.
"""

from __future__ import annotations

from typing import Literal

from ...record.public import Outcome, Status
from ..http.replies import Error, Reply


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


class Run(Outcome, RunRow):
    """`answer` is null until there is one, and for good where there is none: see `error`.
    `queue_place` of a run that waits for a worker: 1 is the next."""

    error: Error | None
    queue_place: int | None


class RunList(Reply):
    """`next_cursor` continues; null on the last page."""

    object: Literal["list"] = "list"
    data: list[RunRow]
    has_more: bool
    next_cursor: str | None
