"""Time that passes only when nobody has anything to do: hours of waiting in a moment, and the
same order of things every time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

Result = TypeVar("Result")


def now() -> float:
    """The time of the loop that runs, for whoever has a clock to be told."""
    return asyncio.get_running_loop().time()


def run_in_virtual_time(main: Coroutine[Any, Any, Result]) -> Result:
    """Raises RuntimeError when everybody waits for something that never comes."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


class _Selector(selectors.DefaultSelector):
    now = 1_000.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("nothing will ever happen")
        self.now += max(timeout, 0)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._clock = _Selector()
        super().__init__(self._clock)
        self.set_default_executor(_AtOnce())

    def time(self) -> float:
        return self._clock.now

    def set_default_executor(self, executor: Any) -> None:
        self._default_executor = executor

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """There is nothing to wait for, and asyncio's own way takes a thread, in real time."""


class _AtOnce(Executor):
    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future
