"""What choosing one of 1,500 models costs in the browser, by its own thread's processor clock: to
read the list in (once a page), to open it, and a key typed in it; beside it, as the floor, the same
keys in a bare field of the same page.

    .venv/bin/python -m tests.benchmarks.picker [--repeat 5]

The gate: opened in under 100 ms, a key in under 16. It ends with 1 where that was missed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

import django
from playwright.sync_api import CDPSession, Page, sync_playwright

import tests.environment  # noqa: F401 - first: the keys and the database are its own

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fusion_site.settings")
django.setup()

from console.catalog import offers  # noqa: E402
from console.templatetags.modules import modules  # noqa: E402
from tests.benchmarks.floor import percentile  # noqa: E402
from tests.browser.chromium import FLAGS, executable  # noqa: E402
from tests.layout.picked import catalog, fragment  # noqa: E402
from tests.layout.served import HOST, flags, serve  # noqa: E402

OPEN_GATE, KEY_GATE = 100.0, 16.0  # milliseconds of CPU
TYPED = ("gemini pro", "claude <$1 tools", "qwen 12", "reasoning image", "mistral-9")

PAGE = """<!doctype html><html lang="en"><head><title>Picker</title>
<link rel="stylesheet" href="/static/console/base.css">
<link rel="stylesheet" href="/static/console/console.css">
<link rel="stylesheet" href="/static/console/picker/picker.css">
<script type="importmap" nonce="n">{map}</script></head>
<body><main><form class="compose" data-picker><div id="models"></div>
<input id="bare" aria-label="Bare"><input id="seat" aria-label="Seat" data-model></form></main>
<template id="list">{list}</template>
<script type="module" src="/static/console/picker/picker.js"></script></body></html>"""

# As htmx puts it there and says so.
BRING = """() => {
  const models = document.getElementById("models");
  models.replaceChildren(document.getElementById("list").content.cloneNode(true));
  models.dispatchEvent(new CustomEvent("htmx:afterSwap", { bubbles: true }));
}"""
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"


class Clock:
    """Milliseconds that the page's thread was at work, by the processor's clock."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._cdp: CDPSession = page.context.new_cdp_session(page)
        self._cdp.send("Performance.enable", {"timeDomain": "threadTicks"})

    def spent(self, act: Callable[[], object]) -> float:
        self._page.evaluate(DRAWN)
        before = self._now()
        act()
        self._page.evaluate(DRAWN)
        return self._now() - before

    def _now(self) -> float:
        told = self._cdp.send("Performance.getMetrics")["metrics"]
        return 1000 * float(next(m["value"] for m in told if m["name"] == "TaskDuration"))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=5)
    repeat = parser.parse_args(arguments).repeat
    html = PAGE.replace("{map}", _map()).replace("{list}", fragment("openai/gpt-7-pro"))
    read, opened, keys, floor = [], [], [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=[*FLAGS, *flags()])
        for _ in range(repeat):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            serve(page, lambda path: html)
            page.goto(HOST)
            page.wait_for_selector("#seat[role=combobox]")
            clock = Clock(page)
            floor += _keys(page, clock, "#bare")
            read.append(clock.spent(partial(page.evaluate, BRING)))
            opened.append(clock.spent(page.locator("#seat").click))
            assert page.locator("#picker-list [role=option]").count()
            keys += _keys(page, clock, "#seat")
            page.close()
        browser.close()
    _row("a key in a bare field (floor)", floor)
    _row("1,500 models read in, once a page", read)
    _row("the list opened", opened, OPEN_GATE)
    _row("a key in it", keys, KEY_GATE)
    _server()
    return int(median(opened) > OPEN_GATE or percentile(keys, 0.95) > KEY_GATE)


def _keys(page: Page, clock: Clock, field: str) -> list[float]:
    spent = []
    for text in TYPED:
        page.locator(field).fill("")
        page.locator(field).focus()
        spent += [clock.spent(partial(page.keyboard.type, key)) for key in text]
    return spent


def _map() -> str:
    return json.dumps({"imports": modules(["picker"])})


def _server() -> None:
    """What the answer costs that brings the list, made anew and as it was."""
    rows = catalog()
    for title in ("server: the list made anew", "server: the list as it was"):
        began = time.process_time()
        offers.offers_as_json(rows)
        _row(title, [1000 * (time.process_time() - began)])


def _row(title: str, samples: Sequence[float], gate: float | None = None) -> None:
    told = f" (gate {gate:.0f})" if gate else ""
    sys.stdout.write(
        f"{title:36} p50 {median(samples):6.1f}  "
        f"p95 {percentile(samples, 0.95):6.1f} ms CPU{told}\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
