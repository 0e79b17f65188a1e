"""The longest texts there may be: no step of the loop that all runs share grows with them. The
fixture `worker` fails a test in which one does."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self
from unittest.mock import AsyncMock, MagicMock

import pytest

from console.engine.events import Event, EventType
from console.engine.findings.given import fused_answer
from console.engine.findings.provenance import plain
from console.engine.reducer import apply
from console.engine.spec import Policy
from console.engine.state import CallState, RunState, RunStatus, Step
from console.models import Run
from console.record import eventlog
from console.worker.recorder import Recorder
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.console.story import Story
from tests.realtime.conftest import StartRun
from tests.realtime.test_run_way import comparable, folded, in_background, rows, wait_for
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db(transaction=True)

MB = 1_000_000
UNHURRIED = Policy(first_token_timeout=60, stall_timeout=60, total_timeout=100)
MARKS = "`` `[^A] ``"


def long_text(size: int, *, seed: str = "") -> str:
    """Words of which no two are alike, and not of the narrow kind only."""
    words, length, number = [], 0, 0
    while length < size:
        number += 1
        words.append(f"{seed}wörd{number}")
        length += len(words[-1].encode()) + 1
    return " ".join(words)


def marked(size: int) -> str:
    """As much of marks as of words: what is nothing but marks is ended, since it says nothing."""
    return "".join(f"wörd{n} {MARKS} " for n in range(size // 24))


def streamed(text: str) -> Script:
    return Script(deltas=[text[at : at + 4000] for at in range(0, len(text), 4000)])


def an_analysis(size: int, first: str, second: str) -> str:
    """Of as many quotes as there may be, each to be looked for."""
    claims = [
        {
            "claim": f"{n} " + long_text(size // 40),
            "seats": ["A", "B"],
            "evidence": [
                {"seat": "A", "quote": first[n * 40_000 : n * 40_000 + 500]},
                {"seat": "B", "quote": second[-500:] + str(n)},
            ],
        }
        for n in range(40)
    ]
    parts = ("contradictions", "partial_coverage", "unique_insights", "blind_spots")
    return json.dumps({"consensus": claims} | dict.fromkeys(parts, []))


def test_answers_an_analysis_and_a_fused_text_as_long_as_they_may_be(
    worker: Worker, upstream: Upstream, start: StartRun, settings: Any
) -> None:
    settings.CHECKPOINT_SECONDS = 1
    first, second = long_text(2 * MB), long_text(2 * MB, seed="other")
    judged = an_analysis(200_000, first, second)
    fused = marked(2 * MB)
    upstream.script("a", streamed(first))
    upstream.script("b", streamed(second))
    upstream.script("judge", Script(judge=streamed(judged)))
    upstream.script("writer", streamed(fused))
    run = start("a", "b", synthesizer="writer", policy=UNHURRIED)
    carry_out(worker, str(run.pk))
    state = rows(run)
    assert state.status is RunStatus.COMPLETED, state.error
    assert (state.calls["panel-0-1"].text, state.calls["panel-1-1"].text) == (first, second)
    assert len(state.fusions[1].analysis["consensus"]) == 40  # type: ignore[index]
    assert state.fused and state.fused.text == fused
    assert fused_answer(state) == plain(fused) == Run.objects.get(pk=run.pk).fusions.get().text
    assert comparable(folded(run)) == comparable(state)


def test_a_fused_text_that_was_long_already_goes_on_with_another_worker(
    worker: Worker, upstream: Upstream, start: StartRun, settings: Any
) -> None:
    settings.LEASE_SECONDS = 0
    written = long_text(2 * MB - 1000)
    upstream.script("writer", replace(streamed(written), hold_after=400), streamed("The end."))
    run = start("good", "markdown", synthesizer="writer", policy=UNHURRIED)
    thread = in_background(worker, run)
    wait_for(lambda: (c := rows(run).calls.get("synthesis-f1-1")) and len(c.text) > MB, 30)
    lost = worker.runs[str(run.pk)]
    lost.stopped_by = "lost"  # as if its process were gone: it writes nothing more
    worker.loop.call_soon_threadsafe(lost._task.cancel)  # type: ignore[union-attr]
    thread.join(20)
    carry_out(worker, str(run.pk))
    state = rows(run)
    first, second = state.calls_of(Step.SYNTHESIS, fusion=1)
    assert first.reason == "worker_lost" and written.startswith(first.text)
    assert (second.status, second.text) == ("completed", "The end.")
    assert comparable(folded(run)) == comparable(state)


def test_what_comes_while_a_long_batch_is_encoded_is_told_once_and_after_it(
    worker: Worker, start: StartRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start("good")
    real = eventlog._encode

    async def record() -> None:
        state = RunState(calls={"panel-0-1": CallState("panel-0-1", Step.PANEL, 1, "first", {})})
        writer = eventlog.Writer(worker.redis, run.pk, 1)
        loop, batches = asyncio.get_running_loop(), [["so far "], ["word " * 20_000], ["the end"]]
        said: list[str] = []

        def encode(body: Any) -> bytes:
            if threading.current_thread() is not worker._thread:
                arrived = threading.Event()

                def arrive() -> None:
                    state.calls["panel-0-1"].text += " lost?"  # what a late snapshot would hold
                    arrived.set()

                loop.call_soon_threadsafe(arrive)
                assert arrived.wait(5)
                said.append("beside")
            return real(body)

        monkeypatch.setattr(eventlog, "_encode", encode)
        for pieces in batches:
            state.calls["panel-0-1"].text = "so far "
            events = [
                Event(EventType.CALL_DELTA, 1.0, "panel-0-1", data={"text": t}) for t in pieces
            ]
            assert await writer.append(events, state)
        seen = await eventlog.read(worker.redis, run.pk)
        assert seen and seen.calls["panel-0-1"].text == "so far " + "word " * 20_000 + "the end"
        assert said == ["beside", "beside"]  # the snapshot, and what was long

    asyncio.run_coroutine_threadsafe(record(), worker.loop).result(20)


def test_what_a_thread_is_given_of_a_state_stays_as_it_was() -> None:
    kept: list[tuple[RunState, str]] = []

    class Watched(Story):
        def tell(self, *args: Any, **data: Any) -> Self:
            super().tell(*args, **data)
            kept.append((self.state.copy(), json.dumps(self.state.to_dict())))
            return self

    asked = {"seat": 0, "number": 1, "cause": "first", "panelist": {}}
    said = {"text": "1", "vote": "own", "fused_first": True}
    story = Watched().whole()
    story.tell(EventType.RUN_STARTED, attempt=2)
    story.tell(EventType.CALL_ADDED, "poll-f1-s0-1", 1, step="poll", **asked)
    story.tell(EventType.CALL_COMPLETED, "poll-f1-s0-1", 1, **said).complete()
    assert len({then for _, then in kept}) > 15
    assert [json.dumps(state.to_dict()) for state, _ in kept] == [then for _, then in kept]


async def test_thousands_of_pieces_that_waited_for_the_log_are_joined_once() -> None:
    recorders: list[Recorder] = []

    def seconds(pieces: int) -> float:
        calls = {key: CallState(key, Step.PANEL, 1, "first", {}) for key in ("one", "two")}
        recorder = Recorder(
            "run",
            1,
            RunState(calls=calls),
            redis=MagicMock(),
            db=AsyncMock(),
            checkpoint=60,
            on_lost=lambda: None,
        )
        began = time.thread_time()
        for n in range(pieces):
            recorder.keep(EventType.CALL_DELTA, ("one", "two")[n % 2], 0, "word " * 20)
        recorder.tell()
        took = time.thread_time() - began
        assert [len(call.text) for call in calls.values()] == [pieces // 2 * 100] * 2
        assert len(recorder._pending) == 2
        recorders.append(recorder)
        return took

    assert growth(seconds, 20_000) < 3
    await asyncio.gather(*(recorder.close() for recorder in recorders))


def test_a_text_grows_piece_by_piece_without_being_copied_each_time() -> None:
    def seconds(pieces: int) -> float:
        call = CallState("panel-0-1", Step.PANEL, 1, "first", {})
        state = RunState(calls={call.key: call})
        began = time.thread_time()
        for _ in range(pieces):
            apply(state, Event(EventType.CALL_DELTA, 1.0, call.key, data={"text": "word " * 20}))
        assert len(call.text) == pieces * 100
        return time.thread_time() - began

    assert growth(seconds, 20_000) < 3


@pytest.mark.parametrize("text", [MARKS, f"{MARKS} ", f"{MARKS}\n\n", "[^A]"])
def test_a_fused_text_is_looked_through_in_linear_time(text: str) -> None:
    def seconds(times: int) -> float:
        began = time.thread_time()
        plain.__wrapped__(text * times)
        return time.thread_time() - began

    assert growth(seconds, 2**16 // len(text)) < 3


def growth(seconds: Callable[[int], float], size: int) -> float:
    """f(2n) / f(n): 2 where the work is in proportion, 4 where it grows with the square. The
    least of several, since what else the machine does only adds to a time."""
    small, large = (min(seconds(n) for _ in range(5)) for n in (size, 2 * size))
    return large / small
