"""How many streams at once reach their pages in time: runs are started faster than they end, until
one word in a hundred is older than 100 ms when it is shown. LiteLLM is given streams of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence

import uvloop

from tests.benchmarks import streams
from tests.benchmarks.floor import percentile
from tests.benchmarks.litellm import Peer
from tests.benchmarks.rig import Rig
from tests.benchmarks.rows import Asked, Sample
from tests.benchmarks.runs import warm
from tests.benchmarks.site import Layout, Site
from tests.benchmarks.upstream import Asked as Call
from tests.benchmarks.upstream import name
from tests.benchmarks.viewer import Member, Run, Viewer, judge, panel

IN_TIME = 0.1  # seconds, of which 99 in 100 words are younger
HOPELESS = 0.4  # where nobody need go on
ENDLESS, SHORT = 6000, 100  # tokens of a seat
RAMP = 24  # seconds, in which more are started than the aim asks for
OF_A_RUN = 6  # streams at once of a long one
SECONDS_OF_A_RUN = 18.4  # of a short one's eight streams, one after the other
PEERS_MOST = 90  # streams

LONG: dict[Layout, Asked] = {
    "1c": Asked("capacity", "long, 1c", "streams", 40, 60, "higher", scales=True),
    "2c": Asked("capacity", "long, 2c", "streams", 70, 110, "higher", scales=True),
}
SHORT_ONES = Asked("capacity", "short, 1c", "streams", 90, 150, "higher", scales=True)
BESIDE = Asked("capacity", "long, 1c: ÷ LiteLLM", "", 2.5, None, "higher")


def measure(rig: Rig) -> Iterator[Sample]:
    seconds = rig.size(RAMP, quick=12)
    for layout, asked in LONG.items():
        if rig.quick and layout == "2c":
            return
        runs = rig.size(round(rig.beyond(asked.aim or 0) / OF_A_RUN), tiny=2)
        when = [seconds * number / runs for number in range(runs)]
        most = uvloop.run(ramp(rig, rig.site(layout), ENDLESS, when))
        yield rig.sample(asked, most)
        if layout == "1c":
            yield _beside_the_peer(rig, most)
    # Each second so much more often that the aim is passed at the end.
    faster = rig.beyond(SHORT_ONES.aim or 0) / SECONDS_OF_A_RUN / RAMP
    runs = rig.size(round(faster * RAMP**2 / 2), tiny=2)
    when = [(2 * number / faster) ** 0.5 for number in range(runs)]
    yield rig.sample(SHORT_ONES, uvloop.run(ramp(rig, rig.site("1c"), SHORT, when)))


def _beside_the_peer(rig: Rig, own: int) -> Sample:
    peer = rig.peer()
    if isinstance(peer, str):
        return rig.sample(BESIDE, None, why=peer)
    with peer.awake():
        theirs = uvloop.run(_ramp_of(rig, peer))
    if not theirs:
        return rig.sample(BESIDE, None, peer=0, why="LiteLLM held none")
    return rig.sample(BESIDE, own / theirs, peer=theirs)


async def ramp(rig: Rig, site: Site, tokens: int, when: Sequence[float]) -> int:
    """Streams at once, of runs that are started at these seconds."""
    async with Member(site.url) as member:
        await warm(rig, site, member)
        rig.upstream.clear()
        viewers: list[Viewer] = []
        asked: list[asyncio.Task[Run]] = []
        going: list[asyncio.Task[None]] = []
        begun = time.monotonic()

        async def one(asking: asyncio.Task[Run]) -> None:
            viewers.append(Viewer(await asking))
            await viewers[-1].follow(page_first=False)

        for number, after in enumerate(when):
            await asyncio.sleep(max(0, begun + after - time.monotonic()))
            if number > 3 and _is_hopeless([v.page.ages for v in viewers]):
                break
            ask = member.ask(panel(tokens), judge(), next(rig.marks))
            asked.append(asyncio.ensure_future(ask))
            going.append(asyncio.ensure_future(one(asked[-1])))
        await asyncio.sleep(rig.size(2, tiny=1))
        log = rig.upstream.log()
        if tokens == ENDLESS:
            await asyncio.gather(*(member.cancel(run.id) for run in await asyncio.gather(*asked)))
        await asyncio.gather(*going)
    words = [(at - age, age) for viewer in viewers for at, age in viewer.page.ages]
    return most_in_time(words, log if tokens == ENDLESS else rig.upstream.log())


async def _ramp_of(rig: Rig, peer: Peer) -> int:
    """The same of plain streams."""
    rig.upstream.clear()
    read: list[streams.Stream] = []
    async with streams.session() as client:
        going: list[asyncio.Task[streams.Stream]] = []
        for _ in range(rig.size(PEERS_MOST // OF_A_RUN, tiny=1)):
            for _ in range(OF_A_RUN):
                read.append(streams.Stream())
                reading = streams.read(client, peer.url, peer.key, name(ENDLESS), read[-1])
                going.append(asyncio.ensure_future(reading))
            await asyncio.sleep(1)
            if _is_hopeless([stream.ages for stream in read]):
                break
        log = rig.upstream.log()
        for task in going:
            task.cancel()
        await asyncio.wait(going)
    words = [(at - age, age) for stream in read for at, age in stream.ages]
    return most_in_time(words, log)


def _is_hopeless(ages: Sequence[list[tuple[float, float]]]) -> bool:
    """What was shown last was late by far, or nothing has been shown for a while."""
    now = time.monotonic()
    last = [age for each in ages for at, age in each[-60:] if at > now - 1]
    return not last or percentile(last, 0.99) > HOPELESS


def most_in_time(words: Sequence[tuple[float, float]], calls: Sequence[Call]) -> int:
    """The most streams that went on in a second, before two seconds on end whose words came late.
    Of a word: when it was written, how old it was when it was shown."""
    begun = min((moment for moment, _ in words), default=0.0)
    seconds: dict[int, list[float]] = {}
    for moment, age in words:
        seconds.setdefault(int(moment - begun), []).append(age)
    most, was_late = 0, False
    for second, ages in sorted(seconds.items()):
        is_late = percentile(ages, 0.99) > IN_TIME
        if is_late and was_late:
            break
        was_late = is_late
        if not is_late:
            most = max(most, _going_on(calls, begun + second + 0.5))
    return most


def _going_on(calls: Sequence[Call], moment: float) -> int:
    return sum(c.at <= moment and (not c.ended_at or moment < c.ended_at) for c in calls)
