"""Sites with a long history, made by the database itself out of a few runs and kept from one
benchmark to the next.

    .venv/bin/python -m tests.benchmarks.history      made anew, under ~/.cache

A file's name says how many runs are in it and by which migrations its tables were made, so a
change of a table makes it anew. PostgreSQL's lives as long as the benchmarks do.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.site import PASSWORD, PERSON, ROOT
from tests.stack import Database

SMALL, LARGE = 1_000, 100_000
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "fusion-histories"

# One in twenty runs is hers, half of all are the team's, as many a day as are asked in a year; a
# specification of 7 KB, which is what a preset's is. Then two runs that are read, whole.
_MAKE = """
import datetime, hashlib, json, os, secrets
from decimal import Decimal
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from console.engine.spec import Prompts
from console.models import ApiToken, Run
from console.services import tokens
from tests.console.story import Story, a_spec

COUNT = {count}
User.objects.create_superuser("ada", password="{password}")
alice = User.objects.create_user("{person}", password="{password}")
others = User.objects.bulk_create(User(username=f"person-{{n}}") for n in range(19))
owners = [alice, *User.objects.filter(username__startswith="person-")]

def noise(length, of=""):
    text = "".join(hashlib.sha256(f"{{of}}{{n}}".encode()).hexdigest() for n in range(length // 64))
    return text[:length]

spec = a_spec().to_dict()
spec["prompts"] = {{**spec["prompts"], "synthesis": noise(6000)}}
began = timezone.now() - datetime.timedelta(days=365)
step = datetime.timedelta(days=360) / COUNT
first = Run(owner=alice, prompt="Should we move our billing?", spec=spec, preset="quality",
            messages=[{{"role": "user", "content": "Should we move our billing?"}}],
            preset_name="Quality", status="completed", cost=Decimal("0.03"),
            started_at=began, finished_at=began)
first.save()
Run.objects.update(created_at=began)
table, columns = Run._meta.db_table, [f.column for f in Run._meta.concrete_fields]
seconds = step.total_seconds()
ids = [user.pk for user in owners]
if connection.vendor == "sqlite":
    further = f"SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < {{COUNT}} - 1"
    numbers = f"(WITH RECURSIVE x(n) AS ({{further}}) SELECT n FROM x) numbers"
    whose = " ".join(f"WHEN {{n}} THEN {{pk}}" for n, pk in enumerate(ids))
    later = f"(n * {{seconds}}) || ' seconds'"
    own = {{
        "id": "lower(hex(randomblob(16)))",
        "created_at": f"strftime('%Y-%m-%d %H:%M:%f000', r.created_at, {{later}})",
        "owner_id": f"CASE n % 20 {{whose}} END",
        "prompt": "'Question ' || n || ': should we move our billing?'",
        "visibility": "CASE WHEN (n / 20) % 2 THEN 'team' ELSE 'private' END",
    }}
else:
    numbers = f"generate_series(1, {{COUNT}} - 1) numbers(n)"
    own = {{
        "id": "gen_random_uuid()",
        "created_at": f"r.created_at + n * interval '{{seconds}} seconds'",
        "owner_id": f"(ARRAY{{ids}})[n % 20 + 1]",
        "prompt": "'Question ' || n || ': should we move our billing?'",
        "visibility": "CASE WHEN (n / 20) % 2 = 1 THEN 'team' ELSE 'private' END",
    }}
quoted = ", ".join(f'"{{c}}"' for c in columns)
chosen = ", ".join(own.get(c, f'r."{{c}}"') for c in columns)
rows = f'SELECT {{chosen}} FROM "{{table}}" r, {{numbers}}'
with connection.cursor() as cursor:
    cursor.execute(f'INSERT INTO "{{table}}" ({{quoted}}) {{rows}}')
    # As it is after a year of use: PostgreSQL's own vacuum would come a minute after so many rows,
    # in the midst of what is measured.
    cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")

def answered(seats, words):
    story = Story(a_spec(*[f"maker/model-{{n}}" for n in range(seats)])).begin()
    for seat in range(seats):
        text = " ".join(f"word{{n}}" + (".\\n\\n" if n % 40 == 39 else "") for n in range(words))
        story.answer(seat, text)
    return story.judge().analyse().synthesise(text).complete().save(alice)

print(json.dumps({{
    "three": str(answered(3, 3000).pk),
    "eight": str(answered(8, 3000).pk),
    "deep": f"{{began + 10 * step * COUNT / 100:%Y%m%dT%H%M%S%f}}-" + 32 * "0",
}}))
"""


@dataclass(frozen=True)
class History:
    """`runs` has the addresses of what is read in it: run three, run eight, deep."""

    runs: Mapping[str, str]
    file: Path | None = None
    database: Database | None = None

    @property
    def env(self) -> dict[str, str]:
        return {"DATABASE_URL": self.database.url} if self.database else {}

    def lay_into(self, var: Path) -> None:
        if self.file:
            var.mkdir(parents=True, exist_ok=True)
            shutil.copy(self.file, var / "fusion.sqlite3")


def on_sqlite(count: int) -> History:
    file = CACHE / f"{count}-{_tables()}.sqlite3"
    told = file.with_suffix(".json")
    if not (file.exists() and told.exists()):
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as folder:
            said = _make(count, {"FUSION_VAR_DIR": folder})
            _into_one_file(Path(folder) / "fusion.sqlite3")
            (Path(folder) / "fusion.sqlite3").rename(file)
        told.write_text(said)
    return History(_read(told.read_text()), file=file)


def on_postgres(count: int, server: str) -> History:
    database = Database(server)
    database.make()
    with tempfile.TemporaryDirectory() as folder:
        said = _make(count, {"FUSION_VAR_DIR": folder, "DATABASE_URL": database.url})
    return History(_read(said), database=database)


def _make(count: int, env: Mapping[str, str]) -> str:
    told = {**os.environ, "FUSION_BOOTSTRAP": "0", **env}
    code = _MAKE.format(count=count, password=PASSWORD, person=PERSON)
    for arguments in (["migrate", "-v0"], ["shell", "-v0", "-c", code]):
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=told,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SystemExit(f"The history was not made:\n{done.stdout}{done.stderr}")
    return done.stdout.strip().splitlines()[-1]


def _into_one_file(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    connection.close()


def _read(said: str) -> dict[str, str]:
    read: dict[str, str] = json.loads(said)
    return read


def _tables() -> str:
    """Changes with the migrations and with what makes the rows."""
    names = sorted(p.name for p in (ROOT / "console" / "migrations").glob("0*.py"))
    digest = hashlib.sha256("\n".join([*names, _MAKE]).encode()).hexdigest()
    return f"{names[-1][:4]}-{digest[:8]}"


if __name__ == "__main__":
    shutil.rmtree(CACHE, ignore_errors=True)
    for count in (SMALL, LARGE):
        sys.stdout.write(f"{on_sqlite(count).file}\n")
