"""All of Fusion in one terminal: starts its parts in order, keeps them going, ends them together.

Valkey, then the database, then the built-in model, the worker and the web
server. A child that dies is started again with its reason said; one that dies
five times in a minute ends everything, save the built-in model, without which
Fusion goes on.
"""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from console.providers import kinds

from . import address, installation, programs, valkey, weights
from .child import Child, KeepsDying, end
from .installation import LOCAL_MODEL_LOCK, LOCAL_MODEL_VENV
from .questions import Questions
from .terminal import disk_full, last_words, say
from .var_dir import LogFile, VarDir

SLOW_SECONDS = 60
MODEL = "local-model"


class Stopped(Exception):
    """A signal asked for the end."""


def up(options: argparse.Namespace) -> int:
    """Returns the exit status, once nothing runs any more."""
    var = VarDir()
    var.take(address.url(options.host, options.port))
    var.close_to_others()
    var.make_secrets()
    served = options.local_model and weights.get(options.local_model, var.path / "models")
    return Supervisor(options, var, served or None).run()


def why_not(status: int, output: str, database: str) -> str:
    """A command failed that has to do with the database: its reason, and where to look."""
    if status < 0:
        return f"it was killed (signal {-status})."
    words = last_words(output)
    if "django.db.utils." not in output:
        return words
    return f"{words if words[-1] in '.!?' else f'{words}.'} Look at {database}."


