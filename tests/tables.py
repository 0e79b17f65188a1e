"""Tables without a row, made once by all that asks for them in this process, or in all the lanes of
a run (`tiers.py`): each would take longer to make them than to do anything else."""

from __future__ import annotations

import fcntl
import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Where the lanes of a run have them: the first makes them, the others wait for it.
SHARED = "FUSION_TEST_TABLES"
# What a new site begins with depends on its environment, and is put there by the `migrate` that
# everything begins with.
MAKE = """
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
executor = MigrationExecutor(connection)
executor.migrate(executor.loader.graph.leaf_nodes())
"""


@functools.cache
def tables() -> bytes:
    """A file of SQLite's."""
    shared = os.environ.get(SHARED)
    if not shared:
        return _made()
    with open(f"{shared}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        file = Path(shared)
        if not file.exists():
            file.with_suffix(".new").write_bytes(_made())
            file.with_suffix(".new").replace(file)
        return file.read_bytes()


def _made() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        ours = ("FUSION_", "DATABASE_URL", "PYTEST_")
        own = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        own |= {"FUSION_BOOTSTRAP": "0", "FUSION_VAR_DIR": folder}
        make = [sys.executable, "manage.py", "shell", "-v0", "-c", MAKE]
        subprocess.run(make, cwd=ROOT, env=own, check=True)
        return Path(folder, "fusion.sqlite3").read_bytes()
