"""Every stored site, on SQLite and, where the tests run on a PostgreSQL, on that, too.

Each is migrated and opened, told as it was, and what lay unfinished is gone on with. What is marked
`whole` is asked of the oldest, one in the middle and the newest, of all by FUSION_LONG_TESTS=1.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.data.stored import stored_sites
from tests.live.member import Member, Page, View
from tests.stack import until
from tests.upgrade.old_site import OldSite, watched
from tests.upstream import Upstream

KINDS = ["sqlite", "postgres"] if os.environ.get("DATABASE_URL") else ["sqlite"]
OPENED = [
    pytest.param((stored, kind), id=f"{stored.folder.name} on {kind}")
    for stored in stored_sites()
    for kind in KINDS
    if kind == "sqlite" or stored.has_postgres
]
LONG = os.environ.get("FUSION_LONG_TESTS") == "1"
SITES = stored_sites()
WHOLE = SITES if LONG else [SITES[0], SITES[len(SITES) // 2], SITES[-1]]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left = [item for item in items if item.get_closest_marker("whole") and not _is_walked(item)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


def _is_walked(item: pytest.Item) -> bool:
    assert isinstance(item, pytest.Function)
    params: dict[str, Any] = item.callspec.params
    return params["site"][0] in WHOLE


@pytest.fixture(scope="module", params=OPENED)
def site(request: pytest.FixtureRequest) -> Iterator[OldSite]:
    """Migrated and served; whether a worker has begun, none of what uses only this may mind."""
    stored, kind = request.param
    with Upstream() as upstream, OldSite(stored, upstream, postgres=kind == "postgres") as site:
        yield site


@pytest.fixture(scope="module")
def alice(site: OldSite) -> Iterator[Member]:
    with site.signed_in("alice") as member:
        yield member


class Found(NamedTuple):
    """Of each run under way, by name: its page, that of each fusion, and what a viewer
    of it is told."""

    pages: dict[str, Page]
    fusions: dict[str, list[Page]]
    views: dict[str, View]


@pytest.fixture(scope="module")
def found(site: OldSite, alice: Member) -> Found:
    """Before anybody goes on with them."""
    under_way = {name: run for name, run in site.runs.items() if "asked" in run}
    pages = {name: alice.page(run["run"]) for name, run in under_way.items()}
    fusions = {
        name: [
            alice.page(f"{run['run']}?fusion={fusion['number']}")
            for fusion in site.read(name)["fusions"]
        ]
        for name, run in under_way.items()
    }
    return Found(pages, fusions, asyncio.run(watched(alice, under_way)))


class Resumed(NamedTuple):
    runs: dict[str, dict[str, Any]]
    asked: dict[str, Counter[str]]
    told: dict[str, str]  # in the words of those calls
    report: Any  # None where the walk is short
    asked_by_evaluation: Counter[str]


@pytest.fixture(scope="module")
def resumed(site: OldSite, found: Found, tmp_path_factory: pytest.TempPathFactory) -> Resumed:
    """What a worker of today made of all that lay unfinished, and whom it asked for that."""
    site.start_worker()
    until(site.is_ready, 40)
    is_whole = site.stored in WHOLE
    report = site.evaluate(tmp_path_factory.mktemp("evaluation")) if is_whole else None
    evaluated = set(site.facts["evaluation"]["models"])
    return Resumed(
        runs={name: site.until_over(site.id_of(name)) for name in found.pages},
        asked={name: site.asked_for(site.runs[name]["prompt"]) for name in found.pages},
        told={name: site.told_for(site.runs[name]["prompt"]) for name in found.pages},
        report=report,
        asked_by_evaluation=Counter(c.model for c in site.upstream.calls if c.model in evaluated),
    )
