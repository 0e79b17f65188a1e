"""Memory (proportional set size) of a worker and two web processes while 20 runs are watched, and
what each of ten further ones adds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from tests.benchmarks import watching
from tests.benchmarks.rig import Rig, Samples
from tests.benchmarks.rows import Asked
from tests.benchmarks.site import Site
from tests.benchmarks.upstream import name
from tests.benchmarks.watching import Watched
from tests.live.member import Member

FIGURE, UNIT = "memory", "MB"
AT_20 = Asked(FIGURE, "at 20 runs", UNIT, 360, 300)
FURTHER = Asked(FIGURE, "a further run", UNIT, 0.8, 0.4)
RUNS, MORE = 20, 10


def measure(rig: Rig) -> Samples:
    """On a site of its own, which nothing was asked of before."""
    runs, more = rig.size(RUNS, RUNS, 2), rig.size(MORE, MORE, 1)
    seats = [name(rig.size(1_500, 1_000, 50), of=letter) for letter in "abcdef"]
    url, checkout = rig.upstream.url, rig.checkout
    with Site(url, "2c", checkout=checkout, env={"FUSION_WEB_PROCESSES": "2"}) as site:
        with watching.member(site) as alice:
            first, all_ = asyncio.run(_both(rig, site, alice, seats, runs, more))
        webs = len(site.processes()["web"])
    why = "" if webs == 2 else f"with {webs} web process{'es' if webs > 1 else ''}"
    yield rig.sample(AT_20, first, why=why)
    yield rig.sample(FURTHER, (all_ - first) / more)


async def _both(
    rig: Rig, site: Site, who: Member, seats: Sequence[str], runs: int, more: int
) -> tuple[float, float]:
    """With so many runs going on, and with more."""
    watching_them: list[asyncio.Task[None]] = []
    first = await _with_runs(rig, site, who, seats, runs, watching_them)
    all_ = await _with_runs(rig, site, who, seats, more, watching_them)
    for task in watching_them:
        task.cancel()
    await asyncio.gather(*watching_them, return_exceptions=True)
    return first, all_


async def _with_runs(
    rig: Rig,
    site: Site,
    who: Member,
    seats: Sequence[str],
    count: int,
    tasks: list[asyncio.Task[None]],
) -> float:
    asked: list[Watched] = []
    for _ in range(count):
        one = await asyncio.to_thread(watching.ask, rig, who, seats)
        tasks.append(asyncio.create_task(watching.to_the_end(who, one)))
        asked.append(one)
    marks = {one.mark for one in asked}

    def all_write() -> bool:
        written = [w for w in rig.upstream.log() if w.mark in marks and w.deltas]
        return len(written) >= count * len(seats)

    while not await asyncio.to_thread(all_write):  # noqa: ASYNC110, of another process
        await asyncio.sleep(0.5)
    await asyncio.sleep(2)  # and their viewers have had frames of all of them
    return sum(site.memory()[role] for role in ("worker", "web"))
