"""While a run is written, its page's scripts never make the browser lay the page out before its
time: they ask how it lies when it lies so anyway.

The frames are real ones, of the real state of a run with eight columns; the browser's own trace
tells who asked for a layout.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, WebSocketRoute, expect
from pytest_django.plugin import DjangoDbBlocker

from console.engine.state import Step
from console.fragments import run_context, run_figures, run_fragments
from console.live.frames import Cursor, Frames, Text
from console.markdown import StreamRenderer
from console.models.shown import ALL
from tests.browser.complaints import listen
from tests.console.story import Story, a_spec
from tests.layout.served import HOST, serve
from tests.stack import PATIENCE, until

pytestmark = pytest.mark.browser

SEATS, FAILED = 8, 0  # the one that fails is the one that is read
NOTICE = "What is is told at the end moves nothing of what is read."
WRITTEN = "Some words of an answer, with **weight** and a [link](https://a.test/b).\n\n"
WRITTEN += "- one item\n- and another\n\n```py\ndef code(x):\n    return x * 2\n```\n\n"
TABLE = "| a | b |\n|---|---|\n| 1 | a cell of some length |\n| 2 | and a last one |\n\n"
TRACED = ["devtools.timeline", "disabled-by-default-devtools.timeline.stack"]


class Told:
    """A run's frames, as a watch makes them."""

    def __init__(self) -> None:
        self.story = Story(a_spec(*(f"maker/{letter}" for letter in "abcdefgh"))).begin()
        self.cursor = Cursor(ALL, keeps=True)
        self.frames = Frames("w")

    def next(self, *, end: bool = False, fragments: bool = False) -> str:
        spec, state, frames = self.story.spec, self.story.state, self.frames
        step = frames.begin_step()
        places = {f"seat-{n}": state.latest(Step.PANEL, seat=n) for n in range(SEATS)}
        for place, call in {**places, "fused": state.final_call}.items():
            if call is None:
                continue
            if place not in frames.texts:
                frames.texts[place] = Text(f"text-{place}", StreamRenderer(), step)
            text = frames.texts[place]
            text.renderer.feed(call.text)
            anew = call.status.is_final and text.renderer.finish() is not None
            text.took_step(step, anew=anew)
        frames.take(status=state.status.value, figures=run_figures(spec, state))
        if fragments or end:
            made = run_fragments(run_context(spec, state, show_costs=True))
            frames.take_fragments(made, shown=ALL)
        frame = frames.next(self.cursor, all_texts=end)
        return frame + (',"end":true}' if end else "}") if frame else ""


def told() -> Iterator[str]:
    """Twelve words of each seat a second, in small steps, then the fused answer and the end."""
    run = Told()
    words = re.findall(r"\s*\S+|\s+", WRITTEN + TABLE + WRITTEN)
    yield run.next(fragments=True)
    for n, word in enumerate(words):
        for seat in range(SEATS):
            run.story.write(seat, word)
        yield run.next(fragments=n % 30 == 0)
    for seat in range(SEATS):
        run.story.fail(seat) if seat == FAILED else run.story.answer(seat)
        yield run.next(fragments=True)
    run.story.judge()
    yield run.next(fragments=True)
    run.story.analyse()
    run.story.synthesise("Fused. ")
    yield run.next(fragments=True)
    for word in words[:60]:
        [call] = [c for c in run.story.state.calls.values() if c.step is Step.SYNTHESIS]
        call.text += word
        yield run.next()
    run.story.complete()
    run.story.state.error = NOTICE
    yield run.next(end=True)


