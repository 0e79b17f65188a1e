"""A watch's frames while its thread is at work on the next."""

from __future__ import annotations

import asyncio
import threading
import uuid
from typing import Any

import pytest

from console.live import Cursor, Watch


class NoRedis:
    async def xread(self, *_: Any, **__: Any) -> None:
        await asyncio.sleep(60)


async def test_a_frame_waits_for_a_step_that_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async def idle(self: Watch) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(Watch, "_follow_to_the_end", idle)
    watch = Watch(uuid.uuid4(), NoRedis(), lambda *_: {})  # type: ignore[arg-type]
    inside, go_on = threading.Event(), threading.Event()

    def work(*_: Any) -> None:
        watch._note = "half"
        inside.set()
        assert go_on.wait(5)
        watch._note = "whole"

    monkeypatch.setattr(watch, "_fold_and_render", work)
    monkeypatch.setattr(watch, "_beyond", lambda cursor: {"seen": watch._note})
    step = asyncio.create_task(watch._step([], None, ""))
    await asyncio.to_thread(inside.wait, 5)
    frame = asyncio.create_task(watch.frame(Cursor(True)))
    await asyncio.sleep(0.05)
    assert not frame.done()
    go_on.set()
    assert await frame == {"seen": "whole"}
    await step
    watch.close()
