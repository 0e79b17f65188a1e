"""How many may look at one run, by one web process, before a word in a hundred is older than
150 ms when it is shown. Every tenth of them reads what it is sent, all acknowledge it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import uvloop

from tests.benchmarks.capacity import ENDLESS
from tests.benchmarks.floor import percentile
from tests.benchmarks.rig import Rig
from tests.benchmarks.rows import Asked, Sample
from tests.benchmarks.runs import warm
from tests.benchmarks.site import Site
from tests.benchmarks.viewer import Member, Viewer, judge, panel

IN_TIME = 0.15
MORE = 50  # that join at once
AIM = 400
SETTLES, LOOKED_AT = 1.0, 2.0  # seconds
EVERY = 10
VIEWERS = Asked("viewers", "one run, one web process, 1c", "viewers", 200, AIM, "higher", True)


def measure(rig: Rig) -> Iterator[Sample]:
    site = rig.site("1c")  # which has one web process
    yield rig.sample(VIEWERS, uvloop.run(_joining(rig, site)))


async def _joining(rig: Rig, site: Site) -> int:
    more, most, were_late = rig.size(MORE, 100, tiny=3), 0, 0
    async with Member(site.url) as member:
        await warm(rig, site, member)
        run = await member.ask(panel(ENDLESS), judge(), next(rig.marks))
        viewers: list[Viewer] = []
        going: list[asyncio.Task[int]] = []
        while len(viewers) < rig.size(round(rig.beyond(AIM)), tiny=3) and were_late < 2:
            for _ in range(more):
                viewers.append(Viewer(run, reads=len(viewers) % EVERY == 0))
                going.append(asyncio.ensure_future(viewers[-1].once()))
                await asyncio.sleep(0.005)
            await asyncio.sleep(SETTLES)
            since = time.monotonic()
            await asyncio.sleep(LOOKED_AT)
            ages = [age for v in viewers for at, age in v.page.ages if at > since]
            is_late = not ages or percentile(ages, 0.99) > IN_TIME
            were_late = were_late + 1 if is_late else 0
            most = most if is_late else len(viewers)
        await member.cancel(run.id)
        await asyncio.wait(going, timeout=30)
        for task in going:
            task.cancel()
    return most