@pytest.fixture(scope="module")
def page_html(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    with django_db_blocker.unblock():
        owner = User.objects.create_user("owner-of-frames")
        run = Told().story.save(owner)
        client = Client()
        client.force_login(owner)
        html = client.get(f"/fusion/runs/{run.pk}").content.decode()
        # By the story's clock it has gone on for a minute, not for months.
        html = re.sub(r'data-now="[^"]+"', f'data-now="{Story().now + 83}"', html)
    yield html
    with django_db_blocker.unblock():
        client.logout()
        run.delete()
        owner.delete()


@pytest.fixture(scope="module")
def stream(page_html: str) -> list[str]:
    return list(filter(None, told()))


class Line:
    """The server's end of the page's socket."""

    def __init__(self) -> None:
        self.socket: WebSocketRoute | None = None
        self.acknowledged = 0
        self.complaints: list[str] = []

    def connect(self, socket: WebSocketRoute) -> None:
        self.socket = socket
        socket.on_message(self.hear)

    def hear(self, message: str | bytes) -> None:
        self.acknowledged = json.loads(message).get("ack", self.acknowledged)

    def wait(self, page: Page, condition: Callable[[], bool]) -> None:
        """A page whose scripts have broken says so instead of being waited for."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.complaints == []
            assert time.monotonic() < deadline, page.content()
            page.evaluate("new Promise(requestAnimationFrame)")


def opened(chromium: Browser, html: str, width: int) -> tuple[Page, Line]:
    page = chromium.new_context(viewport={"width": width, "height": 900}).new_page()
    line = Line()
    serve(page, lambda path: html)
    listen(page.context, line.complaints)
    page.route_web_socket(re.compile("/ws/"), line.connect)
    page.add_init_script(
        """window.shift = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) if (!entry.hadRecentInput) shift += entry.value;
        }).observe({ type: "layout-shift", buffered: true });"""
    )
    page.goto(HOST)
    line.wait(page, lambda: line.socket is not None)
    return page, line


def shown(page: Page, line: Line, frames: list[str]) -> None:
    """Each in a picture of its own, as they come from a server."""
    for frame in frames:
        assert line.socket
        line.socket.send(frame)
        at = json.loads(frame)["at"]
        line.wait(page, lambda at=at: line.acknowledged >= at)


def until_it_is_settled(page: Page) -> None:
    """Wide things can be reached once everything else is done."""
    until(lambda: page.evaluate("document.querySelector('#run').dataset.live === 'over'"))
    for _ in range(5):
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def forced(trace: bytes) -> list[str]:
    """Who asked for a layout, of each that a script asked for."""
    found = []
    for event in json.loads(trace)["traceEvents"]:
        stack = event.get("args", {}).get("beginData", {}).get("stackTrace")
        if event["name"] == "Layout" and stack and "/static/console/" in stack[0]["url"]:
            found.append(" < ".join(f"{at['functionName']}:{at['lineNumber']}" for at in stack))
    return found


def test_there_is_a_page_and_what_comes_to_it(page_html: str, stream: list[str]) -> None:
    assert page_html.count("data-text=") == SEATS + 1 and len(stream) > 100


@pytest.mark.parametrize("width", [1440, 360])
def test_nothing_jumps_and_no_script_forces_a_layout_while_a_run_is_written_and_at_its_end(
    chromium: Browser, page_html: str, stream: list[str], width: int
) -> None:
    """But what a table's cells need as they fill, and a header's buttons that come and go."""
    page, line = opened(chromium, page_html, width)
    # What comes late with the page itself is looked for in test_cold_load.py.
    page.evaluate("document.fonts.ready.then(() => { shift = 0; })")
    shown(page, line, stream[:1])
    chromium.start_tracing(page=page, categories=TRACED)
    try:
        shown(page, line, stream[1:])
        until_it_is_settled(page)
    finally:
        trace = chromium.stop_tracing()
    assert forced(trace) == []
    expect(page.locator("#run-badges")).to_contain_text("Without A")
    expect(page.locator("#seat-0-end")).to_contain_text("are kept")
    expect(page.locator("#run-notice")).to_be_in_viewport()
    assert page.evaluate("shift") < 0.01
    page.context.close()


COUNT_LOOKS = """() => {
  window.looked = [];
  for (const kind of [Element, Document]) {
    for (const name of ["querySelector", "querySelectorAll"]) {
      const look = kind.prototype[name];
      kind.prototype[name] = function (selector) {
        if (!this.closest?.(".seat-body > *")) looked.push(selector);
        return look.call(this, selector);
      };
    }
  }
  window.clock = document.getElementById("seat-0").querySelector(".seat-head [data-since]");
  window.before = clock.textContent;
  window.looked = [];
}"""


def test_with_words_and_with_clocks_nothing_is_looked_for_among_all_that_was_written(
    chromium: Browser, page_html: str, stream: list[str]
) -> None:
    page, line = opened(chromium, page_html, 1440)
    shown(page, line, stream[:1])
    page.evaluate(COUNT_LOOKS)
    words = [frame for frame in stream[1:40] if '"fragments"' not in frame]
    assert any('"figures"' in frame for frame in words)
    shown(page, line, words)
    until(lambda: page.evaluate("clock.isConnected && clock.textContent !== before"))
    assert page.evaluate("looked") == []
    page.context.close()


def test_a_forced_layout_is_seen(chromium: Browser, page_html: str, stream: list[str]) -> None:
    page, line = opened(chromium, page_html, 1440)
    shown(page, line, stream[:1])
    chromium.start_tracing(page=page, categories=TRACED)
    page.evaluate(
        """new Promise((done) => {
          const main = document.querySelector("#run");
          main.append("more"), done(main.offsetHeight);
        })"""
    )
    trace: Any = json.loads(chromium.stop_tracing())
    names = [e for e in trace["traceEvents"] if e["name"] == "Layout"]
    assert any(e.get("args", {}).get("beginData", {}).get("stackTrace") for e in names)
    page.context.close()


def test_on_a_phone_the_fused_answer_is_told_of_and_comes_first_when_it_is_asked_for(
    chromium: Browser, page_html: str, stream: list[str]
) -> None:
    page, line = opened(chromium, page_html, 360)
    ready = page.get_by_role("link", name="Fused answer ready")
    column, fused = page.locator("#seat-0"), page.locator("#fused-answer")
    shown(page, line, stream[:-1])
    expect(ready).to_be_hidden()
    before = column.bounding_box() or {}
    shown(page, line, stream[-1:])
    until_it_is_settled(page)
    assert column.bounding_box() == pytest.approx(before, abs=1)
    expect(fused).to_be_hidden()
    ready.click()
    expect(ready).to_be_hidden()
    expect(fused).to_be_focused()
    place = fused.bounding_box()
    assert place and -1 <= place["y"] < 300
    expect(column).to_be_hidden()
    page.locator(".rail [data-part=seat-0]").click()
    expect(column).to_be_visible()
    page.context.close()
