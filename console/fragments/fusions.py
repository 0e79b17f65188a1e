"""The fusions of a run side by side, and what may be asked of its answers again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from ..engine.spec import Panelist, Spec, letter
from ..engine.state import FusionState, RunState, Step
from ..engine.steps.seating import seated
from ..engine.usage import money
from ..markdown import render
from .seats import name_in
from .sentences import run_word
from .sources import addresses


@dataclass(frozen=True)
class FusionView:
    number: int
    after: int | None
    judge: str
    synthesizer: str
    criteria: str
    letters: str
    status: str
    stood_in: bool
    html: SafeString
    cost: str


def fusions(spec: Spec, state: RunState) -> list[FusionView]:
    """The newest first; none where there is only one, which the page shows anyway."""
    if len(state.fusions) < 2:
        return []
    return [_view(spec, state, f) for _, f in sorted(state.fusions.items(), reverse=True)]


def _view(spec: Spec, state: RunState, fusion: FusionState) -> FusionView:
    calls = [
        c for c in state.calls.values() if c.fusion == fusion.number and c.step is not Step.POLL
    ]
    costs = [c.cost for c in calls if c.was_billable]
    known = [c for c in costs if c is not None]
    seats = {state.calls[key].seat for key in fusion.judged if key in state.calls}
    return FusionView(
        number=fusion.number,
        after=fusion.turn.get("after"),
        judge=_name(state, Step.ANALYSIS, fusion, fusion.judge),
        synthesizer=_name(state, Step.SYNTHESIS, fusion, fusion.synthesizer),
        criteria=fusion.criteria,
        letters=" ".join(letter(seat) for seat in sorted(s for s in seats if s is not None)),
        status=run_word(fusion.status.value),
        stood_in=bool(fusion.best),
        html=_html(spec, state, fusion),
        cost=money(sum(known) if known and len(known) == len(costs) else None),
    )


def _html(spec: Spec, state: RunState, fusion: FusionState) -> SafeString:
    """With the marks of what was written; an answer that stands in has none."""
    call = state.answering(fusion)
    is_written = call is not None and call.step is Step.SYNTHESIS
    letters = state.letters_of(fusion.number) if is_written else ""
    return render(call.text if call else "", sources=letters, cited=addresses(call))


def _name(state: RunState, step: Step, fusion: FusionState, meant: dict[str, Any]) -> str:
    """Who did it: a fallback goes by its own name."""
    call = state.latest(step, fusion=fusion.number)
    panelist = call.panelist if call else meant
    return Panelist.from_dict(panelist).short_name if panelist else ""


@dataclass(frozen=True)
class Askable:
    """`name` is who gave the answer, `seated` who is asked next."""

    seat: int
    letter: str
    name: str
    seated: str
    has_answer: bool


def askable(spec: Spec, state: RunState) -> list[Askable]:
    askable = []
    for seat in range(len(spec.panel)):
        answer, now = state.answer(seat), seated(spec, state, seat)
        answered = Panelist.from_dict(answer.panelist) if answer else now
        names = name_in(spec, seat, answered), name_in(spec, seat, now)
        askable.append(Askable(seat, letter(seat), *names, has_answer=answer is not None))
    return askable
