"""A viewer who follows a run throughout and notes whatever a reader must never see."""

from __future__ import annotations

import asyncio
import json
from typing import Any, Self

from websockets.exceptions import WebSocketException

from tests.live.member import Member, View, received

PLACES = ("seat-0", "seat-1", "seat-2", "fused")


class Witness:
    """Reconnects as the page does, keeping on show what it has."""

    def __init__(self, member: Member, run: str) -> None:
        self.run, self.view = run, View()
        self.faults: list[str] = []
        self.taken_back = 0  # how often text went back, as it may when Redis forgets
        self.sockets = 0
        self._member = member
        self._shown: dict[str, tuple[int, int]] = {}  # place -> (answer, words of it)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def wait(self, seconds: float) -> None:
        async with asyncio.timeout(seconds):
            await asyncio.shield(self._task)

    async def _watch(self) -> None:
        while not self.view.ended:
            try:
                async with self._member.socket(self.run) as socket:
                    self.sockets += 1
                    while not self.view.ended:
                        frame = await received(socket)
                        self.view.apply(frame)
                        texts = frame.get("texts", [])
                        self._check({self.view.names[t["id"]] for t in texts if "reset" in t})
                        if "at" in frame:
                            await socket.send(json.dumps({"ack": frame["at"]}))
            except (OSError, TimeoutError, WebSocketException):
                pass
            if not self.view.ended:
                await asyncio.sleep(0.3)

    def _check(self, reset: set[str]) -> None:
        for place in PLACES:
            shown = self.view.text(place).split()
            if not shown:
                continue
            answer = int(shown[0].split(".")[0])
            if shown != [f"{answer}.{n}" for n in range(len(shown))]:
                self.faults.append(f"{place} shows {shown}")
            before = self._shown.get(place, (0, 0))
            if (answer, len(shown)) < before:
                if place in reset and answer == before[0]:
                    self.taken_back += 1
                else:
                    self.faults.append(f"{place} went back from {before} to {answer, len(shown)}")
            self._shown[place] = (answer, len(shown))

    def assert_saw_all(self, page: Any, rows: Any, *, taken_back: bool = False) -> None:
        """What stood there live, what a reload shows and what is saved are one."""
        assert not self.faults, self.faults
        assert taken_back or not self.taken_back, f"text went back {self.taken_back} times"
        assert self.view.status == page.status == rows.run["status"]
        last = {
            f"seat-{c['seat']}" if c["step"] == "panel" else "fused": c["text"]
            for c in rows.calls
            if c["step"] != "analysis"
        }
        for place in PLACES:
            texts = [self.view.text(place), page.texts[place], last[place]]
            assert texts[0].split() == texts[1].split() == texts[2].split(), (place, texts)
