"""How many times longer than alone this machine takes to compute just now: for what is promised in
seconds, and is kept on a busy machine as far as others let it."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import Self

ROUNDS = 20_000  # about 10 ms of a processor
PAUSE = 0.05


class Slowed:
    """`with Slowed() as machine:` … `machine.times`, at least 1, of what passed since."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._compute, daemon=True)
        self._passed = self._computed = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def times(self) -> float:
        return max(1.0, self._passed / self._computed) if self._computed else 1.0

    def _compute(self) -> None:
        while not self._over.wait(PAUSE):
            began, computed = time.monotonic(), time.thread_time()
            hashlib.pbkdf2_hmac("sha256", b"busy", b"machine", ROUNDS)  # no other thread waits
            self._passed += time.monotonic() - began
            self._computed += time.thread_time() - computed
