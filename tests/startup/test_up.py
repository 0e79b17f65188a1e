"""What `up` does while it runs, and how it ends."""

from __future__ import annotations

import signal
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from fusion_site import valkey
from fusion_site.supervisor import why_not

from .running import Up, copy_project, manage, put_tables

pytestmark = pytest.mark.startup


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("up") / "fusion")


def test_who_is_killed_is_started_again_and_nothing_is_left_behind(
    tree: Path, ordinary_signals: None
) -> None:
    """One start for several looks at what goes on, and one after it."""
    with Up(tree, "--no-local-model") as up:
        up.wait_for("Fusion is ready: ")
        _a_killed_worker_is_started_again_and_said(up)
        _a_second_start_from_the_same_directory_names_the_first(up, tree)
        _a_killed_valkey_is_started_again_on_the_same_socket(up, tree)
        _killing_the_supervisor_leaves_nothing(up)
    assert (tree / "var" / "runtime.json").exists()
    with Up(tree, "--no-local-model") as again:
        again.wait_for("Fusion is ready: ")
        assert again.end(signal.SIGHUP) == 0
        assert again.left(60) == []
    assert not (tree / "var" / "runtime.json").exists()


def _a_killed_worker_is_started_again_and_said(up: Up) -> None:
    killed = up.child("worker")
    killed.kill()
    up.wait_for("worker died (signal 9), starting it again")
    up.wait_for("Connected to redis")
    assert up.child("worker").pid != killed.pid
    with urllib.request.urlopen(f"{up.url}/readyz") as answer:
        assert answer.status == 200


def _a_killed_valkey_is_started_again_on_the_same_socket(up: Up, tree: Path) -> None:
    next(p for p in up.look() if "valkey" in p.name()).kill()
    up.wait_for("valkey died (signal 9), starting it again")
    until = time.monotonic() + 90
    while not valkey.answers(tree / "var" / "valkey.sock") and time.monotonic() < until:
        time.sleep(0.05)
    assert valkey.answers(tree / "var" / "valkey.sock")


def _a_second_start_from_the_same_directory_names_the_first(up: Up, tree: Path) -> None:
    second = manage(tree, "up", "--port", "0", python=sys.executable, FUSION_BOOTSTRAP="0")
    assert second.returncode == 1
    assert f"already runs from {tree / 'var'} ({up.url})" in second.stderr
    assert "Traceback" not in second.stderr


def _killing_the_supervisor_leaves_nothing(up: Up) -> None:
    assert len(up.look()) >= 3
    up.end(signal.SIGKILL)
    assert up.left(60) == []


def test_what_is_written_into_a_directory_open_to_others_is_not_theirs_to_read(
    project: Path, ordinary_signals: None
) -> None:
    """At a first start, which has nothing to keep a copy of."""
    (project / "var").mkdir(mode=0o755)
    (project / "var" / "logs").mkdir(mode=0o755)
    (project / "var" / "fusion.sqlite3").touch(0o644)
    with Up(project, "--no-local-model") as up:
        up.wait_for("Fusion is ready: ")
        written = [path for path in (project / "var").rglob("*") if not path.is_dir()]
        assert {"fusion.sqlite3", "migrate.log", "secrets.env"} <= {path.name for path in written}
        assert [path.name for path in written if path.stat().st_mode & 0o077] == []
        assert "Kept a copy" not in up.output
    assert not (project / "var" / "backups").exists()


def test_a_child_that_keeps_dying_ends_everything_with_its_reason(project: Path) -> None:
    celery = project / "fusion_site" / "celery.py"
    broken = '\nimport sys\n\nif "worker" in sys.argv:\n    raise SystemExit("broken on purpose")\n'
    celery.write_text(celery.read_text() + broken)
    with Up(project, "--no-local-model") as up:
        up.wait_for("worker keeps dying (exit status 1); its last words: broken on purpose")
        up.look()
        assert up.process.wait(60) == 1
        assert up.left(60) == []
        assert up.output.count("worker died") == 4
        assert "Traceback" not in up.output


def test_it_goes_on_without_a_built_in_model_that_cannot_be_installed(project: Path) -> None:
    put_tables(project)
    (project / "requirements-local-model.lock").write_text("this is no lock\n")
    with Up(project, FUSION_BOOTSTRAP=None) as up:
        up.wait_for("Fusion goes on without its built-in model")
        with urllib.request.urlopen(f"{up.url}/healthz") as answer:
            assert answer.status == 200
        assert up.end(signal.SIGINT) == 0
        assert up.left(60) == []


def test_a_database_that_cannot_be_reached_is_one_sentence(tmp_path: Path, tree: Path) -> None:
    ended = manage(
        tree,
        *("up", "--port", "0", "--no-local-model"),
        python=sys.executable,
        FUSION_BOOTSTRAP="0",
        FUSION_VAR_DIR=str(tmp_path / "var"),
        DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing",
    )
    assert ended.returncode == 1
    assert "Preparing the database failed: connection" in ended.stderr
    assert "Look at DATABASE_URL." in ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr


def test_why_the_database_could_not_be_prepared_says_where_to_look() -> None:
    told = "  File …\ndjango.db.utils.DatabaseError: file is not a database\n"
    assert why_not(1, told, "/x/db") == "file is not a database. Look at /x/db."
    assert why_not(1, "CommandError: No.\n", "/x/db") == "No."
    assert why_not(-9, "", "/x/db") == "it was killed (signal 9)."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OLLAMA_HOST", ":::"),
        ("FUSION_ENCRYPTION_KEYS", "junk"),
        ("REDIS_URL", "localhost:6379"),
        ("FUSION_BASE_URL", "fusion.example.org"),
        ("FUSION_CORS_ORIGINS", "app.example.org"),
        ("FUSION_LEASE_SECONDS", "many"),
    ],
)
def test_a_variable_that_cannot_be_meant_is_named(
    tmp_path: Path, tree: Path, name: str, value: str
) -> None:
    changes = {name: value, "FUSION_BOOTSTRAP": "0", "FUSION_VAR_DIR": str(tmp_path / "var")}
    up = ("up", "--port", "0", "--no-local-model")
    ended = manage(tree, *up, python=sys.executable, **changes)
    assert ended.returncode == 1
    (sentence,) = ended.stderr.splitlines()
    assert sentence.startswith("Preparing the database failed: ") and name in sentence
