"""What Django has rendered, as a browser gets it from a server: under the site's own policy, with
its static files beside it.

One server in this process has all of it: to answer a browser's requests one by one through
Playwright takes a processor ten times as long as to render the page and show it. A visitor's
requests say which page is theirs.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import urlsplit

from csp.utils import build_policy
from django.contrib.staticfiles import finders
from playwright.sync_api import BrowserContext, Page

HOST = "http://layout.test"
VISITOR = "X-Visitor"
NOWHERE = "/nowhere"  # a page on which nothing stands
Html = Callable[[str], str]


def serve(to: BrowserContext | Page, html: Html) -> None:
    """`html(path)` is the page at each address that is no static file's; of parts of pages that
    htmx asks for there is nothing new."""
    visitor = str(next(_Handler.visitors))
    _Handler.pages[visitor] = html
    to.set_extra_http_headers({VISITOR: visitor})


@cache
def flags() -> list[str]:
    """Of a Chromium for which HOST is the server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return [f"--host-resolver-rules=MAP layout.test:80 127.0.0.1:{server.server_port}"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    visitors, pages = count(1), dict[str, Html]()

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/static/"):
            self._give(*static(path.removeprefix("/static/")))
        elif path == NOWHERE:
            self._give(HTTPStatus.OK, "text/html", b"<!doctype html><title>Nowhere</title>")
        elif "hx-request" in self.headers or not (html := self.pages.get(self._visitor)):
            self._give(HTTPStatus.NO_CONTENT)
        else:
            page = html(path)
            nonce = re.search(r'nonce="([^"]+)"', page)
            policy = build_policy(nonce=nonce[1] if nonce else None)
            self._give(HTTPStatus.OK, "text/html", page.encode(), policy)

    do_POST = do_GET

    def do_HEAD(self) -> None:
        """A page that is left open asks whether it may stay."""
        self._give(HTTPStatus.NO_CONTENT)

    @property
    def _visitor(self) -> str:
        return self.headers.get(VISITOR, "")

    def _give(
        self, status: HTTPStatus, kind: str | None = None, body: bytes = b"", policy: str = ""
    ) -> None:
        # What was sent is not looked at, and is not the next request either.
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response_only(status)
        if kind:
            self.send_header("Content-Type", kind)
        if policy:
            self.send_header("Content-Security-Policy", policy)
        elif status == HTTPStatus.OK:  # static: a window that loads again has it
            self.send_header("Cache-Control", "max-age=3600")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@cache
def static(name: str) -> tuple[HTTPStatus, str | None, bytes]:
    plain = re.sub(r"\.[0-9a-f]{12}(\.\w+)$", r"\1", name)
    if file := finders.find(plain):
        return HTTPStatus.OK, guess_type(file)[0], Path(file).read_bytes()
    return HTTPStatus.NOT_FOUND, None, b""
