"""LiteLLM's proxy with one worker, in the product's place: installed from the registry into an
environment of its own, which stays for the next time."""

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
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import psutil

from tests.benchmarks.site import OURS, free_port, on_cores

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fusion-benchmarks"
PACKAGE = "litellm[proxy]"
PATIENCE = 240


class Unavailable(Exception):
    """Says why, in a sentence."""


def install() -> Path:
    """Its program."""
    folder = CACHE / "litellm"
    program = folder / "bin" / "litellm"
    if program.exists():
        return program
    uv = Path(sys.executable).parent / "uv"
    making = [str(uv), "venv", "--quiet", "--clear", str(folder)]
    installing = [str(uv), "pip", "install", "--quiet", "--python", str(folder / "bin" / "python")]
    if not uv.exists():
        making = [sys.executable, "-m", "venv", "--clear", str(folder)]
        installing = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    for command in (making, [*installing, PACKAGE]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            last = (done.stderr.strip().splitlines() or ["?"])[-1]
            raise Unavailable(f"{PACKAGE} cannot be installed: {last[:200]}")
    return program


class Peer:
    key = "sk-benchmark-4f0c9a7e1b2d3c4e5f607182"

    def __init__(self, upstream_url: str) -> None:
        self._upstream_url = upstream_url

    def __enter__(self) -> Self:
        program = install()
        self._dir = Path(tempfile.mkdtemp(prefix="fusion-bench-litellm-"))
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/v1"
        upstream = {"model": "openai/*", "api_base": self._upstream_url, "api_key": "sk-none"}
        config = {
            "model_list": [{"model_name": "*", "litellm_params": upstream}],
            "general_settings": {"master_key": self.key},
            "litellm_settings": {"telemetry": False},
        }
        # JSON is YAML.
        (self._dir / "config.yaml").write_text(json.dumps(config))
        command = [str(program.parent / "python"), str(program), "--num_workers", "1"]
        command += ["--host", "127.0.0.1", "--port", str(port)]
        command += ["--config", str(self._dir / "config.yaml")]
        own = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "DATABASE_"))}
        own |= {"LITELLM_LOG": "ERROR", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        with (self._dir / "log").open("wb") as log:
            self.process = subprocess.Popen(
                on_cores((OURS,), command),
                env=own,
                cwd=self._dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._until_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self._signal(signal.SIGSTOP)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None
    ) -> None:
        self._signal(signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self._dir, ignore_errors=True)

    def _until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        ready = self.url.removesuffix("/v1") + "/health/readiness"
        while True:
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(ready, timeout=10).status_code == 200:
                    return
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = (self._dir / "log").read_text(errors="replace").strip().splitlines()
                raise Unavailable(f"LiteLLM does not start: {(said or ['?'])[-1][:200]}")
            time.sleep(0.3)

    @contextlib.contextmanager
    def awake(self) -> Iterator[None]:
        """Otherwise it is stopped, and costs the product nothing."""
        self._signal(signal.SIGCONT)
        try:
            yield
        finally:
            self._signal(signal.SIGSTOP)

    def spent(self) -> float:
        """Seconds of a processor so far, of all its processes."""
        root = psutil.Process(self.process.pid)
        total = 0.0
        for process in (root, *root.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
