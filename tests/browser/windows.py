"""Windows of one Chromium that stay: to show a page in a new one takes a processor twice as long
as to show it in one that is there, whose process has the scripts already.

Between two tests a window is emptied of whatever one left in it. What cannot be taken back (a clock
that stands, a script before every page's, sockets that are answered otherwise) needs a window of
its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Error, Page, ViewportSize

# What can be changed in a window that is there, and what it is where nobody says.
USUAL: ViewportSize = {"width": 1280, "height": 720}
MEDIA = {"color_scheme": "light", "forced_colors": "none", "reduced_motion": "no-preference"}
EMPTY = "localStorage.clear(); sessionStorage.clear()"


class Windows:
    """`nowhere` is an address where nothing happens, `begin` what each context is given once."""

    def __init__(
        self, browser: Browser, nowhere: str, begin: Callable[[BrowserContext], None]
    ) -> None:
        self._browser, self._nowhere, self._begin = browser, nowhere, begin
        self._free: dict[str, list[Page]] = {}
        self._taken: list[tuple[str, Page]] = []

    def take(
        self, *, apart: bool = False, viewport: ViewportSize | None = None, **options: Any
    ) -> Page:
        """One that nobody else has until it is put back, or, `apart`, ever."""
        media = {name: options.pop(name, usual) for name, usual in MEDIA.items()}
        kind = "" if apart else repr(sorted(options.items()))
        free = self._free.setdefault(kind, [])
        page = free.pop() if free else self._opened(options)
        self._taken.append((kind, page))
        page.set_viewport_size(viewport or USUAL)
        page.emulate_media(media="null", **media)
        return page

    def put_back(self) -> None:
        while self._taken:
            kind, page = self._taken.pop()
            if kind and self._is_emptied(page):
                self._free[kind].append(page)
            else:
                page.context.close()

    def _is_emptied(self, page: Page) -> bool:
        try:
            page.unroute_all()
            page.goto(self._nowhere)
            page.evaluate(EMPTY)
            page.mouse.move(-1, -1)
            for other in page.context.pages:
                if other is not page:
                    other.close()
            page.context.clear_cookies()
        except Error:  # its server has gone, or the test left it broken
            return False
        return True

    def _opened(self, options: dict[str, Any]) -> Page:
        # Not by `browser.new_context`, in whose place is what closes it after the test.
        context = Browser.new_context(self._browser, **options)
        self._begin(context)
        return context.new_page()
