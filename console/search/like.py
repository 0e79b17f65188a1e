"""Questions that were asked before and resemble one that is being written.

The longest of its words, which are mostly the rarer ones, are looked up one by one and some of
them two by two, each for the newest that have it; whoever has most of them is read, and is like
it where enough of both questions' words are the same, each weighed by how rare it is among them.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import combinations

from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.db.models.functions import Left

from .. import access
from ..engine.findings.gist import Gist, Likeness, gist, root_of
from ..engine.findings.whole_sentences import is_usual
from ..engine.state import RunStatus
from ..models.runs import READ_ONLY
from . import on_postgres, on_sqlite
from .facets import STATES, readable_facets
from .folding import is_sign, words
from .queries import Term
from .sought import Sought

LIKE = 0.80
MOST = 3  # that are told
SHORTEST = 12  # characters of a question that is looked at
READ = 600  # characters of a question
WORDS, PAIRS = 5, 3  # looked up
NEWEST, COMPARED = 40, 40
_LEAST_ROOTS, _LEAST_SHARED = 2, 2.0
# Words of asking and not of what is asked about: they count little.
_ASKING = 0.3
_WORDS_OF_ASKING = """
    explain describe compare summarise summarize write draft plan find name list give tell show help
    please best good way suit fit match belong use usage using used work require requirement
    argument advantage risk difference vs versus short simple word main general
    welche erkläre vergleiche schreibe nenne passt passen dauert expliquer comparer écris avantages
    quels quelles
    """
_ASKS = frozenset(map(root_of, _WORDS_OF_ASKING.split()))


@dataclass(frozen=True)
class AskedLike:
    run: uuid.UUID
    asked_at: datetime
    title: str
    prompt: str
    owner_id: int | None
    owner: str


def asked_like(viewer: User | AnonymousUser, prompt: str) -> list[AskedLike]:
    """The most like first, of those that have an answer and that one may read."""
    said = " ".join(prompt.split())[:READ]
    if not (viewer.is_authenticated and viewer.is_active) or len(said) < SHORTEST:
        return []
    asked = gist(said)
    if len(asked.roots) < _LEAST_ROOTS:
        return []
    runs = access.runs_visible_to(viewer).exclude(origin__in=READ_ONLY)
    rows = runs.filter(pk__in=_candidates(viewer, said), status=RunStatus.COMPLETED).values_list(
        "pk", "created_at", "title", Left("prompt", READ), "owner_id", "owner__username"
    )
    found = [
        AskedLike(pk, at, title, beginning, owner_id, owner or "")
        for pk, at, title, beginning, owner_id, owner in rows
    ]
    found.sort(key=lambda one: one.asked_at, reverse=True)
    # What was asked again and again is told once, by its newest.
    newest = {" ".join(one.prompt.split()): one for one in reversed(found)}
    gists = [_kept_gist(said) for said in newest]
    return [[*newest.values()][n] for n in most_like(asked, gists)][:MOST]


@lru_cache(maxsize=512)  # whoever types is compared with the same again and again
def _kept_gist(said: str) -> Gist:
    return gist(said)


def most_like(asked: Gist, others: Sequence[Gist]) -> list[int]:
    """Which of the others are like it, the most like first."""
    measure = Likeness([asked, *others])
    scored = [
        (-measure.alike(asked, other), n)
        for n, other in enumerate(others)
        if likeness(asked, other) >= LIKE
    ]
    return [n for _, n in sorted(scored)]


def likeness(one: Gist, other: Gist) -> float:
    """From 0 to 1: how much of the shorter of two questions the longer one has, too. A detail more
    is no other question; a subject of its own in each makes them two."""
    shared = _weight(one.roots & other.roots)
    least = min(_weight(one.roots - other.roots), _weight(other.roots - one.roots))
    if shared < _LEAST_SHARED or shared < max(map(_weight, (one.roots, other.roots))) / 3:
        return 0.0
    return shared / (shared + least)


def _weight(roots: frozenset[str]) -> float:
    return sum(_ASKING if root in _ASKS else 1 for root in roots)


def _candidates(viewer: User | AnonymousUser, said: str) -> list[uuid.UUID]:
    backend = on_postgres if connection.vendor == "postgresql" else on_sqlite
    terms = _terms(said)
    sought: list[tuple[Term, ...]] = [(term,) for term in terms]
    sought += [*combinations(terms[: PAIRS + 1], 2)][:PAIRS]
    counts: Counter[uuid.UUID] = Counter()
    wanted = (Sought(both, readable_facets(viewer), (STATES["completed"],)) for both in sought)
    for rows in backend.newest_of_each(wanted, NEWEST):
        # What few have says more.
        weight = 1000 // (len(rows) + 1)
        for run in {uuid.UUID(str(run)) for _, run in rows}:
            counts[run] += weight
    return [run for run, _ in counts.most_common(COMPARED)]


def _terms(said: str) -> list[Term]:
    """Of scripts that write no words apart two signs at a time."""
    parts = words(said)
    whole = {word for word in parts if not is_sign(word) and not is_usual(word) and len(word) > 2}
    found = [Term((word,)) for word in sorted(whole, key=lambda word: (-len(word), word))]
    signs = [
        Term((one, other))
        for one, other in zip(parts, parts[1:], strict=False)
        if is_sign(one) and is_sign(other)
    ]
    return [*found, *dict.fromkeys(signs[::2])][:WORDS]
