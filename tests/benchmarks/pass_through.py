"""One model by `/v1/chat/completions`, passed through, and the same by LiteLLM's proxy, turn by
turn. And runs by the API beside the same from the page."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

import uvloop

from tests.benchmarks import streams
from tests.benchmarks.litellm import Peer
from tests.benchmarks.rig import Rig
from tests.benchmarks.rows import Asked, Sample
from tests.benchmarks.runs import warm
from tests.benchmarks.site import Site
from tests.benchmarks.streams import Stream
from tests.benchmarks.upstream import name
from tests.benchmarks.viewer import Member, Page, Run, Viewer, judge, panel

STREAMS = 6
WAVES = 3  # of a hundred tokens
FIRST_AFTER = 300  # ms, which the upstream takes
AT_ONCE = 10  # runs by the API, and from the page

ADDED = Asked("pass-through", "added first token, 6 streams, 1c: ÷ LiteLLM", "", 1.4, 1.0)
ADDED_MS = Asked("pass-through", "added first token, 6 streams, 1c", "ms", scales=True)
CPU = {
    100: Asked("pass-through", "CPU at 100 tokens, 1c: ÷ LiteLLM", "", 0.8, 0.6),
    500: Asked("pass-through", "CPU at 500 tokens, 1c: ÷ LiteLLM", "", 0.45, 0.35),
}
CPU_MS = {
    length: Asked("pass-through", f"CPU per 1,000 tokens at {length}, 1c", "ms", scales=True)
    for length in CPU
}
BY_THE_API = {
    "first": Asked("pass-through", "fused: first word by the API ÷ on the page, 2c", "", 1.05),
    "whole": Asked("pass-through", "fused: end by the API ÷ on the page, 2c", "", 1.05),
}


@dataclass
class Cost:
    """Of waves of one length."""

    seconds: float = 0.0
    words: int = 0
    added: list[float] | None = None

    @property
    def per_thousand(self) -> float:
        """CPU-ms."""
        return self.seconds * 1e6 / self.words

    def add(self, seconds: float, read: Sequence[Stream]) -> None:
        if any(stream.status != 200 for stream in read):
            raise SystemExit(f"A stream was refused: {[s.status for s in read]}")
        self.seconds += seconds
        self.words += sum(len(stream.ages) for stream in read)
        late = [s.first_at - s.asked_at - FIRST_AFTER / 1000 for s in read]
        self.added = [*(self.added or []), *late]


def measure(rig: Rig) -> Iterator[Sample]:
    site, peer = rig.site("1c"), rig.peer()
    key = site.api_key
    _wave(rig, site, key, 10, Cost())  # what only the first request costs
    if isinstance(peer, Peer):
        _wave_of(rig, peer, 10, Cost())
    for length in CPU:
        own, theirs = Cost(), Cost()
        for _ in range(rig.size(WAVES if length == 100 else 1, quick=1)):
            _wave(rig, site, key, length, own)
            if isinstance(peer, Peer):
                _wave_of(rig, peer, length, theirs)
        yield from _samples(rig, length, own, theirs, peer if isinstance(peer, str) else "")
    yield from _by_the_api(rig)


def _samples(rig: Rig, length: int, own: Cost, theirs: Cost, why: str) -> Iterator[Sample]:
    assert own.added
    if length == 100:
        late = median(own.added) * 1000
        beside = median(theirs.added) * 1000 if theirs.added else None
        yield rig.sample(ADDED, late / beside if beside else None, peer=1.0, why=why)
        yield rig.sample(ADDED_MS, late, floor=rig.floor.first * 1000, peer=beside)
    cost = theirs.per_thousand if theirs.words else None
    yield rig.sample(CPU[length], own.per_thousand / cost if cost else None, peer=1.0, why=why)
    yield rig.sample(CPU_MS[length], own.per_thousand, floor=rig.floor.cpu, peer=cost)


def _wave(rig: Rig, site: Site, key: str, length: int, cost: Cost) -> None:
    tokens = rig.size(length, tiny=20)
    before = site.spent()
    model = f"openai:{name(tokens, first_ms=FIRST_AFTER)}"
    read = uvloop.run(streams.at_once(f"{site.url}/v1", key, model, STREAMS))
    cost.add(site.spent().since(before).total, read)


def _wave_of(rig: Rig, peer: Peer, length: int, cost: Cost) -> None:
    tokens = rig.size(length, tiny=20)
    with peer.awake():
        before = peer.spent()
        model = name(tokens, first_ms=FIRST_AFTER)
        read = uvloop.run(streams.at_once(peer.url, peer.key, model, STREAMS))
        cost.add(peer.spent() - before, read)


def _by_the_api(rig: Rig) -> Iterator[Sample]:
    site, runs = rig.site("2c"), rig.size(AT_ONCE, tiny=2)
    panel_of = panel(rig.size(100, tiny=10), seats=3)
    fusion = {"panel": [f"openai:{model}" for model in panel_of], "judge": f"openai:{judge()}"}
    watched = uvloop.run(_from_the_page(rig, site, panel_of, runs))
    url = f"{site.url}/v1"
    api = uvloop.run(streams.at_once(url, site.api_key, "fusion", runs, fusion=fusion))
    for which, theirs, own in (
        (
            "first",
            [page.first_at("fused") - run.submitted_at for run, page in watched],
            [stream.first_at - stream.asked_at for stream in api],
        ),
        (
            "whole",
            [page.ended_at - run.submitted_at for run, page in watched],
            [stream.ended_at - stream.asked_at for stream in api],
        ),
    ):
        yield rig.sample(BY_THE_API[which], median(own) / median(theirs), floor=1.0)


async def _from_the_page(
    rig: Rig, site: Site, panel_of: Sequence[str], runs: int
) -> list[tuple[Run, Page]]:
    async with Member(site.url) as member:
        await warm(rig, site, member)

        async def one() -> tuple[Run, Page]:
            run = await member.ask(panel_of, judge(), next(rig.marks))
            return run, await Viewer(run).follow(page_first=False)

        return list(await asyncio.gather(*(one() for _ in range(runs))))
