"""The product as `up` starts it, from this checkout or from another commit, with somebody in it.

On one core (`1c`) worker and web share core 1, and Valkey is on core 0 with the upstream and who
watches; on two (`2c`) nothing is pinned, whatever whoever starts it is pinned to. What a process
costs is read from /proc, of all of them.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import httpx
import psutil

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "a long password for benchmarks"
PERSON = "alice"
PATIENCE = 300
OURS, OTHERS = 1, 0  # cores, where there is a choice
ALL = tuple(range(os.cpu_count() or 1))
Layout = Literal["1c", "2c"]

# One person does what many would: limits for one are not what is measured.
LIMITS = {
    "FUSION_RUNS_PER_PERSON": "1000",
    "FUSION_SOCKETS_PER_PERSON": "5000",
    "FUSION_SOCKETS_PER_ADDRESS": "5000",
    "FUSION_SIGN_INS_PER_MINUTE": "1000",
}
_PEOPLE = f"""
from django.contrib.auth.models import User
if not User.objects.exists():  # of a site whose rows were made before
    User.objects.create_superuser("ada", password="{PASSWORD}")
    User.objects.create_user("{PERSON}", password="{PASSWORD}")
"""


@dataclass(frozen=True)
class Spent:
    """Seconds of processors, by what the processes are: worker, web, valkey, up."""

    seconds: Mapping[str, float]

    @property
    def total(self) -> float:
        return sum(self.seconds.values())

    def since(self, before: Spent) -> Spent:
        then = before.seconds
        return Spent({role: s - then.get(role, 0.0) for role, s in self.seconds.items()})


class Site:
    """Entered, it is ready and has people. `checkout` is where its code lies."""

    def __init__(
        self,
        upstream_url: str,
        layout: Layout = "2c",
        *,
        checkout: Path = ROOT,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.layout, self.checkout = layout, checkout
        self.is_warm = False  # whether a run has ended here
        self.dir = Path(tempfile.mkdtemp(prefix="fusion-bench-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.env = {
            **os.environ,
            "FUSION_BOOTSTRAP": "0",
            "FUSION_VAR_DIR": str(self.dir / "var"),
            "FUSION_LOCAL_SERVERS": "0",
            "FUSION_SAMPLE": "0",
            "OPENAI_BASE_URL": upstream_url,
            "OPENAI_API_KEY": "sk-benchmark-0123456789",
            "LOG_LEVEL": "WARNING",
            **LIMITS,
            **(env or {}),
        }

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        if hasattr(self, "up"):
            self.up.terminate()
            try:
                self.up.wait(60)
            except subprocess.TimeoutExpired:
                self.up.kill()
                self.up.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _start(self) -> None:
        command = [self.python, "manage.py", "up", "--no-local-model", "--port", str(self.port)]
        self.log = self.dir / "up.log"
        with self.log.open("wb") as log:
            self.up = subprocess.Popen(
                on_cores(self.cores, command),
                cwd=self.checkout,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._is_ready():
            if self.up.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"The product did not start:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.2)
        self.manage("shell", "-v0", "-c", _PEOPLE)
        if self.layout == "1c":
            for process in self.processes()["valkey"]:
                for thread in Path(f"/proc/{process.pid}/task").iterdir():
                    os.sched_setaffinity(int(thread.name), {OTHERS})

    @property
    def python(self) -> str:
        own = self.checkout / ".venv" / "bin" / "python"
        return str(own) if own.exists() else sys.executable

    @property
    def cores(self) -> Sequence[int]:
        return (OURS,) if self.layout == "1c" else ALL

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def manage(self, *arguments: str) -> str:
        """What the command said. It finds Redis by the var folder, as in another shell."""
        done = subprocess.run(
            [self.python, "manage.py", *arguments],
            cwd=self.checkout,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        if done.returncode:
            raise SystemExit(f"manage.py {arguments[0]} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    @cached_property
    def api_key(self) -> str:
        """For /v1, of the same person, without limits."""
        limits = ("--requests-per-minute", "0", "--concurrent-runs", "0")
        return self.manage("create_token", PERSON, *limits).strip().splitlines()[-1]

    # ---- what it costs

    def processes(self) -> dict[str, list[psutil.Process]]:
        """By role. A worker's or a web server's own children count as it does."""
        roles: dict[str, list[psutil.Process]] = {"up": [], "worker": [], "web": [], "valkey": []}
        for process in [psutil.Process(self.up.pid), *self._children()]:
            with contextlib.suppress(psutil.NoSuchProcess):
                roles.setdefault(_role(process.cmdline()), []).append(process)
        return roles

    def _children(self) -> list[psutil.Process]:
        children: list[psutil.Process] = psutil.Process(self.up.pid).children(recursive=True)
        return children

    def servers(self) -> list[psutil.Process]:
        """Those of the web's processes that serve: not what starts them."""
        webs = self.processes()["web"]
        parents = {process.ppid() for process in webs}
        return [process for process in webs if process.pid not in parents]

    def spent(self) -> Spent:
        return Spent({role: sum(map(_cpu, each)) for role, each in self.processes().items()})

    def memory(self) -> dict[str, float]:
        """MB of proportional set size, by role."""
        return {role: sum(map(_pss, each)) / 1e6 for role, each in self.processes().items()}


def _role(command: Sequence[str]) -> str:
    words = " ".join(command)
    if "celery" in words:
        return "worker"
    if "fusion_site.web" in words or "daphne" in words:
        return "web"
    return "valkey" if "valkey" in words else "up"


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _pss(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return 0.0


def on_cores(cores: Sequence[int], command: Sequence[str]) -> list[str]:
    """The command, bound to these cores by itself: children of it are bound as well."""
    bind = f"import os, sys; os.sched_setaffinity(0, {{{', '.join(map(str, cores))}}}); "
    return [sys.executable, "-c", f"{bind}os.execv(sys.argv[1], sys.argv[1:])", *command]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextlib.contextmanager
def checked_out(ref: str) -> Iterator[Path]:
    """A worktree of another commit, with this checkout's environment."""
    with tempfile.TemporaryDirectory(prefix="fusion-bench-ref-") as folder:
        path = Path(folder) / "checkout"
        _git("worktree", "add", "--detach", "--quiet", str(path), ref)
        try:
            (path / ".venv").symlink_to((ROOT / ".venv").resolve())
            yield path
        finally:
            _git("worktree", "remove", "--force", str(path))


def name_of(ref: str) -> str:
    return _git("rev-parse", "--short", ref).strip()


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def marks() -> Iterator[str]:
    """For prompts, by which the upstream's log tells runs apart."""
    begun = f"{os.getpid():x}{int(time.time() * 1000) % 0xFFFFFF:x}"
    number = 0
    while True:
        number += 1
        yield f"{begun}n{number}"


def run_id(path: str) -> str:
    found = re.search(r"/fusion/runs/([0-9a-f-]{36})", path)
    if not found:
        raise SystemExit(f"The form was not taken: it led to {path}.")
    return found[1]
