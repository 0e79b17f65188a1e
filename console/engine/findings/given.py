"""Which text a fusion gave, by which call, and why that one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ..state import CallState, FusionState, RunState, Step
from .provenance import plain


@dataclass(frozen=True)
class Given:
    """`text` is without marks of provenance; `call.text` has them. `why`: the fused answer, or
    the best single answer where none could be written."""

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


def fused_answer(state: RunState) -> str:
    """The text of the latest fusion, or nothing."""
    found = given(state, state.fusion)
    return found.text if found else ""
