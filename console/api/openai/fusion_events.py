"""What panel and judge do, as OpenRouter's `response.fusion_call.*` events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ...engine.events import EventType
from ...engine.spec import Spec
from ...engine.state import RunState, Step
from . import shapes
from .public_events import name_of
from .sse import was_replaced

NamedEvent = tuple[str, dict[str, Any]]


@dataclass
class _Told:
    """Of one seat's call."""

    text: str = ""
    reasoning: str = ""
    completed: bool = False


class FusionEvents:
    """From one state of a run to the next, what has not been told."""

    def __init__(self, spec: Spec) -> None:
        self._spec = spec
        self._told: dict[str, _Told] = {}
        self._analysis: set[str] = set()
        self.is_over = False

    def of(self, state: RunState) -> list[NamedEvent]:
        if self.is_over:
            return []
        events = [*self._panel(state), *self._judge(state)]
        if self._is_compared(state):
            self.is_over = True
            events += [*self._failures(state), ("completed", {})]
        return events

    def _panel(self, state: RunState) -> Iterator[NamedEvent]:
        for call in state.calls.values():
            if call.step is not Step.PANEL:
                continue
            # The model is all that OpenRouter tells; the same one may sit twice, or try twice.
            who = {"model": shapes.model_of(call), "call": call.key} | shapes.who(self._spec, call)
            sent = self._told.get(call.key)
            if (
                sent is None
                or was_replaced(call.text, sent.text, call)
                or was_replaced(call.reasoning, sent.reasoning, call)
            ):
                # An empty text begins, or begins again.
                sent = self._told[call.key] = _Told()
                yield name_of(EventType.CALL_ADDED, Step.PANEL), who
            if fresh := call.reasoning[len(sent.reasoning) :]:
                sent.reasoning = call.reasoning
                yield name_of(EventType.CALL_REASONING_DELTA, Step.PANEL), who | {"delta": fresh}
            if fresh := call.text[len(sent.text) :]:
                sent.text = call.text
                yield name_of(EventType.CALL_DELTA, Step.PANEL), who | {"delta": fresh}
            if call.is_usable and not sent.completed:
                sent.completed = True
                body = who | {"content": call.text}
                yield name_of(EventType.CALL_COMPLETED, Step.PANEL), body

    def _failures(self, state: RunState) -> Iterator[NamedEvent]:
        """Once no other try can follow."""
        for seat in range(len(self._spec.panel)):
            call = state.latest(Step.PANEL, seat=seat)
            if call is None or state.answer(seat) or not call.status.is_final:
                continue
            who = {"model": shapes.model_of(call), "call": call.key} | shapes.who(self._spec, call)
            body = who | {"error": call.error}
            yield (
                name_of(EventType.CALL_FAILED, Step.PANEL),
                body | ({"status_code": call.status_code} if call.status_code else {}),
            )

    def _judge(self, state: RunState) -> Iterator[NamedEvent]:
        fusion = state.fusion
        if fusion is None:
            return
        call = state.latest(Step.ANALYSIS, fusion=fusion.number)
        if call and "in_progress" not in self._analysis:
            self._analysis.add("in_progress")
            model = shapes.model_of(call)  # OpenRouter tells it by its old name, too
            body = {"analyst_model": model, "judge_model": model}
            yield name_of(EventType.CALL_ADDED, Step.ANALYSIS), body
        if fusion.analysis and "completed" not in self._analysis:
            self._analysis.add("completed")
            analysis = shapes.analysis_object(
                self._spec, fusion.analysis, shapes.judged(state, fusion)
            )
            yield name_of(EventType.CALL_COMPLETED, Step.ANALYSIS), {"analysis": analysis}

    def _is_compared(self, state: RunState) -> bool:
        return state.status.is_final or state.fused is not None
