"""Somebody at the pages: signs in, submits the form, opens the run's page and its socket, applies
and acknowledges frames of protocol 2, and fetches what follows at the end, as the page's script
does. What the texts say are moments, so a viewer knows how old each word was when it was shown."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from tests.benchmarks import socket
from tests.benchmarks.site import PASSWORD, PERSON, run_id
from tests.benchmarks.upstream import STAMP, age, name
from tests.live.member import first

SEATS = 6
SOON = 0.3  # before a lost socket is opened anew
PATIENCE = 240.0


class Member:
    """Signed in. Enter it."""

    def __init__(self, url: str, person: str = PERSON) -> None:
        self.url, self._person = url, person
        limits = httpx.Limits(max_connections=None)
        self.http = httpx.AsyncClient(
            base_url=url, follow_redirects=True, timeout=PATIENCE, limits=limits
        )

    async def __aenter__(self) -> Self:
        await self.http.get("/sign-in")
        page = await self._post("/sign-in", {"username": self._person, "password": PASSWORD})
        if "sessionid" not in self.http.cookies:
            raise SystemExit(f"Signing in failed: {page.status_code}")
        await self.http.get("/fusion")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    @property
    def cookies(self) -> str:
        return "; ".join(f"{k}={v}" for k, v in self.http.cookies.items())

    async def _post(self, path: str, form: dict[str, Any]) -> httpx.Response:
        form = form | {"csrfmiddlewaretoken": self.http.cookies.get("csrftoken", "")}
        return await self.http.post(path, data=form, headers={"Referer": f"{self.url}{path}"})

    async def ask(self, panel: Sequence[str], judge: str, mark: str) -> Run:
        submitted = time.monotonic()
        page = await self._post(
            "/fusion",
            {
                "prompt": f"What is the answer? mark-{mark}",
                "preset": "custom",
                "panel": [f"openai:{model}" for model in panel],
                "judge": f"openai:{judge}",
            },
        )
        return Run(self, run_id(page.url.path), mark, submitted)

    async def cancel(self, run: str) -> None:
        await self._post(f"/fusion/runs/{run}/cancel", {})


@dataclass
class Run:
    member: Member
    id: str
    mark: str
    submitted_at: float

    @property
    def path(self) -> str:
        return f"/fusion/runs/{self.id}"


@dataclass
class Text:
    """What stands on the page of one, and how many of its words were seen."""

    final: list[str] = field(default_factory=list)
    block: str = ""
    line: str = ""
    in_final: int = 0
    in_block: int = 0
    in_line: int = 0
    seen: int = 0


class Page:
    """Applies frames as static/console/run/frames.js does, and notes each word's age."""

    def __init__(self) -> None:
        self.texts: dict[str, Text] = {}
        self.places: dict[str, str] = {}  # place -> id of the text that stands there
        self.ages: list[tuple[float, float]] = []  # when shown, how old
        self.firsts: list[float] = []  # of each text's first word, its age
        self.shown_at: dict[str, float] = {}  # and when, by the text's id
        self.status = ""
        self.ended_at = 0.0

    def apply(self, frame: dict[str, Any]) -> None:
        now = time.monotonic()
        self.places |= frame.get("places", {})
        for change in frame.get("texts", ()):
            self._change(self.texts.setdefault(change["id"], Text()), change, now)
        self.status = frame.get("status", self.status)
        if frame.get("end"):
            self.ended_at = now

    def _change(self, text: Text, change: dict[str, Any], now: float) -> None:
        new: list[str] = []  # words, the newest last
        if change.get("reset"):
            text.final, text.block, text.line = [], "", ""
            text.in_final = text.in_block = text.in_line = 0
        keep, final = change.get("keep", 0), change.get("final", "")
        if final := first(keep, text.block) + final:
            text.final.append(final)
            words = STAMP.findall(final)
            text.in_final += len(words)
            new += words
        if "patch" in change:
            keep, rest = change["patch"]
            change = change | {"block": first(keep, text.block) + rest}
        if "block" in change:
            text.block = change["block"]
            words = STAMP.findall(text.block)
            text.in_block = len(words)
            new += words
        if "line" in change:
            text.line = change["line"]
            words = STAMP.findall(text.line)
            text.in_line = len(words)
            new += words
        elif tail := change.get("tail"):
            text.line += tail
            words = STAMP.findall(tail)
            text.in_line += len(words)
            new += words
        there = text.in_final + text.in_block + text.in_line
        if (fresh := there - text.seen) > 0:
            ages = [age(word, now) for word in new[-fresh:]]
            if text.seen == 0:
                self.firsts.append(ages[0])
                self.shown_at[change["id"]] = now
            self.ages += [(now, one) for one in ages]
            text.seen = there

    def first_at(self, place: str) -> float:
        """When its first word was shown."""
        return self.shown_at[self.places[place]]

    def html(self, place: str) -> str:
        text = self.texts.get(self.places.get(place, ""), Text())
        return "".join(text.final) + text.block + text.line


