"""What programs are answered about runs. The schema at /v1/openapi.json is made from these.

Moments are seconds since 1970, costs US dollars, seats letters. What is not known is null.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal, get_type_hints

from pydantic import Field, create_model

from ...money.receipt import PaidCall
from ...record.researched import Researched
from ...record.told import AttachedFile, Outcome, Status, Verdict
from ..http.replies import Error, Reply


class Urls(Reply):
    run: str
    events: str
    cancel: str
    fusions: str
    page: str


class RunRow(Reply):
    """As lists have it; the prompt's beginning only. `preset_version` counts how often its preset
    had been changed; null where that was not counted, or there is no preset. `title` is "" where it
    is called by the first sentence of its prompt; `starred` and `archived` are the token's
    owner's."""

    id: str
    object: Literal["run"] = "run"
    status: Status
    preset: str
    preset_name: str
    preset_version: int | None
    prompt: str
    title: str
    tags: list[str]
    starred: bool
    archived: bool
    origin: str
    visibility: Literal["private", "project", "team", "link"]
    project: str | None
    is_own: bool
    created_at: float
    started_at: float | None
    finished_at: float | None
    cost: float | None
    cost_is_partial: bool
    urls: Urls


class Run(Outcome, RunRow):
    """`answer` is null until there is one, and for good where there is none: see `error`.
    `queue_place` of a run that waits for a worker: 1 is the next. `followed` is the run that it
    goes on from, `follow_ups` those that go on from it, the first one first: ids, of what the
    token may read. They are null where the run is told while it goes on."""

    # Not told of a run that was in no project with one when it was asked.
    context: str | None = Field(default=None, exclude_if=lambda value: value is None)
    error: Error | None
    queue_place: int | None
    verdicts: list[Verdict]
    followed: str | None
    follow_ups: list[str] | None
    # Not told of a run for which nothing was looked up.
    research: Researched | None = Field(default=None, exclude_if=lambda value: value is None)
    # Not told of a run with which none went.
    files: list[AttachedFile] | None = Field(default=None, exclude_if=lambda value: value is None)


class OrderReply(Reply):
    """How a run is kept: `title` as its owner named it ("": by the first sentence of its prompt),
    its owner's `tags`, its `project`, and whether the token's owner has `starred` and `archived`
    it."""

    id: str
    object: Literal["run.order"] = "run.order"
    title: str
    project: str | None
    tags: list[str]
    starred: bool
    archived: bool


class ChangeReply(Reply):
    """Of a claim: `broke`: all said it, and it is disputed now; `turned`: another side of it is
    said now; `figures`: a figure in it moved; `settled`: it was disputed, and is agreed now; `new`
    and `dropped`. Of a contradiction its topic stands for it; "" where there is none."""

    kind: Literal["broke", "turned", "figures", "settled", "new", "dropped"]
    before: str
    now: str


class ChangesReply(Reply):
    """What `run` says that `against` did not, and the other way round, the gravest first; what is
    only worded otherwise is left out. `by` the two analyses, or, where one has none, by the
    sentences of both answers."""

    object: Literal["changes"] = "changes"
    run: str
    against: str
    by: Literal["analysis", "answer"]
    changes: list[ChangeReply]


class PriceRange(Reply):
    """US dollars; null where a price is not known, which is not 0."""

    low: float | None
    high: float | None


class QuotedCall(PriceRange):
    """`share` of the whole, from 0 to 1. `fits`: whether what it is to read and write fits its
    `context_length` (tokens); null where that is not known."""

    seat: str | None
    model: str
    credential: str
    share: float | None
    context_length: int | None
    fits: bool | None


class AloneReply(PriceRange):
    """What this model alone would cost that answered the same: the one that writes."""

    model: str


class QuoteReply(PriceRange):
    """What a run will probably cost and take, before it is sent. `unknown` names the models whose
    price nobody knows: with one of them `low` and `high` are null, and the parts say what is known.
    `panel`, `judge`, `writer` and `web`, the searches made for all of them, add up to the whole;
    null where nobody is asked. `seconds` is null
    where nothing here says how long. `runs`: on so many runs of the same models here it rests;
    nine of ten such runs cost what was said."""

    object: Literal["quote"] = "quote"
    seconds: float | None
    panel: PriceRange | None
    judge: PriceRange | None
    writer: PriceRange | None
    web: PriceRange | None
    calls: list[QuotedCall]
    unknown: list[str]
    alone: AloneReply | None
    runs: int


