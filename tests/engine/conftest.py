"""The engine alone: no Django, no sockets, the fake provider in the place of models; and no
clock: every asynchronous test here runs in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from console.engine.calls.context import Control
from console.engine.content import Content
from console.engine.events import Event, EventType
from console.engine.pool import Researcher
from console.engine.provider import Message, Provider, Request
from console.engine.reducer import apply
from console.engine.spec import Panelist, Policy, Spec
from console.engine.state import RunState
from console.engine.steps import prompts
from console.engine.steps.fuse import fuse
from console.providers.fake import FakeProvider
from tests.engine.virtual import VirtualLoop, now

ANALYSIS = {
    "consensus": [{"claim": "Water is wet.", "seats": ["A", "B"]}],
    "contradictions": [
        {
            "topic": "Is it cold?",
            "stances": [
                {"seats": ["A"], "stance": "It is cold."},
                {"seats": ["B"], "stance": "It is warm."},
            ],
        }
    ],
    "partial_coverage": [{"point": "Ice floats.", "seats": ["B"]}],
    "unique_insights": [{"insight": "Steam burns.", "seat": "A"}],
    "blind_spots": ["Nobody spoke of salt."],
}


class Ran:
    """What came of a run of the engine."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.state = RunState()
        self.requests: list[Request] = []

    def requests_to(self, model: str) -> list[Request]:
        return [r for r in self.requests if r.model == model]


class Kept:
    """Nothing of a text is told before something else is: the longest window there may be."""

    def __init__(self, ran: Ran) -> None:
        self._ran, self._pieces = ran, dict[tuple[EventType, str, int], list[str]]()

    def keep(self, kind: EventType, call: str, fusion: int, text: str) -> None:
        self._pieces.setdefault((kind, call, fusion), []).append(text)

    def tell(self) -> None:
        pieces, self._pieces = self._pieces, {}
        for (kind, call, fusion), texts in pieces.items():
            event = Event(kind, round(now(), 3), call, fusion, {"text": "".join(texts)})
            apply(self._ran.state, event)
            self._ran.events.append(event)


def panelist(named: str | Panelist) -> Panelist:
    return Panelist(named, "fake") if isinstance(named, str) else named


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"virtual": VirtualLoop}


RunEngine = Callable[..., Any]


@pytest.fixture
def run_engine() -> RunEngine:
    """await run_engine({model: script, …}) with a seat for each model but `judge`."""

    async def run(
        scripts: Mapping[str, Any],
        *,
        panel: Sequence[str | Panelist] | None = None,
        judge: str | Panelist = "judge",
        writer: str | Panelist | None = None,
        policy: Policy | None = None,
        state: RunState | None = None,
        prompt: Content = "What is water like?",
        messages: Sequence[Message] | None = None,
        control: Control | None = None,
        histories: Mapping[int, Any] | None = None,
        places: int = 99,
        clock: Callable[[], float] = now,
        keeps: bool = False,
        files: Any = None,
        researcher: Researcher | None = None,
        **spec: Any,
    ) -> Ran:
        ran = Ran()
        ran.state = state or RunState()

        def judges(request: Request) -> list[str]:
            return [json.dumps(ANALYSIS) if request.response_schema else "Fused."]

        scripts = {"judge": judges, **scripts}
        names = panel or [m for m in scripts if m not in (judge, writer)]
        whole = Spec(
            panel=tuple(map(panelist, names)),
            judge=panelist(judge),
            synthesizer=panelist(writer) if writer else None,
            prompts=prompts.load(),
            policy=policy or Policy(first_token_timeout=1, stall_timeout=0.2, total_timeout=5),
            shuffle_seed=11,
            **spec,
        )

        def script(request: Request) -> Any:
            ran.requests.append(request)
            chosen = scripts[request.model]
            return chosen(request) if callable(chosen) else chosen

        provider: Provider = FakeProvider(script)

        async def provider_for(panelist: Panelist) -> Provider:
            return provider

        free = asyncio.Semaphore(places)

        class Admission:
            @asynccontextmanager
            async def place(self, key: str, panelist: Panelist) -> AsyncIterator[None]:
                async with free:
                    yield

            async def record(self, key: str, *asked: object) -> None:
                assert ran.state.calls[key].sent_at

        await fuse(
            whole,
            list(messages or [{"role": "user", "content": prompt}]),
            state=ran.state,
            attempt=1,
            provider_for=provider_for,
            emit=ran.events.append,
            admission=Admission(),
            clock=clock,
            control=control,
            histories=histories,
            pieces=Kept(ran) if keeps else None,
            files=files,
            researcher=researcher,
        )
        assert fold(ran.events, state) == ran.state
        return ran

    return run


def fold(events: list[Event], state: RunState | None = None) -> RunState:
    folded = RunState() if state is None else state
    if state is None:
        for event in events:
            apply(folded, Event.from_dict(json.loads(json.dumps(event.to_dict()))))
    return folded
