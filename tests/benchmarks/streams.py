"""Programs that read chat completions, many streams at once, lean enough to sit beside what they
measure."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field

import aiohttp

from tests.benchmarks.upstream import STAMP, age


@dataclass
class Stream:
    asked_at: float = 0.0
    first_at: float = 0.0  # when the first word came
    ended_at: float = 0.0
    ages: list[tuple[float, float]] = field(default_factory=list)  # when a word came, how old
    status: int = 0


def session() -> aiohttp.ClientSession:
    timeout = aiohttp.ClientTimeout(total=240)
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout)


async def read(
    client: aiohttp.ClientSession,
    url: str,
    key: str,
    model: str,
    into: Stream | None = None,
    **more: object,
) -> Stream:
    """One stream from `url`, which ends in /v1."""
    body = {
        "model": model,
        "stream": True,
        "messages": [{"role": "user", "content": "What is the answer?"}],
        **more,
    }
    headers = {"Authorization": f"Bearer {key}"}
    stream = into or Stream()
    stream.asked_at = time.monotonic()
    async with client.post(f"{url}/chat/completions", json=body, headers=headers) as response:
        stream.status = response.status
        async for line in response.content:
            if not line.startswith(b"data: {"):
                continue
            choices = json.loads(line[6:]).get("choices") or [{}]
            now = time.monotonic()
            for word in STAMP.findall(choices[0].get("delta", {}).get("content") or ""):
                stream.ages.append((now, age(word, now)))
                stream.first_at = stream.first_at or now
    stream.ended_at = time.monotonic()
    return stream


async def at_once(url: str, key: str, model: str, count: int, **more: object) -> list[Stream]:
    async with session() as client:
        reading = (read(client, url, key, model, **more) for _ in range(count))  # type: ignore[arg-type]
        return list(await asyncio.gather(*reading))
