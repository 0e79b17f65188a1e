"""The floor: what a bare, stock httpx client costs that reads 30 long streams and nothing else.

.venv/bin/python -m tests.benchmarks.floor URL KEY STREAMS TOKENS     one reading, as JSON
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from tests.benchmarks.site import OURS, on_cores
from tests.benchmarks.upstream import STAMP, age, name

STREAMS = 30
TOKENS = 500
SPREAD = 0.05  # seconds between two starts


@dataclass(frozen=True)
class Reading:
    """CPU-ms per 1,000 deltas; seconds of their age and of the first one's delay."""

    cpu: float
    deltas: int
    p50: float
    p99: float
    first: float
    foreign: float = 0.0  # cores that others used meanwhile


def read(
    url: str,
    streams: int = STREAMS,
    tokens: int = TOKENS,
    *,
    cores: Sequence[int] = (OURS,),
    key: str = "none",
    beside: Sequence[int] = (),
) -> Reading:
    """By a process of its own, on the product's core. `beside`: processes that are ours, too."""
    module = [sys.executable, "-m", "tests.benchmarks.floor", url, key]
    before, began = _busy(), time.monotonic()
    own = sum(map(_own, beside))
    done = subprocess.run(
        on_cores(cores, [*module, str(streams), str(tokens)]), stdout=subprocess.PIPE, check=True
    )
    told = json.loads(done.stdout)
    whole = told.pop("process")  # with its start
    own = sum(map(_own, beside)) - own + whole
    foreign = max(0.0, (_busy() - before - own) / (time.monotonic() - began))
    return Reading(**told | {"foreign": foreign})


def percentile(values: Sequence[float], share: float) -> float:
    """0 when there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _busy() -> float:
    """Seconds that the machine's processors have worked."""
    user, nice, system, _, _, irq, soft, *_ = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + soft) / 100


def _own(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


async def _read(url: str, key: str, streams: int, tokens: int) -> Reading:
    ages: list[float] = []
    firsts: list[float] = []
    script = name(tokens)
    headers = {"Authorization": f"Bearer {key}"}

    async def one(client: httpx.AsyncClient, number: int) -> None:
        await asyncio.sleep(number * SPREAD)
        body = {
            "model": script,
            "stream": True,
            "messages": [{"role": "user", "content": "What is the answer?"}],
        }
        first = True
        async with client.stream(
            "POST", f"{url}/chat/completions", json=body, headers=headers
        ) as response:
            async for line in response.aiter_lines():
                if not line.startswith("data: {"):
                    continue
                chunk = json.loads(line[6:])
                now = time.monotonic()
                if chunk["choices"] and (
                    found := STAMP.search(chunk["choices"][0]["delta"].get("content", ""))
                ):
                    ages.append(age(found[0], now))
                    if first:
                        firsts.append(ages[-1])
                        first = False

    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=60, limits=limits) as client:
        before = time.process_time()
        await asyncio.gather(*(one(client, number) for number in range(streams)))
        cpu = time.process_time() - before
    per_thousand = cpu * 1e6 / len(ages)
    p50, p99 = percentile(ages, 0.5), percentile(ages, 0.99)
    return Reading(per_thousand, len(ages), p50, p99, percentile(firsts, 0.5))


if __name__ == "__main__":
    reading = asdict(asyncio.run(_read(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))))
    sys.stdout.write(json.dumps(reading | {"process": time.process_time()}))