class Viewer:
    """At a run's page until its end. `reads` as little as it can where nobody asks its page."""

    def __init__(self, run: Run, *, reads: bool = True) -> None:
        self.run, self.page = run, Page()
        self.frames = self.bytes = 0
        self._reads = reads
        self._watch, self._at, self._parts = "", 0, ""
        self._socket: socket.Socket | None = None
        self._early: list[int] = []  # frames that came with the socket's opening
        self.is_over = False
        self.before_acknowledging: Callable[[], float] | None = None  # seconds

    async def follow(self, *, page_first: bool = True) -> Page:
        """The run's page was fetched by submitting; `page_first` is for who comes later."""
        async with asyncio.timeout(PATIENCE):
            if page_first:
                await self.run.member.http.get(self.run.path)
            while not self.is_over:
                try:
                    code = await self.once()
                except socket.Refused:
                    code = 1006
                if code == 4404:
                    raise SystemExit(f"The page of run {self.run.id} may not be read.")
                if not self.is_over:
                    await asyncio.sleep(SOON)
            await self.run.member.http.get(self.run.path, headers={"HX-Request": "true"})
        return self.page

    async def once(self) -> int:
        """One socket, until it closes: its code."""
        position = f"{self._watch}-{self._at}" if self._at else ""
        self._parts, self._socket, self._early = "", None, []
        self._socket = await socket.connect(
            self.run.member.url,
            f"/ws/runs/{self.run.id}?after={position}&can=keep",
            cookies=self.run.member.cookies,
            on_text=self._take if self._reads else self._pass_by,
        )
        for at in self._early:
            self._acknowledge(at)
        try:
            return await self._socket.closed
        finally:
            self.bytes += self._socket.received
            self._socket.close()

    def cut(self) -> None:
        """The line breaks."""
        if self._socket:
            self._socket.close()

    def _take(self, message: str) -> None:
        if message[0] == "+":
            self._parts += message[1:]
            return
        frame = json.loads(self._parts + message[1:] if message[0] == "=" else message)
        self._parts = ""
        self.frames += 1
        self._watch = frame.get("watch", self._watch)
        self.page.apply(frame)
        self.is_over = self.is_over or bool(frame.get("end"))
        if at := frame.get("at"):
            self._at = at
            wait = self.before_acknowledging() if self.before_acknowledging else 0
            if wait:
                asyncio.get_running_loop().call_later(wait, self._acknowledge, at)
            else:
                self._acknowledge(at)

    def _pass_by(self, message: str) -> None:
        """A frame begins with its step, which is all that is needed to be sent the next."""
        if message[0] == "+":
            self._parts = self._parts or message[1:40]
            return
        self._parts, head = "", self._parts or message.lstrip("=")[:40]
        self.frames += 1
        self.is_over = self.is_over or message.endswith('"end":true}')
        if head.startswith('{"at":'):
            self._acknowledge(int(head[6:].partition(",")[0].rstrip("}")))

    def _acknowledge(self, at: int) -> None:
        if self._socket:
            self._socket.say(f'{{"ack":{at}}}')
        else:
            self._early.append(at)


def panel(tokens: int, per_second: int = 50, seats: int = SEATS) -> list[str]:
    return [name(tokens, per_second, of=f"seat{n}") for n in range(seats)]


def judge(tokens: int = 100, per_second: int = 50) -> str:
    return name(tokens, per_second, of="judge")
