"""Windows that stay (`tests/browser/windows.py`), in which pages are shown that Django rendered."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser import windows
from tests.browser.complaints import listen
from tests.browser.conftest import PATIENCE

from .served import HOST, NOWHERE, Html, serve


class Windows:
    def __init__(self, browser: Browser, heard: list[str]) -> None:
        self._heard = heard
        self._kept = windows.Windows(browser, f"{HOST}{NOWHERE}", self._begin)

    def _begin(self, context: BrowserContext) -> None:
        context.set_default_timeout(PATIENCE)
        listen(context, self._heard)
        # Of a run under way: open, and silent.
        context.route_web_socket(re.compile("/ws/"), lambda socket: None)

    def take(self, html: Html, width: int, height: int, **options: Any) -> Page:
        """One in which `html` is about to be shown, whatever else this test shows."""
        page = self._kept.take(viewport={"width": width, "height": height}, **options)
        serve(page.context, html)
        return page

    def put_back(self) -> None:
        self._kept.put_back()
