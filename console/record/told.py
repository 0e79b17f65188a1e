"""What programs are told of a run: API, MCP, shell. `public.py` makes it, `researched.py` what was
looked up for it.

Moments are seconds since 1970, costs US dollars, seats letters. What is not known is null.
What is told of a call and a fusion is listed here and nowhere else, and what is not
stands in `UNTOLD_OF_A_CALL` and `UNTOLD_OF_A_FUSION` with the reason: a test asks for the rest.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .parts import Analysis, Told, Usage
from .researched import Researched

Status = Literal["queued", "running", "completed", "failed", "cancelled"]
CallStatus = Literal["waiting", "queued", "streaming", "completed", "failed", "cancelled"]

UNTOLD_OF_A_CALL = {
    "first_text_at": "when its thoughts had their end, which the page tells beside them",
    "goes_on": "what its provider wants back with its next turn, which is nobody else's",
    "generation_id": "the provider's own number of the call, of use to whoever has its account",
    "output_limit": "the event that sends the call says it, and the run's receipt",
    "retry_cause": "the call that follows says it as its `cause`",
}
UNTOLD_OF_A_FUSION = {
    "poll": "it is asked for on the page and told there",
    "turn": "what tools said is the program's own; `after` says which fusion it goes on from",
}


class Source(Told):
    """A web page that a provider says an answer rests on, in OpenRouter's form."""

    url: str
    title: str


class Attachment(Told):
    """What a provider sent beside an answer's text. A picture that is kept has a `hash`, by which
    `/v1/runs/{run_id}/pictures/{hash}` has it; `why` another one is not kept."""

    type: str = ""
    bytes: int | None = None
    url: str | None = None
    hash: str | None = None
    width: int | None = None
    height: int | None = None
    alt: str | None = None
    why: str | None = None


class GivenFile(Told):
    """How a file that was attached was given to who was asked: `as_it_is`, as `page_images` or as
    `text` (`shown` is which of it, null where that was all), or `not_given`, and `why`."""

    name: str
    type: str
    given: Literal["as_it_is", "page_images", "text", "not_given"]
    shown: str | None = None
    why: str | None = None

    @classmethod
    def of(cls, told: dict[str, Any]) -> GivenFile:
        return cls(
            name=told.get("name", ""),
            type=told.get("type", ""),
            given=told.get("given", "not_given"),
            shown=told.get("shown"),
            why=told.get("why"),
        )


class GivenToSeat(Told):
    """How it was given to a seat, as in `files` of its call."""

    seat: str
    given: Literal["as_it_is", "page_images", "text", "not_given"]
    shown: str | None
    why: str | None


class AttachedFile(Told):
    """A file that went with the question, `earlier` where it was attached before what this one
    goes on from. `hash`: SHA-256 of what is in it. `given`: to each seat that was asked."""

    name: str
    type: str
    bytes: int
    hash: str
    earlier: bool
    given: list[GivenToSeat]


class Call(Told):
    """One request to one model. Another try is another call. With the cause `brought` it is an
    answer from elsewhere, with the `name` it was given and `brought_by` whom, null of any other:
    nothing was sent, and nothing was spent. Neither was it with the cause `taken`: `taken_from`
    names run and call that gave this answer to the same question, as `<run>/<key>`."""

    key: str
    step: Literal["research", "panel", "condense", "analysis", "synthesis", "poll", "lookup"]
    seat: str | None
    fusion: int | None
    number: int
    cause: str
    name: str | None
    brought_by: str | None
    model: str
    answered_by: str | None
    provider: str | None
    status: CallStatus
    text: str
    reasoning: str
    tool_calls: list[dict[str, Any]]
    sources: list[Source]
    attachments: list[Attachment]
    files: list[GivenFile]
    finish_reason: str | None
    unreadable: int
    # Not told of a call that was sent.
    taken_from: str | None = Field(default=None, exclude_if=lambda value: value is None)
    reason: str | None
    error: str | None
    status_code: int | None
    usage: dict[str, int]
    cost: float | None
    cost_source: str | None
    retry_at: float | None
    started_at: float | None
    sent_at: float | None
    first_token_at: float | None
    finished_at: float | None


class Best(Told):
    """The panelist's answer that stands in. `reason`: no fused answer could be written
    (`fused_failed`), what was written repeats itself or what its writer was told
    (`fused_unusable`), or a reader wanted the best answer as it is (`chosen`)."""

    seat: str
    model: str
    reason: Literal["fused_failed", "fused_unusable", "chosen"]


class RuledClaim(Told):
    """What a reader says of a claim of the analysis of fusion `on`, which goes by its part and
    its place in it; `text` and `stances` are its words as they stood."""

    on: int
    claim: str
    verdict: str | None
    note: str | None
    text: str
    stances: list[str]


