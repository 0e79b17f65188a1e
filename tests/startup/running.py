"""A clean copy of the project, and a real `manage.py up` running in it."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil

from console.providers import kinds
from tests.tables import tables

PROJECT = Path(__file__).resolve().parents[2]
COMPILED = ("console", "fusion_site")
NOT_COPIED = shutil.ignore_patterns(".git", ".venv*", "var", ".*_cache", ".hypothesis")
# The Python that .venv was made from: it has no packages of the project.
BARE_PYTHON = str(Path(sys.base_prefix, "bin", f"python3.{sys.version_info[1]}"))


def copy_project(to: Path) -> Path:
    """As just cloned, but that Python has read it before: what a test leaves as it is is not
    compiled once more by each of its processes."""
    _compile()
    shutil.copytree(PROJECT, to, ignore=_not_copied)
    return to


@functools.cache
def _compile() -> None:
    subprocess.run([BARE_PYTHON, "-m", "compileall", "-q", *COMPILED], cwd=PROJECT, check=True)


def _not_copied(folder: str, names: list[str]) -> set[str]:
    not_copied = NOT_COPIED(folder, names)
    place = Path(folder).relative_to(PROJECT).parts
    if place[:1] in [(name,) for name in COMPILED]:
        return not_copied
    # Tests that run meanwhile write theirs elsewhere. Of their own files, as many as all the rest
    # together, no start reads one.
    return {*not_copied, "__pycache__"} | (set() if place else {"tests"})


def environment(**changes: str | None) -> dict[str, str]:
    """This machine's, without anything that is about Fusion or an active environment; what else
    runs on it is not looked for."""
    ours = ("FUSION_", "OPENAI_", "OPENROUTER_", "OLLAMA_", "DJANGO_", "PYTEST_", "PYTHON", "COV_")
    alone = {"SECRET_KEY", "REDIS_URL", "DATABASE_URL", "ALLOWED_HOSTS", "VIRTUAL_ENV", "DEBUG"}
    alone |= {*kinds.key_variables(), *kinds.address_variables()}
    found = {k: v for k, v in os.environ.items() if not k.startswith(ours) and k not in alone}
    found["FUSION_LOCAL_SERVERS"] = "0"
    found |= {k: v for k, v in changes.items() if v is not None}
    return {k: v for k, v in found.items() if changes.get(k, "") is not None}


def manage(
    project: Path, *arguments: str, python: str = BARE_PYTHON, **changes: str | None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "manage.py", *arguments],
        cwd=project,
        env=environment(**changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=280,
    )


def put_tables(project: Path) -> None:
    database = project / "var" / "fusion.sqlite3"
    if not database.exists():
        database.parent.mkdir(mode=0o700, exist_ok=True)
        database.touch(0o600)
        database.write_bytes(tables())


class Up:
    """With the tests' own environment, and one web server, unless `python` is bare. Its database
    has its tables before it starts, unless it is about a model or in another place."""

    def __init__(
        self,
        project: Path,
        *arguments: str,
        python: str = sys.executable,
        stdin: int = subprocess.DEVNULL,
        **changes: str | None,
    ) -> None:
        if python == sys.executable:
            changes = {"FUSION_BOOTSTRAP": "0", "FUSION_WEB_PROCESSES": "1", **changes}
            elsewhere = {"FUSION_VAR_DIR", "DATABASE_URL"} & changes.keys()
            if "--no-local-model" in arguments and not elsewhere:
                put_tables(project)
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [python, "manage.py", "up", "--port", "0", *arguments],
            cwd=project,
            env=environment(**changes),
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.seen: dict[int, psutil.Process] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Up:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.end(signal.SIGTERM)
        for process in self.left():
            process.kill()

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    @property
    def url(self) -> str:
        return self.wait_for("Fusion is ready: ").split("ready: ")[1].split()[0]

    def wait_for(self, text: str, seconds: float = 180) -> str:
        """The first line that contains it."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for line in list(self.lines):
                if text in line:
                    return line
            if self.process.poll() is not None and not self._reader.is_alive():
                break
            time.sleep(0.05)
        raise AssertionError(f"{text!r} was never said:\n{self.output}")

    def child(self, name: str) -> psutil.Process:
        """The running child whose command line has this word; a new one may not be there yet."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            for process in self.look():
                # It may end, or become what it was started for, while it is looked at.
                with contextlib.suppress(psutil.Error):
                    if name in process.cmdline():
                        return process
            time.sleep(0.1)
        raise AssertionError(f"no {name} is running")

    def look(self) -> list[psutil.Process]:
        """All processes below, remembered so that `left` can ask for them later."""
        found = psutil.Process(self.process.pid).children(recursive=True)
        self.seen |= {p.pid: p for p in found}
        return [p for p in found if p.status() != psutil.STATUS_ZOMBIE]

    def left(self, seconds: float = 0) -> list[psutil.Process]:
        _, alive = psutil.wait_procs(self.seen.values(), timeout=seconds)
        return [p for p in alive if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]

    def end(self, number: int) -> int:
        """The exit status; every process there was is remembered first."""
        self.look()
        self.process.send_signal(number)
        status = self.process.wait(120)
        self._reader.join(5)
        return status

    def _read(self) -> None:
        assert self.process.stdout
        with self.process.stdout as lines:
            for line in lines:
                self.lines.append(line.rstrip())
