"""What pages say to their socket, without a server: in order, and without a hand-over each."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from console.live.consumers import NOT_ALLOWED, NOT_UNDERSTOOD, RunConsumer

ACKNOWLEDGED = 200


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """How often connections to the database were looked through in a thread."""
    looked: list[None] = []

    async def look() -> None:
        looked.append(None)

    for module in ("channels.consumer", "channels.generic.websocket"):
        monkeypatch.setattr(f"{module}.aclose_old_connections", look)
    monkeypatch.setattr(RunConsumer, "_find", lambda self: None)
    return looked


async def hears(*texts: str) -> tuple[RunConsumer, list[dict[str, Any]]]:
    """After them the page is closed, which ends it."""
    consumer, sent = RunConsumer(), []
    messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    messages.put_nowait({"type": "websocket.connect"})
    for text in texts:
        messages.put_nowait({"type": "websocket.receive", "text": text})
    messages.put_nowait({"type": "websocket.disconnect", "code": 1000})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async with asyncio.timeout(60):
        await consumer({"session": None}, messages.get, send)
    return consumer, sent


async def test_what_was_shown_is_heard_without_a_look_at_the_database(looked: list[None]) -> None:
    said = [f'{{"ack":{n}}}' for n in range(ACKNOWLEDGED)] + ['{"want":["seat-1"]}']
    consumer, sent = await hears(*said)
    assert consumer._cursor.wants == {"seat-1"}
    assert [m["type"] for m in sent] == ["websocket.accept", "websocket.close"]
    assert sent[-1]["code"] == NOT_ALLOWED
    assert len(looked) <= 3, "when it came and when it went"


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", '{"ack":"1"}', '{"want":"all"}'])
async def test_what_is_not_understood_ends_it(looked: list[None], text: str) -> None:
    _, sent = await hears(text)
    assert sent[-1] == {"type": "websocket.close", "code": NOT_UNDERSTOOD}
