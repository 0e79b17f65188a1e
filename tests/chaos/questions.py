"""Runs that are in flight when something is killed, and what must be true of them after it."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.live.member import Member
from tests.stack import Rows, Stack
from tests.upstream import Received, Script, Upstream

from .witness import Witness

PANEL = ("seat-a", "seat-b", "seat-c")
JUDGE = "judge"
_tags = (f"question-{n:04}" for n in itertools.count(1))


def words(answer: int, count: int) -> str:
    """A text in which a word that is missing, doubled, or of another answer can be seen."""
    return "".join(
        f"{answer}.{n}" + ("\n\n" if n % 12 == 11 else " ") for n in range(count)
    ).strip()


@dataclass
class Questions:
    stack: Stack
    alice: Member
    upstream: Upstream
    luck: random.Random
    asked: dict[str, str] = field(default_factory=dict)  # run -> the tag in its prompt
    pace: float = 1

    def __post_init__(self) -> None:
        answers = itertools.count(len(self.upstream.requests) + 1)

        def answer(body: dict[str, Any]) -> Script:
            return Script(
                text=words(next(answers), self.luck.randint(50, 110)),
                first_token_after=self.luck.uniform(0.1, 0.5),
                tokens_per_second=self.luck.uniform(35, 60) * self.pace,
                cost=0.001,
            )

        for model in (*PANEL, JUDGE):
            self.upstream.script(model, answer)

    def ask(self) -> str:
        tag = next(_tags)
        run = self.alice.ask(*PANEL, judge=JUDGE, prompt=f"What is the answer to {tag}?")
        self.asked[run] = tag
        return run

    @asynccontextmanager
    async def in_flight(self, count: int) -> AsyncIterator[list[Witness]]:
        """As many runs, each watched from its beginning; at the end all of them must be over."""
        async with AsyncExitStack() as watching:
            witnesses = []
            for _ in range(count):
                run = await asyncio.to_thread(self.ask)
                witnesses.append(await watching.enter_async_context(Witness(self.alice, run)))
            yield witnesses

    def requests(self, run: str) -> list[Received]:
        return [c for c in self.upstream.calls if self.asked[run] in json.dumps(c.body["messages"])]

    def look(self) -> dict[str, Rows]:
        return self.stack.rows(*self.asked)

    def assert_completed(self, run: str, rows: Rows, interrupted: str = "worker_lost") -> None:
        """Every call made once, none that had ended made again, each request on record."""
        assert rows.run["status"] == "completed", rows.run
        requests = self.requests(run)
        for step, seat, model in (
            *(("panel", seat, model) for seat, model in enumerate(PANEL)),
            ("analysis", None, JUDGE),
            ("synthesis", None, JUDGE),
        ):
            calls = [c for c in rows.calls if (c["step"], c["seat"]) == (step, seat)]
            statuses = [c["status"] for c in calls]
            assert statuses == ["failed"] * (len(calls) - 1) + ["completed"], (run, step, calls)
            assert {c["reason"] for c in calls[:-1]} <= {interrupted}, (run, step, calls)
            sent = [c for c in calls if c["sent_at"]]
            received = [
                r for r in requests if r.model == model and r.wants_json == (step == "analysis")
            ]
            # A worker killed between saying that it sends and sending leaves a record
            # without a request; never a request without a record.
            silent = [c for c in sent[:-1] if not c["text"]]
            assert len(sent) - len(silent) <= len(received) <= len(sent), (run, step, calls)
            if step != "analysis":
                _assert_whole(calls[-1]["text"])

    def unsent(self, run: str, rows: Rows) -> int:
        """Calls on record as sent that the upstream never saw."""
        return sum(bool(c["sent_at"]) for c in rows.calls) - len(self.requests(run))


def _assert_whole(text: str) -> None:
    answer = text.split(".")[0]
    count = len(text.split())
    assert count >= 50 and text == words(int(answer), count), text


def resumed_after(rows: Rows, killed: float) -> float | None:
    """Seconds from the kill to the first call made after it."""
    later = [c["started_at"] - killed for c in rows.calls if c["started_at"] > killed]
    return min(later) if later else None


async def over(witnesses: list[Witness], seconds: float = 150) -> None:
    """Waits until every witness has seen the end."""
    began = time.monotonic()
    ends = await asyncio.gather(*(w.wait(seconds) for w in witnesses), return_exceptions=True)
    late = [w for w, end in zip(witnesses, ends, strict=True) if isinstance(end, BaseException)]
    assert not late, "\n".join(
        f"after {time.monotonic() - began:.0f} s run {w.run} shows {w.view.status}: "
        + re.sub(r"<[^>]*>|\s+", " ", str(w.view.fragments))[:1500]
        for w in late
    )
