"""Two workers and two web processes ÷ one of each: what the same load costs, CPU per 1,000 tokens,
and how evenly the workers share it."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from fusion_site.programs import WORKER
from tests.benchmarks import watching
from tests.benchmarks.rig import Rig, Samples
from tests.benchmarks.rows import Asked
from tests.benchmarks.site import Site, on_cores
from tests.benchmarks.upstream import name

FIGURE = "shared"
COST = Asked(FIGURE, "CPU per 1,000 tokens", "", 1.15, 1.05)
SHARE = Asked(FIGURE, "share of the busier worker", "%", 60, 55)


@dataclass(frozen=True)
class Load:
    per_thousand: float  # CPU-ms
    workers: tuple[float, ...]  # CPU seconds of each
    webs: int


def measure(rig: Rig) -> Samples:
    one, two = _load(rig, 1), _load(rig, 2)
    why = "" if two.webs == 2 else f"with {two.webs} web process"
    yield rig.sample(COST, two.per_thousand / one.per_thousand, why=why)
    yield rig.sample(SHARE, 100 * max(two.workers) / max(sum(two.workers), 0.01))


def _load(rig: Rig, each: int) -> Load:
    runs = rig.size(8, 8, 2)
    seats = [name(rig.size(400, 200, 20), of=letter) for letter in "abcdef"]
    site = rig.fresh_site(FUSION_WEB_PROCESSES=str(each))
    with site, _further_workers(site, each - 1) as further, watching.member(site) as alice:
        # Whatever is done once, by each of them.
        watching.watch(alice, [watching.ask(rig, alice, [name(5, of="a")]) for _ in range(4)])
        before, first = site.spent(), _each(further)
        asked = [watching.ask(rig, alice, seats) for _ in range(runs)]
        watching.watch(alice, asked)
        spent = site.spent().since(before)
        others = tuple(now - then for now, then in zip(_each(further), first, strict=True))
        webs = len(site.servers())
    tokens = sum(one.tokens(rig) for one in asked)
    total = spent.total + sum(others)
    return Load(total * 1e6 / tokens, (spent.seconds["worker"], *others), webs)


def _each(processes: list[psutil.Process]) -> list[float]:
    times = [process.cpu_times() for process in processes]
    return [float(t.user + t.system) for t in times]


@contextlib.contextmanager
def _further_workers(site: Site, count: int) -> Iterator[list[psutil.Process]]:
    """Beside that of `up`. They find Redis by the var folder."""
    with contextlib.ExitStack() as ended, site.log.open("ab") as log:
        processes = []
        for _ in range(count):
            worker = subprocess.Popen(
                on_cores(site.cores, [site.python, *WORKER]),
                cwd=site.checkout,
                env=site.env,
                stdout=log,
                stderr=log,
            )
            ended.callback(worker.wait)
            ended.callback(worker.terminate)
            processes.append(psutil.Process(worker.pid))
        while processes and _busy(processes):
            pass
        yield processes


def _busy(processes: list[psutil.Process]) -> bool:
    """Are they still starting? An idle one takes five milliseconds a second."""
    before = _each(processes)
    time.sleep(2)
    return sum(_each(processes)) - sum(before) > 0.1 * len(processes)
