"""Whatever panelists, judge and synthesizer do, whenever readers interfere and workers die.

FUSION_LONG_TESTS=1: thousands of such runs, other ones each time.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.engine.calls.context import Control
from console.engine.errors import ProviderError, Reason
from console.engine.events import Event, EventType
from console.engine.findings.given import fused_answer
from console.engine.provider import Alive, Finish, ReasoningDelta, Request
from console.engine.reducer import apply
from console.engine.spec import Panelist, Policy, Spec
from console.engine.state import CallState, RunState, RunStatus, Step
from console.engine.steps import prompts
from console.engine.steps.fuse import fuse
from console.engine.usage import Usage
from console.engine.wait_for import ALL_BUT_ONE, EVERYONE, at_least, first
from console.providers.fake import FakeProvider
from tests.engine.conftest import ANALYSIS
from tests.engine.virtual import run_in_virtual_time

LONG = os.environ.get("FUSION_LONG_TESTS") == "1"
PAUSES = st.sampled_from([0.01, 0.4, 3.0, 29.0, 31.0, 200.0])
ERRORS = st.builds(
    ProviderError,
    st.sampled_from(
        [
            Reason.RATE_LIMITED,
            Reason.UPSTREAM_ERROR,
            Reason.UNAUTHORIZED,
            Reason.DISCONNECTED,
            Reason.CONTENT_FILTER,
            Reason.CONTEXT_LENGTH,
        ]
    ),
    retryable=st.booleans(),
    retry_after=st.sampled_from([None, 0.0, 2.0, 600.0]),
    unconfirmed=st.booleans(),
    adapted=st.sampled_from([False, False, True]),
)
ENDS = st.sampled_from(
    [
        Finish("stop", Usage(10, 20)),
        Finish("length"),
        Finish(None),
        Finish("content_filter"),
        Finish("tool_calls", tool_calls=({"id": "1"},)),
    ]
)
WORDS = st.sampled_from(["word ", " ", "", "[A]", "{", json.dumps(ANALYSIS), "ü\u2028"])
STEPS = st.one_of(
    WORDS,
    WORDS,
    PAUSES,
    st.builds(ReasoningDelta, WORDS),
    st.just(Alive()),
    ERRORS,
    ENDS,
    st.just(ValueError("!")),
)
SCRIPT = st.lists(STEPS, max_size=5)
SOON = st.sampled_from([0.01, 0.4, 3.0, 15.0])
WELL = st.builds(lambda pause, more: [pause, "An ", more, "answer."], SOON, SOON)
ANALYSES = st.builds(lambda pause: [pause, json.dumps(ANALYSIS)], SOON)
BUSY = st.builds(
    lambda pause, after: [
        pause,
        ProviderError(Reason.RATE_LIMITED, retryable=True, retry_after=after),
    ],
    SOON,
    st.sampled_from([None, 0.0, 2.0, 600.0]),
)
TURN = st.one_of(WELL, WELL, BUSY, SCRIPT)
TURNS = st.lists(TURN, min_size=1, max_size=3)

POLICIES = st.builds(
    Policy,
    wait_for=st.sampled_from([EVERYONE, ALL_BUT_ONE, at_least(1), at_least(2), first(1), first(2)]),
    grace=st.sampled_from([0.0, 1.0, 8.0]),
    grace_factor=st.sampled_from([0.0, 0.5]),
    writing_factor=st.sampled_from([None, 0.0, 2.0]),
    writing_seconds=st.sampled_from([0.0, 5.0, 60.0]),
    silent_factor=st.sampled_from([None, 2.0]),
    silent_seconds=st.sampled_from([0.0, 10.0, 60.0]),
    panel_timeout=st.sampled_from([20.0, 60.0, 900.0]),
    first_token_timeout=st.sampled_from([20.0, 180.0]),
    stall_timeout=st.just(30.0),
    alive_timeout=st.sampled_from([30.0, 100.0]),
    total_timeout=st.sampled_from([50.0, 900.0]),
    retries=st.sampled_from([0, 1, 2, 2]),
    max_retry_wait=st.sampled_from([1.0, 30.0]),
    repeat_unconfirmed=st.booleans(),
    max_calls=st.sampled_from([None, None, None, 1, 3, 6]),
    max_tokens=st.sampled_from([None, None, None, 1, 8_000]),
)


@dataclass
class Story:
    """What happens to one run. `kills`: seconds each worker lives, and which share of what it
    told since its last call went out is lost with it. `reader`: which seat is stopped, or None for
    "fuse now", and when. `places`: how many calls may be under way at a time."""

    spec: Spec
    turns: dict[str, list[Any]]
    kills: list[tuple[float, float]]
    reader: list[tuple[float, int | None]]
    places: int


@st.composite
def stories(draw: st.DrawFn) -> Story:
    seats = draw(st.sampled_from([1, 2, 2, 3, 3, 4]))
    names = [f"seat-{n}" for n in range(seats)]
    turns = {name: draw(TURNS) for name in names}

    def seat(name: str, backed: bool) -> Panelist:
        if not backed:
            return Panelist(name, "fake", max_output_tokens=50)
        turns[f"{name}-fallback"] = draw(TURNS)
        return Panelist(name, "fake", fallback=Panelist(f"{name}-fallback", "fake"))

    backed = draw(st.lists(st.booleans(), min_size=seats + 2, max_size=seats + 2))
    turns["judge"] = draw(
        st.lists(st.one_of(ANALYSES, ANALYSES, BUSY, SCRIPT), min_size=1, max_size=3)
    )
    turns["writer"] = draw(TURNS)
    spec = Spec(
        panel=tuple(map(seat, names, backed)),
        judge=seat("judge", backed[-1]),
        synthesizer=seat("writer", backed[-2]),
        prompts=prompts.load(),
        policy=draw(POLICIES),
        shuffle_seed=draw(st.integers(0, 9)),
        stop_after=draw(st.sampled_from(["", "", "", "panel", "analysis"])),
    )
    moment = st.sampled_from([0.005, 0.1, 1.0, 7.0, 40.0, 300.0])
    return Story(
        spec,
        turns,
        kills=draw(st.lists(st.tuples(moment, st.floats(0, 1)), max_size=3)),
        reader=draw(st.lists(st.tuples(moment, st.none() | st.integers(0, seats - 1)), max_size=2)),
        places=draw(st.sampled_from([1, 2, 9])),
    )


@dataclass
class Told:
    story: Story
    state: RunState = field(default_factory=RunState)
    events: list[Event] = field(default_factory=list)
    asked: list[tuple[float, Request]] = field(default_factory=list)
    stopped: dict[int, float] = field(default_factory=dict)
    still_open: int = 0
    lost: bool = False


async def tell(story: Story) -> Told:
    told = Told(story)
    loop = asyncio.get_running_loop()
    seen: defaultdict[str, int] = defaultdict(int)
    control = Control()
    on_record = 0

    def script(request: Request) -> Any:
        told.asked.append((loop.time(), request))
        turns = story.turns[request.model]
        turn = turns[min(seen[request.model], len(turns) - 1)]
        seen[request.model] += 1
        # One error may be raised often: without the tracks of the times before.
        return [s.with_traceback(None) if isinstance(s, Exception) else s for s in turn]

    provider = FakeProvider(script)

    async def provider_for(panelist: Panelist) -> FakeProvider:
        return provider

    class Admission:
        def __init__(self) -> None:
            self.free = asyncio.Semaphore(story.places)

        @asynccontextmanager
        async def place(self, key: str, panelist: Panelist) -> AsyncIterator[None]:
            async with self.free:
                yield

        async def record(self, key: str, *asked: object) -> None:
            nonlocal on_record
            on_record = len(told.events)

    def interfere(seat: int | None) -> None:
        stopped = set(control.stopped)
        if seat is not None:
            stopped.add(seat)
            told.stopped.setdefault(seat, loop.time())
        control.tell(fuse_now=control.fuse_now or seat is None, stopped=stopped)

    for after, seat in story.reader:
        loop.call_later(after, interfere, seat)

    messages = [{"role": "user", "content": "Why?"}]
    kills: list[tuple[float, float] | None] = [*story.kills, None]
    for attempt, kill in enumerate(kills, start=1):
        state = fold(told.events)
        work = asyncio.create_task(
            fuse(
                story.spec,
                messages,
                state=state,
                attempt=attempt,
                provider_for=provider_for,
                emit=told.events.append,
                admission=Admission(),
                clock=loop.time,
                control=control,
            )
        )
        done, _ = await asyncio.wait([work], timeout=kill[0] if kill else None)
        if done or kill is None:
            told.state = work.result()
            break
        told.lost = True
        # What was told after the worker had been killed was told by nobody.
        saved = len(told.events)
        work.cancel()
        await asyncio.wait([work])
        kept = max(on_record, saved - int(kill[1] * (saved - on_record)))
        # What is told at one moment is put on record at once, or not at all.
        while on_record < kept < saved and told.events[kept].at == told.events[kept - 1].at:
            kept += 1
        del told.events[kept:]
    told.still_open = provider.open
    return told


def fold(events: list[Event]) -> RunState:
    state = RunState()
    for event in events:
        apply(state, Event.from_dict(json.loads(json.dumps(event.to_dict()))))
    return state


@pytest.mark.timeout(1800 if LONG else 300)
@settings(deadline=None, max_examples=10_000 if LONG else 200, derandomize=not LONG)
@given(stories())
def test_whatever_happens_a_run_ends_and_its_record_is_true(story: Story) -> None:
    told = run_in_virtual_time(tell(story))
    state = told.state
    assert state.to_dict() == fold(told.events).to_dict()
    assert state.status.is_final and all(c.status.is_final for c in state.calls.values())
    assert told.still_open == 0
    times = [event.at for event in told.events]
    assert times == sorted(times)
    the_calls_on_record_are_those_made(told)
    for calls in places(state):
        tries_follow_the_policy(told, calls)
    answers_are_kept_and_fused(told)
    what_a_reader_stopped_is_not_asked_again(told)


def the_calls_on_record_are_those_made(told: Told) -> None:
    sent = [c for c in told.state.calls.values() if c.sent_at is not None]
    assert sorted(c.panelist["model"] for c in sent) == sorted(r.model for _, r in told.asked)
    limit = told.story.spec.policy.max_calls
    assert limit is None or len(sent) <= limit


def places(state: RunState) -> list[list[CallState]]:
    found: defaultdict[Any, list[CallState]] = defaultdict(list)
    for call in state.calls.values():
        found[call.step, call.seat, call.fusion].append(call)
    return [sorted(calls, key=lambda c: c.number) for calls in found.values()]


def tries_follow_the_policy(told: Told, calls: list[CallState]) -> None:
    policy = told.story.spec.policy
    assert [c.number for c in calls] == list(range(1, len(calls) + 1))
    assert calls[-1].retry_at is None, "announced, never made"
    assert all(c.sent_at for c in calls if c.was_interrupted), "interrupted before it was made"
    assert not any(c.is_usable for c in calls[:-1]), "asked again though it had answered"
    for before, after in zip(calls, calls[1:], strict=False):
        assert before.finished_at is not None and after.started_at is not None
        assert after.started_at >= before.finished_at
        if after.cause == "resume":
            assert before.was_interrupted
        elif after.cause == "retry" and after.step is not Step.ANALYSIS:
            assert not (before.text or before.reasoning), "asked again after its first word"
            assert before.reason != Reason.UNAUTHORIZED or _was_retryable(told, before)
            pause = after.started_at - before.finished_at
            assert 0 < pause <= policy.max_retry_wait + 0.26 or told.lost
    for model in {c.panelist["model"] for c in calls}:
        again = [c for c in calls if c.panelist["model"] == model and c.cause == "retry"]
        assert len(again) <= max(policy.retries, calls[0].step is Step.ANALYSIS)


def _was_retryable(told: Told, call: CallState) -> bool:
    steps = [s for t in told.story.turns[call.panelist["model"]] for s in t]
    errors = [s for s in steps if isinstance(s, ProviderError) and s.reason == call.reason]
    return any(e.retryable or e.unconfirmed for e in errors)


def answers_are_kept_and_fused(told: Told) -> None:
    state, spec = told.state, told.story.spec
    usable = [a for s in range(len(spec.panel)) if (a := state.answer(s))]
    for answer in usable:
        assert answer.text == "".join(
            e.data["text"]
            for e in told.events
            if e.call == answer.key and e.type == EventType.CALL_DELTA
        )
    if not usable:
        assert state.status is RunStatus.FAILED and state.error and not state.fusions
    elif spec.stop_after == "panel":
        assert state.status is RunStatus.COMPLETED and not state.fusions
    elif spec.stop_after == "analysis":
        assert state.status is RunStatus.COMPLETED and state.fusion
        assert state.fused is None and not fused_answer(state)
        if len(state.fusion.judged) > 1:
            assert state.fusion.analysis or state.fusion.analysis_error
    else:
        assert state.status is RunStatus.COMPLETED and state.fusion
        wrote_on = set(state.fusion.without)
        assert state.fusion.judged == [a.key for a in usable if a.key not in wrote_on]
        assert fused_answer(state).strip() or (state.final_call and state.final_call.tool_calls)
        if len(state.fusion.judged) > 1:
            assert state.fusion.analysis or state.fusion.analysis_error
        assert state.fused and (state.fused.is_usable or state.fusion.best)


def what_a_reader_stopped_is_not_asked_again(told: Told) -> None:
    for seat, since in told.stopped.items():
        panelist = told.story.spec.panel[seat]
        names = {panelist.model, panelist.fallback.model if panelist.fallback else ""}
        assert not [r for at, r in told.asked if r.model in names and at > since]
