"""Carries a scenario's run out and gathers everything that can be known about it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import psutil
from django.contrib.auth.models import User
from django.test import Client

from console.engine.errors import Reason
from console.engine.spec import Panelist, Policy, Spec
from console.engine.state import CallState, RunState, Step
from console.engine.steps import prompts
from console.models import Call, Credential, Run
from console.providers.secret import Secret
from console.record import eventlog
from console.record.rows import state_from_rows
from console.services import runs as services
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.live.member import View
from tests.upstream import Received, Script, Upstream
from tests.upstream.places import Place

from .page import Words
from .scenario import PRICE, Scenario
from .viewer import Viewer

PLANTED = "sk-planted-4f0c9a7e1b2d3c4e5f60718293a4b5c6"
POLICY = Policy(first_token_timeout=1, stall_timeout=0.6, alive_timeout=2, total_timeout=10)
PATIENT = {"first_token_timeout": 20, "stall_timeout": 20, "total_timeout": 40}
SIBLING_TEXT = " ".join(f"word{n}" for n in range(15))
SIBLING = Script(text=SIBLING_TEXT, tokens_per_second=50)
SUBJECT = "subject"  # the model that misbehaves


@dataclass
class Outcome:
    run: Run
    state: RunState  # as the rows have it
    folded: RunState  # as the event log has it
    log: bytes
    page: str
    words: Words
    view: View
    calls: list[Call]
    requests: list[Received]  # all that the upstream saw
    place: Place | None
    said: str  # whatever was written to the process's log
    seconds: float
    peak_mib: float
    reads: dict[str, Any] = field(default_factory=dict)

    def tries(self, scenario: Scenario) -> list[CallState]:
        """Of the one that misbehaves, in order."""
        match scenario.role:
            case "panel":
                return self.state.calls_of(Step.PANEL, seat=0)
            case "judge":
                return self.state.calls_of(Step.ANALYSIS, fusion=1)
        return self.state.calls_of(Step.SYNTHESIS, fusion=1)


@dataclass
class Stage:
    worker: Worker
    upstream: Upstream
    owner: User
    caplog: Any

    def carry_out(self, scenario: Scenario) -> Outcome:
        with ExitStack() as stack:
            place: Place | None = None
            if callable(scenario.does):
                place = stack.enter_context(scenario.does())
            else:
                does = scenario.does
                scripts = [does] if isinstance(does, Script) else does
                self.upstream.script(SUBJECT, *map(after_the_others, scripts))
            spec = spec_of(scenario)
            credential("good", self.upstream.url)
            credential("faulty", place.url if place else self.upstream.url, kind=scenario.kind)
            return self.carry_out_spec(spec, prompt=scenario.prompt, place=place)

    def carry_out_spec(self, spec: Spec, *, prompt: str, place: Place | None = None) -> Outcome:
        self.upstream.script("sibling", SIBLING)
        self.upstream.script("judge", Script(text="The fused answer."))
        self.upstream.script("writer", Script(text="The fused answer."))
        seen = len(self.upstream.requests)
        self.caplog.clear()
        # But for the renderer's parser, which names every step it takes.
        self.caplog.set_level(logging.INFO, logger="markdown_it")
        with self.caplog.at_level(logging.DEBUG):
            run = services.run_start(owner=self.owner, prompt=prompt, spec=spec)
            viewer = Viewer(run.pk)
            began = time.monotonic()
            with peak_memory() as peak:
                carry_out(self.worker, str(run.pk))
            seconds = time.monotonic() - began
            view = viewer.seen_to_the_end()
            html = self._page(run)
        run = Run.objects.get(pk=run.pk)
        log, folded = read_log(run)
        return Outcome(
            run=run,
            state=state_from_rows(run),
            folded=folded,
            log=log,
            page=html,
            words=Words(html),
            view=view,
            calls=list(run.calls.all()),
            requests=self.upstream.requests[seen:],
            place=place,
            said=self.caplog.text,
            seconds=seconds,
            peak_mib=peak(),
        )

    def _page(self, run: Run) -> str:
        client = Client()
        client.force_login(self.owner)
        answer = client.get(f"/fusion/runs/{run.pk}")
        assert answer.status_code == 200
        return answer.content.decode()


def after_the_others(script: Any) -> Any:
    """A judge says the same as a seat, not the JSON it was asked for. What closes its
    connection unannounced does so when the siblings have one of their own: a request that goes
    out on it in that very moment is lost, on record and never received."""
    if not isinstance(script, Script):
        return script
    if script.wire is not None:
        script = replace(script, delay=script.delay + 0.1)
    return script if script.judge or script.text is None else replace(script, judge=script)


def spec_of(scenario: Scenario) -> Spec:
    subject = Panelist(SUBJECT, "faulty", price=PRICE)
    sibling = Panelist("sibling", "good", price=PRICE)
    judge, writer = Panelist("judge", "good", price=PRICE), None
    panel: tuple[Panelist, ...] = (subject, sibling, sibling)
    match scenario.role:
        case "judge":
            panel, judge = (sibling, sibling), subject
            writer = Panelist("writer", "good", price=PRICE)
        case "synthesizer":
            panel, writer = (sibling, sibling), subject
    # Silence is short where it is what happens; a busy machine's is not to be taken for it.
    is_of_time = scenario.reason in (Reason.TIMEOUT, Reason.STALLED)
    patience = {} if is_of_time else PATIENT
    return a_spec(panel, judge, writer, **{**patience, **scenario.policy})


def a_spec(
    panel: tuple[Panelist, ...], judge: Panelist, writer: Panelist | None = None, **policy: Any
) -> Spec:
    return Spec(
        panel=panel,
        judge=judge,
        synthesizer=writer,
        prompts=prompts.load(),
        policy=replace(POLICY, **policy),
        shuffle_seed=7,
    )


def credential(slug: str, url: str, *, kind: str = "openai_compatible") -> Credential:
    made = Credential(slug=slug, name=slug.title(), kind=kind, base_url=url)
    made.secret = Secret(PLANTED)
    made.save()
    return made


def read_log(run: Run) -> tuple[bytes, RunState]:
    """(every byte of the event log, what it folds to, the longest silence of a sibling)."""
    import asyncio

    async def read() -> Any:
        redis = eventlog.connect()
        try:
            return await redis.xrange(eventlog._key(run.pk))
        finally:
            await redis.aclose()

    rows = asyncio.run(read())
    raw, state = b"", eventlog._folded(rows)
    assert state, "the log cannot be read"
    for _, fields in rows:
        raw += b"".join(k + v for k, v in fields.items())
    return raw, state


@contextmanager
def peak_memory() -> Iterator[Callable[[], float]]:
    """MiB this process took on top at the worst moment, sampled."""
    process = psutil.Process()
    before = worst = process.memory_info().rss
    done = threading.Event()

    def sample() -> None:
        nonlocal worst
        while not done.wait(0.005):
            worst = max(worst, process.memory_info().rss)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield lambda: (worst - before) / 2**20
    finally:
        done.set()
        thread.join()


def reason_of(call: CallState) -> Reason | None:
    return Reason(call.reason) if call.reason else None
