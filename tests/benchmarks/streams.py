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
    asked_at: float
    first: float = 0.0  # the first word's age when it came
    first_at: float = 0.0
    ages: list[tuple[float, float]] = field(default_factory=list)  # when it came, how old
    status: int = 0
    text: str = ""


def session() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0)
    return aiohttp.ClientSession(
        connector=connector, timeout=aiohttp.ClientTimeout(total=240), read_bufsize=2**20
    )


async def read(
    client: aiohttp.ClientSession, url: str, key: str, model: str, **more: object
) -> Stream:
    """One stream from `url`, which ends in /v1."""
    body = {
        "model": model,
        "stream": True,
        "messages": [{"role": "user", "content": "What is the answer?"}],
        **more,
    }
    headers = {"Authorization": f"Bearer {key}"}
    stream = Stream(time.monotonic())
    async with client.post(f"{url}/chat/completions", json=body, headers=headers) as response:
        stream.status = response.status
        async for line in response.content:
            if not line.startswith(b"data: {"):
                continue
            choices = json.loads(line[6:]).get("choices") or [{}]
            text = choices[0].get("delta", {}).get("content") or ""
            now = time.monotonic()
            stream.text += text
            for word in STAMP.findall(text):
                stream.ages.append((now, age(word, now)))
                if not stream.first_at:
                    stream.first, stream.first_at = stream.ages[-1][1], now
    return stream


async def at_once(
    url: str, key: str, model: str, count: int, *, apart: float = 0.0, **more: object
) -> list[Stream]:
    async with session() as client:

        async def one(number: int) -> Stream:
            await asyncio.sleep(number * apart)
            return await read(client, url, key, model, **more)

        return list(await asyncio.gather(*(one(number) for number in range(count))))
