"""How long a search takes among 1,000, 10,000 and 100,000 runs of 12 KB, beside `/fusion/tokens` in
the same process, and what a run's end pays for being found.

    .venv/bin/python -m tests.benchmarks.search [1000 10000 100000] [--postgres]

SQLite's runs are kept under ~/.cache, by the names of the migrations; PostgreSQL's live as long as
the command, or with the server that FUSION_TEST_DATABASE_URL names. CPU is that of the process that
answers and, on PostgreSQL, of the one that is asked: other work on the machine is not in it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence

import tests.environment  # noqa: F401 - first: the keys and the database are its own
from tests.benchmarks.busy import Busy
from tests.benchmarks.floor import percentile
from tests.benchmarks.history import CACHE, _tables
from tests.benchmarks.search_runs import MADE

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
    parser.add_argument("--fill", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--read", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.fill or options.read:
        sys.stdout.write(json.dumps(_measured(options.runs[0], fills=options.fill)))
        return 0
    columns = {count: _elsewhere(count, postgres=options.postgres) for count in options.runs}
    heads = " | ".join(f"{count:,} runs" for count in columns)
    told = f"CPU, p95, ms (÷ {USUAL}; p95 of the clock, ÷)"
    sys.stdout.write(f"\n| {told} | {heads} |\n|---|{'---:|' * len(columns)}\n")
    for name in next(iter(columns.values())):
        if not name.startswith(CPU):
            cells = (_cell(column, name) for column in columns.values())
            sys.stdout.write(f"| {name} | {' | '.join(cells)} |\n")
    return 0


def _cell(column: Mapping[str, float], name: str) -> str:
    if CPU + name not in column:
        return f"{column[name]:,.1f}"
    cpu, clock = (f"{column[of + name]:,.1f}" for of in (CPU, ""))
    beside = [f"{column[of + name] / column[of + USUAL]:.1f}" for of in (CPU, "")]
    return f"{cpu} ({beside[0]}; {clock}, {beside[1]})"


def _elsewhere(count: int, *, postgres: bool) -> dict[str, float]:
    with _database(count, postgres=postgres) as env:
        return _within(count, env, "--read")


def _within(count: int, env: Mapping[str, str], how: str) -> dict[str, float]:
    """In a process of its own, since settings are read once."""
    command = [sys.executable, "-m", "tests.benchmarks.search", str(count), how]
    told = {**os.environ, "FUSION_BOOTSTRAP": "0", "PYTHONPATH": ".", **env}
    done = subprocess.run(command, env=told, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextlib.contextmanager
def _database(count: int, *, postgres: bool) -> Iterator[dict[str, str]]:
    name = f"search-{count}-{_tables()}-{MADE}"
    if not postgres:
        folder, making = CACHE / name, CACHE / f"{name}-making"
        if not folder.exists():
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir(parents=True)
            _within(count, {"BENCHMARK_VAR": str(making)}, "--fill")
            making.rename(folder)
        yield {"BENCHMARK_VAR": str(folder)}
        return
    from psycopg.errors import DuplicateDatabase

    from tests.postgres import Postgres
    from tests.stack import Database

    with contextlib.ExitStack() as stack:
        var = stack.enter_context(tempfile.TemporaryDirectory())
        given = os.environ.get("FUSION_TEST_DATABASE_URL")
        database = Database(given or stack.enter_context(Postgres()).url, name.replace("-", "_"))
        with contextlib.suppress(DuplicateDatabase):  # a server that stays has it already
            database.make()
        env = {"BENCHMARK_VAR": var, "BENCHMARK_URL": database.url}
        _within(count, env, "--fill")
        yield env


def _measured(count: int, *, fills: bool) -> dict[str, float]:
    os.environ["FUSION_VAR_DIR"] = os.environ["BENCHMARK_VAR"]
    os.environ.pop("DATABASE_URL", None)
    if url := os.environ.get("BENCHMARK_URL"):
        os.environ["DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "fusion_site.settings"
    import django

    django.setup()
    from django.core.management import call_command

    from tests.benchmarks.search_runs import fill, told

    if fills:
        call_command("migrate", verbosity=0)
        fill(count)
        return {}
    return _read() | told()


def _read() -> dict[str, float]:
    from django.contrib.auth.models import User
    from django.test import Client

    from console.models import ApiToken
    from console.services.tokens import token_create
    from fusion_site.memory import look_for_garbage

    alice, client = User.objects.get(username="alice"), Client()
    client.force_login(alice)
    ApiToken.objects.all().delete()
    headers = {"authorization": f"Bearer {token_create(owner=alice)[1]}"}
    took: dict[str, list[float]] = {name: [] for name in (USUAL, *PAGES)}
    spent: dict[str, list[float]] = {name: [] for name in took}
    busy = Busy()
    for reading in range(READINGS + 2):
        if reading == 2:  # all is warm now
            look_for_garbage()  # as web processes do
        for name in took:
            address = PAGES.get(name, USUAL)
            began, before = time.perf_counter(), busy.ms
            reply = client.get(address, headers=headers if address.startswith("/v1") else {})
            seconds = time.perf_counter() - began
            if reply.status_code != 200:
                raise SystemExit(f"{address} was answered with {reply.status_code}.")
            if reading > 1:
                took[name].append(seconds * 1000)
                spent[name].append(busy.ms - before)
    cpu = {f"{CPU}{name}": percentile(each, 0.95) for name, each in spent.items()}
    return {name: percentile(each, 0.95) for name, each in took.items()} | cpu


if __name__ == "__main__":
    # Its settings are those of whoever runs the tests, which `tests.environment` keeps out.
    sys.exit(main(sys.argv[1:]))
