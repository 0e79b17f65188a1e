"""python -m tests.data.make_site: stores a site as the code of today makes it.

Writes tests/data/site-<newest migration>/, which tests/upgrade opens with all code that comes
after. A change of a table, of the log, of a spec or of the evaluation's files is preceded by a
site made by the code before it; `--name` tells two with the same migration apart. One that was
stored is never made again: newer code would write what the older one never did.

Runs are asked for on the page, in the shell and by the API, and carried out by a real worker
before the scripted upstream; it is killed while each of a dozen runs is in the middle of a step
(see making.py). All of it happens on SQLite. With FUSION_TEST_DATABASE_URL, a PostgreSQL whose
user may create databases, and with its `pg_dump`, the same rows are stored for it, too.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import tests.environment  # before all that reads settings
from tests.data import cast
from tests.data.asking import KEYS
from tests.data.making import CLOSE, Making
from tests.data.stored import HERE, placed, shortened, shorthand
from tests.stack import ROOT, Database, Stack
from tests.upstream import Upstream
from tests.upstream.engines import Web

COPY = """
from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, connections, transaction
from django.db.models import Model
connections.settings["stored"] = connections.settings["default"] | {{
    "ENGINE": "django.db.backends.sqlite3", "NAME": {file!r}, "OPTIONS": {{}}}}
models = apps.get_models(include_auto_created=True)
with transaction.atomic(), connection.cursor() as cursor:
    for model in models:
        cursor.execute(f'TRUNCATE "{{model._meta.db_table}}" CASCADE')
    for model in models:
        for row in model._base_manager.using("stored"):
            Model.save_base(row, raw=True, using="default", force_insert=True)
    for sql in connection.ops.sequence_reset_sql(no_style(), models):
        cursor.execute(sql)
"""


def make(folder: Path, postgres: str) -> None:
    with Upstream() as upstream, Web() as web:
        cast.speak(upstream, slowly=True)
        web.add("/answer", "The answer", "The answer has stood here for long.", "It is short.")
        stack = Stack(
            FUSION_LEASE_SECONDS="600",
            FUSION_SHUTDOWN_GRACE_SECONDS="0.1",
            SEARXNG_URL=web.url,
            FUSION_FETCH_ALLOW=web.place,
            **KEYS,
        )
        with stack:
            making = Making(stack, upstream)
            making.people()
            making.ended()
            making.middle(folder / "evaluation")
            closed = stack.manage("shell", "-v0", "-c", CLOSE).stdout.splitlines()[-1]
            prompts: dict[str, str] = json.loads(closed)
            facts = making.facts | {"runs": making.ends(), "prompts": prompts}
            facts |= {"found": making.found(), "receipts": making.receipts()}
            stack.kill("web")
            write(folder / "facts.json", facts)
            write(folder / "logs.json", making.logs())
            database = stack.dir / "fusion.sqlite3"
            dump = shortened(sqlite_dump(database), placed(upstream) | shorthand(prompts))
            (folder / "site.sqlite3.sql").write_text(dump, encoding="utf-8")
            if postgres:
                dump = postgres_dump(postgres, database, stack.env)
                with gzip.GzipFile(folder / "site.postgres.sql.gz", "wb", mtime=0) as packed:
                    packed.write(shortened(dump, placed(upstream)).encode())


def write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def sqlite_dump(file: Path) -> str:
    """An index of full text is made anew from the rows that it stands for."""
    connection = sqlite3.connect(file)
    try:
        said = [*connection.iterdump()]
        made = "SELECT name, sql FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'"
        for name, sql in connection.execute(made).fetchall():
            said = [s for s in said if not (_is_of(name, s) or "writable_schema" in s)]
            said[-1:-1] = [f"{sql};", f"INSERT INTO {name}({name}) VALUES('rebuild');"]
        return "\n".join(said) + "\n"
    finally:
        connection.close()


def _is_of(index: str, line: str) -> bool:
    """Its table, or one that it keeps itself in."""
    tables = "|".join((index, *(f"{index}_{own}" for own in ("data", "idx", "docsize", "config"))))
    kinds = rf"CREATE TABLE ['\"]?({tables})['\"]?\(|INSERT INTO ['\"]?({tables})['\"]?[ (]"
    return bool(re.match(kinds, line)) or f"VALUES('table','{index}'" in line


def postgres_dump(server: str, file: Path, env: dict[str, str]) -> str:
    """The rows of a SQLite file as a PostgreSQL of the same tables tells them."""
    database = Database(server)
    database.make()
    try:
        env = env | {"DATABASE_URL": database.url}
        for command in (["migrate", "-v0"], ["shell", "-v0", "-c", COPY.format(file=str(file))]):
            subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=env, check=True)
        dumped = subprocess.run(
            [_pg_dump(), "--inserts", "--no-owner", "--no-privileges", database.url],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    finally:
        database.drop()
    # Settings of a session and psql's own commands are for psql.
    own = ("SET ", "\\", "SELECT pg_catalog.set_config")
    return "\n".join(line for line in dumped.stdout.split("\n") if not line.startswith(own))


def _pg_dump() -> str:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))
    return shutil.which("pg_dump") or str(found[-1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.data.make_site", description=__doc__)
    newest = max(path.name[:4] for path in (ROOT / "console" / "migrations").glob("0*.py"))
    parser.add_argument("--name", default=f"site-{newest}")
    folder = HERE / parser.parse_args().name
    if folder.exists():
        parser.error(f"{folder} is stored already, and stays as it is.")
    postgres = os.environ.pop("DATABASE_URL", "")
    with tempfile.TemporaryDirectory() as made:
        new = Path(made) / "site"
        new.mkdir()
        make(new, postgres)
        said = (HERE / "site.md").read_text(encoding="utf-8")
        (new / "README.md").write_text(said.replace("@@name@@", folder.name), encoding="utf-8")
        shutil.copytree(new, folder)
    shutil.rmtree(tests.environment.VAR_DIR, ignore_errors=True)


if __name__ == "__main__":
    main()
