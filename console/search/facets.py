"""What a run is filtered by, as words of the index that begin with a sign which no folded text
has: nobody can type one.

They narrow fast and decide nothing: what may be read is asked of `access` all the same, so a word
that is out of date can hide a run and never show one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from django.contrib.auth.models import AnonymousUser, User

from ..engine.state import CallStatus, RunStatus, Step
from ..models import Call, Fusion, Project, Run, Visibility
from ..models.order import ARCHIVE, STAR
from ..models.runs import READ_ONLY, Origin

TEAM = "·team"
STATES = {
    "completed": "·scompleted",
    "failed": "·sfailed",
    "cancelled": "·scancelled",
    "open": "·sopen",
}
# US dollars, from and below; at the address by their names.
COSTS = {"cents": "·c1", "dime": "·c2", "dollar": "·c3", "more": "·c4"}
_UP_TO = [(Decimal("0.01"), "·c1"), (Decimal("0.10"), "·c2"), (Decimal(1), "·c3")]
# Runs that are in no list of what people asked.
_UNLISTED = (Origin.SAMPLE, Origin.EVALUATION)


def facets_of(run: Run, calls: Iterable[Call], fusions: Iterable[Fusion], *, has_best: bool) -> str:
    calls, fusions = [*calls], [*fusions]
    found = {*_of_readers(run), *_of_the_run(run), *(f"·f{run.origin}",)}
    panel = [call for call in calls if call.step == Step.PANEL]
    found |= {model_facet(str(call.panelist.get("model", ""))) for call in panel}
    seats = run.spec.get("panel", []) if isinstance(run.spec, dict) else []
    found |= {model_facet(str(seat.get("model", ""))) for seat in seats if isinstance(seat, dict)}
    if any(isinstance(f.analysis, dict) and f.analysis.get("contradictions") for f in fusions):
        found.add("·contra")
    if any(f.wish.get("rulings") or f.wish.get("facts") for f in fusions):
        found.add("·ruled")
    if run.status == RunStatus.COMPLETED and _lacks(run, panel, fusions):
        found.add("·lacks")
    if has_best:
        found.add("·best")
    return " ".join(sorted(found))


def readable_facets(user: User | AnonymousUser, *, own: bool = False) -> tuple[str, ...]:
    """One of them must be there, of what people asked."""
    return (f"·o{user.pk}",) if own else (f"·o{user.pk}", TEAM)


def admin_facets(user: User | AnonymousUser) -> tuple[str, ...]:
    """Of all that an admin may read, what nobody asked among it."""
    return (f"·o{user.pk}", TEAM, f"·uo{user.pk}", "·uteam", "·unobody")


def owner_named(username: str) -> int:
    """For a filter: a name that is nobody's finds nothing."""
    if "\0" in username:  # PostgreSQL will not even look
        return 0
    found = User.objects.filter(username=username).values_list("pk", flat=True).first()
    return found or 0


def project_named(slug: str) -> int:
    """For a filter: what is no project finds nothing."""
    if "\0" in slug:
        return 0
    return Project.objects.filter(slug=slug).values_list("pk", flat=True).first() or 0


def preset_facet(slug: str) -> str:
    return f"·p{_as_word(slug)}"


def model_facet(model: str) -> str:
    return f"·m{_as_word(model)}"


def tag_facet(tag: str) -> str:
    facet = f"·t{_as_word(tag)}"
    return f"{facet}·" if facet == TEAM else facet  # what is tagged `eam` is not the team's


def project_facet(project_id: int) -> str:
    return f"·j{project_id}"


def mark_facet(kind: str, person_id: int) -> str:
    """What one reader keeps of it: a star, or that it is archived."""
    return f"·k{kind}{person_id}"


def kept_facets(
    person_id: int,
    *,
    tag: str = "",
    project: int | None = None,
    starred: bool = False,
    archived: bool = False,
) -> tuple[str, ...]:
    """What is archived is found by its words all the same, and left out of lists alone."""
    marks = {STAR: starred, ARCHIVE: archived}
    kept = [mark_facet(kind, person_id) for kind, is_asked in marks.items() if is_asked]
    its = [] if project is None else [project_facet(project)]
    return (*([tag_facet(tag)] if tag else []), *its, *kept)


def _of_readers(run: Run) -> Iterator[str]:
    mark = "·u" if run.origin in _UNLISTED else "·"
    yield f"{mark}o{run.owner_id}" if run.owner_id else f"{mark}nobody"
    if run.visibility == Visibility.TEAM:
        yield f"{mark}team"


def _of_the_run(run: Run) -> Iterator[str]:
    yield preset_facet(run.preset)
    if run.project_id is not None:
        yield project_facet(run.project_id)
    yield STATES.get(run.status, STATES["open"])
    if run.cost is not None and run.origin not in READ_ONLY:
        yield next((word for most, word in _UP_TO if run.cost < most), "·c4")


def _lacks(run: Run, panel: list[Call], fusions: list[Fusion]) -> bool:
    """A seat, the analysis or the fused answer is missing."""
    latest: dict[int | None, Call] = {}
    for call in sorted(panel, key=lambda call: call.number):
        latest[call.seat] = call
    if run.error or any(call.status == CallStatus.FAILED for call in latest.values()):
        return True
    last = max(fusions, key=lambda fusion: fusion.number, default=None)
    if last is None:
        return False
    chosen = last.wish.get("way") == "best"
    return bool(last.analysis_error or (last.best and not chosen))


def _as_word(name: str) -> str:
    """Either database takes it for one word; what is long ends where no two differ."""
    return "".join(sign if sign.isalnum() else "·" for sign in name.casefold())[:200]
