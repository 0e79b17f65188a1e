"""What frames cost in a reader's browser: eight columns at 100 tokens a second, in a real Chromium.

A trace of the page says how long the page's own thread was at script, by the processor's clock,
from one message of the socket to the next (observers and timers that run meanwhile are in it), and
how often script made the browser lay the page out at once.
"""

from __future__ import annotations

import json
import shutil
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.benchmarks import watching
from tests.benchmarks.floor import percentile
from tests.benchmarks.rig import Rig, Samples
from tests.benchmarks.rows import Asked
from tests.benchmarks.upstream import name
from tests.browser.chromium import FLAGS

FIGURE = "script"
P95 = Asked(FIGURE, "p95 of CPU a frame", "ms", 12, 6, scales=True)
FORCED = Asked(FIGURE, "forced layouts a frame", "", 0, 0)
COLUMNS, RATE = "abcdefgh", 100
WAITS = 60  # seconds that a busy machine may take to show the page
CATEGORIES = ["devtools.timeline", "v8.execute", "disabled-by-default-devtools.timeline"]
SCRIPT = {"FunctionCall", "EvaluateScript", "RunMicrotasks", "TimerFire", "FireAnimationFrame"}
SCRIPT |= {"EventDispatch", "FireIdleCallback"}
LAYOUT = {"Layout", "UpdateLayoutTree"}


@dataclass(frozen=True)
class Trace:
    """Of the thread that runs the page's script."""

    messages: Sequence[float]  # moments, in microseconds
    script: Sequence[tuple[float, float]]  # moment and microseconds of CPU of what none encloses
    forced: Sequence[str]  # what of the page's layout was done in the middle of script

    @property
    def per_message(self) -> list[float]:
        """Milliseconds."""
        spent = [0.0] * len(self.messages)
        for moment, cpu in self.script:
            if number := bisect_right(self.messages, moment):
                spent[number - 1] += cpu / 1000
        return spent


def measure(rig: Rig) -> Samples:
    seconds = rig.size(60, 15, 2)
    long = (seconds + WAITS) * RATE
    seats = [name(long, RATE, of=f"mixed-{column}") for column in COLUMNS]
    site = rig.site("2c")
    with watching.member(site) as alice, _Chromium() as browser:
        one = watching.ask(rig, alice, seats)
        page = browser.new_page(base_url=site.url, viewport={"width": 1440, "height": 900})
        page.context.add_cookies(
            [
                {"name": c.name, "value": c.value or "", "url": site.url}
                for c in alice.http.cookies.jar
            ]
        )
        page.goto(f"/fusion/runs/{one.run}")
        page.wait_for_selector("#run[data-live=yes]", timeout=WAITS * 1000)
        trace = _traced(browser, page, seconds)
        alice.post(f"/fusion/runs/{one.run}/cancel", {}, f"/fusion/runs/{one.run}")
    spent = trace.per_message
    if not spent:
        yield rig.sample(P95, None, why="no frame came")
        return
    yield rig.sample(P95, percentile(spent, 0.95))
    kinds = sorted(set(trace.forced))
    yield rig.sample(FORCED, len(trace.forced) / len(spent), why=", ".join(kinds))


class _Chromium:
    def __enter__(self) -> Browser:
        executable = shutil.which("chromium")
        if not executable:
            raise SystemExit("Chromium is not installed")
        self._playwright = sync_playwright().start()
        self._browser = self._playwright.chromium.launch(executable_path=executable, args=FLAGS)
        return self._browser

    def __exit__(self, *_: object) -> None:
        self._browser.close()
        self._playwright.stop()


def _traced(browser: Browser, page: Page, seconds: float) -> Trace:
    browser.start_tracing(page=page, categories=CATEGORIES)
    page.wait_for_timeout(seconds * 1000)
    return read(json.loads(browser.stop_tracing())["traceEvents"])


def read(events: Sequence[dict[str, Any]]) -> Trace:
    received = [e for e in events if e.get("name") == "WebSocketReceive"]
    threads = {(e["pid"], e["tid"]) for e in received}
    messages = sorted(e["ts"] for e in received)
    script: list[tuple[float, float]] = []
    forced: list[str] = []
    for thread in threads:
        own = [e for e in events if (e.get("pid"), e.get("tid")) == thread and e.get("ph") == "X"]
        for event, is_within in _nested(own):
            if event["name"] in SCRIPT and not is_within:
                script.append((event["ts"], event.get("tdur", event["dur"])))
            elif event["name"] in LAYOUT and is_within:
                forced.append(event["name"])
    return Trace(messages, script, forced)


def _nested(events: Sequence[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], bool]]:
    """Each event of a thread, and whether it lies within script."""
    ends: list[float] = []
    for event in sorted(events, key=lambda e: (e["ts"], -e["dur"])):
        while ends and ends[-1] <= event["ts"]:
            ends.pop()
        yield event, bool(ends)
        if event["name"] in SCRIPT:
            ends.append(event["ts"] + event["dur"])
