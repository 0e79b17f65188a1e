"""The agreement map: the analysis as a table of claims by seats, in its five parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..engine.errors import SENTENCES, Reason
from ..engine.spec import Spec
from ..engine.state import CallStatus, FusionState, RunState, Step
from . import figures
from .seats import Seat

SAYS, OPPOSES, SILENT = "says so", "says otherwise", "silent"


@dataclass(frozen=True)
class Mark:
    seat: Seat
    meaning: str


@dataclass(frozen=True)
class Stance:
    seats: list[Seat]
    text: str


@dataclass(frozen=True)
class Claim:
    text: str
    marks: list[Mark]
    stances: list[Stance] = field(default_factory=list)


@dataclass(frozen=True)
class Part:
    name: str
    meaning: str
    claims: list[Claim]


@dataclass(frozen=True)
class Analysis:
    """`state` is waiting, running, done, failed, single or skipped."""

    state: str
    sentence: str
    since: float | None
    judge: str
    seats: list[Seat]
    parts: list[Part]

    @property
    def claims(self) -> int:
        return sum(len(part.claims) for part in self.parts)


def analysis(spec: Spec, state: RunState, columns: Sequence[Seat]) -> Analysis:
    fusion = state.fusion
    judged = _judged(fusion, state, columns)
    name, sentence, since = _state(spec, state, fusion, judged)
    data = fusion.analysis if fusion and fusion.analysis is not None else None
    return Analysis(
        state=name,
        sentence=sentence,
        since=since,
        judge=spec.judge.short_name,
        seats=judged,
        parts=_parts(data, judged) if data is not None else [],
    )


def _judged(fusion: FusionState | None, state: RunState, columns: Sequence[Seat]) -> list[Seat]:
    keys = fusion.judged if fusion else []
    seats = {state.calls[key].seat for key in keys if key in state.calls}
    return [c for c in columns if c.seat in seats] or [
        c for c in columns if c.call and c.call.is_usable
    ]


def _state(
    spec: Spec, state: RunState, fusion: FusionState | None, judged: Sequence[Seat]
) -> tuple[str, str, float | None]:
    call = state.latest(Step.ANALYSIS, fusion=fusion.number) if fusion else None
    if fusion and fusion.analysis is not None:
        return "done", "", None
    if fusion and fusion.analysis_reason:
        why = fusion.analysis_error or SENTENCES[Reason(fusion.analysis_reason)]
        return "failed", f"{why} The fused answer was written from the answers alone.", None
    if call and not call.status.is_final:
        answers = figures.count_of(len(judged), "answer")
        return "running", f"{spec.judge.short_name} is comparing {answers}", call.started_at
    if fusion and call is None and len(judged) == 1:
        return "single", "One answer came back, so there was nothing to compare.", None
    if state.status.is_final:
        stopped = call is not None and call.status is CallStatus.CANCELLED
        if spec.stop_after_panel and not state.fusions:
            return "skipped", "Compared first: nothing has been analysed yet.", None
        what = "Stopped before the analysis was done." if stopped else "There is no analysis."
        return "skipped", what, None
    if len(spec.panel) == 1:
        return "waiting", "A panel of one has nothing to compare.", None
    return "waiting", "Agreement, contradictions and gaps appear once the panel has answered.", None


def _parts(data: dict[str, Any], seats: Sequence[Seat]) -> list[Part]:
    def claims(key: str, text: str) -> list[Claim]:
        return [Claim(i[text], _marks(seats, i["seats"])) for i in data.get(key, [])]

    alone = [
        Claim(i["insight"], _marks(seats, [i["seat"]])) for i in data.get("unique_insights", [])
    ]
    nobody = [Claim(spot, _marks(seats, [])) for spot in data.get("blind_spots", [])]
    disputed = [_contradiction(i, seats) for i in data.get("contradictions", [])]
    return [
        Part("Consensus", "they agree", claims("consensus", "claim")),
        Part("Contradictions", "they disagree", disputed),
        Part("Partial coverage", "only some cover it", claims("partial_coverage", "point")),
        Part("Unique insights", "only one saw it", alone),
        Part("Blind spots", "nobody said it", nobody),
    ]


def _contradiction(item: dict[str, Any], seats: Sequence[Seat]) -> Claim:
    """The first stance is the claim; every other one speaks against it."""
    first, *others = item["stances"] or [{"seats": [], "stance": ""}]
    against = [seat for stance in others for seat in stance["seats"]]
    return Claim(
        item["topic"],
        _marks(seats, first["seats"], against),
        [Stance([c for c in seats if c.seat in s["seats"]], s["stance"]) for s in item["stances"]],
    )


def _marks(seats: Sequence[Seat], saying: Iterable[int], against: Iterable[int] = ()) -> list[Mark]:
    saying, against = set(saying), set(against)
    return [
        Mark(s, SAYS if s.seat in saying else OPPOSES if s.seat in against else SILENT)
        for s in seats
    ]