class StartedRun(Run):
    """A run as it was accepted, with what it will probably cost and take."""

    estimate: QuoteReply


class FoundIn(Reply):
    """Which text says what was looked for, and where: `fused`, `seat`, `prompt`, `title`,
    `analysis`, `note` or `tag`; `seat` is its letter, `fusion` the number of the fusion that it is
    of."""

    kind: Literal["fused", "seat", "prompt", "title", "analysis", "note", "tag"]
    seat: str | None
    fusion: int | None
    passage: str


class ListedRun(RunRow):
    """`found` where words were looked for; null where no text that is shown has one of them."""

    found: FoundIn | None = None


class RunList(Reply):
    """`next_cursor` continues; null on the last page. `notes`: what of `q` was not looked for as
    it was asked; `best_of`: of how many matches, the newest, these are the best."""

    object: Literal["list"] = "list"
    data: list[ListedRun]
    notes: list[str] = []
    best_of: int | None = None
    has_more: bool
    next_cursor: str | None


def _fields_of(kind: type) -> Any:
    """A reply with the fields of a dataclass; money is a number there."""
    told = {
        name: float | None if of == Decimal | None else of
        for name, of in get_type_hints(kind).items()
    }
    fields: dict[str, Any] = {name: (of, ...) for name, of in told.items()}
    return create_model(f"{kind.__name__}Fields", __base__=Reply, **fields)


_PaidCall: Any = _fields_of(PaidCall)


class EntryReply(_PaidCall):  # type: ignore[misc]
    """A call that has ended. Money is in US dollars, prices are of a million tokens. `held` is what
    its budgets held for it, `booked` what they paid, by an estimate where `is_estimated`; all three
    are null where no budget concerned it. `output_limit`: a budget paid for no more tokens.
    `taken_from`: run and call (`<run>/<key>`) that paid for it; nothing was asked here. The call
    `web` is what was searched for all of them, by the `searches` of an engine."""


class Expectation(PriceRange):
    """What was expected of a run as it was started, and what came of it: `cost` is of all that was
    expected, without what was asked later. `reference_cost` is computed: what `reference` alone
    would have cost, at the length of the answers that came. `runs` of the same models it rested
    on."""

    seconds: float | None
    runs: int
    cost: float | None
    cost_is_partial: bool
    reference: str | None
    reference_cost: float | None


class ReceiptReply(Reply):
    """`cost` is the sum of the known ones, `cost_is_partial` where some is not known. `estimate` is
    null for a run that was started before estimates were kept."""

    object: Literal["receipt"] = "receipt"
    run: str
    calls: list[EntryReply]
    cost: float | None
    cost_is_partial: bool
    estimate: Expectation | None


class WordsReply(Reply):
    """Where in the `text` of their statement: from `start` up to `end`, in characters."""

    start: int
    end: int


class StatementReply(Reply):
    """A sentence, a row of a table or a line of code, as it is read. `state` says what becomes of
    it on the other side: `only`, nothing."""

    text: str
    kind: Literal["prose", "row", "code"]
    state: Literal["same", "words", "reworded", "linked", "opposed", "only"]


class PairReply(Reply):
    """`left` and `right` count the statements from 0. `words`: these words differ, and by
    `figures` or `denial` a number or a "not" does; `reworded`: most of them do; `linked`: the same
    in other words, as the analysis says of `claim`; `opposed`: against each other, as it says."""

    kind: Literal["same", "words", "reworded", "linked", "opposed"]
    left: int
    right: int
    left_words: list[WordsReply]
    right_words: list[WordsReply]
    figures: bool
    denial: bool
    claim: str | None


class SideReply(Reply):
    """`only` is how many of its statements stand only here."""

    name: str
    label: str
    statements: list[StatementReply]
    only: int


class DifferencesReply(Reply):
    """`is_whole` is false of texts that are too long: beyond what is the same, not all pairs that
    are alike were looked for."""

    object: Literal["differences"] = "differences"
    run: str
    left: SideReply
    right: SideReply
    pairs: list[PairReply]
    is_whole: bool
