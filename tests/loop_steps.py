"""What the steps of a worker's event loop cost: the CPU time of the loop's own thread.

All runs of a worker share one loop, so nothing that grows with a text may run on it. CPU time
and not wall time, because the machine of whoever runs the tests has other things to do. Python's
collecting of garbage, which falls on whoever made the last object, is not counted; nor is what
uvloop's sockets hand to their protocols, a few hundred kilobytes at the most.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from console.site import loops
from console.worker import worker as working

MOST = 0.2  # CPU seconds of one step


class Steps:
    def __init__(self) -> None:
        self.longest, self.by = 0.0, "nobody"
        self._thread = 0
        self._collecting_since = self._collected = 0.0

    def measured(self, callback: Callable[..., Any], *args: Any) -> None:
        self._thread = threading.get_ident()
        began, collected = time.thread_time(), self._collected
        try:
            callback(*args)
        finally:
            took = time.thread_time() - began - (self._collected - collected)
            if took > self.longest:
                # Of a step of a task the task, which says where it is now.
                self.longest, self.by = took, repr(getattr(callback, "__self__", callback))

    def on_collection(self, phase: str, _: dict[str, int]) -> None:
        if threading.get_ident() != self._thread:
            return
        if phase == "start":
            self._collecting_since = time.thread_time()
        else:
            self._collected += time.thread_time() - self._collecting_since

    def loop(self, kind: type[Any]) -> asyncio.AbstractEventLoop:
        """A loop of this kind, every step of which is measured."""
        measured = self.measured

        class Loop(kind):  # type: ignore[misc]
            def call_soon(self, callback: Any, *args: Any, context: Any = None) -> Any:
                return super().call_soon(measured, callback, *args, context=context)

            def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
                return super().call_soon_threadsafe(measured, callback, *args, context=context)

        loop: asyncio.AbstractEventLoop = Loop()
        return loop


@contextmanager
def short_steps(monkeypatch: pytest.MonkeyPatch) -> Iterator[Steps]:
    """Measures the loop of every worker made within; fails where a step of one took too long."""
    steps, new_loop = Steps(), loops.new_loop

    def new_measured_loop() -> asyncio.AbstractEventLoop:
        loop = new_loop()
        loop.close()
        return steps.loop(type(loop))

    monkeypatch.setattr(working, "new_loop", new_measured_loop)
    gc.callbacks.append(steps.on_collection)
    try:
        yield steps
    finally:
        gc.callbacks.remove(steps.on_collection)
    assert steps.longest < MOST, f"{steps.longest:.3f} s of CPU in one step of {steps.by}"
