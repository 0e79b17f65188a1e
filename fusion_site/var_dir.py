"""What a start leaves on disk: `var/`, readable by its owner only.

`secrets.env` is generated once; `runtime.json` says, while a stack runs, where
its Redis and its local model are; `up.lock` is held by the one `up` that may
use the directory; `logs/` has a file for each child.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from .installation import BASE
from .terminal import fail


def _secret_key() -> str:
    return secrets.token_urlsafe(50)


def _fernet_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


SECRETS: dict[str, Callable[[], str]] = {
    "SECRET_KEY": _secret_key,
    "FUSION_ENCRYPTION_KEYS": _fernet_key,
}


class VarDir:
    """Raises SystemExit where the directory cannot be written."""

    def __init__(self) -> None:
        self.path = Path(os.environ.get("FUSION_VAR_DIR") or BASE / "var").absolute()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.path / "logs").mkdir(mode=0o700, exist_ok=True)
            self._lock = os.open(self.path / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as e:
            raise fail(e, f"preparing {self.path}") from None

    def take(self, url: str) -> None:
        """Held until this process ends, by whatever death."""
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            other = os.pread(self._lock, 200, 0).decode(errors="replace").strip()
            raise SystemExit(
                f"Fusion already runs from {self.path} ({other}): open that, stop it first, "
                "or set FUSION_VAR_DIR to another directory."
            ) from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, url.encode(), 0)
        self.forget_runtime()  # left by a start that was killed

    def close_to_others(self) -> None:
        """The directory may have been there before, open to everybody: what this process and
        its children write is not."""
        os.umask(0o077)
        written = [*self.path.glob("fusion.sqlite3*"), *(self.path / "logs").glob("*")]
        try:
            for path in written:
                path.chmod(0o600)
        except OSError as e:
            raise fail(e, f"preparing {self.path}") from None

    def make_secrets(self) -> None:
        path = self.path / "secrets.env"
        try:
            lines = path.read_text().splitlines() if path.exists() else []
            there = {line.partition("=")[0].strip() for line in lines}
            there |= {name for name, value in os.environ.items() if value}
            new = [f"{name}={make()}" for name, make in SECRETS.items() if name not in there]
            if new:
                head = lines or ["# Generated on the first start. Lost keys cannot be replaced."]
                self._write(path, "\n".join([*head, *new]) + "\n")
            elif path.exists():
                path.chmod(0o600)
        except OSError as e:
            raise fail(e, f"writing {path}") from None

    def tell_runtime(self, values: dict[str, str]) -> None:
        try:
            self._write(self.path / "runtime.json", json.dumps(values, indent=1) + "\n")
        except OSError as e:
            raise fail(e, f"writing {self.path / 'runtime.json'}") from None

    def forget_runtime(self) -> None:
        (self.path / "runtime.json").unlink(missing_ok=True)

    def _write(self, path: Path, text: str) -> None:
        """All or nothing, and never readable by others, not even for a moment."""
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(handle, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


class LogFile:
    """A child's log; the one before it is kept when it grows beyond `limit`."""

    def __init__(self, path: Path, limit: int = 5_000_000) -> None:
        self.path, self.limit = path, limit

    def write(self, line: str) -> None:
        try:
            if self.path.exists() and self.path.stat().st_size > self.limit:
                self.path.replace(self.path.with_suffix(".log.1"))
            with self.path.open("a") as file:
                file.write(f"{time.strftime('%F %T')} {line}\n")
        except OSError:
            pass  # a full disk must not stop what is being logged
