"""What the tools return: as structure for programs, as text for the model that asked."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field

from ..api.openai import shapes
from ..engine.findings.analysis import analysis_text
from ..engine.spec import Spec, letter
from ..engine.state import RunState, Step
from ..models import Run


class Stance(BaseModel):
    model: str
    stance: str


class Contradiction(BaseModel):
    topic: str
    stances: list[Stance]


class Coverage(BaseModel):
    models: list[str]
    point: str


class Insight(BaseModel):
    model: str
    insight: str


class Analysis(BaseModel):
    """What the judge found when it compared the answers."""

    consensus: list[str]
    contradictions: list[Contradiction]
    partial_coverage: list[Coverage]
    unique_insights: list[Insight]
    blind_spots: list[str]


class Seat(BaseModel):
    seat: str = Field(description="Its letter, as the page shows it")
    model: str
    status: str
    answer: str | None = Field(None, description="Only when it was asked for")
    error: str | None = None


class FusionRun(BaseModel):
    """One prompt taken through a panel, as far as it has got."""

    run_id: str
    run_url: str = Field(description="Where people read all of it")
    status: Literal["queued", "running", "completed", "failed", "cancelled"]
    answer: str | None = Field(None, description="The fused answer, once there is one")
    answer_note: str | None = None
    analysis: Analysis | None = None
    panel: list[Seat] = []
    failure_reason: str | None = None
    error: str | None = None
    cost_usd: float | None = Field(None, description="Null when it is not known")
    seconds: float | None = None

    @property
    def is_final(self) -> bool:
        return self.status not in ("queued", "running")


class Preset(BaseModel):
    preset: str
    name: str
    description: str
    panel: list[str]
    judge: str
    is_default: bool
    unavailable: str | None = Field(None, description="Why it cannot be used at present")


class Presets(BaseModel):
    presets: list[Preset]


STANDS_IN = "No fused answer could be written; this is the best single answer of the panel."


def fusion_run(
    run: Run, spec: Spec, state: RunState, *, run_url: str, with_answers: bool = False
) -> FusionRun:
    answer = shapes.answer_of(spec, state) if state.status.is_final else None
    fusion = state.fusion
    told = fusion.analysis if fusion else None
    cost, _ = state.cost()
    return FusionRun(
        run_id=str(run.pk),
        run_url=run_url,
        status=state.status.value,
        answer=answer.text if answer else None,
        answer_note=STANDS_IN if answer and answer.stands_in else None,
        analysis=Analysis.model_validate(shapes.analysis_object(spec, told)) if told else None,
        panel=[_seat(spec, state, seat, with_answers) for seat in range(len(spec.panel))],
        failure_reason=state.reason or (fusion.analysis_reason if fusion else "") or None,
        error=state.error or (fusion.analysis_error if fusion else "") or None,
        cost_usd=shapes.money(cost),
        seconds=round(state.seconds, 1) if state.seconds is not None else None,
    )


def _seat(spec: Spec, state: RunState, seat: int, with_answers: bool) -> Seat:
    call = state.answer(seat) or state.latest(Step.PANEL, seat=seat)
    return Seat(
        seat=letter(seat),
        model=spec.seat_names()[seat],
        status=call.status.value if call else "waiting",
        answer=call.text if call and call.text and with_answers else None,
        error=(call.error or None) if call else None,
    )


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
            f"The run is {result.status}. {waits}"
            f"Ask for it with fusion_get_run, run_id {result.run_id}."
        )
    elif not result.answer:
        parts.append(result.error or f"The run ended without an answer ({result.status}).")
    if analysis:
        parts.append("Where the panel agreed and differed:\n\n" + analysis_text(analysis))
    seats = [f"{s.seat} {s.model}: {s.error or s.status}" for s in result.panel]
    parts.append("Panel: " + "; ".join(seats))
    parts += [
        f"--- {s.seat} {s.model} ---\n{s.answer}" for s in result.panel if s.answer is not None
    ]
    money = "unknown" if result.cost_usd is None else f"${result.cost_usd:.4f}"
    took = f", {result.seconds:.0f} s" if result.seconds is not None else ""
    parts.append(f"Run: {result.run_url} (cost {money}{took})")
    return "\n\n".join(parts)
