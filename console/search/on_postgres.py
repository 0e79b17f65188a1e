"""An index of the words of entries, asked for one span of time after the other (`spans.py`). It
knows no places of words, so a phrase is looked for in the texts of those that have all its words,
newest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from ..models.search import WORDS
from .queries import Term
from .sought import Sought
from .spans import Span, spans

Rows = list[tuple[int, Any]]
# Texts of a span that are looked through for a phrase, of one question and of each of many.
LOOKED_AT, LOOKED_AT_FOR_EACH = 4_000, 300
_COLUMNS = {"heading": 10.0, "prompt": 4.0, "fused": 2.0, "rest": 1.0}


def newest(sought: Sought, count: int) -> tuple[Rows, int | None]:
    """At most `count` entries and where to go on, None where there are no more. Fewer, and yet a
    place to go on from: of a phrase enough texts were looked at."""
    with _by_index_alone():
        return _newest(spans(sought), count, LOOKED_AT)


def newest_of_each(all_sought: Iterable[Sought], count: int) -> list[Rows]:
    """Of the same time, and of phrases among few texts: many are asked for at once."""
    each = [*all_sought]
    with _by_index_alone():
        within = [*spans(each[0], for_many=True)] if each else []
        return [
            _newest((span.of(sought) for span in within), count, LOOKED_AT_FOR_EACH)[0]
            for sought in each
        ]


def best(sought: Sought, of: int) -> Rows:
    with _by_index_alone():
        found, _ = _newest(spans(sought), of, of)
        rows = _ask(
            f"SELECT id, run_id, {', '.join(_COLUMNS)} FROM console_searchentry WHERE id = ANY(%s)",
            [[entry for entry, _ in found]],
        )
    scored = [(-_score(sought.terms, texts), -entry, run) for entry, run, *texts in rows]
    return [(-entry, run) for _, entry, run in sorted(scored, key=lambda row: row[:2])]


def _newest(within: Iterable[Span], count: int, looked_at: int) -> tuple[Rows, int | None]:
    """Of a phrase at most so many texts of a span are looked at."""
    found: Rows = []
    for span in within:
        rows, following = _of_span(span, count - len(found), looked_at)
        found += rows
        if following is not None:
            return found, following
    return found, None


def _of_span(span: Span, count: int, looked_at: int) -> tuple[Rows, int | None]:
    """Texts are read one after the other, the newest first, until so many have the phrases."""
    phrases, given = _phrases(span.sought)
    matching = looked_at if phrases else count
    sql = (
        f"{_matching(span.sought)} SELECT looked_at.count, looked_at.min, found.id, found.run_id"
        " FROM (SELECT count(*), min(id) FROM m) looked_at LEFT JOIN ("
        "SELECT m.id, e.run_id FROM (SELECT id FROM m ORDER BY id DESC OFFSET 0) m"
        " JOIN console_searchentry e ON e.id = m.id"
        f" WHERE {phrases or 'TRUE'} ORDER BY m.id DESC LIMIT %s) found ON TRUE"
        " ORDER BY found.id DESC"
    )
    rows = _ask(sql, [_words(span), *span.sought.bounds[1], matching, *given, count])
    looked, oldest = rows[0][:2]
    found = [(entry, run) for _, _, entry, run in rows if entry is not None]
    if len(found) == count:
        return found, found[-1][0]
    return found, oldest if looked == matching else None


def _matching(sought: Sought) -> str:
    """What matches is found by the index of words alone: a plan that goes through the entries one
    by one makes the words of each anew. So neither a bound nor the order is one that the index of
    their numbers could be asked for."""
    bounds = sought.bounds[0].format(id="id + 0")
    return (
        "WITH m AS MATERIALIZED (SELECT id FROM console_searchentry"
        f" WHERE {WORDS} @@ %s::tsquery{bounds} ORDER BY id + 0 DESC LIMIT %s)"
    )


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


def _words(span: Span) -> str:
    sought = span.sought
    each = [_one(term, n) for term in sought.terms for n in range(len(term.words))]
    all_of = [*map(_quoted, sought.all_of), *each]
    # Which of them may read it is made of all their lists, read to the end: not where it is said
    # by one of what must be there.
    if not {*sought.one_of} & {*sought.all_of}:
        all_of.insert(0, f"({' | '.join(map(_quoted, sought.one_of))})")
    if span.times:
        all_of.append(f"({' | '.join(map(_quoted, span.times))})")
    return " & ".join(all_of)


def said(term: Term) -> str:
    """As it stands in a folded text that has a blank before and after it."""
    return f" {' '.join(term.words)}{'' if term.is_beginning else ' '}"


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
