"""The fusions of a run side by side, and what may be asked of its answers again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.utils.safestring import SafeString

from ..engine.calls.window import tokens_in
from ..engine.findings.by_words import WORDS
from ..engine.findings.given import given
from ..engine.spec import Panelist, Spec, letter
from ..engine.state import CallState, FusionState, RunState, Step
from ..engine.steps.seating import seated
from ..engine.usage import cost_of, money
from ..record.by_words import put_together
from . import seats
from .agreement import AnalysisView, analysis
from .receipt import ReceiptView, receipt
from .renderings import rendered
from .sentences import run_word, seats_and, unknown_to_fused
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
    is_put_together: bool
    html: SafeString
    text: str
    cost: str
    analysis: AnalysisView
    receipt: ReceiptView
    before: int | None  # the one before it that gave a text, too


def fusions(spec: Spec, state: RunState) -> list[FusionView]:
    """The newest first; none where there is only one, which the page shows anyway."""
    if len(state.fusions) < 2:
        return []
    columns = seats.columns(spec, state)
    order = [fusion for _, fusion in sorted(state.fusions.items())]
    with_text = [fusion.number for fusion in order if state.has_answer(fusion)]
    return [_view(spec, state, f, columns, with_text) for f in reversed(order)]


def _view(
    spec: Spec,
    state: RunState,
    fusion: FusionState,
    columns: Sequence[seats.SeatView],
    with_text: Sequence[int],
) -> FusionView:
    alone = state.of_turn(fusion.number)
    calls = [
        c for c in state.calls.values() if c.fusion == fusion.number and c.step is not Step.POLL
    ]
    costs = [c.charged for c in calls if c.was_billable]
    known = [c for c in costs if c is not None]
    judged = {state.calls[key].seat for key in fusion.judged if key in state.calls}
    return FusionView(
        number=fusion.number,
        after=fusion.turn.get("after"),
        judge=WORDS
        if fusion.analysis_by == WORDS
        else _name(state, Step.ANALYSIS, fusion, fusion.judge),
        synthesizer=_name(state, Step.SYNTHESIS, fusion, fusion.synthesizer),
        is_put_together=bool(put_together(state, fusion)),
        criteria=fusion.criteria,
        letters=" ".join(letter(seat) for seat in sorted(s for s in judged if s is not None)),
        status=run_word(fusion.status.value),
        stood_in=bool(fusion.best),
        html=_html(spec, state, fusion),
        text=answer.text if (answer := given(state, fusion)) else "",
        cost=money(sum(known) if known and len(known) == len(costs) else None),
        analysis=analysis(spec, alone, columns),
        receipt=receipt(spec, alone.without_panel(), columns),
        before=_before(fusion.number, with_text),
    )


def _before(number: int, with_text: Sequence[int]) -> int | None:
    earlier = [one for one in with_text if one < number]
    return earlier[-1] if earlier and number in with_text else None


def _html(spec: Spec, state: RunState, fusion: FusionState) -> SafeString:
    """With the marks of what was written; an answer that stands in has none."""
    call = state.answering(fusion)
    is_written = call is not None and call.step is Step.SYNTHESIS
    letters = state.letters_of(fusion.number) if is_written else ""
    return rendered(call.text if call else "", sources=letters, cited=addresses(call))


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
        names = spec.name_of(seat, answered), spec.name_of(seat, now)
        askable.append(Askable(seat, letter(seat), *names, has_answer=answer is not None))
    return askable


@dataclass(frozen=True)
class FuseAgain:
    """All answers there are, fused anew. `asks` says whose calls that takes, `price` is about
    what that comes to, by list prices and the tokens there are; "" where one of them is not
    known."""

    label: str
    price: str
    asks: str


def fuse_again(spec: Spec, state: RunState) -> FuseAgain:
    unknown = unknown_to_fused(spec, state)
    without = state.fusion.without if state.fusion else []
    label = "Fuse all answers"
    if unknown and all(call.key in without for call in unknown.values()):
        label = f"Fuse with {seats_and(sorted(unknown))} too"
    cost = _cost_again(spec, state, list(unknown.values())) if unknown else None
    return FuseAgain(label, "" if cost is None else f"about {money(cost)}", _asks(spec))


def _asks(spec: Spec) -> str:
    asked = [p.short_name for p in (spec.judge, spec.writer) if p.can_judge]
    if not asked:
        return "No model is called: it is done by the answers' own words."
    who = " and ".join(dict.fromkeys(asked))
    if spec.judge.can_judge and spec.writer.can_judge:
        return f"Only judge and synthesizer are called: {who}."
    return f"Only the {'judge' if spec.judge.can_judge else 'synthesizer'} is called: {who}."


def _cost_again(spec: Spec, state: RunState, more: list[CallState]) -> Decimal | None:
    """What the fusion took that there is, with so much more to read."""
    assert state.fusion
    number, read = state.fusion.number, sum(map(_tokens, more))
    costs = [
        _cost(state.latest(Step.ANALYSIS, fusion=number), spec.judge, read),
        _cost(state.latest(Step.SYNTHESIS, fusion=number), spec.writer, read),
    ]
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if len(known) == len(costs) else None


def _tokens(call: CallState) -> int:
    made = call.usage.output_tokens
    return tokens_in(call.text) if made is None else made - (call.usage.reasoning_tokens or 0)


def _cost(before: CallState | None, asked: Panelist, more: int) -> Decimal | None:
    if before is None or before.usage.input_tokens is None:
        return None
    usage = replace(before.usage, input_tokens=before.usage.input_tokens + more)
    return cost_of(usage, asked.price)
