"""What the tools return: as structure for programs, as text for the model that asked."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from ..api.openai import shapes
from ..engine.findings.analysis import analysis_with_notes
from ..engine.findings.answering import answer_of
from ..engine.given_files import lacked
from ..engine.spec import Spec, letter
from ..engine.state import RunState, Step
from ..engine.usage import money
from ..files.answered import data_address
from ..models import Run
from ..record.by_words import put_together
from ..record.parts import Analysis
from ..record.public import run_object
from ..record.told import Source, Verdict


class Seat(BaseModel):
    seat: str = Field(description="Its letter, as the page shows it")
    model: str
    in_place_of: str | None = Field(None, description="Whom it stands in for, as a fallback")
    name: str = Field("", description="What the page calls it")
    brought: bool = Field(False, description="An answer from elsewhere: no model was asked")
    status: str
    answer: str | None = Field(None, description="Only when it was asked for")
    error: str | None = None
    not_given: list[str] = Field([], description="Files that it could not be given, and why")


class FusionRun(BaseModel):
    """One prompt taken through a panel, as far as it has got."""

    run_id: str
    run_url: str = Field(description="Where people read all of it")
    status: Literal["queued", "running", "completed", "failed", "cancelled"]
    answer: str | None = Field(None, description="The fused answer, once there is one")
    answer_note: str | None = None
    analysis: Analysis | None = Field(
        None, description="What the judge found when it compared the answers"
    )
    analysis_by: Literal["model", "words"] | None = Field(
        None, description="words: no judge compared them, only their words were"
    )
    panel: list[Seat] = []
    sources: list[Source] = Field([], description="Web pages that the answers rest on")
    failure_reason: str | None = None
    error: str | None = None
    error_code: str | None = Field(
        None,
        description="Of a result that is an error, as the HTTP API names it. budget_exceeded: a "
        "budget did not pay for all of it; error names the budget and who may raise it",
    )
    finished: list[str] = Field(
        [],
        description="Where a budget stopped it, what is finished and kept: seats by their letters, "
        "and the analysis. answer then is the best single answer, if there is one",
    )
    cost_usd: float | None = Field(None, description="Null when it is not known")
    seconds: float | None = None
    verdicts: list[Verdict] = Field([], description="Which answers its readers found best")

    @property
    def is_final(self) -> bool:
        return self.status not in ("queued", "running")


class FoundQuestion(BaseModel):
    run_id: str = Field(description="For fusion_get_run, which reads all of it")
    run_url: str
    question: str = Field(description="Its title, else the first sentence of its prompt")
    asked_at: float = Field(description="Seconds since 1970")
    status: str
    found_in: str | None = Field(
        None, description="fused, prompt, title, analysis, note, tag or a seat"
    )
    passage: str | None = Field(None, description="The words that were found, and those around")


class FoundQuestions(BaseModel):
    """The newest first."""

    questions: list[FoundQuestion]
    notes: list[str] = Field([], description="What was not looked for as it was asked")


class Preset(BaseModel):
    preset: str
    name: str
    description: str
    panel: list[str]
    judge: str | None = Field(description="Null: the answers are compared by their words")
    is_default: bool
    unavailable: str | None = Field(None, description="Why it cannot be used at present")


class Presets(BaseModel):
    presets: list[Preset]


STANDS_IN = "No fused answer could be written; this is the best single answer of the panel."

CHOSEN = "The best single answer of the panel; a reader chose it as it is."


def _note(state: RunState, *, stands_in: bool) -> str | None:
    if stands_in:
        return CHOSEN if state.fusion and state.fusion.is_chosen else STANDS_IN
    return put_together(state, state.fusion) or None


def fusion_run(
    run: Run,
    spec: Spec,
    state: RunState,
    *,
    run_url: str,
    viewer_id: int | None = None,
    with_answers: bool = False,
) -> FusionRun:
    public_run = run_object(run, spec, state, viewer_id=viewer_id, with_provenance=False)
    fusion = public_run.fusion
    failure = shapes.failed(spec, state, run_id=public_run.id, run_url=run_url)
    is_unpaid = failure is not None and failure.code == shapes.UNPAID
    error = public_run.error or (fusion.error if fusion else None)
    if failure and is_unpaid:
        error = failure.message
    return FusionRun(
        run_id=public_run.id,
        run_url=run_url,
        status=public_run.status,
        answer=public_run.answer,
        answer_note=_note(state, stands_in=public_run.stands_in),
        analysis=fusion.analysis if fusion else None,
        analysis_by=fusion.analysis_by if fusion else None,
        panel=[
            Seat(
                seat=seat.seat,
                model=seat.model,
                in_place_of=seat.in_place_of,
                name=seat.name,
                brought=seat.brought,
                status=seat.status,
                answer=(seat.text or None) if with_answers else None,
                error=seat.error,
                not_given=_not_given(state, seat.seat),
            )
            for seat in public_run.seats
        ],
        sources=public_run.sources,
        failure_reason=public_run.reason or (fusion.failure_reason if fusion else None),
        error=error,
        error_code=failure.code if failure else None,
        finished=_finished(state, len(spec.panel)) if is_unpaid else [],
        cost_usd=public_run.cost,
        seconds=None if public_run.seconds is None else round(public_run.seconds, 1),
        verdicts=public_run.verdicts,
    )


def _finished(state: RunState, seats: int) -> list[str]:
    answered = [letter(seat) for seat in range(seats) if state.answer(seat)]
    return [*answered, *(["analysis"] if state.fusion and state.fusion.analysis else [])]


def as_error(result: FusionRun) -> str:
    """What a budget stopped, to be read before what was finished by then."""
    kept = f" Finished: {', '.join(result.finished)}." if result.finished else ""
    best = " The best single answer is below." if result.answer else ""
    return f"{shapes.UNPAID}: {result.error}{kept}{best}"


def as_text(result: FusionRun, analysis: dict[str, Any] | None) -> str:
    """For the model that asked: the answer first, and where the rest is."""
    parts = []
    if result.answer:
        parts.append(result.answer.strip())
    if result.answer_note:
        parts.append(f"({result.answer_note})")
    if not result.is_final:
        waits = f"{result.error} " if result.error and result.status == "queued" else ""
        parts.append(
            f"The run is {result.status}. {waits}It goes on and is paid for once: "
            f"ask for it with fusion_get_run, run_id {result.run_id}, instead of asking anew."
        )
    elif not result.answer:
        parts.append(result.error or f"The run ended without an answer ({result.status}).")
    if analysis:
        how = ", by their words alone" if result.analysis_by == "words" else ""
        parts.append(
            f"Where the panel agreed and differed{how}:\n\n" + analysis_with_notes(analysis)
        )
    seats = [f"{_named(s)}: {_how(s)}" for s in result.panel]
    parts.append("Panel: " + "; ".join(seats))
    parts += [f"--- {_named(s)} ---\n{s.answer}" for s in result.panel if s.answer is not None]
    cost = "unknown" if result.cost_usd is None else money(result.cost_usd)
    took = f", {result.seconds:.0f} s" if result.seconds is not None else ""
    parts.append(f"Run: {result.run_url} (cost {cost}{took})")
    return "\n\n".join(parts)


def pictures(spec: Spec, state: RunState) -> list[tuple[str, str]]:
    """Those that came with the run's answer: type and base64."""
    answer = answer_of(spec, state) if state.status.is_final else None
    found = ((one["type"], data_address(one)) for one in (answer.pictures if answer else ()))
    return [(type, address.partition(",")[2]) for type, address in found if address]


def _not_given(state: RunState, seat: str) -> list[str]:
    calls = [c for c in state.calls.values() if c.step is Step.PANEL and c.seat is not None]
    asked = [call for call in calls if letter(call.seat or 0) == seat]
    return lacked(asked[-1].files) if asked else []


def _how(seat: Seat) -> str:
    how = "brought along" if seat.brought else seat.error or seat.status
    return ", ".join([how, *seat.not_given])


def _named(seat: Seat) -> str:
    if seat.brought:
        return f"{seat.seat} {seat.name}"
    instead = f" (in place of {seat.in_place_of})" if seat.in_place_of else ""
    return f"{seat.seat} {seat.model}{instead}"
