"""Runs that are found, the newest first or the best of the newest.

The index says which match and may be read; `access` is asked once more for each that is shown.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser, User
from django.db import connection

from . import on_postgres, on_sqlite
from .entries import number_of
from .facets import TEAM, admin_facets, readable_facets
from .queries import Filters, Query
from .sought import Sought

Viewer = User | AnonymousUser
# How many matches are compared where the best are asked for: PostgreSQL reads each text for it.
BEST_OF = {"sqlite": 1000, "postgresql": 100}
ROUNDS = 20  # times that further matches are asked for, for one page


@dataclass(frozen=True)
class Hit:
    entry: int
    run: uuid.UUID


@dataclass(frozen=True)
class Found:
    """`before`: where the next page begins, the newest first; `best_of`: of how many matches these
    are the best; 0: they are the newest."""

    hits: tuple[Hit, ...]
    before: int | None = None
    best_of: int = 0


def best_of() -> int:
    return BEST_OF.get(connection.vendor, 100)


def find(
    viewer: Viewer,
    query: Query,
    filters: Filters | None = None,
    *,
    count: int,
    before: int | None = None,
    by_rank: bool = False,
    as_admin: bool = False,
) -> Found:
    """At most `count` runs, each once. `as_admin`: what nobody asked among them. Raises KeyError
    for a state or a cost that there is not."""
    if not (viewer.is_authenticated and viewer.is_active):
        return Found(())
    filters = filters or Filters()
    readers = admin_facets(viewer) if as_admin else readable_facets(viewer, own=filters.own)
    return find_of(readers, query, filters, count=count, before=before, by_rank=by_rank)


def find_of_the_team(query: Query, *, count: int) -> Found:
    """For the shell, which acts for nobody in particular."""
    return find_of((TEAM,), query, Filters(), count=count)


def find_of(
    readers: Sequence[str],
    query: Query,
    filters: Filters,
    *,
    count: int,
    before: int | None = None,
    by_rank: bool = False,
) -> Found:
    """Of what has one of these facets."""
    if query.finds_nothing:
        return Found(())
    sought = Sought(
        terms=query.terms,
        one_of=(*readers,),
        all_of=filters.facets,
        since=number_of(filters.since) if filters.since else None,
        before=_earlier(before, number_of(filters.until) if filters.until else None),
    )
    backend = on_postgres if connection.vendor == "postgresql" else on_sqlite
    if by_rank and query.terms:
        ranked = _hits(backend.best(sought, best_of()))
        return Found(tuple(ranked[:count]), best_of=best_of())
    found: dict[uuid.UUID, Hit] = {}
    for _ in range(ROUNDS):
        rows, following = backend.newest(sought, count + 1)
        for hit in _hits(rows):
            if hit.run not in found:
                found[hit.run] = hit
        if following is None or len(found) > count or len(rows) <= count:
            break
        sought = sought.older_than(following)
    if following is not None and len(found) <= count:
        # Whoever goes on goes on from there.
        return Found(tuple(found.values()), following)
    hits = tuple(found.values())
    more = len(hits) > count
    return Found(hits[:count], hits[count - 1].entry if more else None)


def _hits(rows: Sequence[tuple[int, object]]) -> list[Hit]:
    return [*{str(run): Hit(entry, uuid.UUID(str(run))) for entry, run in reversed(rows)}.values()][
        ::-1
    ]


def _earlier(one: int | None, other: int | None) -> int | None:
    given = [number for number in (one, other) if number is not None]
    return min(given) if given else None
