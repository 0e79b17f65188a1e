"""A page behind a proxy without websockets asks for what the socket would have sent."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.live.member import Member, View
from tests.prose import words
from tests.stack import Stack, until
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.live


class Asking:
    """As static/console/run/socket.js asks where no socket comes through."""

    def __init__(self, http: httpx.Client, path: str) -> None:
        self.view, self.resets, self._http, self._path = View(), 0, http, path
        self._watch, self._step = "", 0

    def ask(self, **query: str) -> dict[str, Any]:
        after = f"{self._watch}-{self._step}" if self._watch else ""
        answer = self._http.get(self._path, params={"after": after} | query)
        assert answer.status_code == 200, answer.text[:500]
        assert answer.headers["Cache-Control"] == "no-store"
        frame: dict[str, Any] = answer.json()
        self._watch, self._step = frame.get("watch", self._watch), frame.get("at", self._step)
        self.resets += sum("reset" in text for text in frame.get("texts", []))
        self.view.apply(frame)
        return frame


def test_who_asks_sees_what_the_socket_shows_and_nothing_twice(
    alice: Member, upstream: Upstream
) -> None:
    upstream.script("writes", Script(text=words(120), tokens_per_second=80))
    run = alice.ask("writes", "good")
    asking = Asking(alice.http, f"/fusion/runs/{run}/frames")
    until(lambda: asking.ask().get("end"), 90, every=0.3)
    page = alice.page(run)
    assert asking.view.status == page.status == "completed"
    for place in ("seat-0", "seat-1", "fused"):
        assert asking.view.text(place).split() == page.texts[place].split(), place
    # Each text began once and then went on.
    assert asking.resets == 3
    assert asking.ask() == {"end": True}


def test_only_texts_that_are_wanted_are_sent(alice: Member, upstream: Upstream) -> None:
    upstream.script("waits", Script(text="Hello there world", hold_after=1))
    upstream.hold(everything=False)
    run = alice.ask("waits", "waits")
    asking = Asking(alice.http, f"/fusion/runs/{run}/frames")
    until(lambda: asking.ask(want="seat-1") and "Hello" in asking.view.text("seat-1"), 60)
    assert asking.view.text("seat-0") == ""
    upstream.release()
    until(lambda: asking.ask(want="seat-1").get("end"), 60)
    assert "world" in asking.view.text("seat-0") + asking.view.text("seat-1")


def test_frames_are_for_who_may_read_the_run(
    alice: Member, bob: Member, stack: Stack, upstream: Upstream
) -> None:
    run = alice.ask("good", "good")
    path = f"/fusion/runs/{run}/frames"
    alice.until(run, "completed")
    with Member(stack) as visitor:
        assert bob.http.get(path).status_code == visitor.http.get(path).status_code == 404
        alice.post(f"/fusion/runs/{run}/share", {"visibility": "team"}, f"/fusion/runs/{run}")
        assert bob.http.get(path).json()["status"] == "completed"
        assert visitor.http.get(path).status_code == 404
        page = f"/fusion/runs/{run}"
        made = alice.post(f"{page}/share", {"visibility": "link"}, page)
        link = re.search(r"/fusion/shared/[\w-]+", made.text)
        assert link
        shared = visitor.http.get(f"{link[0]}/frames").json()
        assert shared["end"] and "receipt" not in shared["fragments"]
        assert bob.http.get(path).status_code == 404
    assert alice.http.post(path).status_code in (403, 405)
