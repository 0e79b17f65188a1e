"""What 1,000 tokens of five long runs cost, with one viewer each and with five, beside a bare httpx
reader of as many streams and LiteLLM's proxy, which shows no page."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import Iterator

import uvloop

from tests.benchmarks import floor
from tests.benchmarks.rig import Rig
from tests.benchmarks.rows import Asked, Sample
from tests.benchmarks.runs import warm
from tests.benchmarks.site import Site
from tests.benchmarks.viewer import Member, Viewer, judge, panel

RUNS, LONG = 5, 500
APART = 1.0  # seconds between two starts
ONE = Asked("cpu", "30 long streams, one viewer, 1c: ÷ floor", "", 1.3, 1.0, in_floors=True)
FIVE = Asked("cpu", "30 long streams, five viewers, 1c: ÷ floor", "", 1.4, 1.05, in_floors=True)
PEER = Asked("cpu", "30 long streams, one viewer, 1c: ÷ LiteLLM", "", 0.4, 0.3)
PER_THOUSAND = Asked("cpu", "30 long streams, one viewer, 1c", "ms", scales=True)
WORKER = Asked("cpu", "of it the worker", "ms", scales=True)
WEB = Asked("cpu", "of it the web server", "ms", scales=True)


def measure(rig: Rig) -> Iterator[Sample]:
    site, own = rig.site("1c"), 0.0
    for asked, viewers in ((ONE, 1), (FIVE, 5)):
        cost = uvloop.run(watched(rig, site, viewers))
        total = sum(cost.values())
        yield rig.sample(asked, total, floor=1.0)
        if asked is ONE:
            yield rig.sample(PER_THOUSAND, total, floor=rig.floor.cpu)
            yield rig.sample(WORKER, cost["worker"])
            yield rig.sample(WEB, cost["web"])
            own = total
    yield _beside_the_peer(rig, own)


def _beside_the_peer(rig: Rig, own: float) -> Sample:
    peer = rig.peer()
    if isinstance(peer, str):
        return rig.sample(PEER, None, why=peer)
    # Now and then it leaves one of 30 streams without an answer for a minute, and what it works at
    # after that is not told apart: such a reading is none.
    with peer.awake(), contextlib.suppress(subprocess.CalledProcessError):
        before = peer.spent()
        reading = floor.read(
            peer.url,
            rig.size(RUNS * 6, tiny=2),
            rig.size(LONG, tiny=20),
            cores=(0,),
            key=peer.key,
        )
        theirs = (peer.spent() - before) * 1e6 / reading.deltas
        return rig.sample(PEER, own / theirs, peer=1.0)
    return rig.sample(PEER, None, why="LiteLLM left a stream without an answer.")


async def watched(rig: Rig, site: Site, viewers: int) -> dict[str, float]:
    """CPU-ms per 1,000 tokens, by what the processes are."""
    tokens = rig.size(LONG, 300, tiny=20)
    async with Member(site.url) as member:
        await warm(rig, site, member)
        rig.upstream.clear()
        before = site.spent()

        async def one(number: int) -> None:
            await asyncio.sleep(number * APART)
            run = await member.ask(panel(tokens), judge(), next(rig.marks))
            # The first has fetched the run's page by submitting.
            await asyncio.gather(
                *(Viewer(run).follow(page_first=bool(other)) for other in range(viewers))
            )

        await asyncio.gather(*(one(number) for number in range(rig.size(RUNS))))
        spent = site.spent().since(before)
    deltas = sum(call.deltas for call in rig.upstream.log())
    return {role: seconds * 1e6 / deltas for role, seconds in spent.seconds.items()}
