"""The newest entries of PostgreSQL, looked at one by one.

Its index has no order: of what stands in most entries it names them all, to be sorted for the few
that are shown. Those are found among the newest, however many there are. How many of the first
that are looked at have it says whether a page of them is near; if not, the index is asked. So what
is spent here is bounded by texts that are read, and either way finds the same.
"""

from __future__ import annotations

from typing import Any

from django.db import connection

from .queries import Term
from .sought import Sought

Rows = list[tuple[int, Any]]
ENTRIES = 400  # gone through at a time, for their facets
# Bytes of texts that are read at first (some forty entries), and that may follow.
FIRST, MOST = 500_000, 3_000_000
LONG = 30_000  # entries; of fewer, the index has named all before as many texts are read
_FACET = "·"
# As the planner takes it: nothing is counted for it, and nothing read where it is not so.
_IS_LONG = " AND (SELECT reltuples FROM pg_class WHERE oid = 'console_searchentry'::regclass) >= %s"


def walk(sought: Sought, count: int) -> Rows | None:
    """The newest `count` entries; None where so many are not near."""
    if not all(word.startswith(_FACET) for word in sought.one_of):
        return None
    looked_at = _look(sought, count, FIRST)
    found = _found(looked_at)
    missing = count - len(found)
    if found and missing > 0:
        # At the rate of the first, and as much again as these: words come in bunches.
        reads = FIRST + FIRST * missing // len(found)
        if reads > MOST:
            return None
        found += _found(_look(sought.older_than(looked_at[-1][0]), count, reads))
    return found[:count] if len(found) >= count else None


def said(term: Term) -> str:
    """As it stands in a folded text that has a blank before and after it."""
    return f" {' '.join(term.words)}{'' if term.is_beginning else ' '}"


def _found(looked_at: list[Any]) -> Rows:
    return [(entry, run) for entry, run, has_all in looked_at if has_all]


def _look(sought: Sought, count: int, reads: int) -> list[Any]:
    """Those with the facets, each with whether its texts have every term. No text is read of what
    lacks a facet, nor for its length; nor, where no term is sought, of any."""
    bounds, given = sought.bounds
    has = "strpos(' ' || facets || ' ', %s) > 0"
    one_of = " OR ".join([has] * len(sought.one_of))
    facets = " AND ".join([f"({one_of})", *[has] * len(sought.all_of)])
    terms = " AND ".join(["strpos(texts, %s) > 0"] * len(sought.terms))
    sql = (
        f"SELECT id, run_id, {terms or 'TRUE'} FROM (SELECT id, run_id,"
        " concat(' ', heading, ' · ', prompt, ' · ', fused, ' · ', rest, ' ') AS texts FROM ("
        "SELECT *, sum(octet_length(fused) + octet_length(rest)) OVER (ORDER BY id DESC) AS upto"
        " FROM (SELECT * FROM console_searchentry"
        f" WHERE TRUE{bounds.format(id='id')}{_IS_LONG if terms else ''}"
        f" ORDER BY id DESC LIMIT %s) newest WHERE {facets}"
        f") readable{' WHERE upto <= %s' if terms else ''}"
        " ORDER BY id DESC LIMIT %s) read ORDER BY id DESC"
    )
    sought_for = [f" {word} " for word in (*sought.one_of, *sought.all_of)]
    if terms:
        given, bound = [*given, LONG], [reads, ENTRIES]
    else:
        bound = [count]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*map(said, sought.terms), *given, ENTRIES, *sought_for, *bound])
        rows: list[Any] = cursor.fetchall()
    return rows
