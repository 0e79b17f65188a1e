"""The p95 of pages, one after the other: ÷ that of a page that lists next to nothing
(`/fusion/tokens`) with 100,000 runs in the database, and ÷ their own with 1,000.

Pages of both sites take turns, reading by reading, so that a machine that slows down slows all.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import httpx

from tests.benchmarks import watching
from tests.benchmarks.floor import percentile
from tests.benchmarks.history import LARGE, SMALL, History, on_postgres, on_sqlite
from tests.benchmarks.rig import Rig, Samples
from tests.benchmarks.rows import Asked
from tests.live.member import Member
from tests.postgres import Postgres

FIGURE = "pages"
USUAL = "/fusion/tokens"
# Figure by figure: the page's address, and who reads it.
PAGES: Mapping[str, tuple[str, str]] = {
    "history": ("alice", "/fusion/runs"),
    "a deep page of it": ("alice", "/fusion/runs?before={deep}"),
    "compose": ("alice", "/fusion"),
    "run of 3 seats": ("alice", "/fusion/runs/{three}"),
    "run of 8 seats": ("alice", "/fusion/runs/{eight}"),
    "/v1/runs": ("program", "/v1/runs"),
    "admin's runs": ("ada", "/admin/console/run/"),
}
READINGS = 30


@dataclass(frozen=True)
class Reader:
    """Of one site: whoever reads a page of it."""

    people: Mapping[str, httpx.Client]
    history: History

    def seconds(self, who: str, path: str) -> float:
        began = time.perf_counter()
        answer = self.people[who].get(path.format(**self.history.runs))
        took = time.perf_counter() - began
        if answer.status_code != 200:
            raise SystemExit(f"{path} was answered with {answer.status_code}.")
        return took


def measure(rig: Rig) -> Samples:
    large = rig.size(LARGE, 20_000, SMALL)
    yield from _on(rig, "SQLite", [on_sqlite(SMALL), on_sqlite(large)])
    with Postgres() as server:
        histories = [on_postgres(count, server.url) for count in (SMALL, large)]
        yield from _on(rig, "PostgreSQL", histories)


def _on(rig: Rig, database: str, histories: list[History]) -> Samples:
    with contextlib.ExitStack() as opened:
        small, large = (opened.enter_context(_reader(rig, history)) for history in histories)
        for page, (who, path) in PAGES.items():
            took: dict[str, list[float]] = {"usual": [], "small": [], "large": []}
            reads: dict[str, Callable[[], float]] = {
                "usual": lambda: large.seconds("alice", USUAL),
                "small": lambda who=who, path=path: small.seconds(who, path),  # type: ignore[misc]
                "large": lambda who=who, path=path: large.seconds(who, path),  # type: ignore[misc]
            }
            for number in range(rig.size(READINGS, 15, 1) + 2):
                for name, read in reads.items():
                    seconds = read()
                    if number > 1:  # all is warm now
                        took[name].append(seconds)
            p95 = {name: percentile(each, 0.95) for name, each in took.items()}
            usual = Asked(FIGURE, f"{page} ÷ {USUAL}, {database}", "", 2.0, 1.5)
            grown = Asked(FIGURE, f"{page}, 100,000 ÷ 1,000 runs, {database}", "", 1.15, 1.05)
            yield rig.sample(usual, p95["large"] / p95["usual"])
            yield rig.sample(grown, p95["large"] / p95["small"])


@contextlib.contextmanager
def _reader(rig: Rig, history: History) -> Iterator[Reader]:
    site = rig.fresh_site(**history.env)
    history.lay_into(site.dir / "var")
    with site, contextlib.ExitStack() as opened:
        people: dict[str, httpx.Client] = {}
        for who in ("alice", "ada"):
            member: Member = opened.enter_context(watching.member(site, who))
            people[who] = member.http
        headers = {"Authorization": f"Bearer {site.api_key}"}
        program = httpx.Client(base_url=site.url, headers=headers, timeout=60)
        people["program"] = opened.enter_context(program)
        yield Reader(people, history)
