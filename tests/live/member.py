"""A member of the team at the stack's pages: signs in, asks, watches by websocket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from html import escape
from html.parser import HTMLParser
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from console.markdown.open_line import SLOT
from tests.stack import Stack

FINAL = ("completed", "failed", "cancelled")


class Member:
    def __init__(self, stack: Stack, name: str = "", password: str = "") -> None:
        self.stack = stack
        self.http = httpx.Client(base_url=stack.url, follow_redirects=True, timeout=60)
        if name:
            page = self.post("/sign-in", {"username": name, "password": password})
            assert page.status_code == 200 and "sessionid" in self.http.cookies, page.text[:2000]

    def __enter__(self) -> Member:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def post(
        self, path: str, data: dict[str, Any], token_from: str = "", files: Any = None
    ) -> httpx.Response:
        self.http.get(token_from or path)
        data = data | {"csrfmiddlewaretoken": self.http.cookies.get("csrftoken", "")}
        referer = {"Referer": self.stack.url + path}
        return self.http.post(path, data=data, files=files, headers=referer)

    def ask(
        self, *panel: str, judge: str = "judge", prompt: str = "What is the answer?", **form: str
    ) -> str:
        """The new run's id."""
        page = self.post(
            "/fusion",
            {"prompt": prompt, "preset": "custom", "panel": list(panel), "judge": judge} | form,
        )
        found = re.search(r"/fusion/runs/([0-9a-f-]{36})$", page.url.path)
        assert found, page.text[:3000]
        return found[1]

    def page(self, run_id: str) -> Page:
        answer = self.http.get(f"/fusion/runs/{run_id}")
        assert answer.status_code == 200, answer.status_code
        return Page(answer.text)

    def until(self, run_id: str, *statuses: str, seconds: float = 90) -> Page:
        from tests.stack import until

        def there() -> Page | None:
            page = self.page(run_id)
            return (
                page if page.status in (statuses or ("completed", "failed", "cancelled")) else None
            )

        page: Page = until(there, seconds, every=0.2)
        return page

    def socket(self, run_id: str, **headers: str) -> connect:
        cookies = "; ".join(f"{k}={v}" for k, v in self.http.cookies.items())
        return connect(
            f"ws://127.0.0.1:{self.stack.port}/ws/runs/{run_id}",
            additional_headers={"Cookie": cookies},
            origin=headers.get("origin", self.stack.url),  # type: ignore[arg-type]
            open_timeout=60,
        )


class Page(HTMLParser):
    """The run's page: its status and, by place, the text in its text containers."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        self.status = ""
        self.texts: dict[str, str] = {}
        self._place = ""
        self._depth = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if known.get("id") == "run":
            self.status = known.get("data-status") or ""
        if "data-text" in known:
            self._place, self._depth = known["data-text"] or "", 0
            self.texts[self._place] = ""
        if self._place and tag == "div":
            self._depth += 1

    def handle_endtag(self, tag: str) -> None:
        if self._place and tag == "div":
            self._depth -= 1
            if self._depth == 0:
                self._place = ""

    def handle_data(self, data: str) -> None:
        if self._place:
            self.texts[self._place] += data


def read(frame: str) -> dict[str, Any]:
    """What a watch makes, which leaves the closing brace to whoever sends it."""
    body: dict[str, Any] = json.loads((frame or "{") + "}")
    return body


async def received(socket: ClientConnection) -> dict[str, Any]:
    """A frame, put together as run/socket.js does it."""
    parts = ""
    while (message := str(await socket.recv())).startswith("+"):
        parts += message[1:]
    frame: dict[str, Any] = json.loads(parts + message[1:] if message[0] == "=" else message)
    return frame


def first(units: int, html: str) -> str:
    """As JavaScript counts."""
    return html.encode("utf-16-le", "surrogatepass")[: 2 * units].decode(
        "utf-16-le", "surrogatepass"
    )


class View:
    """What a browser shows after applying frames, as static/console/run/frames.js applies them."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}  # of texts, to places
        self.places: dict[str, dict[str, str]] = {}
        self.figures: dict[str, str] = {}
        self.fragments: dict[str, str] = {}
        self.status = ""
        self.ended = False
        self.watch, self.step = "", 0  # its position

    def apply(self, frame: dict[str, Any]) -> None:
        self.watch, self.step = frame.get("watch", self.watch), frame.get("at", self.step)
        names = frame.get("places", {})
        self.names |= {name: place for place, name in names.items()}
        for change in frame.get("texts", []):
            empty = {"final": "", "block": "", "line": ""}
            text = self.places.setdefault(self.names.get(change["id"], change["id"]), empty)
            if change.get("reset"):
                text.update(empty)
            text["final"] += first(change.get("keep", 0), text["block"]) + change.get("final", "")
            if "patch" in change:
                keep, rest = change["patch"]
                text["block"] = first(keep, text["block"]) + rest
            text["block"] = change.get("block", text["block"])
            text["line"] = change.get("line", text["line"] + change.get("tail", ""))
        self.fragments |= frame.get("fragments", {})
        self.figures |= frame.get("figures", {})
        self.status = frame.get("status", self.status)
        self.ended = self.ended or frame.get("end", False)

    def html(self, place: str) -> str:
        """What is rendered of it, with the open line where it stands."""
        text = self.places.get(place, {"final": "", "block": "", "line": ""})
        return text["final"] + text["block"].replace(SLOT, escape(text["line"]))

    def text(self, place: str) -> str:
        page = Page(f'<div data-text="x"><div>{self.html(place)}</div></div>')
        return page.texts["x"]

    async def follow(
        self, socket: ClientConnection, until: Any = None, seconds: float = 90
    ) -> None:
        """Applies frames until `until(self)`, or the end of the run."""
        async with asyncio.timeout(seconds):
            while not self.ended and not (until and until(self)):
                frame = await received(socket)
                self.apply(frame)
                # The server may have said all and closed before this is acknowledged.
                if "at" in frame:
                    with contextlib.suppress(ConnectionClosed):
                        await socket.send(json.dumps({"ack": frame["at"]}))
