"""Pages of runs, newest first, as quick for the last of 100,000 as for the first.

Runs come from branches (`access.visible`): queries of which each has its index and no two bring
the same run. A page is the newest of each, merged; it goes on where the last one ended, wherever
that is by then.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from heapq import merge
from itertools import islice

from django.db.models import Q, QuerySet
from django.db.models.functions import Left

from ..models import Run


@dataclass(frozen=True)
class Bookmark:
    """Between two runs of the list: right after the older side of the one that it names."""

    moment: datetime
    run: uuid.UUID

    @classmethod
    def of(cls, run: Run) -> Bookmark:
        return cls(run.created_at, run.pk)

    @classmethod
    def read(cls, text: str) -> Bookmark:
        """Raises ValueError for what `str` never gave."""
        moment, _, run = text.partition("-")
        read = datetime.strptime(moment, "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
        return cls(read, uuid.UUID(hex=run))

    def __str__(self) -> str:
        """Says where to go on, even when that run is gone by then."""
        return f"{self.moment.astimezone(UTC):%Y%m%dT%H%M%S%f}-{self.run.hex}"

    @property
    def older(self) -> Q:
        return Q(created_at__lte=self.moment) & ~Q(created_at=self.moment, pk__gte=self.run)

    @property
    def newer(self) -> Q:
        return Q(created_at__gte=self.moment) & ~Q(created_at=self.moment, pk__lte=self.run)


@dataclass(frozen=True)
class Page:
    """`newer` and `older` are the marks of its neighbours, where there are any."""

    runs: list[Run]
    newer: Bookmark | None
    older: Bookmark | None


def newest(
    branches: Sequence[QuerySet[Run]],
    count: int,
    *,
    before: Bookmark | None = None,
    after: Bookmark | None = None,
) -> Page:
    """The newest `count` runs; `before`: of those older than it; `after`: the oldest of those
    newer than it, for who goes back."""
    if after is not None:
        found = _merged([b.filter(after.newer) for b in branches], count + 1, oldest_first=True)
        if len(found) <= count:  # the first page, whatever has come meanwhile
            return newest(branches, count)
        runs = found[:count][::-1]
        return Page(runs, Bookmark.of(runs[0]), Bookmark.of(runs[-1]))
    narrowed = [b.filter(before.older) for b in branches] if before else branches
    found = _merged(narrowed, count + 1)
    runs = found[:count]
    return Page(
        runs,
        Bookmark.of(runs[0]) if before and runs else None,
        Bookmark.of(runs[-1]) if len(found) > count else None,
    )


def with_beginning(runs: QuerySet[Run], length: int) -> QuerySet[Run]:
    """Of each prompt as much as a line shows, since it may have 400,000 characters."""
    return runs.defer("prompt").annotate(beginning=Left("prompt", length))


def beginning(run: Run) -> str:
    """Of a run that was asked for `with_beginning`."""
    shown: str = run.beginning  # type: ignore[attr-defined]
    return shown


def _merged(
    branches: Sequence[QuerySet[Run]], count: int, *, oldest_first: bool = False
) -> list[Run]:
    order = ("created_at", "pk") if oldest_first else ("-created_at", "-pk")
    each = [list(branch.order_by(*order)[:count]) for branch in branches]
    ordered = merge(*each, key=lambda run: (run.created_at, run.pk), reverse=not oldest_first)
    return list(islice(ordered, count))
