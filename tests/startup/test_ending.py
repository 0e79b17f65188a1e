"""How a web process ends."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from typing import Any

import pytest

from fusion_site import ending

from .running import PROJECT


class Port:
    is_open = True

    def stopListening(self) -> None:
        self.is_open = False


async def ended(port: Port, *, answer_within: float) -> tuple[bool, bool]:
    """Of one request that takes so long: whether it was answered, and whether it was given up."""
    waiting = {"request"}

    async def answer() -> None:
        await asyncio.sleep(answer_within)
        waiting.clear()

    task: Any = asyncio.ensure_future(answer())
    connections = {"request": {"application_instance": task}, "idle": {}}
    await ending.end([port], connections, lambda one: one in waiting)
    return not waiting, task.cancelled()


@pytest.mark.parametrize(("takes", "is_answered"), [(0.05, True), (60, False)])
def test_nobody_is_taken_any_more_and_who_was_is_answered_if_that_does_not_take_too_long(
    monkeypatch: pytest.MonkeyPatch, takes: float, *, is_answered: bool
) -> None:
    if not is_answered:
        monkeypatch.setattr(ending, "ANSWER_SECONDS", 0.1)
    port = Port()
    assert asyncio.run(ended(port, answer_within=takes)) == (is_answered, not is_answered)
    assert not port.is_open


TOLD_AT_ONCE = """
import os, signal
from fusion_site.child import Copy
signal.signal(signal.SIGTERM, lambda *_: None)
os.register_at_fork(after_in_child=lambda: os.kill(os.getpid(), signal.SIGTERM))
copy = Copy("web", lambda: None)
copy.start({})
print(copy.process.wait())
"""


def test_a_copy_that_is_told_to_end_before_it_is_one_does() -> None:
    """Its parent, which is told the same then, waits for it."""
    told = [sys.executable, "-c", TOLD_AT_ONCE]
    assert int(subprocess.check_output(told, cwd=PROJECT)) == -signal.SIGTERM
