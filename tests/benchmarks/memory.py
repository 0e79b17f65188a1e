"""Memory (proportional set size) of a worker and two web processes, with what starts these, while
20 runs are watched, and what each of ten further ones adds.

Seats fall silent when they have written their 500 tokens, so nothing grows between the readings
but the number of runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import httpx

from tests.benchmarks import watching
from tests.benchmarks.rig import Rig, Samples
from tests.benchmarks.rows import Asked, shown
from tests.benchmarks.site import Site
from tests.benchmarks.upstream import name
from tests.benchmarks.watching import Watched
from tests.live.member import Member

FIGURE, UNIT = "memory", "MB"
AT_20 = Asked(FIGURE, "at 20 runs", UNIT, 360, 300)
FURTHER = Asked(FIGURE, "a further run", UNIT, 0.8, 0.4)
RUNS, MORE = 20, 10
# Over connections of their own, until each web process has had some: the first that one makes, and
# nothing after it, changes some 12 MB that it has in common with the others.
PAGES = 12
Memory = Mapping[str, float]  # MB by role


def measure(rig: Rig) -> Samples:
    """On a site of its own, which nothing but these pages was asked of before."""
    runs, more = rig.size(RUNS, RUNS, 2), rig.size(MORE, MORE, 1)
    tokens = rig.size(500, 200, 20)
    seats = [f"{name(tokens, of=letter)}-900h" for letter in "abcdef"]
    env = {"FUSION_WEB_PROCESSES": "2", "FUSION_STALL_TIMEOUT": "900"}
    with rig.fresh_site(**env) as site:
        with watching.member(site) as alice:
            # Forms go to either process, as many people's do: the first that one takes changes some
            # 12 MB that it had in common with the others, once, which is not a further run's.
            alice.http.headers["Connection"] = "close"
            for _ in range(PAGES):
                page = httpx.get(f"{alice.stack.url}/fusion", cookies=alice.http.cookies)
                page.raise_for_status()
            first, all_ = asyncio.run(_both(rig, site, alice, seats, tokens, runs, more))
        webs = len(site.servers())
    added = {role: (all_[role] - first[role]) / more for role in first}
    why = "" if webs == 2 else f"with {webs} web process{'es' if webs > 1 else ''}; "
    yield rig.sample(AT_20, sum(first.values()), why=why + _shares(first))
    yield rig.sample(FURTHER, sum(added.values()), why=_shares(added))


def _shares(memory: Memory) -> str:
    return ", ".join(f"{role} {shown(each)}" for role, each in memory.items())


async def _both(
    rig: Rig, site: Site, who: Member, seats: Sequence[str], tokens: int, runs: int, more: int
) -> tuple[Memory, Memory]:
    """With so many runs going on, and with more."""
    watching_them: list[asyncio.Task[None]] = []
    first = await _with_runs(rig, site, who, seats, tokens, runs, watching_them)
    all_ = await _with_runs(rig, site, who, seats, tokens, more, watching_them)
    for task in watching_them:
        task.cancel()
    await asyncio.gather(*watching_them, return_exceptions=True)
    return first, all_


async def _with_runs(
    rig: Rig,
    site: Site,
    who: Member,
    seats: Sequence[str],
    tokens: int,
    count: int,
    tasks: list[asyncio.Task[None]],
) -> Memory:
    asked: list[Watched] = []
    for _ in range(count):
        one = await asyncio.to_thread(watching.ask, rig, who, seats)
        tasks.append(asyncio.create_task(watching.to_the_end(who, one)))
        asked.append(one)
    marks = {one.mark for one in asked}

    def all_have_written() -> bool:
        written = [w for w in rig.upstream.log() if w.mark in marks and w.deltas == tokens]
        return len(written) >= count * len(seats)

    while not await asyncio.to_thread(all_have_written):  # noqa: ASYNC110, of another process
        await asyncio.sleep(0.5)
    await asyncio.sleep(3)  # and their viewers have all of it
    return {role: site.memory()[role] for role in ("worker", "web")}
