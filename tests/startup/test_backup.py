"""What `up` keeps of the database before a new version changes it."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from .running import PROJECT, Up, copy_project, manage, put_tables

pytestmark = pytest.mark.startup

PYTHON = {"python": sys.executable, "FUSION_BOOTSTRAP": "0"}
# One step is enough here: sites of much older versions are migrated in tests/upgrade.
BEFORE = sorted(path.stem for path in (PROJECT / "console" / "migrations").glob("0*.py"))[-2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the database of the version before, and a person in it."""
    project = copy_project(tmp_path_factory.mktemp("before") / "fusion")
    put_tables(project)
    keys = {"SECRET_KEY": "x" * 60, "FUSION_ENCRYPTION_KEYS": f"{'k' * 43}="}
    go_back = (
        "from django.contrib.auth.models import User; User.objects.create_user('alice'); "
        "from django.core.management import call_command; "
        f"call_command('migrate', 'console', {BEFORE!r}, verbosity=0)"
    )
    made = manage(project, "shell", "-v0", "-c", go_back, **PYTHON, **keys)
    assert made.returncode == 0, made.stderr
    return project


@pytest.fixture
def old(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "fusion"))


def applied(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as found:
        rows = found.execute("SELECT name FROM django_migrations WHERE app = 'console'")
        return {name for (name,) in rows}


def copies(project: Path) -> list[Path]:
    return sorted(path for path in (project / "var" / "backups").glob("*"))


def test_a_new_version_keeps_the_database_as_it_was_and_the_last_three(
    old: Path, ordinary_signals: None
) -> None:
    backups = old / "var" / "backups"
    backups.mkdir(mode=0o755)
    earlier = [backups / f"fusion-2020010{day}T000000Z.sqlite3" for day in (1, 2, 3)]
    for path in (*earlier, backups / ".fusion-20200104T000000Z.sqlite3.part"):
        path.touch(0o600)
    with Up(old, "--no-local-model") as up:
        copy = Path(up.wait_for("Kept a copy of the database").split(": ")[1])
        up.wait_for("Fusion is ready: ")
        assert up.end(signal.SIGTERM) == 0
    database = old / "var" / "fusion.sqlite3"
    assert copies(old) == [*earlier[1:], copy] and copy.parent == backups
    assert (backups.stat().st_mode & 0o777, copy.stat().st_mode & 0o777) == (0o700, 0o600)
    assert max(applied(copy)) == BEFORE < max(applied(database))
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("SELECT username FROM auth_user").fetchall() == [("alice",)]
        assert kept.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    again = manage(old, "migrate", "--noinput", "--keep-copy", **PYTHON)  # as every start does it
    assert again.returncode == 0 and "Kept a copy" not in again.stdout
    assert copies(old) == [*earlier[1:], copy]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            'sqlite3.OperationalError("database or disk is full")',
            "The disk is full: keeping a copy of the database failed; free some space and start "
            "again.",
        ),
        (
            'OSError(28, "No space left on device")',
            "The disk is full: keeping a copy of the database failed; free some space and start "
            "again.",
        ),
        (
            'sqlite3.DatabaseError("database disk image is malformed")',
            "Preparing the database failed: Keeping a copy of the database in {backups} failed: "
            "database disk image is malformed",
        ),
    ],
)
def test_a_copy_that_cannot_be_made_is_one_sentence_and_nothing_is_changed(
    old: Path, error: str, sentence: str
) -> None:
    command = old / "console" / "management" / "commands" / "migrate.py"
    failing = f"os.fsync(file.fileno()); raise {error}"
    command.write_text(command.read_text().replace("os.fsync(file.fileno())", failing))
    ended = manage(old, "up", "--port", "0", "--no-local-model", **PYTHON)
    assert ended.returncode == 1
    (said,) = ended.stderr.splitlines()
    assert said == sentence.format(backups=old / "var" / "backups")
    assert copies(old) == [] and max(applied(old / "var" / "fusion.sqlite3")) == BEFORE
