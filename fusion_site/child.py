"""One supervised program: a process group, a log, and how it died."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections import deque
from dataclasses import dataclass, field

from .installation import BASE
from .terminal import say
from .tether import tethered
from .var_dir import LogFile

MANY_DEATHS = 5
WITHIN_SECONDS = 60


@dataclass
class Child:
    name: str
    command: list[str]
    log: LogFile
    aloud: bool = True
    process: subprocess.Popen[str] | None = None
    start_at: float = 0.0
    last_line: str = ""
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=MANY_DEATHS))
    _reader: threading.Thread | None = None

    def start(self, environment: dict[str, str]) -> None:
        self.process = subprocess.Popen(
            tethered(self.command),
            cwd=BASE,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            # Ctrl-C is for the supervisor, which ends its children in order.
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self._reader.start()

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def died(self) -> str:
        """Why, when it has just died; counts the death and schedules the next start."""
        if self.process is None or self.process.poll() is None:
            return ""
        status, self.process = self.process.returncode, None
        if self._reader:
            self._reader.join(1)
        now = time.monotonic()
        self.deaths.append(now)
        self.start_at = now + 0.3 * (len(self.deaths) - 1)
        return f"signal {-status}" if status < 0 else f"exit status {status}"

    @property
    def keeps_dying(self) -> bool:
        full = len(self.deaths) == MANY_DEATHS
        return full and self.deaths[-1] - self.deaths[0] < WITHIN_SECONDS

    def terminate(self) -> None:
        if self.process and self.is_alive:
            self.process.terminate()

    def kill(self) -> None:
        if self.process and self.is_alive:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        with process.stdout as lines:
            for line in lines:
                if line := line.rstrip():
                    self.last_line = line
                    self.log.write(line)
                    if self.aloud:
                        say(f"{self.name} | {line}")
