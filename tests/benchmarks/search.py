"""How long a search takes among 1,000, 10,000 and 100,000 runs of 12 KB, beside `/fusion/tokens` in
the same process, and what a run's end pays for being found.

    .venv/bin/python -m tests.benchmarks.search [1000 10000 100000] [--postgres]

SQLite's runs are kept under ~/.cache, by the names of the migrations (100,000 take a quarter of an
hour to write); PostgreSQL's live as long as the command.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tests.environment  # noqa: F401 - first: the keys and the database are its own
from tests.benchmarks.floor import percentile
from tests.benchmarks.history import CACHE, _tables

COUNTS = (1_000, 10_000, 100_000)
READINGS = 40
USUAL = "/fusion/tokens"
CPU = "CPU "
RUNS = "/fusion/runs"
PAGES: Mapping[str, str] = {
    "history": RUNS,
    "a word of 60 %": f"{RUNS}?q=sixty",
    "of 20 %": f"{RUNS}?q=twenty",
    "of 1 %": f"{RUNS}?q=single",
    "of none": f"{RUNS}?q=nowhere",
    "60 % and 1 %": f"{RUNS}?q=sixty+single",
    "best of the newest, 60 %": f"{RUNS}?q=sixty&order=best",
    "a beginning, 3 letters": f"{RUNS}?q=six*",
    "a beginning, 5 letters": f"{RUNS}?q=twent*",
    "a phrase, rarely adjacent": f"{RUNS}?q=%22sixty+twenty%22",
    "a phrase of a 60 % word": f"{RUNS}?q=%22very+sixty%22",
    "one Chinese sign": f"{RUNS}?q=的",
    "two": f"{RUNS}?q=学习",
    "four": f"{RUNS}?q=机器学习",
    "a state": f"{RUNS}?state=completed",
    "a preset": f"{RUNS}?preset=budget",
    "own, failed": f"{RUNS}?person=alice&state=failed",
    "a month": f"{RUNS}?since=2026-01-01&until=2026-01-31",
    "a word and three filters": f"{RUNS}?q=sixty&state=completed&preset=quality&contradictions=on",
    "/v1/runs?q=": "/v1/runs?q=sixty",
}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="*", type=int, default=list(COUNTS))
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--within", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.within:
        sys.stdout.write(json.dumps(_measured(options.runs[0])))
        return 0
    columns = {count: _elsewhere(count, postgres=options.postgres) for count in options.runs}
    heads = " | ".join(f"{count:,} runs" for count in columns)
    sys.stdout.write(f"\n| p95, ms (÷ {USUAL}; CPU of the web process, p50) | {heads} |\n")
    sys.stdout.write(f"|---|{'---:|' * len(columns)}\n")
    for name in next(iter(columns.values())):
        if not name.startswith(CPU):
            cells = (_cell(column, name) for column in columns.values())
            sys.stdout.write(f"| {name} | {' | '.join(cells)} |\n")
    return 0


def _cell(column: Mapping[str, float], name: str) -> str:
    if CPU + name not in column:
        return f"{column[name]:,.1f}"
    return f"{column[name]:,.1f} ({column[name] / column[USUAL]:.1f}; {column[CPU + name]:,.1f})"


def _elsewhere(count: int, *, postgres: bool) -> dict[str, float]:
    """In a process of its own, since settings are read once."""
    command = [sys.executable, "-m", "tests.benchmarks.search", str(count), "--within"]
    with _database(count, postgres=postgres) as env:
        told = {**os.environ, "FUSION_BOOTSTRAP": "0", "PYTHONPATH": ".", **env}
        done = subprocess.run(command, env=told, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextlib.contextmanager
def _database(count: int, *, postgres: bool) -> Iterator[dict[str, str]]:
    if not postgres:
        folder = CACHE / f"search-{count}-{_tables()}"
        folder.mkdir(parents=True, exist_ok=True)
        yield {"BENCHMARK_VAR": str(folder)}
        return
    from tests.postgres import Postgres
    from tests.stack import Database

    with Postgres() as server, tempfile.TemporaryDirectory() as var:
        database = Database(server.url)
        database.make()
        yield {"BENCHMARK_VAR": var, "BENCHMARK_URL": database.url}


def _measured(count: int) -> dict[str, float]:
    os.environ["FUSION_VAR_DIR"] = os.environ["BENCHMARK_VAR"]
    os.environ.pop("DATABASE_URL", None)
    if url := os.environ.get("BENCHMARK_URL"):
        os.environ["DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "fusion_site.settings"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    figures = _fill(count)
    return _read() | figures


def _fill(count: int) -> dict[str, float]:
    """What is missing of so many runs; how long each took to be found, and how large all is."""
    from django.contrib.auth.models import User
    from django.db import connection, transaction

    from console.models import Run
    from console.search import index

    alice, _ = User.objects.get_or_create(username="alice")
    User.objects.bulk_create(
        (User(username=f"person-{n}") for n in range(19)), ignore_conflicts=True
    )
    people = [alice.pk, *User.objects.exclude(pk=alice.pk).values_list("pk", flat=True)]
    took: list[float] = []
    for at in range(Run.objects.count(), count, 200):
        with transaction.atomic():
            for key in _runs(at, min(at + 200, count), count, people):
                began = time.perf_counter()
                index(key)
                took.append((time.perf_counter() - began) * 1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        size = cursor.fetchone()[0] / 1e6
    took = took or [0.0]
    return {
        "indexing a run, p50 ms": percentile(took, 0.5),
        "indexing a run, p95 ms": percentile(took, 0.95),
        "database, MB": size,
    }


def _runs(start: int, end: int, count: int, people: list[int]) -> list[Any]:
    from datetime import UTC, datetime, timedelta

    from console.models import Call, Fusion, Run
    from tests.console.story import ANALYSIS, a_spec

    spec, began = a_spec().to_dict(), datetime(2025, 12, 1, tzinfo=UTC)
    runs = [
        Run(
            owner_id=people[n % 20],
            prompt=f"Question {n}: {_text(n, 30)}?",
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
        run.created_at = began + timedelta(days=360) * n / count
    Run.objects.bulk_update(runs, ["created_at"])
    Fusion.objects.bulk_create(
        Fusion(run=run, number=1, status="completed", judge={}, synthesizer={},
               analysis=ANALYSIS if n % 3 else {}, text=_text(n * 7 + 1, 350))
        for n, run in enumerate(runs, start)
    )  # fmt: skip
    Call.objects.bulk_create(
        Call(run=run, key=f"panel-{seat}-1", step="panel", seat=seat, number=1, cause="first",
             panelist={"model": "maker/alpha"}, text=_text(n * 7 + seat + 2, 500),
             status="failed" if n % 9 == 0 and seat == 2 else "completed")
        for n, run in enumerate(runs, start)
        for seat in range(3)
    )  # fmt: skip
    return [run.pk for run in runs]


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


def _read() -> dict[str, float]:
    from django.contrib.auth.models import User
    from django.test import Client

    from console.models import ApiToken
    from console.services.tokens import token_create

    alice, client = User.objects.get(username="alice"), Client()
    client.force_login(alice)
    ApiToken.objects.all().delete()
    headers = {"authorization": f"Bearer {token_create(owner=alice)[1]}"}
    took: dict[str, list[float]] = {name: [] for name in (USUAL, *PAGES)}
    busy_for: dict[str, list[float]] = {name: [] for name in took}
    for reading in range(READINGS + 2):
        for name in took:
            address = PAGES.get(name, USUAL)
            began, busy = time.perf_counter(), time.process_time()
            reply = client.get(address, headers=headers if address.startswith("/v1") else {})
            seconds = time.perf_counter() - began
            if reply.status_code != 200:
                raise SystemExit(f"{address} was answered with {reply.status_code}.")
            if reading > 1:  # all is warm now
                took[name].append(seconds * 1000)
                busy_for[name].append((time.process_time() - busy) * 1000)
    cpu = {f"{CPU}{name}": percentile(each, 0.5) for name, each in busy_for.items()}
    return {name: percentile(each, 0.95) for name, each in took.items()} | cpu


if __name__ == "__main__":
    # Its settings are those of whoever runs the tests, which `tests.environment` keeps out.
    sys.exit(main(sys.argv[1:]))
