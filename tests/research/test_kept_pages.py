"""Pages that are asked for again are read once, for a while."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from console.engine.pool import NotRead, PageRead
from console.research.kept_pages import SECONDS, KeptPages


class Site:
    def __init__(self) -> None:
        self.read: list[str] = []
        self.is_down = False

    async def fetch(self, url: str) -> PageRead:
        self.read.append(url)
        await asyncio.sleep(0)
        if self.is_down:
            raise NotRead("Its server cannot be reached.")
        return PageRead(url, "", "x" * 10, "")


@pytest.fixture
def site() -> Site:
    return Site()


async def test_who_asks_while_a_page_is_read_waits_for_it(site: Site) -> None:
    pages = KeptPages()
    urls = ["http://a/", "http://a/#below", "http://a/", "http://b/"]
    found = await asyncio.gather(*(pages.read(url, site.fetch) for url in urls))
    assert sorted(site.read) == ["http://a/", "http://b/"]
    assert [page.url for page in found] == ["http://a/"] * 3 + ["http://b/"]


async def test_who_comes_between_two_that_wait_does_not_fetch_beside_them(site: Site) -> None:
    """The first fails; while the second is woken a third asks, and waits with it."""
    pages, at_once, most = KeptPages(), 0, 0

    async def fetch(url: str) -> PageRead:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        try:
            return await site.fetch(url)
        finally:
            at_once -= 1

    async def ask() -> None:
        with contextlib.suppress(NotRead):
            await pages.read("http://a/", fetch)

    async def first() -> None:
        await ask()
        site.is_down = False
        await asyncio.gather(ask(), ask())

    site.is_down = True
    await asyncio.gather(first(), ask(), ask())
    assert most == 1 and pages._under_way == {}


async def test_a_page_is_read_anew_when_its_time_is_over(site: Site) -> None:
    now = 0.0
    pages = KeptPages(now=lambda: now)
    await pages.read("http://a/", site.fetch)
    now = SECONDS - 1
    await pages.read("http://a/", site.fetch)
    assert len(site.read) == 1
    now = SECONDS + 1
    await pages.read("http://a/", site.fetch)
    assert len(site.read) == 2


async def test_what_cannot_be_read_is_tried_again(site: Site) -> None:
    pages = KeptPages()
    site.is_down = True
    for _ in range(2):
        with pytest.raises(NotRead):
            await pages.read("http://a/", site.fetch)
    site.is_down = False
    assert (await pages.read("http://a/", site.fetch)).text
    assert len(site.read) == 3


async def test_the_oldest_make_room(site: Site) -> None:
    pages = KeptPages(most=25)
    for url in ("http://a/", "http://b/", "http://c/", "http://b/", "http://a/"):
        await pages.read(url, site.fetch)
    assert site.read == ["http://a/", "http://b/", "http://c/", "http://a/"]
