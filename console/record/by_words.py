"""What is said, wherever a run is told, of a fusion in which words stood in for a model."""

from __future__ import annotations

from ..engine.findings.by_words import WORDS
from ..engine.spec import Panelist
from ..engine.state import FusionState, RunState
from ..providers.kinds import BUILT_IN


def compared(fusion: FusionState) -> str:
    """Why no judge compared the answers, as a sentence; "" where one did."""
    if fusion.analysis_by != WORDS:
        return ""
    if fusion.analysis_reason:
        return (
            "The answers were compared by their words alone: sentences alike, sentences that "
            "differ by a word or a figure, and what only one says."
        )
    who = _called(Panelist.from_dict(fusion.judge))
    sentence = f"Compared by words alone, since {who} is too small to judge."
    if fusion.criteria:
        sentence += " Criteria need a judge, so they were not weighed."
    return sentence


def put_together(state: RunState, fusion: FusionState | None) -> str:
    """Of a fused answer that nobody wrote, how it was made; "" where somebody did."""
    call = state.answering(fusion) if fusion else None
    if call is None or not call.is_by_words:
        return ""
    if fusion and fusion.way == "vote":
        return "Counted by what each answer comes to in a few words: no model was asked."
    who, few = _called(Panelist.from_dict(call.panelist)), "to write"
    if fusion and fusion.analysis_by == WORDS:
        few = "to judge and to write"
    return f"Put together from the answers' own sentences: {who} is too small {few}."


def _called(panelist: Panelist) -> str:
    is_built_in = panelist.credential == BUILT_IN.slug and panelist.model in BUILT_IN.too_small
    return "the built-in model" if is_built_in else panelist.short_name
