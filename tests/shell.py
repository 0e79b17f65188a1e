"""`manage.py shell -c` by one process that stays: starting Python, Django and all that Fusion
imports takes longer than anything that a test has to say to a site.

`python -m tests.shell` reads code, a line of JSON each, and answers what it printed or why it
could not.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Shell:
    """`shell(code)`: what it printed; another thread's code waits."""

    def __init__(self, env: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as told:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.shell"],
                cwd=ROOT,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=told,
                text=True,
                encoding="utf-8",
            )
        self._log, self._turn = log, threading.Lock()

    def __call__(self, code: str) -> str:
        assert self._process.stdin and self._process.stdout
        with self._turn:
            self._process.stdin.write(json.dumps(code) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        assert line, f"the shell ended: {self._log.read_text()[-3000:]}"
        answer: dict[str, str] = json.loads(line)
        assert not answer["error"], f"{answer['error']}\n{answer['printed']}"
        return answer["printed"]

    def command(self, *args: str) -> str:
        """A command of manage.py that need not be a process of its own."""
        return self(f"from django.core.management import call_command; call_command(*{args!r})")

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


def serve() -> None:
    import django

    django.setup()
    from django.core.management.commands.shell import Command
    from django.db import connections

    # What anything else prints goes to the log.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        printed, error = io.StringIO(), ""
        with contextlib.redirect_stdout(printed):
            try:
                exec(json.loads(line), Command().get_namespace(verbosity=0))
            except BaseException:
                error = traceback.format_exc()
            finally:
                # A site's database can then be taken away, and nothing that is old is read.
                connections.close_all()
        answers.write(json.dumps({"printed": printed.getvalue(), "error": error}) + "\n")
        answers.flush()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fusion_site.settings")
    serve()
