"""Pages of runs, newest first, as quick for the last of 100,000 as for the first.

Runs come from branches (`access.visible`): queries of which each has its index and no two bring
the same run. A page is the newest of each, merged; it goes on where the last one ended, wherever
that is by then.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from heapq import merge
from itertools import islice
from typing import Any

from django.contrib.auth.models import User
from django.db.models import DateTimeField, Q, QuerySet, UUIDField
from django.db.models.functions import Left

from ..models import Run
from ..models.prepared import READER, Placeholder, Prepared


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


NOTHING = Page([], None, None)


def newest(
    branches: Sequence[QuerySet[Run]],
    count: int,
    *,
    before: Bookmark | None = None,
    after: Bookmark | None = None,
) -> Page:
    """The newest `count` runs; `before`: of those older than it; `after`: the oldest of those
    newer than it, for who goes back."""
    return _page(partial(_next_of, branches), count, before, after)


class KeptList:
    """A list that is asked for again and again, by people for whom it differs in who reads alone:
    its queries are made once. `branches_of` makes them for a reader who is not known yet, so who
    may read at all is for the caller to see to."""

    def __init__(self, branches_of: Callable[[User], Sequence[QuerySet[Run]]]) -> None:
        self._branches_of = branches_of
        self._queries = cache(self._made)

    def newest(self, reader: User, count: int, **marks: Bookmark | None) -> Page:
        """As `newest` above."""

        def ask(count: int, before: Bookmark | None, after: Bookmark | None) -> _Found:
            given: dict[str, Any] = {"reader": reader.pk}
            if mark := before or after:
                given |= {"moment": mark.moment, "run": mark.run}
            queries = self._queries(count, before is not None, after is not None)
            return [query.rows(**given) for query in queries]

        return _page(ask, count, marks.get("before"), marks.get("after"))

    def _made(self, count: int, is_before: bool, is_after: bool) -> list[Prepared]:
        moment: Any = Placeholder("moment", DateTimeField())
        run: Any = Placeholder("run", UUIDField())
        mark = Bookmark(moment, run)
        branches = self._branches_of(User(pk=READER))
        before, after = mark if is_before else None, mark if is_after else None
        return [Prepared(query.all) for query in _next_of(branches, count, before, after)]


def with_beginning(runs: QuerySet[Run], length: int) -> QuerySet[Run]:
    """Of each prompt as much as a line shows, since it may have 400,000 characters."""
    return runs.defer("prompt").annotate(beginning=Left("prompt", length))


def beginning(run: Run) -> str:
    """Of a run that was asked for `with_beginning`."""
    shown: str = run.beginning  # type: ignore[attr-defined]
    return shown


_Found = Sequence[Iterable[Run]]  # of each branch


def _next_of(
    branches: Sequence[QuerySet[Run]], count: int, before: Bookmark | None, after: Bookmark | None
) -> list[QuerySet[Run]]:
    """The nearest to a mark first."""
    where = before.older if before else after.newer if after else Q()
    order = ("created_at", "pk") if after else ("-created_at", "-pk")
    return [branch.filter(where).order_by(*order)[:count] for branch in branches]


def _page(
    ask: Callable[[int, Bookmark | None, Bookmark | None], _Found],
    count: int,
    before: Bookmark | None,
    after: Bookmark | None,
) -> Page:
    if after is not None:
        found = _merged(ask(count + 1, None, after), count + 1, oldest_first=True)
        if len(found) <= count:  # the first page, whatever has come meanwhile
            return _page(ask, count, None, None)
        runs = found[:count][::-1]
        return Page(runs, Bookmark.of(runs[0]), Bookmark.of(runs[-1]))
    found = _merged(ask(count + 1, before, None), count + 1)
    runs = found[:count]
    return Page(
        runs,
        Bookmark.of(runs[0]) if before and runs else None,
        Bookmark.of(runs[-1]) if len(found) > count else None,
    )


def _merged(each: _Found, count: int, *, oldest_first: bool = False) -> list[Run]:
    ordered = merge(*each, key=lambda run: (run.created_at, run.pk), reverse=not oldest_first)
    return list(islice(ordered, count))
