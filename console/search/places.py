"""Which text of a run says what was looked for, and where in it: as a page shows it."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

from ..engine.spec import letter
from ..engine.state import Step
from ..models import Call, Fusion, Run, Verdict
from .entries import strings
from .passages import FoundPassage, passage
from .queries import Query

READ = 2_000_000  # characters that are gone through for a page: what lies behind has no passage


@dataclass(frozen=True)
class FoundText:
    """`kind`: fused, seat, prompt, analysis or note; `number`: of the seat or the fusion."""

    kind: str
    text: str
    number: int = 0
    passage: FoundPassage | None = None

    @property
    def label(self) -> str:
        return letter(self.number) if self.kind == "seat" else self.kind

    @property
    def address(self) -> str:
        """Where on the run's page it is shown."""
        match self.kind:
            case "seat":
                return f"look=answers&part=seat-{self.number}"
            case "fused":
                return f"look=result&part=fused-answer&fusion={self.number}"
            case "analysis":
                return f"look=result&part=analysis&fusion={self.number}"
        return ""

    @property
    def anchor(self) -> str:
        """What of it is brought into view."""
        return {"seat": "found-1", "fused": "found-1", "analysis": "analysis"}.get(self.kind, "run")


def places_of(runs: Collection[uuid.UUID], query: Query) -> dict[uuid.UUID, FoundText]:
    """Of each the text that says most of it; the fused answer before the others."""
    if not (runs and query.terms):
        return {}
    found: dict[uuid.UUID, FoundText] = {}
    left = READ
    for run, texts in _texts(runs).items():
        for text in texts:
            left -= len(text.text)
            if left < 0:
                return found
            said = passage(text.text, query.terms)
            best = found[run].passage if run in found else None
            if said and (best is None or said.has > best.has):
                found[run] = replace(text, passage=said)
            if said and said.has == len(query.terms):
                break
    return found


def _texts(runs: Collection[uuid.UUID]) -> dict[uuid.UUID, list[FoundText]]:
    """As far as a page shows them: of a seat its last answer."""
    found: dict[uuid.UUID, list[FoundText]] = defaultdict(list)
    fusions = [*Fusion.objects.filter(run__in=runs).only(
        "run_id", "number", "text", "analysis", "wish").order_by("-number")]  # fmt: skip
    for fusion in fusions:
        found[fusion.run_id].append(FoundText("fused", fusion.text, fusion.number))
    calls = Call.objects.filter(run__in=runs, step=Step.PANEL).only("run_id", "seat", "text")
    last = {(call.run_id, call.seat): call for call in calls.order_by("number")}
    for run, seat in sorted(last, key=lambda place: place[1] or 0):
        found[run].append(FoundText("seat", last[run, seat].text, seat or 0))
    for run, prompt in Run.objects.filter(pk__in=runs).values_list("pk", "prompt"):
        found[run].append(FoundText("prompt", prompt))
    for fusion in fusions:
        said = "\n".join(strings(fusion.analysis))
        found[fusion.run_id].append(FoundText("analysis", said, fusion.number))
        found[fusion.run_id] += [FoundText("note", note) for note in _notes(fusion)]
    for run, note in Verdict.objects.filter(run__in=runs).values_list("run_id", "note"):
        found[run].append(FoundText("note", note))
    return found


def _notes(fusion: Fusion) -> Iterator[str]:
    for ruling in fusion.wish.get("rulings", []):
        yield str(ruling.get("note", ""))
    yield from map(str, fusion.wish.get("facts", []))
    yield str(fusion.wish.get("instruction", ""))
