"""Hostile text in a real Chromium, without a content security policy to help.

The visitor's only way out is a proxy of this test, which serves the page and writes down
every request: what the page does not ask for, no one was told.
"""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from django.contrib.staticfiles import finders
from playwright.sync_api import Browser

from console.markdown import render
from tests.hostile_markdown import PAYLOADS, RAW

pytestmark = pytest.mark.browser

PAGE = """<!doctype html><title>page</title>
<script>window.ran = 0; window.pwned = () => {{ window.ran += 1; return true }}</script>
<script src="/htmx.js"></script>
<main>{}</main>"""


class Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        htmx = finders.find("django_htmx/htmx-2.min.js")
        assert isinstance(htmx, str)
        with open(htmx, "rb") as file:
            self.pages = {"http://site.test/htmx.js": file.read()}
        self.asked: list[str] = []

    def seen(self) -> list[str]:
        """Requests a payload caused: to its host, or to ours with the reader's cookies."""
        return [address for address in self.asked if "evil.test" in address or "/gadget" in address]


class Handler(BaseHTTPRequestHandler):
    server: Proxy

    def answer(self) -> None:
        self.server.asked.append(self.path)
        body = self.server.pages.get(self.path)
        self.send_response(404 if body is None else 200)
        self.send_header(
            "Content-Type", "text/html" if "htmx" not in self.path else "text/javascript"
        )
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_CONNECT = answer

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy() as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def visit(browser: Browser, proxy: Proxy, pages: list[str]) -> tuple[int, int]:
    """How often script ran, and how many dialogs opened, on pages with such contents."""
    ran = 0
    dialogs: list[str] = []
    address_of_proxy = f"http://127.0.0.1:{proxy.server_port}"
    with browser.new_context(proxy={"server": address_of_proxy}) as context:
        page = context.new_page()
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        for number, content in enumerate(pages):
            address = f"http://site.test/{number}"
            proxy.pages[address] = PAGE.format(content).encode()
            page.goto(address, wait_until="load")
            page.wait_for_timeout(500)
            if page.url == address:  # or else a payload led it away
                ran += page.evaluate("window.ran")
    return ran, len(dialogs)


def test_raw_markup_does_run_and_does_ask_other_hosts(browser: Browser, proxy: Proxy) -> None:
    # Some payloads swallow or leave the page they are on, so each group of a few has its own.
    groups = ["".join(RAW[start : start + 12]) for start in range(0, len(RAW), 12)]
    ran, _ = visit(browser, proxy, groups)
    assert ran >= 20
    assert sum("evil.test" in address for address in proxy.seen()) >= 5
    assert sum("/gadget" in address for address in proxy.seen()) >= 3


def test_rendered_text_runs_nothing_and_asks_nobody(browser: Browser, proxy: Proxy) -> None:
    shown = "".join(f"<article>{render(payload)}</article>" for payload in PAYLOADS)
    assert visit(browser, proxy, [shown]) == (0, 0)
    assert proxy.seen() == []
    assert {address for address in proxy.asked if "site.test" in address} <= {
        "http://site.test/0",
        "http://site.test/htmx.js",
        "http://site.test/favicon.ico",
    }
