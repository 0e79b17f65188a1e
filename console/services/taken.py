"""Answers of an earlier run of the same question that need not be asked for again: those of the
same model with the same options. They cost nothing here, and say where they were paid for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.utils import timezone

from ..engine.answers_there import taken_call
from ..engine.spec import Panelist, Spec
from ..engine.state import CallState, RunState
from ..models import Run

# What of a panelist decides what it answers, beside what it is asked.
_SAME = (
    *("credential", "model", "temperature", "max_output_tokens", "seed", "reasoning_effort"),
    *("system_prompt", "response_schema", "terms"),
)


def answers_to_take(run: Run, state: RunState, before: Spec, spec: Spec) -> list[CallState]:
    """For seats of `spec`, which is asked the same as `run` was. Where something is looked up on
    the web nobody is asked the same twice."""
    if before.research or spec.research:
        return []
    now = round(timezone.now().timestamp(), 3)
    there = [call for seat in before.asked if (call := state.answer(seat)) and call.text.strip()]
    found = []
    for seat in spec.asked:
        panelist = spec.panel[seat]
        call = next((call for call in there if is_same(panelist, call)), None)
        if call is not None:
            there.remove(call)
            found.append(taken_call(call, seat, panelist, str(run.pk), now))
    return found


def is_same(panelist: Panelist, call: CallState) -> bool:
    asked = Panelist.from_dict(call.panelist)
    return all(getattr(panelist, name) == getattr(asked, name) for name in _SAME)


def as_if_brought(
    spec: Spec, answers: Sequence[str], calls: Sequence[CallState]
) -> tuple[Spec, list[str]]:
    """For who reckons what a run costs: seats whose answers are there are not paid for."""
    texts = dict(zip(spec.brought, answers, strict=True))
    texts |= {call.seat: call.text for call in calls if call.seat is not None}
    panel = [
        replace(one, brought_by="") if seat in texts and not one.is_brought else one
        for seat, one in enumerate(spec.panel)
    ]
    return replace(spec, panel=tuple(panel)), [texts[seat] for seat in sorted(texts)]
