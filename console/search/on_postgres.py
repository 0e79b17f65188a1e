"""An index of the words of entries. It knows no places of words, so a phrase is looked for in the
texts of those that have all its words, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from ..models.search import WORDS
from .queries import Term
from .sought import Sought
from .walking import said, walk

Rows = list[tuple[int, Any]]
# Texts that are looked through for a phrase, one time after the other: each time all lists of its
# words are read.
LOOKED_AT = (300, 1_700, 4_000)
_COLUMNS = {"heading": 10.0, "prompt": 4.0, "fused": 2.0, "rest": 1.0}


def newest(sought: Sought, count: int) -> tuple[Rows, int | None]:
    """At most `count` entries and where to go on, None where there are no more. Fewer, and yet a
    place to go on from: of a phrase enough texts were looked at."""
    if near := walk(sought, count):
        return near, near[-1][0]
    return by_index(sought, count)


def by_index(sought: Sought, count: int) -> tuple[Rows, int | None]:
    found: Rows = []
    with _by_index_alone():
        for looked_at in LOOKED_AT if sought.has_phrase else (count,):
            rows, following = _newest(sought, looked_at)
            found += rows
            if following is None or len(found) >= count:
                break
            sought = sought.older_than(following)
    if len(found) > count:
        return found[:count], found[count - 1][0]
    return found, following


def newest_of_each(all_sought: Iterable[Sought], count: int) -> list[Rows]:
    with _by_index_alone():
        return [
            _newest(sought, LOOKED_AT[0] if sought.has_phrase else count)[0][:count]
            for sought in all_sought
        ]


def _newest(sought: Sought, looked_at: int) -> tuple[Rows, int | None]:
    phrases, given = _phrases(sought)
    sql = (
        f"{_matching(sought)} SELECT e.id, e.run_id, {phrases or 'TRUE'}"
        " FROM m JOIN console_searchentry e ON e.id = m.id ORDER BY e.id DESC"
    )
    rows = _ask(sql, [*_given(sought), looked_at, *given])
    found = [(entry, run) for entry, run, has_phrases in rows if has_phrases]
    return found, rows[-1][0] if len(rows) == looked_at else None


def best(sought: Sought, of: int) -> Rows:
    phrases, given = _phrases(sought)
    columns = ", ".join(f"e.{column}" for column in _COLUMNS)
    sql = (
        f"{_matching(sought)} SELECT e.id, e.run_id, {columns}"
        " FROM m JOIN console_searchentry e ON e.id = m.id"
        f"{f' WHERE {phrases}' if phrases else ''} ORDER BY e.id DESC"
    )
    with _by_index_alone():
        rows = _ask(sql, [*_given(sought), of, *given])
    scored = [(-_score(sought.terms, texts), -entry, run) for entry, run, *texts in rows]
    return [(-entry, run) for _, entry, run in sorted(scored, key=lambda row: row[:2])]


def _matching(sought: Sought) -> str:
    """What matches is found by the index of words alone: a plan that goes through the entries one
    by one makes the words of each anew. So neither a bound nor the order is one that the index of
    their numbers could be asked for."""
    bounds = sought.bounds[0].format(id="id + 0")
    return (
        "WITH m AS MATERIALIZED (SELECT id FROM console_searchentry"
        f" WHERE {WORDS} @@ %s::tsquery{bounds} ORDER BY id + 0 DESC LIMIT %s)"
    )


def _given(sought: Sought) -> list[Any]:
    return [_words(sought), *sought.bounds[1]]


@contextmanager
def _by_index_alone() -> Iterator[None]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ONLY_BY_INDEX, ["off", "off"])
        yield
        # As it was, for what else is sought in a transaction around this one.
        cursor.execute(_ONLY_BY_INDEX, ["on", "on"])


def _ask(sql: str, given: list[Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        rows: list[Any] = cursor.fetchall()
    return rows


_ONLY_BY_INDEX = "SELECT set_config('enable_seqscan', %s, true), set_config('jit', %s, true)"


def _words(sought: Sought) -> str:
    each = [_one(term, n) for term in sought.terms for n in range(len(term.words))]
    all_of = [*map(_quoted, sought.all_of), *each]
    # Which of them may read it is made of all their lists, read to the end: not where it is said
    # by one of what must be there.
    if not {*sought.one_of} & {*sought.all_of}:
        all_of.insert(0, f"({' | '.join(map(_quoted, sought.one_of))})")
    return " & ".join(all_of)


def _one(term: Term, n: int) -> str:
    is_last = n == len(term.words) - 1
    return _quoted(term.words[n]) + (":*" if term.is_beginning and is_last else "")


def _quoted(word: str) -> str:
    """Of folded words and facets, which have no quote in them."""
    return f"'{word}'"


def _phrases(sought: Sought) -> tuple[str, list[str]]:
    """As a condition: each phrase stands in one of the texts."""
    conditions, given = [], []
    for term in sought.terms:
        if term.is_phrase:
            places = [f"strpos(' ' || e.{column} || ' ', %s) > 0" for column in _COLUMNS]
            conditions.append(f"({' OR '.join(places)})")
            given += [said(term)] * len(places)
    return " AND ".join(conditions), given


def _score(terms: tuple[Term, ...], texts: list[str]) -> float:
    """As bm25 does of a text: the first time that a word is there counts most."""
    score = 0.0
    for weight, text in zip(_COLUMNS.values(), texts, strict=True):
        for term in terms:
            times = f" {text} ".count(said(term))
            score += weight * times * 2.2 / (times + 1.2)
    return score
