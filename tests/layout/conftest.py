"""Pages that Django has rendered, shown by a real Chromium without a server behind it.

One Chromium serves the whole folder, in windows that stay (`windows.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from console.models import Run
from tests.browser.chromium import FLAGS, executable
from tests.browser.complaints import listen
from tests.browser.conftest import PATIENCE
from tests.console.story import Story

from .served import HOST, flags
from .windows import Windows

Show = Callable[..., Page]
Render = Callable[..., dict[str, str]]


class BesideBrowser:
    """Django asks no database where a loop runs, and Playwright's sync API leaves one in this
    thread for as long as it lives: what asks a database here does so as if there were none."""

    def __init__(self, blocker: DjangoDbBlocker) -> None:
        self._blocker = blocker

    @contextmanager
    def unblock(self) -> Iterator[None]:
        loop = asyncio._get_running_loop()
        asyncio._set_running_loop(None)
        try:
            with self._blocker.unblock():
                yield
        finally:
            asyncio._set_running_loop(loop)

    def block(self) -> AbstractContextManager[None]:
        return self._blocker.block()


@pytest.fixture(scope="session")
def django_db_blocker(django_db_blocker: DjangoDbBlocker) -> BesideBrowser:
    return BesideBrowser(django_db_blocker)


@pytest.fixture(scope="module")
def render(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Render]:
    """`render("?look=answers", rich=rich(3))`: pages of runs as their owner has them."""
    runs: list[Run] = []
    with django_db_blocker.unblock():
        alice = User.objects.create_user("alice-of-pages")
        client = Client()
        client.force_login(alice)

    def rendered(query: str = "", *, prompt: str = "", **stories: Story) -> dict[str, str]:
        pages = {}
        with django_db_blocker.unblock():
            for name, story in stories.items():
                runs.append(story.save(alice, **({"prompt": prompt} if prompt else {})))
                address = f"/fusion/runs/{runs[-1].pk}{query}"
                pages[name] = client.get(address).content.decode()
        return pages

    yield rendered
    with django_db_blocker.unblock():
        client.logout()
        for run in runs:
            run.delete()
        alice.delete()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=[*FLAGS, *flags()])
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def heard() -> list[str]:
    return []


@pytest.fixture(scope="package")
def kept_windows(chromium: Browser, heard: list[str]) -> Windows:
    return Windows(chromium, heard)


@pytest.fixture(autouse=True)
def complaints(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, heard: list[str]
) -> Iterator[list[str]]:
    """Of every page that a test opens. Who expects some clears them."""
    heard.clear()
    opened: list[BrowserContext] = []
    if "chromium" in request.fixturenames:
        browser: Browser = request.getfixturevalue("chromium")
        new_context = browser.new_context

        def listened_to(**options: Any) -> BrowserContext:
            context = new_context(**options)
            context.set_default_timeout(PATIENCE)
            listen(context, heard)
            opened.append(context)
            return context

        monkeypatch.setattr(browser, "new_context", listened_to)
    yield heard
    for context in opened:
        context.close()
    assert heard == []


@pytest.fixture
def windows(kept_windows: Windows, complaints: list[str]) -> Iterator[Windows]:
    yield kept_windows
    kept_windows.put_back()


@pytest.fixture
def show(windows: Windows, pages: dict[str, str]) -> Show:
    def shown(name: str, width: int, height: int = 800, query: str = "", **options: Any) -> Page:
        page = windows.take(lambda path: pages[name], width, height, **options)
        page.goto(HOST + query)
        return page

    return shown


# What is placed by how the page lies is placed with its next frame.
DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def at_each_width(
    show: Show, name: str, widths: Sequence[int], height: int = 800
) -> Iterator[Page]:
    """The page, loaded anew at each, in one window."""
    page = show(name, widths[0], height)
    yield page
    for width in widths[1:]:
        page.set_viewport_size({"width": width, "height": height})
        page.goto(page.url)
        page.evaluate(DRAWN)
        yield page
