"""Windows of the folder's Chromium that stay: to show a page in a new one takes a processor twice
as long as to show it in one that is there, whose process has the scripts already.

Between two tests a window is emptied of whatever one left in it. What cannot be taken back (a clock
that stands, a script before every page's) needs a window of its own.
"""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Browser, Page

from tests.browser.complaints import listen
from tests.browser.conftest import PATIENCE

from .served import HOST, NOWHERE, Html, serve

# What can be changed in a window that is there, and what it is where nobody says.
MEDIA = {"color_scheme": "light", "forced_colors": "none", "reduced_motion": "no-preference"}
EMPTY = "localStorage.clear(); sessionStorage.clear()"


class Windows:
    def __init__(self, browser: Browser, heard: list[str]) -> None:
        self._browser, self._heard = browser, heard
        self._free: dict[str, list[Page]] = {}
        self._taken: list[tuple[str, Page]] = []
        self._apart: list[Page] = []

    def take(
        self, html: Html, width: int, height: int, *, apart: bool = False, **options: Any
    ) -> Page:
        """One in which `html` is about to be shown, whatever else this test shows. `apart`: one
        that nobody takes after it."""
        media = {name: options.pop(name, usual) for name, usual in MEDIA.items()}
        kind = repr(sorted(options.items()))
        free = self._free.setdefault(kind, [])
        page = free.pop() if free and not apart else self._opened(options)
        if apart:
            self._apart.append(page)
        else:
            self._taken.append((kind, page))
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(media="null", **media)  # type: ignore[arg-type]
        serve(page.context, html)
        return page

    def put_back(self) -> None:
        while self._apart:
            self._apart.pop().context.close()
        while self._taken:
            kind, page = self._taken.pop()
            page.unroute_all()
            page.goto(f"{HOST}{NOWHERE}")
            page.evaluate(EMPTY)
            page.mouse.move(-1, -1)
            for other in page.context.pages:
                if other is not page:
                    other.close()
            page.context.clear_cookies()
            self._free[kind].append(page)

    def _opened(self, options: dict[str, Any]) -> Page:
        # Not by `browser.new_context`, in whose place is what closes it after the test.
        context = Browser.new_context(self._browser, **options)
        context.set_default_timeout(PATIENCE)
        listen(context, self._heard)
        # Of a run under way: open, and silent.
        context.route_web_socket(re.compile("/ws/"), lambda socket: None)
        return context.new_page()
