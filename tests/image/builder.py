"""The image, built and run without a daemon and without a registry: by buildah, as root.

Debian's packages (debootstrap) stand in for the base that the Dockerfile names. It trusts whom this
machine trusts, so that pip and uv reach the package index as it does.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from tests.stack import PATIENCE, ROOT

PROGRAMS = ("buildah", "debootstrap")
DEBIAN = "bookworm"
PACKAGES = "python3,python3-venv,python-is-python3,ca-certificates,passwd"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
[BASE] = set(re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))
NAME = "localhost/fusion"


def provide() -> None:
    """Both programs, from Debian where they are missing."""
    assert os.geteuid() == 0, "The image is built as root: sudo python3 manage.py test tests/image"
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        for step in (("update",), ("install", "-y", "--no-install-recommends", *missing)):
            _done(["apt-get", "-qq", *step])


class Builder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._env = {**os.environ, "STORAGE_DRIVER": "vfs", "BUILDAH_ISOLATION": "chroot"}
        self._store = ("--root", str(folder / "store"), "--runroot", str(folder / "run"))
        self._running: list[subprocess.Popen[bytes]] = []
        self._container = ""

    def build(self) -> None:
        base = self._folder / "base"
        how = ("--variant=minbase", f"--include={PACKAGES}", DEBIAN, str(base))
        _done(["debootstrap", *how])
        made = self._do("from", "scratch")
        self._do("copy", "-q", made, str(base), "/")
        self._do("copy", "-q", made, CERTIFICATES, CERTIFICATES)
        for variable in ("SSL_CERT_FILE", "PIP_CERT"):
            self._do("config", "--env", f"{variable}={CERTIFICATES}", made)
        self._do("commit", "-q", made, f"docker.io/library/{BASE}")
        self._do("rm", made)
        shutil.rmtree(base)
        self._do("bud", "--pull-never", "-q", "-t", NAME, str(ROOT))
        self._container = self._do("from", "--pull-never", NAME)

    def command(self) -> list[str]:
        """What a container of it runs when it is not told otherwise."""
        told = self._do("inspect", "--type", "image", "--format", "{{.OCIv1.Config.Cmd}}", NAME)
        return told.strip("[]").split()

    def start(
        self,
        command: Sequence[str],
        log: Path,
        env: Mapping[str, str],
        mounted: Mapping[Path, str],
    ) -> subprocess.Popen[bytes]:
        options = [f"--env={name}={value}" for name, value in env.items()]
        options += [f"--volume={here}:{there}" for here, there in mounted.items()]
        with log.open("ab") as output:
            process = subprocess.Popen(
                ["buildah", *self._store, "run", *options, self._container, *command],
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._running.append(process)
        return process

    def end(self, process: subprocess.Popen[bytes]) -> int:
        """As `docker stop`: its first process is told, and the rest is its own affair."""
        first(process).terminate()
        return process.wait(PATIENCE)

    def close(self) -> None:
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        for what in ("rm", "rmi"):
            with contextlib.suppress(AssertionError):
                self._do(what, "--all")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _do(self, *arguments: str) -> str:
        return _done(["buildah", *self._store, *arguments], self._env).strip()


def first(process: subprocess.Popen[bytes]) -> psutil.Process:
    """The process that the container was started for, below buildah's own."""
    found = psutil.Process(process.pid)
    while "buildah" in found.name() or "exe" in found.name():
        [found] = found.children()
    return found


def _done(command: list[str], env: Mapping[str, str] | None = None) -> str:
    ended = subprocess.run(command, env=env, capture_output=True, text=True)
    said = ended.stdout + ended.stderr
    assert ended.returncode == 0, f"{' '.join(command)}: {said[-3000:]}"
    return ended.stdout
