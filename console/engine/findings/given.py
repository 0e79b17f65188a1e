"""Which text a fusion gave, by which call, and why that one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..errors import Reason
from ..state import CallState, FusionState, RunState, Step
from .provenance import plain

# The fused answer could not be written; what was written says nothing; a reader wanted the best.
WhyBest = Literal["fused_failed", "fused_unusable", "chosen"]
SAYS_NOTHING = (Reason.REPEATS_ITSELF, Reason.ECHOES_PROMPT)


@dataclass(frozen=True)
class Given:
    """`text` is without marks of provenance; `call.text` has them. `why`: the fused answer, or
    the best single answer where none could, or was to, be written."""

    call: CallState
    text: str
    why: Literal["fused", "best"]


def given(state: RunState, fusion: FusionState | None) -> Given | None:
    """None as long as, or where, there is none."""
    call = state.answering(fusion) if fusion else None
    if call is None:
        return None
    if call.step is not Step.SYNTHESIS:
        return Given(call, call.text, "best")
    return Given(call, plain(call.text), "fused")


def why_best(state: RunState, fusion: FusionState) -> WhyBest:
    """Why the best single answer stands in, where one does."""
    if fusion.is_chosen:
        return "chosen"
    written = state.latest(Step.SYNTHESIS, fusion=fusion.number)
    is_unusable = written is not None and written.reason in SAYS_NOTHING
    return "fused_unusable" if is_unusable else "fused_failed"


def fused_answer(state: RunState) -> str:
    """The text of the latest fusion, or nothing."""
    found = given(state, state.fusion)
    return found.text if found else ""
