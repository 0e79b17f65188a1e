"""How many streams at once reach their pages in time: runs are started faster than they end, until
one word in a hundred is older than 100 ms when it is shown. LiteLLM is given streams of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence

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
APART = 1.2  # seconds between two long runs, or six streams of the peer
MOST_LONG, MOST_SHORT = 30, 100  # runs

LONG: dict[Layout, Asked] = {
    "1c": Asked("capacity", "long, 1c", "streams", 40, 60, "higher", scales=True),
    "2c": Asked("capacity", "long, 2c", "streams", 70, 110, "higher", scales=True),
}
SHORT_ONES = Asked("capacity", "short, 1c", "streams", 90, 150, "higher", scales=True)
BESIDE = Asked("capacity", "long, 1c: ÷ LiteLLM", "", 2.5, None, "higher")


def measure(rig: Rig) -> Iterator[Sample]:
    for layout, asked in LONG.items():
        most = uvloop.run(ramp(rig, rig.site(layout), ENDLESS, _evenly, MOST_LONG))
        yield rig.sample(asked, most)
        if layout == "1c":
            yield _beside_the_peer(rig, most)
    yield rig.sample(SHORT_ONES, uvloop.run(ramp(rig, rig.site("1c"), SHORT, _faster, MOST_SHORT)))


def _beside_the_peer(rig: Rig, own: int) -> Sample:
    peer = rig.peer()
    if isinstance(peer, str):
        return rig.sample(BESIDE, None, why=peer)
    with peer.awake():
        theirs = uvloop.run(_ramp_of(rig, peer))
    if not theirs:
        return rig.sample(BESIDE, None, peer=0, why="LiteLLM held none")
    return rig.sample(BESIDE, own / theirs, peer=theirs)


def _evenly(number: int) -> float:
    """When the run of that number is started."""
    return number * APART


def _faster(number: int) -> float:
    """Each second a third of a run more in a second: 100 in 25 seconds."""
    return float((number * 2 / 0.33) ** 0.5)


async def ramp(rig: Rig, site: Site, tokens: int, when: Callable[[int], float], most: int) -> int:
    """Streams at once."""
    most = rig.size(most, tiny=2)
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

        for number in range(most):
            await asyncio.sleep(max(0, begun + when(number) - time.monotonic()))
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
        for _ in range(rig.size(MOST_LONG // 2, tiny=1)):
            for _ in range(6):
                read.append(streams.Stream())
                reading = streams.read(client, peer.url, peer.key, name(ENDLESS), read[-1])
                going.append(asyncio.ensure_future(reading))
            await asyncio.sleep(APART)
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
