"""The agreement map: the analysis as a table of claims by seats, in its five parts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..engine.errors import SENTENCES, Reason
from ..engine.findings.analysis import notes as engine_notes
from ..engine.findings.analysis import read_so_far, statements
from ..engine.findings.by_words import WORDS
from ..engine.findings.degenerate import Detector, is_alphabet
from ..engine.findings.doubtful import note_of
from ..engine.findings.families import kinship
from ..engine.findings.sourced import SourcedSentence
from ..engine.pool import without_open
from ..engine.spec import Panelist, Spec, letter
from ..engine.state import CallStatus, FusionState, RunState, RunStatus, Step
from ..engine.steps.condense import Condensing, condensing_of
from ..engine.text import ended
from ..record.by_words import compared
from ..record.provenance import provenance
from . import evidence, figures
from .claims import AnalysisPart, ClaimRows, MapFilter, filters
from .evidence import Quote, Rating
from .seats import SeatView

WHAT_WAS_COMPLETE = "What was complete of it stands below."


@dataclass(frozen=True)
class AnalysisView:
    """`state` is waiting, running, retrying, done, failed, single or skipped. `sentences` are
    those of the fused answer that a mark or a claim leads to, for the page's script."""

    number: int  # of its fusion
    state: str
    sentence: str
    since: float | None
    until: float | None  # when the judge is asked again
    judge: str  # or "words"
    seats: list[SeatView]
    parts: list[AnalysisPart]
    ratings: list[Rating] = field(default_factory=list)
    injections: list[Quote] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    filters: list[MapFilter] = field(default_factory=list)
    sentences: str = "[]"

    @property
    def claims(self) -> int:
        """Of the analysis: what the writer adds is none of them."""
        return sum(bool(claim.id) for part in self.parts for claim in part.claims)


def analysis(spec: Spec, state: RunState, columns: Sequence[SeatView]) -> AnalysisView:
    fusion = state.fusion
    judged = _judged(fusion, state, columns)
    name, sentence, since = _state(spec, state, fusion, judged)
    data = fusion.analysis if fusion and fusion.analysis is not None else None
    answers = _answers(fusion, state)
    is_by_words = bool(fusion and fusion.analysis_by == WORDS)
    shown = data if data is not None else _so_far(spec, state, fusion, answers)
    sentences = provenance(state, fusion) if data is not None else ()
    if data is None and shown is not None and name in ("failed", "skipped", "retrying"):
        sentence = f"{sentence} {WHAT_WAS_COMPLETE}"
    rulings = fusion.wish.get("rulings", []) if fusion else []
    # Of a run that has ended nothing is being looked up any more: it may be asked for once more.
    research = state.research
    if state.status.is_final:
        research = without_open(research)
    rows = ClaimRows(judged, answers, sentences, rulings, research)
    parts = rows.of(shown) if shown is not None else []
    return AnalysisView(
        number=fusion.number if fusion else 0,
        state=name,
        sentence=sentence,
        since=since,
        until=_retry_at(state, fusion) if name == "retrying" else None,
        judge=WORDS if is_by_words else _asked(spec, state, fusion).short_name,
        seats=judged,
        parts=parts,
        ratings=evidence.ratings(data.get("ratings", []), judged) if data else [],
        injections=evidence.quotes(data.get("injections", []), judged, answers) if data else [],
        notes=_notes(spec, state, fusion, data),
        filters=filters(parts),
        sentences=_for_script(sentences),
    )


def _for_script(sentences: Sequence[SourcedSentence]) -> str:
    """As JSON."""
    rows = [
        {
            "number": number,
            "text": sentence.text,
            "seats": sentence.letters,
            "claims": [use.claim for use in sentence.uses],
        }
        for number, sentence in enumerate(sentences)
        if sentence.letters or sentence.is_own or sentence.is_yours or sentence.is_linked
    ]
    return json.dumps(rows, ensure_ascii=False)


def _so_far(
    spec: Spec, state: RunState, fusion: FusionState | None, answers: Mapping[int, str]
) -> dict[str, Any] | None:
    """What is complete of an analysis that is being written, or that broke off. A try that is
    asked again does not take it away: what it had stands until another has more."""
    if fusion is None:
        return None
    seats = tuple(sorted(set(answers) - set(condensing_of(state, fusion.number).left_out)))
    calls = state.calls_of(Step.ANALYSIS, fusion=fusion.number)
    read = [
        found
        for call in calls
        if call.text
        and (found := _read(call.text, seats, spec.prompts.analysis, tuple(answers.values())))
    ]
    return max(read, key=lambda found: len(statements(found)), default=None)


@lru_cache(maxsize=32)
def _read(
    text: str, seats: tuple[int, ...], prompt: str, answers: tuple[str, ...]
) -> dict[str, Any] | None:
    detector = Detector(prompts=[prompt], sources=lambda: answers)
    return read_so_far(
        text, seats, is_no_claim=lambda t: is_alphabet(t) or detector.find_in(t) is not None
    )


def judge(spec: Spec, fusion: FusionState | None) -> Panelist:
    return Panelist.from_dict(fusion.judge) if fusion and fusion.judge else spec.judge


def _asked(spec: Spec, state: RunState, fusion: FusionState | None) -> Panelist:
    """Who compares, or has compared: a fallback goes by its own name."""
    call = state.latest(Step.ANALYSIS, fusion=fusion.number) if fusion else None
    return Panelist.from_dict(call.panelist) if call else judge(spec, fusion)


