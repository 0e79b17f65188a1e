"""Runs of 12 KB with words of a known share, for who measures how they are found; their entries
are written as `search.index` would, all at once."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from tests.benchmarks.busy import Busy
from tests.benchmarks.floor import percentile

MADE = 2  # raised when other runs are made: those that are kept are made anew
AT_ONCE = 200
# Texts that answers are taken from: each takes long to draw, and what is found goes by shares.
TEXTS = 20_000
DISTINCT = 10_000  # runs; more are these again and again, each time after all that were before
YEAR = timedelta(days=360)
COUNTED = 200  # runs that are indexed once more, to see what a run's end pays


def fill(count: int) -> None:
    """So many, where there are none."""
    from django.contrib.auth.models import User
    from django.db import connection, transaction

    from console.models import Run

    if Run.objects.exists():
        return
    names = ["alice", *(f"person-{n}" for n in range(19))]
    people = [User.objects.create(username=name).pk for name in names]
    made, times = min(count, DISTINCT), max(count // DISTINCT, 1)
    with _index_made_after():
        for start in range(0, made, AT_ONCE):
            with transaction.atomic():
                _add(start, min(start + AT_ONCE, made), YEAR / max(count, made), people)
        for n in range(1, times):
            with transaction.atomic():
                _add_again(n, YEAR.total_seconds() / times * n)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


@contextmanager
def _index_made_after() -> Iterator[None]:
    """What is made once, of all, takes a fraction of the time."""
    from django.db import connection

    sqlite = "SELECT name, sql FROM sqlite_master WHERE tbl_name = 'console_searchentry'"
    postgres = "SELECT indexname, indexdef FROM pg_indexes WHERE indexname = 'search_words'"
    is_sqlite = connection.vendor == "sqlite"
    with connection.cursor() as cursor:
        cursor.execute(f"{sqlite} AND type = 'trigger'" if is_sqlite else postgres)
        kept = cursor.fetchall()
        for name, _ in kept:
            cursor.execute(f"DROP {'TRIGGER' if is_sqlite else 'INDEX'} {name}")
        yield
        if is_sqlite:
            words = "INSERT INTO console_searchwords(console_searchwords"
            cursor.execute(f"{words}, rank) VALUES ('hashsize', {1 << 26})")
            cursor.execute(f"{words}) VALUES ('rebuild')")
            cursor.execute(f"{words}, rank) VALUES ('hashsize', {1 << 20})")
        else:
            cursor.execute("SET maintenance_work_mem = '512MB'")
        for _, definition in kept:
            cursor.execute(definition)


def told() -> dict[str, float]:
    """How large all is, how long it takes until a run that has ended is found, and to look for
    questions like one that is written."""
    from django.contrib.auth.models import User
    from django.db import connection, transaction

    from console.models import Run
    from console.search import forget, index
    from console.search.like import asked_like

    took, spent, like, busy = [], [], [], Busy()
    alice = User.objects.get(username="alice")
    for prompt in Run.objects.order_by("created_at").values_list("prompt", flat=True)[:COUNTED]:
        before, asked = busy.ms, prompt.partition(": ")[2]  # without what all begin with
        asked_like(alice, asked)
        like.append(busy.ms - before)
    for key in Run.objects.order_by("-created_at").values_list("pk", flat=True)[:COUNTED]:
        with transaction.atomic():
            forget([key])
        began, before = time.perf_counter(), busy.ms
        index(key)
        took.append((time.perf_counter() - began) * 1000)
        spent.append(busy.ms - before)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        size = cursor.fetchone()[0] / 1e6
    return {
        "questions like one, CPU p50 ms": percentile(like, 0.5),
        "questions like one, CPU p95 ms": percentile(like, 0.95),
        "a run's entry, p50 ms": percentile(took, 0.5),
        "a run's entry, p95 ms": percentile(took, 0.95),
        "a run's entry, CPU p50 ms": percentile(spent, 0.5),
        "a run's entry, CPU p95 ms": percentile(spent, 0.95),
        "database, MB": size,
    }


def _add(start: int, end: int, apart: timedelta, people: list[int]) -> None:
    from console.models import Call, Fusion, Run, SearchEntry
    from tests.console.story import ANALYSIS, a_spec

    spec, began = a_spec().to_dict(), datetime(2025, 12, 1, tzinfo=UTC)
    runs = [
        Run(
            owner_id=people[n % 20],
            prompt=f"Question {n}: {_drawn(n, 30)}?",
            messages=[],
            spec=spec,
            preset=("quality", "budget")[n % 2],
            preset_name="Quality",
            status="completed" if n % 10 else "failed",
            visibility="team" if n // 20 % 2 else "private",
            cost="0.03",
        )
        for n in range(start, end)
    ]
    Run.objects.bulk_create(runs)
    for n, run in enumerate(runs, start):
        run.created_at, run.cost = began + apart * n, 0.03
    Run.objects.bulk_update(runs, ["created_at"])
    fusions = [
        Fusion(run=run, number=1, status="completed", judge={}, synthesizer={},
               analysis=ANALYSIS if n % 3 else {}, text=_text(n * 7 + 1, 350))
        for n, run in enumerate(runs, start)
    ]  # fmt: skip
    Fusion.objects.bulk_create(fusions)
    calls = [
        [Call(run=run, key=f"panel-{seat}-1", step="panel", seat=seat, number=1, cause="first",
              panelist={"model": "maker/alpha"}, text=_text(n * 7 + seat + 2, 500),
              status="failed" if n % 9 == 0 and seat == 2 else "completed")
         for seat in range(3)]
        for n, run in enumerate(runs, start)
    ]  # fmt: skip
    Call.objects.bulk_create(call for its in calls for call in its)
    SearchEntry.objects.bulk_create(map(_entry, runs, fusions, calls))


def _add_again(n: int, later: float) -> None:
    """All that were made, by the database itself, so many seconds later. What says of an id that
    it is random says which time it is, up to the fifteenth."""
    from django.db import connection

    from console.models import Call, Fusion, Run, SearchEntry
    from console.search.entries import SLOTS

    is_sqlite, nibble = connection.vendor == "sqlite", f"{4 + n:x}"
    for model in (Run, Fusion, Call, SearchEntry):
        key = "id" if model is Run else "run_id"
        own = {
            key: f"substr({key}, 1, 12) || '{nibble}' || substr({key}, 14)"
            if is_sqlite
            else f"overlay({key}::text placing '{nibble}' from 15 for 1)::uuid"
        }
        if model is Run:
            own["created_at"] = (
                f"strftime('%Y-%m-%d %H:%M:%f000', created_at, '{later} seconds')"
                if is_sqlite
                else f"created_at + {later} * interval '1 second'"
            )
        elif model is SearchEntry:
            own["id"] = f"id + {int(later * 1_000_000) << SLOTS}"
            own["object"] = own[key] if is_sqlite else f"replace(({own[key]})::text, '-', '')"
        names = [field.column for field in model._meta.concrete_fields]
        names = [name for name in names if name != "id" or "id" in own]
        values = ", ".join(own.get(str(name), f'"{name}"') for name in names)
        said = ", ".join(f'"{name}"' for name in names)
        first = f"substr({key}, 13, 1) = '4'" if is_sqlite else f"substr({key}::text, 15, 1) = '4'"
        table = model._meta.db_table
        with connection.cursor() as cursor:
            sql = f"INSERT INTO {table} ({said}) SELECT {values} FROM {table} WHERE {first}"
            cursor.execute(sql)


def _entry(run: Any, fusion: Any, calls: list[Any]) -> Any:
    from console.models import SearchEntry
    from console.search.entries import APART, RUN, number_of, strings
    from console.search.facets import facets_of
    from console.search.folding import fold

    rest = [*(_folded(call.text) for call in calls), *map(fold, strings(fusion.analysis))]
    return SearchEntry(
        id=number_of(run.created_at),
        kind=RUN,
        object=run.pk.hex,
        run=run,
        prompt=fold(run.prompt),
        fused=_folded(fusion.text),
        rest=APART.join(text for text in rest if text),
        facets=facets_of(run, calls, [fusion], has_best=False),
    )


_SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "on")]
_NAMES = random.Random(1)
_WORDS = [
    "".join(_NAMES.choices(_SYLLABLES, k=1 + (n > 100) + (n > 3000))) + str(n % 7) * (n > 9000)
    for n in range(20_000)
]
_WEIGHTS = [0.0]
for _n in range(20_000):
    _WEIGHTS.append(_WEIGHTS[-1] + 1 / (_n + 2))
_SIGNS = (
    "的一是不了人我在有他这中大来上个国到说们为子和你地出道也"
    "时年得就那要下以生会自着去之过家学习机器模型"
)


def _text(seed: int, length: int) -> str:
    return _of_those(seed * 7919 % TEXTS, length)


@cache
def _of_those(seed: int, length: int) -> str:
    return _drawn(seed, length)


@cache
def _folded(text: str) -> str:
    from console.search.folding import fold

    return fold(text)


def _drawn(seed: int, length: int) -> str:
    """As frequent and as rare as words are, with some whose share is known of five such texts."""
    drawn = random.Random(seed)
    if drawn.random() < 0.05:
        return "".join(drawn.choices(_SIGNS, k=length * 2)) + "机器学习" * (drawn.random() < 0.2)
    words = drawn.choices(_WORDS, cum_weights=_WEIGHTS[1:], k=length)
    for word, share in (("sixty", 0.17), ("twenty", 0.044), ("single", 0.002)):
        if drawn.random() < share:
            words[drawn.randrange(length)] = word
            if word == "sixty" and drawn.random() < 0.3:
                words += ["very", word]
    return " ".join(words)
