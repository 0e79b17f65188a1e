"""What is searched costs the same among 2,000 runs as among 1,000, and is found by the index."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from console.models import Run, SearchEntry
from console.search import Filters, Hit, find, on_postgres, read_query, spans
from console.search.entries import RUN, number_of
from console.search.facets import facets_of
from console.search.like import asked_like
from console.services.tokens import token_create
from tests.console.test_flat import _asked, looked_at, more_history

pytestmark = pytest.mark.database

WORDS = {
    "a word of most runs": "common",
    "a word of few": "seldom",
    "a word of none": "nowhere",
    "two words": "common seldom",
    "a beginning": "comm*",
    "a phrase of frequent words": '"common answer"',
    "two signs": "学习",
    "none of them": "习学",
}
LIKE = {
    "of words that all have": "Is the common answer only text, and is it common?",
    "of words of few": "Why is the filler so seldom there?",
    "of no words apart": "学习学习学习学习学习学习",
}
FILTERS: dict[str, dict[str, Any]] = {
    "no filter": {},
    "a state": {"state": "completed"},
    "own": {"own": True},
    "what few have": {"best": True},
    "several": {"state": "completed", "preset": "quality", "degraded": True},
}

# So many entries and no more, in their order; or those that are named.
BY_NUMBER = re.compile(
    r"Limit.*\n.*Index (Only )?Scan Backward using console_searchentry_pkey"
    r"|^(.*\n)?.*Index Scan using console_searchentry_pkey.*\n.*Index Cond: .id = ANY"
)


def entries_for(runs: list[Run]) -> Iterator[SearchEntry]:
    """As `index` would write them, all at once."""
    for n, run in enumerate(runs):
        rest = f"common answer number{n} 学 习 {'common ' * 20}filler{n % 97} {'text ' * 300}"
        yield SearchEntry(
            id=number_of(run.created_at - timedelta(hours=n), n % 1000),
            kind=RUN, object=run.pk.hex, run=run,
            prompt=f"why question{n}" + (" seldom" if n % 200 == 3 else ""),
            rest=rest if n % 5 else rest.replace("common answer", "answer common"),
            facets=facets_of(run, [], [], has_best=n % 300 == 7) + (" ·lacks" if n % 4 else ""),
        )  # fmt: skip


def more(alice: User) -> None:
    before = {*Run.objects.values_list("pk", flat=True)}
    more_history(token_create(owner=alice)[0])
    new = [run for run in Run.objects.order_by("created_at") if run.pk not in before]
    SearchEntry.objects.bulk_create(entries_for(new), batch_size=200)
    if connection.vendor == "postgresql":  # as it does of its own accord
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
            cursor.execute("SELECT gin_clean_pending_list('search_words')")


def acts(alice: User) -> dict[str, Callable[[], object]]:
    def act(words: str, narrowed: dict[str, Any], by_rank: bool) -> Callable[[], object]:
        query, filters = read_query(words), Filters(**narrowed)
        return lambda: find(alice, query, filters, count=20, by_rank=by_rank)

    client = Client()
    client.force_login(alice)

    def page(address: str) -> Callable[[], object]:
        return lambda: client.get(f"/fusion/runs?{address}")

    found = {
        f"{name}, {other}": act(words, narrowed, False)
        for name, words in WORDS.items()
        for other, narrowed in FILTERS.items()
    }
    found |= {f"filter: {name}": act("", narrowed, False) for name, narrowed in FILTERS.items()}
    days = {"since": timezone.now() - timedelta(days=30), "until": timezone.now()}
    found |= {f"some days, {words}": act(words, days, False) for words in ("", "common")}
    for name, asked in LIKE.items():
        found[f"like it, {name}"] = partial(asked_like, alice, asked)
    found["the page of a word"] = page("q=common&state=completed")
    found["the page of a filter"] = page("state=completed&degraded=on")
    return found


@pytest.mark.sqlite
def test_what_is_searched_does_not_grow_with_the_history(alice: User) -> None:
    more(alice)
    before = {name: looked_at(act) for name, act in acts(alice).items()}
    for _ in range(2):
        more(alice)
        again = acts(alice)
        costs = {name: looked_at(again[name]) for name in before}
        # Lists of words are longer, a page of them is not; what grows grows each time.
        before = {n: costs[n] for n in before if costs[n] > 1.3 * before[n] + 500}
        if not before:
            break
    assert before == {}


def test_what_is_searched_is_found_by_its_index(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL span by span, and all at once finds the same."""
    monkeypatch.setattr(spans, "ENTRIES", (200, 800))
    for _ in range(2):
        more(alice)
    for name, act in acts(alice).items():
        plans: list[str] = []

        def explain(execute: Any, sql: str, params: Any, *rest: Any, into: Any = plans) -> Any:
            if "console_searchentry" in sql and sql.startswith(("SELECT", "WITH")):
                how = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
                into.append(_plan(how, sql, params))
            return execute(sql, params, *rest)

        with connection.execute_wrapper(explain):
            found = act()
        for plan in plans:
            assert "SCAN e" not in plan and "Seq Scan on console_searchentry" not in plan, name
            is_by_index = "VIRTUAL TABLE INDEX" in plan or "search_words" in plan
            assert is_by_index or BY_NUMBER.search(plan), f"{name}: {plan}"
        assert plans, name
        if connection.vendor == "postgresql":
            with monkeypatch.context() as only:
                only.setattr(spans, "ENTRIES", ())
                assert "page" in name or act() == found, name
    if connection.vendor == "postgresql":
        assert_a_phrase_is_found_page_by_page(alice, monkeypatch)


def assert_a_phrase_is_found_page_by_page(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of so many texts a page; what is found later is found where one goes on."""
    asked = read_query('"answer common"')
    hits: list[Hit] = []
    before: int | None = 2**62
    all_of_them = find(alice, asked, count=300).hits
    monkeypatch.setattr(on_postgres, "LOOKED_AT", 8)
    while before is not None:
        found = find(alice, asked, count=4, before=before)
        hits, before = [*hits, *found.hits], found.before
    assert len(hits) > 5 and hits == [*all_of_them]


def _plan(how: str, sql: str, params: Any) -> str:
    raw = connection.connection.cursor()
    text = sql if connection.vendor == "postgresql" else sql.replace("%s", "?")
    raw.execute(f"{how} {text}", params)
    return "\n".join(str(row[-1]) for row in raw.fetchall())


def test_a_page_of_hits_asks_a_few_questions(alice: User) -> None:
    more(alice)
    asked = {name: len(_asked(act)) for name, act in acts(alice).items() if "page" in name}
    assert max(asked.values()) <= 15, asked
