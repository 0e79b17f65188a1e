"""FTS5 over the entries: it goes through its lists of words from the newest entry back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection

from .queries import Term
from .sought import Sought

Rows = list[tuple[int, Any]]
# Of heading, prompt, fused answer, the rest, facets: how much a word there counts.
_RANK = "bm25(console_searchwords, 10, 4, 2, 1, 0)"


def newest(sought: Sought, count: int) -> tuple[Rows, int | None]:
    """At most `count` entries and where to go on, None where there are no more."""
    bounds, given = sought.bounds
    sql = (
        "SELECT e.id, e.run_id FROM (SELECT rowid AS id FROM console_searchwords"
        f" WHERE console_searchwords MATCH %s{bounds.format(id='rowid')}"
        " ORDER BY rowid DESC LIMIT %s) m"
        " CROSS JOIN console_searchentry e ON e.id = m.id ORDER BY e.id DESC"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [_match(sought), *given, count])
        rows = cursor.fetchall()
    return rows, rows[-1][0] if len(rows) == count else None


def newest_of_each(all_sought: Iterable[Sought], count: int) -> list[Rows]:
    return [newest(sought, count)[0] for sought in all_sought]


def best(sought: Sought, of: int) -> Rows:
    """The best first, of the newest `of` entries."""
    bounds, given = sought.bounds
    sql = (
        "SELECT e.id, e.run_id FROM (SELECT id, score FROM ("
        f"SELECT rowid AS id, {_RANK} AS score FROM console_searchwords"
        f" WHERE console_searchwords MATCH %s{bounds.format(id='rowid')}"
        " ORDER BY rowid DESC LIMIT %s) ORDER BY score, id DESC LIMIT 100) m"
        # Of these alone, since whose run it is stands behind its texts.
        " CROSS JOIN console_searchentry e ON e.id = m.id ORDER BY m.score, e.id DESC"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [_match(sought), *given, of])
        rows: Rows = cursor.fetchall()
    return rows


def _match(sought: Sought) -> str:
    one_of = " OR ".join(map(_quoted, sought.one_of))
    return " AND ".join([f"({one_of})", *map(_quoted, sought.all_of), *map(_term, sought.terms)])


def _term(term: Term) -> str:
    # The blank before the star: it is no part of what is quoted.
    return _quoted(" ".join(term.words)) + (" *" if term.is_beginning else "")


def _quoted(words: str) -> str:
    """Of folded words and facets, which have no quote in them."""
    return f'"{words}"'
