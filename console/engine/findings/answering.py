"""What a run came to: of all its fusions and calls the one whose text is its answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ..attachments import Attachment, kept
from ..errors import Reason
from ..spec import Spec
from ..state import CallState, FusionState, RunState, Step
from .provenance import plain, plain_so_far


@dataclass(frozen=True)
class FinalAnswer:
    """What a run came to. `stands_in`: a panelist's answer where none could be fused. `pictures`
    that came with it and are kept."""

    text: str = ""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    finish_reason: str = "stop"
    model: str = ""
    reasoning: str = ""
    stands_in: bool = False
    pictures: list[Attachment] = field(default_factory=list)


def is_direct(spec: Spec) -> bool:
    return spec.stop_after == "panel"


def answering_call(spec: Spec, state: RunState) -> CallState | None:
    """The call whose text is the run's answer, or will be."""
    fusion = state.fusion
    if is_direct(spec) and not fusion:
        # Of several answers that are to be compared first, none is the run's.
        one = len(spec.panel) == 1
        return (state.answer(0) or state.latest(Step.PANEL, seat=0)) if one else None
    found = _written(state, fusion) if fusion else None
    if state.status.is_final and not (found and found.is_usable):
        # A later fusion that was stopped takes nothing away from an earlier one.
        before = (_written(state, f) for _, f in sorted(state.fusions.items(), reverse=True))
        return next((call for call in before if call and call.is_usable), found)
    return found


def _written(state: RunState, fusion: FusionState) -> CallState | None:
    """The call with a fusion's text, or with the answer that stands in for it."""
    return state.calls.get(fusion.best) or state.latest(Step.SYNTHESIS, fusion=fusion.number)


def answer_of(spec: Spec, state: RunState) -> FinalAnswer | None:
    """None when there is none."""
    call = answering_call(spec, state)
    if call is None or not call.is_usable:
        return None
    reason = call.finish_reason or "stop"
    if call.tool_calls and reason == "stop":
        reason = "tool_calls"  # one that was cut short is none to be carried out
    elif reason == "tool_calls" and not call.tool_calls:
        reason = "stop"  # there is nothing to carry out
    return FinalAnswer(
        text=text_of(call),
        tool_calls=call.tool_calls,
        finish_reason=reason,
        model=call.model or str(call.panelist.get("model", "")),
        reasoning=call.reasoning,
        stands_in=not is_direct(spec) and call.step is Step.PANEL,
        pictures=kept(call.attachments),
    )


def filtered_of(spec: Spec, state: RunState) -> FinalAnswer | None:
    """As far as a single model that is passed through came before its provider ended the answer
    by a filter, or it refused: OpenAI's clients are told that as an answer with that end. Whom the
    server refused before it answered had none."""
    if not is_direct(spec) or state.fusion or not state.status.is_final:
        return None
    call = answering_call(spec, state)
    if call is None or call.reason != Reason.CONTENT_FILTER or not call.finish_reason:
        return None
    return FinalAnswer(
        text=call.text,
        finish_reason=call.finish_reason,
        model=call.model or str(call.panelist.get("model", "")),
        reasoning=call.reasoning,
    )


def text_of(call: CallState | None) -> str:
    """As far as it is certain, without marks of provenance."""
    if call is None or call.step is not Step.SYNTHESIS:
        return call.text if call else ""
    return plain(call.text) if call.status.is_final else plain_so_far(call.text)
