"""Many fusions at once on one database, followed by programs and pages."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from tests.live.conftest import PASSWORD
from tests.live.member import Member, View
from tests.prose import words
from tests.stack import PATIENCE, Stack, until
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.live

MANY = 12
SEATS = ("many-one", "many-two", "many-three")
PANEL = {
    "panel": [f"openai:{seat}" for seat in SEATS],
    "judge": "openai:many-judge",
    "synthesizer": "openai:many-writer",
}
# Of a call that is over, by its key.
ENDS = {"panel.completed", "analysis.completed", "synthesis.completed"}


@dataclass
class Told:
    """What the events of one run said, folded as docs/api.md tells programs to."""

    ids: list[str] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    ends: Counter[str] = field(default_factory=Counter)
    last: str = ""

    def hear(self, id: str, name: str, data: dict[str, Any]) -> None:
        self.last = name
        if name != "run.snapshot":  # which stands in place of all before it, as often as it comes
            self.ids.append(id)
        call = data.get("call", "")
        if name == "run.snapshot":
            calls = data["run"]["calls"]
            # Of an analysis no delta is told: where it is under way, its text is not known yet.
            told = [call for call in calls if call["step"] != "analysis"]
            self.texts = {call["key"]: call["text"] for call in told}
            self.ends = Counter(c["key"] for c in calls if c["status"] == "completed")
        elif name in ("panel.delta", "synthesis.delta"):
            self.texts[call] = self.texts.get(call, "") + data["text"]
        elif name in ENDS:
            self.ends[call] += 1


async def followed(http: httpx.AsyncClient, run_id: str) -> Told:
    told, fields = Told(), dict[str, str]()
    async with http.stream("GET", f"/v1/runs/{run_id}/events") as reply:
        assert reply.status_code == 200
        async for line in reply.aiter_lines():
            if not line and "data" in fields:
                told.hear(fields.get("id", ""), fields["event"], json.loads(fields["data"]))
            if not line:
                fields = {}
            elif not line.startswith(":"):
                name, _, value = line.partition(": ")
                fields[name] = value
    return told


async def test_all_end_nothing_is_locked_and_every_event_is_told_once(
    patient: Stack, upstream: Upstream
) -> None:
    said = {seat: words(120, of=seat) for seat in SEATS}
    for seat, text in said.items():
        upstream.script(seat, Script(text=text, tokens_per_second=100))
    fused = words(150, of="all")
    upstream.script("many-judge", Script(judge=Script()))
    upstream.script("many-writer", Script(text=fused, tokens_per_second=100))
    earlier = len(patient.log.read_text())
    key = patient.token("alice")
    before = len(upstream.calls)
    views = [View() for _ in range(MANY)]
    async with httpx.AsyncClient(
        base_url=patient.url, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE
    ) as http:

        async def one(number: int, alice: Member) -> tuple[dict[str, Any], Told]:
            body = {"model": "fusion", "prompt": f"Question {number}?", "fusion": PANEL}
            started = await http.post("/v1/runs", json=body)
            assert started.status_code == 202, started.text
            run_id = started.json()["id"]
            async with alice.socket(run_id) as socket:
                told, _ = await asyncio.gather(
                    followed(http, run_id), views[number].follow(socket, seconds=PATIENCE)
                )
            return (await http.get(f"/v1/runs/{run_id}")).json(), told

        with Member(patient, "alice", PASSWORD) as alice:
            results = await asyncio.gather(*(one(number, alice) for number in range(MANY)))
    asked = Counter(call.model for call in upstream.calls[before:])
    assert asked == Counter(dict.fromkeys([*SEATS, "many-judge", "many-writer"], MANY))
    for (run, told), view in zip(results, views, strict=True):
        assert run["status"] == view.status == "completed" and run["answer"] == fused
        assert told.last == "run.completed"
        assert told.ends == Counter(call["key"] for call in run["calls"])
        assert set(told.ends.values()) == {1}
        assert len(set(told.ids)) == len(told.ids)
        for call in run["calls"]:
            assert told.texts.get(call["key"], call["text"]) == call["text"]
        for seat, text in enumerate(said.values()):
            assert view.text(f"seat-{seat}").split() == text.split()
    log = patient.log.read_text()[earlier:]
    assert "database is locked" not in log and "Traceback" not in log


async def test_forty_runs_of_one_worker_all_begin_at_once(
    patient: Stack, upstream: Upstream
) -> None:
    """Their models wait until all of them were asked."""
    upstream.script("many-waiting", Script(text=words(20), hold_after=1))
    upstream.hold(everything=False)
    key = patient.token("alice", "--concurrent-runs", "0")
    panel = {"panel": ["openai:many-waiting"], "judge": "openai:many-judge"}
    async with httpx.AsyncClient(
        base_url=patient.url, headers={"Authorization": f"Bearer {key}"}, timeout=PATIENCE
    ) as http:
        bodies = [
            {"model": "fusion", "prompt": f"Question {number}?", "fusion": panel}
            for number in range(40)
        ]
        started = [(await http.post("/v1/runs", json=body)).json()["id"] for body in bodies]
        await asyncio.to_thread(until, lambda: len(upstream.calls_of("many-waiting")) == 40)
        upstream.release()
        for run_id in started:
            assert (await followed(http, run_id)).last == "run.completed"
    assert len(upstream.calls_of("many-waiting")) == 40
