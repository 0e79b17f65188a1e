"""Pages that Django has rendered, shown by a real Chromium without a server behind it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from mimetypes import guess_type
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Browser, Page, Route, sync_playwright

from tests.browser.conftest import FLAGS

STATIC = Path(settings.BASE_DIR, "static")
HOST = "http://layout.test"

Show = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium(pages: dict[str, str]) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)


@pytest.fixture
def show(chromium: Browser, pages: dict[str, str]) -> Iterator[Show]:
    contexts = []

    def shown(name: str, width: int, height: int = 800, query: str = "", **options: Any) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)

        def answer(route: Route) -> None:
            path = route.request.url.removeprefix(HOST)
            if not path.startswith("/static/"):
                route.fulfill(body=pages[name], content_type="text/html")
                return
            plain = re.sub(r"\.[0-9a-f]{12}(\.\w+)$", r"\1", path.removeprefix("/static/"))
            file = STATIC / plain
            if file.exists():
                kind = guess_type(file.name)[0] or "application/octet-stream"
                route.fulfill(body=file.read_bytes(), content_type=kind)
            else:
                route.abort()  # htmx, of a package: the layout does not wait for it

        page = context.new_page()
        page.route("**/*", answer)
        page.goto(HOST + query)
        return page

    yield shown
    for context in contexts:
        context.close()
