"""`migrate`, which can keep the SQLite file as it was before anything in it is changed."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor

KEPT = 3


class Command(migrate.Command):
    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--keep-copy",
            action="store_true",
            help=f"First copy an SQLite database that will be changed; {KEPT} copies are kept.",
        )

    def handle(self, *args: Any, keep_copy: bool = False, **options: Any) -> Any:
        connection = connections[options["database"]]
        if keep_copy and (database := _file_of(connection)) and _will_change(connection):
            folder = Path(settings.VAR_DIR) / "backups"
            try:
                copy = keep(database, folder)
            except (sqlite3.Error, OSError) as error:
                # Nothing has been changed yet.
                raise CommandError(
                    f"Keeping a copy of the database in {folder} failed: {error}"
                ) from None
            self.stdout.write(f"Kept a copy of the database as it was: {copy}")
        return super().handle(*args, **options)


def keep(database: Path, folder: Path) -> Path:
    """A whole copy, for its owner's eyes only. Raises sqlite3.Error and OSError."""
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    for left in folder.glob(".*.part"):  # by a start that was killed
        left.unlink()
    copy = folder / f"{database.stem}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.sqlite3"
    draft = folder / f".{copy.name}.part"
    try:
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as file, closing(sqlite3.connect(database)) as source:
            # All of it as it is at one moment, whoever else writes, without what was deleted.
            source.execute("VACUUM INTO ?", [str(draft)])
            os.fsync(file.fileno())
        draft.replace(copy)
    except (sqlite3.Error, OSError):
        draft.unlink(missing_ok=True)
        raise
    for old in sorted(folder.glob("*.sqlite3"))[:-KEPT]:
        old.unlink()
    return copy


def _file_of(connection: BaseDatabaseWrapper) -> Path | None:
    """None for another kind of database, and where there is none yet."""
    if connection.vendor != "sqlite":
        return None
    path = Path(connection.settings_dict["NAME"])
    return path if path.is_file() and path.stat().st_size else None


def _will_change(connection: BaseDatabaseWrapper) -> bool:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return bool(executor.loader.applied_migrations and plan)
