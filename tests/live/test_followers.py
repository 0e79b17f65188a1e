"""Twelve things that happen to a run, its log or its readers, before all six kinds of readers.

Whatever happens: each is told the rows' text in the end; or, where the run was deleted or may not
be read any more, is refused in its own words within five seconds, as many times longer as the
machine takes for everything, and told not one byte after.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.live.conftest import PASSWORD, add_people, make_stack
from tests.live.member import Member
from tests.live.readers import (
    ASK,
    OfAChat,
    OfAResponse,
    OfATool,
    OfEvents,
    OfTheShell,
    OnThePage,
    Reader,
)
from tests.slowed import Slowed
from tests.stack import PATIENCE, Stack, until
from tests.upstream import Script, Upstream, sse

pytestmark = pytest.mark.live

SET_UP = """
from console.models import Credential, Preset
openai = Credential.objects.get(slug="openai")
preset = Preset.objects.create(
    slug="readers", name="Readers", judge_model="judge", judge_credential=openai,
    synthesizer_model="writer", synthesizer_credential=openai)
for seat, model in enumerate(("first", "second")):
    preset.panelists.create(seat=seat, model=model, credential=openai)
"""
CANCEL = """
from console.models import Run
from console.services.runs import run_cancel
run_cancel(run=Run.objects.get(pk={run_id!r}))
"""
BEGUN = "It is a long answer, and it begins like this, "
WHOLE = f"{BEGUN}and it ends like that."


@dataclass
class Scene:
    stack: Stack
    upstream: Upstream
    alice: str  # a token of hers
    bob: Member
    key: str  # a token of his
    chat_key: str = ""
    response_key: str = ""
    gates: dict[str, threading.Event] = field(default_factory=dict)
    readers: list[Reader] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def script(self) -> None:
        """Models that wait for the scene's word before they begin, and the last before its end."""
        self.gates = {name: threading.Event() for name in ("panel", "writer", "end")}
        answer = Script(raw=[self.gates["panel"], sse.text("Seen. "), sse.STOP])
        end = [self.gates["end"], sse.text(WHOLE.removeprefix(BEGUN)), sse.STOP]
        self.upstream.script("first", answer)
        self.upstream.script("second", answer)
        self.upstream.script("writer", Script(raw=[self.gates["writer"], sse.text(BEGUN), *end]))

    def let(self, *gates: str) -> None:
        for gate in gates:
            self.gates[gate].set()

    def post(self, key: str, path: str, **body: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {key}"}
        answer = httpx.post(
            f"{self.stack.url}/v1{path}", json=body, headers=headers, timeout=PATIENCE
        )
        assert answer.status_code < 300, answer.text
        said: dict[str, Any] = answer.json()
        return said

    def begin(self) -> None:
        """A run of alice's that the team may read, before bob and his programs; and those that a
        program and the shell begin for themselves."""
        self.script()
        ask = ASK | {"visibility": "team"}
        shared = {"model": "fusion", "prompt": "For all.", "fusion": ask}
        made = self.post(self.alice, "/runs", **shared)["id"]
        shell = OfTheShell(self.stack, self.key, self.new_run)
        self.readers = [
            OnThePage(self.stack, self.key, made, self.bob),
            OfEvents(self.stack, self.key, made),
            OfATool(self.stack, self.key, made),
            OfAChat(self.stack, self.key, self.chat_key),
            OfAResponse(self.stack, self.key, self.response_key),
            shell,
        ]
        for reader in self.readers:
            reader.start()
        until(shell.is_there)
        until(lambda: all(r.run_id for r in self.readers), said=self.how_they_stand)

    def new_run(self, prompt: str) -> str:
        headers = {"Authorization": f"Bearer {self.key}"}
        listed = httpx.get(f"{self.stack.url}/v1/runs", headers=headers, timeout=PATIENCE).json()
        new = {run["id"] for run in listed["data"] if run["prompt"] == prompt} - self.seen
        self.seen |= new
        return new.pop() if new else ""

    def reach_the_middle(self) -> None:
        """All runs are being written, and whoever is told words has been told some."""
        self.let("panel", "writer")
        told = [r for r in self.readers if not isinstance(r, OfATool | OfTheShell)]
        until(lambda: all(r.bytes for r in told), said=self.how_they_stand)

    def how_they_stand(self) -> str:
        return "\n".join(
            f"{type(r).__name__} {r.run_id} {r.text!r} {r.refusal}" for r in self.readers
        )

    def ended(self) -> None:
        for reader in self.readers:
            reader.join(PATIENCE)
            assert not reader.is_alive(), f"{type(reader).__name__} reads on"

    def delete(self) -> None:
        ids = [r.run_id for r in self.readers]
        delete = f"from console.models import Run; Run.objects.filter(pk__in={ids!r}).delete()"
        # As somebody would: by the end of that command readers have had a moment.
        self.stack.manage("shell", "-v0", "-c", delete)
        self.at = time.monotonic()

    def withdraw(self) -> None:
        """The page and the shell lose sight of what became private; programs lose their token."""
        ids = [r.run_id for r in self.readers]
        self.stack.manage(
            *("shell", "-v0", "-c"),
            "from console.models import ApiToken, Run; from django.utils import timezone; "
            f"Run.objects.filter(pk__in={ids!r}).update(visibility='private'); "
            "ApiToken.objects.filter(revoked_at=None).update(revoked_at=timezone.now())",
        )
        self.at = time.monotonic()

    def restart_valkey(self) -> None:
        self.stack.valkey.start()
        until(self.stack.is_ready)


@pytest.fixture(scope="module")
def place() -> Iterator[Scene]:
    # The models' patience is the scene's.
    with Upstream() as upstream, make_stack(upstream) as stack:
        add_people(stack)
        stack.shell(SET_UP)
        with Member(stack, "bob", PASSWORD) as bob:
            yield Scene(stack, upstream, token(stack, "alice"), bob, token(stack, "bob"))


def token(stack: Stack, name: str) -> str:
    options = ("--requests-per-minute", "0", "--concurrent-runs", "0")
    return stack.token(name, *options)


@pytest.fixture
def scene(place: Scene) -> Iterator[Scene]:
    scene = replace(place, gates={}, readers=[], chat_key=f"{uuid4()}", response_key=f"{uuid4()}")
    yield scene
    scene.let(*scene.gates)
    if "worker" not in scene.stack.processes:
        scene.stack.start_worker()
    until(scene.stack.is_ready)


def redis_away_at_the_start(scene: Scene) -> None:
    scene.begin()
    scene.stack.valkey.kill()
    scene.let("panel", "writer")
    time.sleep(1)  # so much of the beginning only the rows tell
    scene.restart_valkey()
    scene.reach_the_middle()
    scene.let("end")


def redis_away_in_the_middle(scene: Scene) -> None:
    scene.begin()
    scene.reach_the_middle()
    scene.stack.valkey.kill()
    scene.let("end")
    scene.ended()
    scene.restart_valkey()


def redis_away_at_the_end(scene: Scene) -> None:
    scene.begin()
    scene.reach_the_middle()
    scene.stack.valkey.hang()
    scene.let("end")
    scene.ended()
    scene.stack.valkey.wake()
    until(scene.stack.is_ready)


def log_lost(scene: Scene) -> None:
    scene.begin()
    scene.reach_the_middle()
    scene.stack.valkey.do("FLUSHALL")
    scene.let("end")


def log_rolled_back(scene: Scene) -> None:
    scene.begin()
    scene.stack.valkey.do("SAVE")
    scene.reach_the_middle()
    scene.stack.valkey.kill()
    scene.restart_valkey()  # as it was saved
    scene.let("end")


def log_expired(scene: Scene) -> None:
    scene.begin()
    scene.reach_the_middle()
    for key in scene.stack.valkey.do("KEYS", "fusion:run:*"):
        scene.stack.valkey.do("PEXPIRE", key, "1")
    time.sleep(2)  # readers ask the rows meanwhile
    scene.let("end")


def rows_ahead(scene: Scene) -> None:
    """What the worker writes to the log does not get there, for as long as it waits."""
    scene.begin()
    scene.let("panel")
    scene.stack.valkey.do("CLIENT", "PAUSE", "4000", "WRITE")
    scene.reach_the_middle()
    scene.let("end")


def opened_again(scene: Scene) -> None:
    """Those who come when it has been fused again are told of that; a program asks anew with the
    key that it had."""
    scene.begin()
    scene.let("panel", "writer", "end")
    scene.ended()
    runs = [reader.run_id for reader in scene.readers]
    scene.script()
    for key, run_id in ((scene.alice, runs[0]), (scene.key, runs[3]), (scene.key, runs[4])):
        scene.post(key, f"/runs/{run_id}/fusions")
    scene.readers = [
        OnThePage(scene.stack, scene.key, runs[0], scene.bob),
        OfEvents(scene.stack, scene.key, runs[0]),
        OfATool(scene.stack, scene.key, runs[0]),
        OfAChat(scene.stack, scene.key, scene.chat_key),
        OfAResponse(scene.stack, scene.key, scene.response_key),
    ]  # the shell follows only what it has begun
    for reader in scene.readers:
        reader.start()
    scene.reach_the_middle()
    scene.let("end")


def cancelled_while_queued(scene: Scene) -> None:
    scene.stack.kill("worker")
    scene.begin()
    for run_id in {r.run_id for r in scene.readers}:
        scene.stack.shell(CANCEL.format(run_id=run_id))


def worker_lost(scene: Scene) -> None:
    scene.begin()
    scene.reach_the_middle()
    scene.stack.kill("worker")
    scene.stack.start_worker()
    scene.let("end")


ENDS = [
    redis_away_at_the_start,
    redis_away_in_the_middle,
    redis_away_at_the_end,
    log_lost,
    log_rolled_back,
    log_expired,
    rows_ahead,
    opened_again,
    worker_lost,
]


@pytest.mark.parametrize("what", ENDS, ids=lambda what: what.__name__)
def test_every_reader_ends_with_the_rows_text(scene: Scene, what: Callable[[Scene], None]) -> None:
    what(scene)
    scene.ended()
    rows = scene.stack.rows(*{r.run_id for r in scene.readers})
    for reader in scene.readers:
        kind, state = type(reader).__name__, rows[reader.run_id].state
        assert state.status == "completed", (kind, state.error)
        written = state.fused
        assert written and written.text.endswith(WHOLE), kind
        # Who was told an interrupted text already is told that it begins again.
        told = reader.text.strip()
        assert told == WHOLE or (isinstance(reader, OfAChat) and told.endswith(WHOLE)), (kind, told)
        assert not reader.refusal, (kind, reader.refusal)


def test_a_run_that_is_cancelled_while_queued_ends_for_every_reader(scene: Scene) -> None:
    cancelled_while_queued(scene)
    scene.ended()
    for reader in scene.readers:
        assert not reader.text
        if isinstance(reader, OfAChat | OfTheShell | OfATool):
            assert reader.refusal, type(reader).__name__


@pytest.mark.parametrize("what", [Scene.delete, Scene.withdraw], ids=["deleted", "withdrawn"])
def test_a_reader_that_may_not_read_on_is_refused_at_once(
    scene: Scene, what: Callable[[Scene], None]
) -> None:
    scene.begin()
    scene.reach_the_middle()
    with Slowed() as machine:
        what(scene)
        scene.ended()
    for reader in scene.readers:
        kind = type(reader).__name__
        assert reader.refusal and not reader.refusal.startswith("broke"), (kind, reader.text)
        took = reader.ended_at - scene.at
        assert took < 5 * machine.times, (kind, took, machine.times)
        assert WHOLE not in reader.text
    told = {type(r).__name__: r.bytes for r in scene.readers}
    scene.let("end")
    assert told == {type(r).__name__: r.bytes for r in scene.readers}
