"""One supervised program: a process group, a log, how it died, and that it starts again. Or a copy
of this process, for which the same holds."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .installation import BASE
from .terminal import say
from .tether import tethered, tie
from .var_dir import LogFile

MANY_DEATHS = 5
WITHIN_SECONDS = 60
STOP_SECONDS = 15


class KeepsDying(Exception):
    pass


class Process(Protocol):
    """What is used of a `Popen`."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self) -> int | None: ...
    def terminate(self) -> None: ...


@dataclass
class Child:
    """`log` None: what it says goes where ours goes. `sockets`: descriptors that it inherits."""

    name: str
    command: list[str]
    log: LogFile | None
    aloud: bool = True
    sockets: Sequence[int] = ()
    process: Process | None = None
    start_at: float = 0.0
    last_line: str = ""
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=MANY_DEATHS))
    _reader: threading.Thread | None = None

    def start(self, environment: dict[str, str]) -> None:
        self.process = process = subprocess.Popen(
            tethered(self.command),
            cwd=BASE,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if self.log else None,
            stderr=subprocess.STDOUT if self.log else None,
            pass_fds=self.sockets,
            text=True,
            errors="replace",
            # Ctrl-C is for the supervisor, which ends its children in order.
            start_new_session=True,
        )
        if self.log:
            reading = (process, self.log)
            self._reader = threading.Thread(target=self._read, args=reading, daemon=True)
            self._reader.start()

    def revive(self, environment: dict[str, str]) -> None:
        """Starts it again, soon, where it has died. Raises KeepsDying."""
        if reason := self.died():
            if self.keeps_dying:
                words = f"; its last words: {self.last_line}" if self.last_line else ""
                raise KeepsDying(f"{self.name} keeps dying ({reason}){words}")
            say(f"{self.name} died ({reason}), starting it again")
        if self.process is None and time.monotonic() >= self.start_at:
            self.start(environment)

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def died(self) -> str:
        """Why, when it has just died; counts the death and schedules the next start."""
        status = self.process.poll() if self.process else None
        if status is None:
            return ""
        self.process = None
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

    def _read(self, process: subprocess.Popen[str], log: LogFile) -> None:
        assert process.stdout
        with process.stdout as lines:
            for line in lines:
                if line := line.rstrip():
                    self.last_line = line
                    log.write(line)
                    if self.aloud:
                        say(f"{self.name} | {line}")


class Copy(Child):
    """Goes on from here with `work`, in this process's group, with all that it has loaded: memory
    that neither of the two changes is there once. Nothing else may run here meanwhile, since a copy
    has none of the threads but what they have locked."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        super().__init__(name, [], None)
        self._work = work

    def start(self, environment: dict[str, str]) -> None:
        """`environment` is this process's own."""
        self.process = Copied(self._work)

    def kill(self) -> None:
        if isinstance(self.process, Copied):
            self.process.kill()


class Copied:
    def __init__(self, work: Callable[[], None]) -> None:
        copying = multiprocessing.get_context("fork")
        self._process = copying.Process(target=_go_on, args=(work, os.getpid()))
        # What tells the copy to end before it is one would be heard by this process's handler.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        try:
            self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        self.pid = self._process.pid or 0

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


def _go_on(work: Callable[[], None], parent: int) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    for number in (signal.SIGINT, signal.SIGHUP):  # a terminal's: the parent ends its copies
        signal.signal(number, signal.SIG_IGN)
    tie(parent)
    work()


def end(children: Sequence[Child], hurry: Callable[[], bool]) -> None:
    """All of them, at once; who has not ended in time, or in a hurry, is killed."""
    patience = time.monotonic() + STOP_SECONDS
    for child in children:
        child.terminate()
    while any(c.is_alive for c in children) and time.monotonic() < patience and not hurry():
        time.sleep(0.05)
    for child in children:
        child.kill()