def _notes(
    spec: Spec, state: RunState, fusion: FusionState | None, data: dict[str, Any] | None
) -> list[str]:
    """What a reader should bear in mind about this judgement."""
    without = compared(fusion) if fusion and not fusion.analysis_reason else ""
    of_analysis = _of_analysis(spec, fusion, data) if data else []
    looked_up = note_of(state.research, fusion.number) if fusion else ""
    said = [note for note in (without, looked_up) if note]
    return [*said, *_condensing(state, fusion), *of_analysis]


def _condensing(state: RunState, fusion: FusionState | None) -> list[str]:
    condensing = condensing_of(state, fusion.number) if fusion else Condensing([], {})
    notes = []
    if condensing.condensed:
        which = ", ".join(map(letter, condensing.condensed))
        notes.append(
            f"The answers were too long to be read together. The judge condensed {which} first; "
            "quotes are looked up in the whole answers."
        )
    for seat, why in condensing.left_out.items():
        notes.append(
            f"{letter(seat)} was too long and left out: it could not be condensed. {ended(why)}"
        )
    return notes


def _of_analysis(spec: Spec, fusion: FusionState | None, data: dict[str, Any]) -> list[str]:
    writer = fusion and fusion.synthesizer
    notes = kinship(
        spec.panel, judge(spec, fusion), Panelist.from_dict(writer) if writer else spec.writer
    )
    return [*notes, *engine_notes(data)]


def _answers(fusion: FusionState | None, state: RunState) -> dict[int, str]:
    """The very answers that were judged, by seat."""
    calls = [state.calls[key] for key in (fusion.judged if fusion else []) if key in state.calls]
    return {call.seat: call.text for call in calls if call.seat is not None}


def _judged(
    fusion: FusionState | None, state: RunState, columns: Sequence[SeatView]
) -> list[SeatView]:
    keys = fusion.judged if fusion else []
    seats = {state.calls[key].seat for key in keys if key in state.calls}
    return [c for c in columns if c.seat in seats] or [
        c for c in columns if c.call and c.call.is_usable
    ]


def _state(
    spec: Spec, state: RunState, fusion: FusionState | None, judged: Sequence[SeatView]
) -> tuple[str, str, float | None]:
    call = state.latest(Step.ANALYSIS, fusion=fusion.number) if fusion else None
    if fusion and fusion.analysis is not None:
        return "done", _instead_of_judge(state, fusion), None
    if fusion and fusion.analysis_reason:
        why = fusion.analysis_error or SENTENCES[Reason(fusion.analysis_reason)]
        return "failed", f"{ended(why)} {_without_it(state, fusion)}".rstrip(), None
    if call and not call.status.is_final:
        answers = figures.count_of(len(judged), "answer")
        return (
            "running",
            f"{_asked(spec, state, fusion).short_name} is comparing {answers}",
            call.started_at,
        )
    if call and _retry_at(state, fusion) is not None:
        another = call.retry_cause == "fallback"
        who = "Its fallback" if another else _asked(spec, state, fusion).short_name
        return (
            "retrying",
            f"{ended(call.error)} {who} is asked {'next' if another else 'again'}.",
            None,
        )
    shortened = [
        c for c in state.calls.values() if c.step is Step.CONDENSE and not c.status.is_final
    ]
    if call is None and shortened:
        name = judge(spec, fusion).short_name
        return "running", f"{name} is condensing the long answers", shortened[0].started_at
    if fusion and call is None and len(judged) == 1:
        return "single", "One answer came back, so there was nothing to compare.", None
    if state.status.is_final:
        stopped = call is not None and call.status is CallStatus.CANCELLED
        if spec.stop_after == "panel" and not state.fusions:
            return "skipped", "Compared first: nothing has been analysed yet.", None
        what = "Stopped before the analysis was done." if stopped else "There is no analysis."
        return "skipped", what, None
    if len(spec.panel) == 1:
        return "waiting", "A panel of one has nothing to compare.", None
    return "waiting", "Agreement, contradictions and gaps appear once the panel has answered.", None


def _instead_of_judge(state: RunState, fusion: FusionState) -> str:
    """What stood in the way of the judge, and what there is instead; "" where nothing did."""
    if not fusion.analysis_reason:
        return ""
    why = ended(fusion.analysis_error or SENTENCES[Reason(fusion.analysis_reason)])
    if _is_told_above(state, fusion):
        why = ""
    if by_words := compared(fusion):
        return f"{why} {by_words} {_without_it(state, fusion)}".strip()
    return f"{why} {WHAT_WAS_COMPLETE}"


def _is_told_above(state: RunState, fusion: FusionState) -> bool:
    """A budget that paid for no judge paid for no writer either, which the notice says."""
    written = state.latest(Step.SYNTHESIS, fusion=fusion.number)
    if not (written and state.status is RunStatus.COMPLETED and state.error):
        return False
    return fusion.analysis_reason == written.reason == Reason.BUDGET_EXCEEDED


def _without_it(state: RunState, fusion: FusionState) -> str:
    """What was done without an analysis: the same story as the head of the fused answer tells."""
    written = state.latest(Step.SYNTHESIS, fusion=fusion.number)
    if fusion.best and fusion.analysis_by == WORDS:
        return "The one that has most in common with the others stands in."
    if fusion.best:
        return "Without it nobody has rated the answers, and the first of them stands in."
    if written and written.is_usable:
        return "The fused answer was written from the answers alone."
    if written and not state.status.is_final:
        return "The fused answer is being written from the answers alone."
    return ""


def _retry_at(state: RunState, fusion: FusionState | None) -> float | None:
    call = state.latest(Step.ANALYSIS, fusion=fusion.number) if fusion else None
    return call.retry_at if call and not state.status.is_final else None
