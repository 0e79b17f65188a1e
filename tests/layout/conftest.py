"""Pages that Django has rendered, shown by a real Chromium without a server behind it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.complaints import listen
from tests.browser.conftest import FLAGS, PATIENCE

from .served import HOST, flags, serve

Show = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium(pages: dict[str, str]) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=[*FLAGS, *flags()]
        )


@pytest.fixture(autouse=True)
def complaints(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[str]]:
    """Of every page that a test opens. Who expects some clears them."""
    heard: list[str] = []
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
def show(chromium: Browser, pages: dict[str, str], complaints: list[str]) -> Show:
    def shown(name: str, width: int, height: int = 800, query: str = "", **options: Any) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        serve(context, lambda path: pages[name])
        # Of a run under way: open, and silent.
        context.route_web_socket(re.compile("/ws/"), lambda socket: None)
        page = context.new_page()
        page.goto(HOST + query)
        return page

    return shown
