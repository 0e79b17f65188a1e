"""What is sought, span by span of time, the newest first: PostgreSQL's index has no order.

Of what stands in many entries it names them all, to be sorted for the few that are shown. So each
entry has a word for the days it is of (`models/search.py`), and what has the words of the newest
spans is asked for first. The index goes by the rarest of the words, which these are: what is spent
does not grow with the history, and what is rare is asked for three times at most.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.db import connection

from ..models.search import DAYS, TIME
from .sought import Sought

ENTRIES = (2_000, 16_000)  # of the first spans; the third has all that are older
FOR_MANY = (4_000,)  # where many questions are asked at once, most of them for what is rare
# Of a site where so few come that these would be more words, a span is not worth it.
MOST_WORDS = 60


@dataclass(frozen=True)
class Span:
    """`times`: one of these words is there, too, where there are any."""

    sought: Sought
    times: tuple[str, ...] = ()

    def of(self, other: Sought) -> Span:
        """Something else at the same time."""
        since, before = self.sought.since, self.sought.before
        return replace(self, sought=replace(other, since=since, before=before))


def spans(sought: Sought, *, for_many: bool = False) -> Iterator[Span]:
    """All that is sought, in two or three of them where there are many entries."""
    for entries in FOR_MANY if for_many else ENTRIES:
        newest, oldest = _ends(sought, entries)
        if newest is None or oldest is None:
            break
        first, last = oldest >> DAYS, newest >> DAYS
        if last - first >= MOST_WORDS:
            break
        since = first << DAYS
        if sought.since is not None and since <= sought.since:
            break
        times = tuple(f"{TIME}{days}" for days in range(first, last + 1))
        yield Span(replace(sought, since=since), times)
        sought = sought.older_than(since)
    yield Span(sought)


def _ends(sought: Sought, entries: int) -> tuple[int | None, int | None]:
    """The newest entry, and the one that so many come before: None where there are not so many."""
    bounds, given = sought.bounds
    nth = (
        f"SELECT id FROM console_searchentry WHERE TRUE{bounds.format(id='id')}"
        " ORDER BY id DESC OFFSET %s LIMIT 1"
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT ({nth}), ({nth})", [*given, 0, *given, entries])
        row: tuple[int | None, int | None] = cursor.fetchone()
    return row
