"""Tokens that a model wrote and that a viewer's page, or the page read again, does not show.

Each is a moment that is written once: they are counted on what the viewer has at the end and on
the page. Viewers are away for 0.7 s again and again, read one frame a second, or have their web
process killed; and 180 streams are watched at once.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence

import psutil

from tests.benchmarks import watching
from tests.benchmarks.rig import Rig, Samples
from tests.benchmarks.rows import Asked
from tests.benchmarks.site import Site
from tests.benchmarks.upstream import STAMP, name
from tests.benchmarks.upstream import Asked as Written
from tests.benchmarks.watching import JUDGE, Watched
from tests.live.member import Member

FIGURE = "lost"
GAPS = Asked(FIGURE, "viewers away for 0.7 s", "tokens", 0, 0)
SLOW = Asked(FIGURE, "readers of one frame a second", "tokens", 0, 0)
KILLED = Asked(FIGURE, "web processes killed", "tokens", 0, 0)
MANY = Asked(FIGURE, "180 streams", "tokens", 0, 0)
KILL_AT = (1.5, 4.0)  # seconds after asking


def measure(rig: Rig) -> Samples:
    site = rig.site("2c")
    few, tokens = rig.size(3, 2), rig.size(300, 200, 20)
    with watching.member(site) as alice:
        yield rig.sample(GAPS, lost(rig, alice, few, tokens, stay=0.5, away=0.7))
        yield rig.sample(SLOW, lost(rig, alice, few, tokens, pause=1))
        with killing(site):
            yield rig.sample(KILLED, lost(rig, alice, few, tokens))
        yield rig.sample(MANY, lost(rig, alice, rig.size(30, 30), rig.size(200, 100, 20)))


def lost(rig: Rig, who: Member, runs: int, tokens: int, **habits: float) -> int:
    seats = [name(tokens, of=f"seat{letter}") for letter in "abcdef"]
    asked = [watching.ask(rig, who, seats) for _ in range(runs)]
    watching.watch(who, asked, **habits)
    written = rig.upstream.log()
    return sum(_lost(who, one, [w for w in written if w.mark == one.mark]) for one in asked)


def _lost(who: Member, one: Watched, written: Sequence[Written]) -> int:
    page = who.page(one.run).texts
    expected = {
        f"seat-{seat}": sum(w.deltas for w in written if w.model == model)
        for seat, model in enumerate(one.seats)
    }
    expected["fused"] = sum(w.deltas for w in written if w.model == JUDGE and not w.is_analysis)
    missing = 0
    for place, count in expected.items():
        seen, again = one.view.text(place), page[place]
        missing += sum(abs(count - len(STAMP.findall(text))) for text in (seen, again))
        missing += seen.split() != again.split()
    return missing


@contextlib.contextmanager
def killing(site: Site) -> Iterator[None]:
    """Every web process, at these moments; `up` starts others in their place."""
    ended = threading.Event()

    def kill() -> None:
        for moment in KILL_AT:
            if ended.wait(moment):
                return
            for process in site.servers():
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
