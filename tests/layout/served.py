"""What Django has rendered, as a browser gets it from a server: under the site's own policy, with
its static files beside it."""

from __future__ import annotations

import re
from collections.abc import Callable
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import urlsplit

from csp.utils import build_policy
from django.contrib.staticfiles import finders
from playwright.sync_api import BrowserContext, Page, Route

HOST = "http://layout.test"


def serve(to: BrowserContext | Page, html: Callable[[str], str]) -> None:
    """`html(path)` is the page at each address that is no static file's; of parts of pages that
    htmx asks for there is nothing new."""

    def answer(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path.startswith("/static/"):
            _give_static(route, path.removeprefix("/static/"))
        elif "hx-request" in route.request.headers:
            route.fulfill(status=204)
        else:
            _give_page(route, html(path))

    to.route("**/*", answer)


def _give_page(route: Route, html: str) -> None:
    nonce = re.search(r'nonce="([^"]+)"', html)
    policy = build_policy(nonce=nonce[1] if nonce else None)
    route.fulfill(body=html, content_type="text/html", headers={"Content-Security-Policy": policy})


def _give_static(route: Route, name: str) -> None:
    plain = re.sub(r"\.[0-9a-f]{12}(\.\w+)$", r"\1", name)
    if file := finders.find(plain):
        kind = guess_type(file)[0] or "application/octet-stream"
        route.fulfill(body=Path(file).read_bytes(), content_type=kind)
    else:
        route.fulfill(status=404)
