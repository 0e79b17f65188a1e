"""A page that was refused a socket asks for frames, and tries a socket again now and then."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Browser, Route, WebSocketRoute

from tests.layout.served import HOST, serve
from tests.layout.test_forced_layouts import page_html, stream

__all__ = ["page_html", "stream"]
pytestmark = pytest.mark.browser

# The page's clock is the test's, the network's is not: how much the page waits for.
WAITS = """
window.waits = 0;
const ask = window.fetch;
window.fetch = async (...asked) => {
  waits += 1;
  try {
    const answer = await ask(...asked);
    return new Response((await answer.text()) || null, answer);
  } finally {
    waits -= 1;
  }
};
window.WebSocket = class extends WebSocket {
  constructor(...asked) {
    super(...asked);
    let opens = 1;
    const told = () => (waits -= opens, opens = 0);
    waits += opens;
    this.addEventListener("message", told);
    this.addEventListener("close", told);
  }
};
"""


def test_there_is_a_page_of_a_run_under_way(page_html: str, stream: list[str]) -> None:
    assert 'data-status="running"' in page_html


def test_a_page_that_was_refused_a_socket_tries_again_after_growing_pauses_until_it_has_one(
    chromium: Browser, page_html: str, stream: list[str]
) -> None:
    page = chromium.new_context().new_page()
    tried: list[int] = []
    asked: list[int] = []
    second = 0
    open_from = 100

    def connect(socket: WebSocketRoute) -> None:
        tried.append(second)
        if second < open_from:
            socket.close(code=4429)
        else:
            socket.send(stream[0])

    def answer(route: Route) -> None:
        asked.append(second)
        route.fulfill(json={})

    serve(page, lambda path: page_html)
    page.route(re.compile(r"/frames\?"), answer)
    page.route_web_socket(re.compile("/ws/"), connect)
    page.add_init_script(WAITS)
    page.clock.install(time=0)
    page.clock.pause_at(1)
    page.goto(HOST)
    while second < 200 and not (tried and open_from <= tried[-1] <= second - 5):
        second += 1
        page.clock.run_for(1000)
        until = time.monotonic() + 30
        while page.evaluate("waits") and time.monotonic() < until:
            pass
    refused = [at for at in tried if at < open_from]
    pauses = [b - a for a, b in zip(refused, refused[1:], strict=False)]
    assert len(pauses) >= 3 and pauses == sorted(pauses) and pauses[-1] <= 63
    assert len(tried) == len(refused) + 1  # and with a socket it asks no more
    assert len(asked) > 30 and max(asked) <= tried[-1]
    assert page.locator("#run-asking").is_hidden()
    page.context.close()