class Supervisor:
    def __init__(
        self, options: argparse.Namespace, var: VarDir, served: weights.Weights | None = None
    ) -> None:
        self.var = var
        self.served = served  # in the place of the packaged model
        self.host, self.port = options.host, options.port
        self.url = address.url(self.host, self.port)
        self.env = {
            **os.environ,
            "PYTHONUNBUFFERED": "1",
            "FUSION_VAR_DIR": str(var.path),
            "FUSION_HOST": self.host,
            "FUSION_PORT": str(self.port),
            programs.WEB_PROCESSES: str(options.web_processes),
        }
        if options.no_local_servers:
            self.env["FUSION_LOCAL_SERVERS"] = "0"
        # With it every start of every child would compile every package again (4 s each).
        self.env.pop("PYTHONDONTWRITEBYTECODE", None)
        self.children: list[Child] = []
        self.redis: Path | None = None  # its socket
        self.signals = 0
        self.signalled = threading.Event()
        self.env |= served.environment if served else {}
        self.wants_model = bool(served) or not (
            options.no_local_model
            or any(os.environ.get(name) for name in kinds.keys_for_starters())
            or os.environ.get("FUSION_LOCAL_MODEL_URL")
        )

    def run(self) -> int:
        signal.signal(signal.SIGINT, self._signal)
        signal.signal(signal.SIGTERM, self._signal)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup means it
            signal.signal(signal.SIGHUP, self._signal)
        try:
            self._start_redis()
            self._prepare_database()
            self._start_model()
            self._add("worker", [sys.executable, *programs.WORKER])
            with address.listen(self.host, self.port) as listening:
                number = listening.fileno()
                web = [sys.executable, *programs.WEBS, "--fd", str(number)]
                self._add("web", web, sockets=(number,))
                self._watch()
        except Stopped:
            say("Stopping …")
        except SystemExit as e:
            sys.stderr.write(f"{e}\n")
            return 1
        finally:
            self._end()
        return 0

    # ---- the parts, in the order they start ----

    def _start_redis(self) -> None:
        if self.env.get("REDIS_URL"):
            return
        self.redis = valkey.socket_path(self.var.path)
        valkey.end_orphan(self.redis)
        self.env["REDIS_URL"] = valkey.url(self.redis)
        # Its warnings are for those who run big servers: in its log, not on the terminal.
        command = valkey.command(self.redis, self.var.path)
        child = self._add("valkey", command, aloud=False)
        while not valkey.answers(self.redis):
            self._pause(0.05)
            self._revive(child)

    def _prepare_database(self) -> None:
        say("Preparing the database …")
        process = self._manage("migrate", "--noinput", "--keep-copy")
        while process.poll() is None:
            self._pause(0.05)
        output, _ = process.communicate()
        LogFile(self.var.path / "logs" / "migrate.log").write(output)
        for line in output.splitlines():
            if line.startswith("Kept a copy"):
                say(line)
        if process.returncode == 0:
            return
        if "disk is full" in output or "No space left" in output:
            copying = "Keeping a copy of the database" in output
            raise disk_full(f"{'keeping a copy of' if copying else 'preparing'} the database")
        named = bool(self.env.get("DATABASE_URL"))
        database = "DATABASE_URL" if named else str(self.var.path / "fusion.sqlite3")
        why = why_not(process.returncode, output, database)
        raise SystemExit(f"Preparing the database failed: {why}")

    def _start_model(self) -> None:
        """Its address is promised before it runs: the page need not wait for it."""
        self.env.setdefault("FUSION_LOCAL_MODEL_URL", "")
        if self.wants_model:
            self.model_port = address.free_port()
            self.env["FUSION_LOCAL_MODEL_URL"] = f"http://127.0.0.1:{self.model_port}/v1"
            if installation.is_current(LOCAL_MODEL_VENV, LOCAL_MODEL_LOCK):
                self._add_model()
            else:
                self._add("installer", [sys.executable, "-m", "fusion_site.installation"])
        self._tell_runtime()

    def _add_model(self) -> None:
        arguments = self.served.arguments if self.served else []
        command = programs.local_model(str(self.model_port), *arguments)
        self._add(MODEL, command, aloud=False)

    def _lose_model(self, reason: str) -> None:
        """The page learns it too: what was told its address starts again without."""
        say(f"Fusion goes on without its built-in model ({reason}).")
        self.wants_model = False
        self.env["FUSION_LOCAL_MODEL_URL"] = ""
        self._tell_runtime()
        self.children = [c for c in self.children if c.name not in ("installer", MODEL)]
        again = [c for c in self.children if c.name in ("worker", "web")]
        self._terminate(again)
        for child in again:
            child.start(self.env)

    # ---- keeping them going ----

    def _watch(self) -> None:
        claim = self._manage("claim_link")
        questions = Questions(self._manage)
        begun = time.monotonic()
        ready = slow = model_said = False
        while True:
            for child in list(self.children):
                self._revive(child)
            if not ready and self._get(self.port, "/readyz"):
                ready = True
                self._greet(claim)
                questions.begin()
            elif not ready and not slow and time.monotonic() - begun > SLOW_SECONDS:
                slow = True
                say(f"Not ready after {SLOW_SECONDS} s; {self.url}/readyz says what is missing.")
            if ready and self.wants_model and not model_said:
                model_said = self._get(self.model_port, "/health")
                if model_said:
                    of = f" It is {self.served.name}." if self.served else ""
                    say(f"The built-in model is ready.{of}")
            questions.go_on()
            self._pause(0.25)

    def _revive(self, child: Child) -> None:
        if child.name == "installer":
            if reason := child.died():
                self.children.remove(child)
                if reason == "exit status 0":
                    self._add_model()
                else:
                    self._lose_model("it could not be installed")
            return
        try:
            child.revive(self.env)
        except KeepsDying as e:
            if child.name != MODEL:
                where = f" All of it is in {child.log.path}." if child.log else ""
                raise SystemExit(f"{e}.{where}") from None
            self._lose_model(str(e))

    def _greet(self, claim: subprocess.Popen[str]) -> None:
        base = (self.env.get("FUSION_BASE_URL") or self.url).rstrip("/")
        wide = self.host in ("0.0.0.0", "::")
        say(f"Fusion is ready: {base}" + (" (and this machine's other addresses)" if wide else ""))
        output, _ = claim.communicate()
        lines = output.strip().splitlines()
        if claim.returncode:
            say(f"The link for the first admin could not be made: {(lines or ['?'])[-1]}")
        elif lines:
            say(f"Nobody has an account yet. This link makes the first admin: {base}{lines[-1]}")

    # ---- small things ----

    def _add(
        self, name: str, command: list[str], *, aloud: bool = True, sockets: Sequence[int] = ()
    ) -> Child:
        log = LogFile(self.var.path / "logs" / f"{name}.log")
        child = Child(name, command, log, aloud, sockets)
        self.children.append(child)
        child.start(self.env)
        return child

    def _manage(self, *arguments: str) -> subprocess.Popen[str]:
        return programs.manage(self.env, *arguments)

    def _tell_runtime(self) -> None:
        """So that a command in another shell asks what this stack can ask. Never a key."""
        names = ["REDIS_URL", "FUSION_LOCAL_MODEL_URL", "FUSION_HOST", "FUSION_PORT"]
        names += ["FUSION_LOCAL_SERVERS", "FUSION_LOCAL_MODEL_NAME", "FUSION_LOCAL_MODEL_CONTEXT"]
        names += kinds.address_variables()
        told = {name: self.env[name] for name in names if self.env.get(name)}
        told["FUSION_STACK_KEYS"] = " ".join(
            server.slug for key, server in kinds.key_variables().items() if self.env.get(key)
        )
        self.var.tell_runtime(told)

    def _get(self, port: int, path: str) -> bool:
        host = "127.0.0.1" if port != self.port else urlsplit(self.url).hostname
        connection = http.client.HTTPConnection(host or "127.0.0.1", port, timeout=2)
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _signal(self, number: int, frame: object) -> None:
        self.signals += 1
        self.signalled.set()

    def _pause(self, seconds: float) -> None:
        if self.signalled.wait(seconds):
            raise Stopped

    def _end(self) -> None:
        """Those who use Redis first; a second Ctrl-C does not wait for them."""
        redis = [c for c in self.children if c.name == "valkey"]
        self._terminate([c for c in reversed(self.children) if c not in redis])
        self._terminate(redis)
        self.var.forget_runtime()
        if self.redis:
            self.redis.unlink(missing_ok=True)
            if self.redis.parent != self.var.path:
                self.redis.parent.rmdir()

    def _terminate(self, children: list[Child]) -> None:
        before = max(self.signals, 1)
        end(children, hurry=lambda: self.signals > before)
