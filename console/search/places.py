"""Which text of a run says what was looked for, and where in it: as a page shows it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace

from ..engine.spec import letter
from ..engine.state import Step
from ..models import Call, Fusion, Run, RunTag, Verdict
from .entries import strings
from .passages import FoundPassage, passage
from .queries import Query

READ = 2_000_000  # characters that are gone through for a page: what lies behind has no passage


@dataclass(frozen=True)
class FoundText:
    """`kind`: fused, seat, prompt, title, analysis, note or tag; `number`: of the seat or the
    fusion."""

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
    left = _look(found, _written(runs), query, READ)
    # What only few are found by is read of those alone.
    missing = [run for run in runs if run not in found or _lacks(found[run], query)]
    if missing:
        _look(found, _judged(missing), query, left)
    return found


def _look(
    found: dict[uuid.UUID, FoundText],
    texts: Iterable[tuple[uuid.UUID, FoundText]],
    query: Query,
    left: int,
) -> int:
    """Returns how many characters may still be gone through."""
    for run, text in texts:
        best = found.get(run)
        if best and not _lacks(best, query):
            continue
        left -= len(text.text)
        if left < 0:
            break
        has = best.passage.has if best and best.passage else 0
        if said := passage(text.text, query.terms, more_than=has):
            found[run] = replace(text, passage=said)
    return left


def _lacks(text: FoundText, query: Query) -> bool:
    return text.passage is None or text.passage.has < len(query.terms)


def _written(runs: Collection[uuid.UUID]) -> Iterator[tuple[uuid.UUID, FoundText]]:
    """As far as a page shows them: of a seat its last answer."""
    fused = Fusion.objects.filter(run__in=runs).exclude(text="").order_by("-number")
    for run, number, text in fused.values_list("run_id", "number", "text"):
        yield run, FoundText("fused", text, number)
    calls = Call.objects.filter(run__in=runs, step=Step.PANEL).order_by("number")
    last = {(run, seat or 0): text for run, seat, text in calls.values_list("run", "seat", "text")}
    for run, seat in sorted(last, key=lambda place: place[1]):
        yield run, FoundText("seat", last[run, seat], seat)
    for run, prompt, title in Run.objects.filter(pk__in=runs).values_list("pk", "prompt", "title"):
        yield run, FoundText("prompt", prompt)
        yield run, FoundText("title", title)


def _judged(runs: Collection[uuid.UUID]) -> Iterator[tuple[uuid.UUID, FoundText]]:
    fusions = Fusion.objects.filter(run__in=runs).only("run_id", "number", "analysis", "wish")
    for fusion in fusions.order_by("-number"):
        said = "\n".join(strings(fusion.analysis))
        yield fusion.run_id, FoundText("analysis", said, fusion.number)
        for note in _notes(fusion):
            yield fusion.run_id, FoundText("note", note)
    for run, note in Verdict.objects.filter(run__in=runs).values_list("run_id", "note"):
        yield run, FoundText("note", note)
    for run, name in RunTag.objects.filter(run__in=runs).values_list("run", "name"):
        yield run, FoundText("tag", name)


def _notes(fusion: Fusion) -> Iterator[str]:
    for ruling in fusion.wish.get("rulings", []):
        yield str(ruling.get("note", ""))
    yield from map(str, fusion.wish.get("facts", []))
    yield str(fusion.wish.get("instruction", ""))