class Wished(Told):
    """What a reader asked of a fusion. `on`: the fusion that was ruled on; `way`: `best` chooses
    an answer and writes nothing, `vote` counts the answers to a closed question."""

    rulings: list[RuledClaim]
    facts: list[str]
    on: int | None
    instruction: str | None
    way: Literal["fuse", "best", "vote"]
    preset: str | None
    analysis_only: bool


class SentenceProvenance(Told):
    """What a sentence of a fused answer rests on. `start` and `end` are characters of `answer`
    (code points); `seats` those that its marks name; `own`: nothing in the answers says it, says
    its writer; `you`: a reader ruled or added it. `claims` are those of the analysis that it
    says, by part and place there from 1 (`contradictions-2`); none where it is not `linked`."""

    start: int
    end: int
    seats: list[str]
    own: bool
    you: bool
    claims: list[str]
    linked: bool


class Fusion(Told):
    """One judging of the panel's answers. `judge` and `synthesizer` are who was asked, null where
    words stand in for a model that is too small. `stands_in`: the call whose answer stands in.
    `after`: the fusion whose writer called for tools, where this is the call with their results.
    `wish`: what a reader asked of it, where they asked anything.

    `without`: calls that were still writing when it began, and went on.
    `condensed`: answers that were shortened to fit the judge's or the writer's context;
    `left_out`: those that could not be. `analysis_by`: who compared the answers, a model or, where
    none could, their words alone. `provenance`: of each sentence of what was written, once it
    is whole. `analysis_notes`: what of the judge's text is not in
    the analysis, and which of its claims were looked up before the answer was written.
    """

    number: int
    after: int | None
    status: Status
    judge: str | None
    synthesizer: str | None
    criteria: str
    seats: list[str]
    judged: list[str]
    without: list[str]
    analysis: Analysis | None
    analysis_notes: list[str]
    answer: str | None
    provenance: list[SentenceProvenance]
    stands_in: str | None
    best: Best | None
    condensed: list[str]
    left_out: list[str]
    analysis_by: Literal["model", "words"] | None
    failure_reason: str | None
    error: str | None
    wish: Wished | None


class Outcome(Told):
    """Who was asked and what came of it. `answer` is the run's, of the latest fusion with one.
    `note`: what is to be said of a run that is completed, that another answer stands in or that
    there is no judge."""

    panel: list[str]
    judge: str | None
    synthesizer: str | None
    answer: str | None
    note: str | None
    tool_calls: list[dict[str, Any]]
    finish_reason: str | None
    sources: list[Source]
    usage: Usage
    calls: list[Call]
    fusions: list[Fusion]


class Seat(Told):
    """Its answer, or the last that was tried, by `model`, which may sit there `in_place_of` the
    one that was meant. `name` is what the page calls it, `call` where it comes from: null when
    it was never asked. `brought`: it is an answer from elsewhere, `brought_by` whom."""

    seat: str
    call: str | None
    model: str
    in_place_of: str | None
    name: str
    brought: bool
    brought_by: str | None
    status: CallStatus
    text: str
    finish_reason: str | None
    reason: str | None
    error: str | None


class VerdictSeen(Told):
    """Whether models were named, the letters as they stood, and what filled the window (`answers`
    or `result`; "" of a program)."""

    names_shown: bool
    order: list[str]
    look: str


class Verdict(Told):
    """What somebody who may read the run found best: a seat's letter, `tie` or `all_bad`. `by` is
    null of a verdict that came with a run that was taken along; `calls` are the answers that were
    judged, by letter."""

    best: str
    note: str
    by: str | None
    is_own: bool
    calls: dict[str, str]
    seen: VerdictSeen
    at: float


class Run(Outcome):
    """`stands_in`: the answer is a panelist's, since none could be fused. `followed` is the run
    that it goes on from, `follow_ups` those that go on from it, the first one first: ids, of what
    may be read. They are null where nobody's right to read is known, and while the run is told as
    it goes on."""

    id: str
    status: Status
    reason: str | None
    error: str | None
    stands_in: bool
    seats: list[Seat]
    preset: str
    preset_name: str
    prompt: str
    created_at: float
    started_at: float | None
    finished_at: float | None
    seconds: float | None
    cost: float | None
    cost_is_partial: bool
    verdicts: list[Verdict]
    # Not told of a run for which nothing was looked up.
    research: Researched | None = Field(default=None, exclude_if=lambda value: value is None)
    # Not told of a run with which none went.
    files: list[AttachedFile] | None = Field(default=None, exclude_if=lambda value: value is None)
    followed: str | None
    follow_ups: list[str] | None

    @property
    def fusion(self) -> Fusion | None:
        """The latest."""
        return max(self.fusions, key=lambda fusion: fusion.number, default=None)
