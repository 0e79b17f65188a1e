"""Runs from the form to the end, alone and in bursts: how old a token is when the page shows it,
how much longer a run takes than its models, and how long it takes to ask the first of them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import uvloop

from tests.benchmarks.floor import percentile
from tests.benchmarks.rig import Rig
from tests.benchmarks.rows import Asked, Sample
from tests.benchmarks.site import Layout, Site
from tests.benchmarks.upstream import Asked as Call
from tests.benchmarks.viewer import Member, Page, Run, Viewer, judge, panel

WITHIN = 0.5  # seconds in which a burst's runs are submitted


def _latency(case: str, gates: tuple[float, float], aims: tuple[float, float]) -> tuple[Asked, ...]:
    return tuple(
        Asked("latency", f"{case}, p{share}", "ms", gate, aim, scales=True)
        for share, gate, aim in zip((50, 99), gates, aims, strict=True)
    )


LATENCY = {
    ("1c", 1): _latency("one run, 1c", (30, 60), (20, 40)),
    ("1c", 10): _latency("ten short in a burst, 1c", (80, 300), (45, 120)),
    ("2c", 10): _latency("ten short in a burst, 2c", (45, 120), (25, 60)),
}
WALL = {
    ("1c", 1): Asked("wall", "one run, 1c", "", 1.02, 1.01),
    ("1c", 20): Asked("wall", "20 short in a burst, 1c", "", 1.25, 1.10),
    ("2c", 20): Asked("wall", "20 short in a burst, 2c", "", 1.08, 1.04),
    ("2c", 40): Asked("wall", "40 short in a burst, 2c", "", 1.30, 1.15),
}
START = {
    ("1c", 1): Asked("start", "one run, 1c", "ms", 40, 25, scales=True),
    ("1c", 20): Asked("start", "20 in 0.5 s, 1c", "ms", 300, 150, scales=True),
    ("2c", 20): Asked("start", "20 in 0.5 s, 2c", "ms", 150, 80, scales=True),
}
FIRST = {
    ("1c", 20): Asked("first-token", "20 in a burst, 1c", "ms", 300, 120, scales=True),
    ("2c", 20): Asked("first-token", "20 in a burst, 2c", "ms", 100, 40, scales=True),
}
BURSTS: Sequence[tuple[Layout, int, int]] = (  # runs at once, and how often
    ("1c", 1, 3),
    ("1c", 10, 1),
    ("1c", 20, 1),
    ("2c", 10, 1),
    ("2c", 20, 1),
    ("2c", 40, 1),
)
QUICK = {("1c", 1), ("1c", 10), ("1c", 20), ("2c", 20)}
TOKENS = 100


@dataclass(frozen=True)
class Told:
    """What one run's viewer and the upstream's log say of it. Seconds."""

    ages: list[float]
    first: float  # how late the first word was shown
    start: float  # submit → first request
    wall: float  # ÷ (slowest seat + analysis + synthesis)


def measure(rig: Rig) -> Iterator[Sample]:
    for layout, runs, times in BURSTS:
        if rig.quick and (layout, runs) not in QUICK:
            continue
        site = rig.site(layout)
        told: list[Told] = []
        for _ in range(rig.size(times, quick=2)):
            told += uvloop.run(
                burst(rig, site, rig.size(runs, tiny=min(runs, 2)), rig.size(TOKENS, tiny=10))
            )
        yield from _samples(rig, (layout, runs), told)


def _samples(rig: Rig, case: tuple[Layout, int], told: list[Told]) -> Iterator[Sample]:
    ages = [age for one in told for age in one.ages]
    for latency, share in zip(LATENCY.get(case, ()), (0.5, 0.99), strict=False):
        floor = rig.floor.p50 if share == 0.5 else rig.floor.p99
        yield rig.sample(latency, percentile(ages, share) * 1000, floor=floor * 1000)
    if asked := WALL.get(case):
        yield rig.sample(asked, median(one.wall for one in told))
        if case[1] > 1:
            worst = Asked("wall", f"{asked.case}, the slowest", "")
            yield rig.sample(worst, max(one.wall for one in told))
    if asked := START.get(case):
        yield rig.sample(asked, median(one.start for one in told) * 1000)
    if asked := FIRST.get(case):
        late = median(one.first for one in told) * 1000
        yield rig.sample(asked, late, floor=rig.floor.first * 1000)


async def burst(rig: Rig, site: Site, runs: int, tokens: int) -> list[Told]:
    """So many runs submitted within half a second, each watched by who asked."""
    async with Member(site.url) as member:
        await warm(rig, site, member)
        rig.upstream.clear()
        watched = await asyncio.gather(
            *(_one(rig, member, WITHIN * n / runs, tokens) for n in range(runs))
        )
    log = rig.upstream.log()
    return [told(run, page, [c for c in log if c.mark == run.mark]) for run, page in watched]


async def warm(rig: Rig, site: Site, member: Member) -> None:
    """The first run after a start imports what the others find there."""
    if not site.is_warm:
        await _one(rig, member, 0, 10)
        site.is_warm = True


async def _one(rig: Rig, member: Member, after: float, tokens: int) -> tuple[Run, Page]:
    await asyncio.sleep(after)
    run = await member.ask(panel(tokens), judge(tokens), next(rig.marks))
    page = await Viewer(run).follow(page_first=False)
    if page.status != "completed":
        raise SystemExit(f"Run {run.id} ended {page.status}, so nothing of it is measured.")
    return run, page


def told(run: Run, page: Page, calls: list[Call]) -> Told:
    seats = [c.seconds for c in calls if c.model.startswith("seat")]
    judged = [c.seconds for c in calls if c.model.startswith("judge")]
    return Told(
        ages=[age for _, age in page.ages],
        first=page.firsts[0],
        start=min(c.at for c in calls) - run.submitted_at,
        wall=(page.ended_at - run.submitted_at) / (max(seats) + sum(judged)),
    )
