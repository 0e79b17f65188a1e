"""No living answer is dropped: each word of `wait_for`, with everything a last seat may do, once
the others have answered and once one of them has failed.

What is right is reckoned here from what the seat does, by a rule of its own.
"""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from typing import Any

import pytest

from console.engine.calls.context import Control
from console.engine.errors import ProviderError, Reason
from console.engine.events import EventType
from console.engine.findings.degenerate import Detector
from console.engine.provider import Alive, ReasoningDelta, Unstreamed
from console.engine.reducer import apply
from console.engine.spec import Panelist, Policy
from console.engine.state import FusionState, RunState, RunStatus, Step
from console.engine.wait_for import ALL_BUT_ONE, EVERYONE, at_least, first
from tests.engine.conftest import Ran, RunEngine
from tests.engine.virtual import now, run_in_virtual_time

NEVER = 10_000.0
OTHERS, GRACE, LEAST, FIRST_TOKEN, STALL, PANEL = 1.0, 8.0, 60.0, 180.0, 30.0, 300.0


def drips(seconds: float, word: str = "word{n} ") -> list[Any]:
    words = (word.replace("{n}", str(n)) for n in itertools.count())
    return [next(words), *itertools.chain(*([0.5, next(words)] for _ in range(int(seconds * 2))))]


def until_noticed(word: str) -> float:
    """Seconds after which whoever drips it has said nothing more for long enough."""
    detector = Detector()
    return next(n / 2 for n in itertools.count() if detector.feed(word))


@dataclass(frozen=True)
class Last:
    """What the last seat does. `lives`: when it first writes, thinks or gives a sign of life.
    `patience`: so long its silence is no silence. `ends`: when its call ends by itself, well or
    not."""

    script: list[Any]
    ends: float
    lives: float = NEVER
    patience: float = 60
    is_usable: bool = True
    seat: Panelist = Panelist("d", "fake")


LOOP = "round and round "
LASTS = {
    "fast": Last([1.5, "x"], 1.5, 1.5),
    "silent": Last([100, "x"], 100, 100),
    "silent for ever": Last([NEVER], FIRST_TOKEN, is_usable=False),
    "silent, usually quick": Last(
        [50, "x"], 50, 50, 6, seat=Panelist("d", "fake", usual_first_token=3)
    ),
    "silent, usually slow": Last(
        [100, "x"], 100, 100, 110, seat=Panelist("d", "fake", usual_first_token=55)
    ),
    "silent at first": Last([40, *drips(5)], 45, 40),
    "dripping": Last(drips(49), 49, 0),
    "dripping for long": Last(drips(200), 200, 0),
    "dripping for ever": Last(drips(2_000), NEVER, 0, is_usable=False),
    "thinking aloud": Last([*[ReasoningDelta("hm "), 10] * 7, "x"], 70, 0),
    "thinking unseen": Last([70, "x"], 70, 0, NEVER, seat=Panelist("d", "fake", reasons=True)),
    "thinking as asked": Last(
        [70, "x"], 70, 0, NEVER, seat=Panelist("d", "fake", reasoning_effort="high")
    ),
    "not thinking, as asked": Last(
        [70, "x"], 70, 70, seat=Panelist("d", "fake", reasons=True, reasoning_effort="none")
    ),
    "answering in one piece": Last([Unstreamed(), 70, "x"], 70, 0),
    "giving signs of life": Last([*[10, Alive()] * 7, "x"], 70, 10),
    "giving signs of life for ever": Last([*[10, Alive()] * 90], PANEL, 10, is_usable=False),
    "dripping, then signs of life": Last(["half ", *[20, Alive()] * 6, "rest"], 120, 0),
    "falling silent": Last(["half", NEVER], STALL, 0, is_usable=False),
    # Whoever repeats itself has its call ended: from then on it is as silent as can be.
    "looping": Last(drips(2_000, LOOP), until_noticed(LOOP), 0, is_usable=False),
}
WORDS = {
    "everyone": (EVERYONE, 4),
    "all but one": (ALL_BUT_ONE, 3),
    "at least 3": (at_least(3), 3),
    "first 3": (first(3), 3),
}


def right(word: str, usable: int, last: Last) -> tuple[str, float]:
    """(what becomes of the last seat, when its answer is no longer waited for)."""
    ends = min(last.ends, PANEL)
    by_itself = "compared" if last.is_usable and last.ends <= PANEL else "failed"
    if usable < WORDS[word][1]:
        return by_itself, ends
    if word == "first 3":
        return "cut off", OTHERS
    silent = max(OTHERS + GRACE, last.patience)
    if last.lives > silent and silent < min(ends, OTHERS + LEAST):
        return "cut off", silent
    if ends <= OTHERS + LEAST:
        return by_itself, ends
    return "goes on", OTHERS + LEAST


def ask(run_engine: RunEngine, scripts: dict[str, Any], **more: Any) -> Ran:
    ran: Ran = run_in_virtual_time(run_engine(scripts, **more))
    return ran


def fused_after(ran: Ran) -> float:
    (began,) = (e.at for e in ran.events if e.type is EventType.RUN_STARTED)
    (fused,) = (e.at for e in ran.events if e.type is EventType.FUSION_STARTED)
    return fused - began


@pytest.mark.parametrize("others", ["all answered", "one failed"])
@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("does", LASTS)
def test_who_lives_is_waited_for_as_the_word_says(
    run_engine: RunEngine, does: str, word: str, others: str
) -> None:
    last = LASTS[does]
    failing = [OTHERS, ProviderError(Reason.UNAUTHORIZED)]
    scripts = {
        "a": [OTHERS, "x"],
        "b": [OTHERS, "y"],
        "c": [OTHERS, "z"] if others == "all answered" else failing,
        "d": last.script,
    }
    usable = 3 if others == "all answered" else 2
    policy = Policy(wait_for=WORDS[word][0], grace=GRACE)
    ran = ask(run_engine, scripts, panel=["a", "b", "c", last.seat], policy=policy)
    becomes, at = right(word, usable, last)
    call = ran.state.latest(Step.PANEL, seat=3)
    fusion = ran.state.fusion
    assert fused_after(ran) == pytest.approx(at, abs=0.01)
    assert (call.key in fusion.judged) is (becomes == "compared")
    assert (call.key in fusion.without) is (becomes == "goes on")
    assert (call.reason == "cut_off") is (becomes == "cut off")
    assert ran.state.status == fusion.status == "completed" and ran.state.fused.text == "Fused."
    if becomes == "goes on":
        # Nothing that is paid for is thrown away: it ends as it would have.
        assert call.is_usable is (last.is_usable and last.ends <= PANEL)
        assert call.finished_at - call.sent_at == pytest.approx(min(last.ends, PANEL), abs=0.01)
        assert len([c for c in ran.state.calls.values() if c.seat == 3]) == 1


@pytest.mark.parametrize(("took", "until"), [(10, 70), (40, 120), (150, 300)])
def test_who_writes_is_waited_for_twice_as_long_as_the_others_took_and_a_minute_at_least(
    run_engine: RunEngine, took: float, until: float
) -> None:
    scripts = {"a": drips(took), "b": drips(took), "c": drips(2_000)}
    ran = ask(run_engine, scripts, policy=Policy(wait_for=ALL_BUT_ONE))
    assert fused_after(ran) == pytest.approx(until)
    assert bool(ran.state.fusion.without) is (until < 300)


def test_each_straggler_is_looked_at_alone(run_engine: RunEngine) -> None:
    scripts = {"a": [1, "x"], "silent": [NEVER], "writes": drips(30), "on": drips(100)}
    ran = ask(run_engine, scripts, policy=Policy(wait_for=at_least(1)))
    calls = [ran.state.latest(Step.PANEL, seat=s) for s in range(4)]
    assert [c.reason for c in calls] == ["", "cut_off", "", ""]
    assert ran.state.fusion.judged == [calls[0].key, calls[2].key]
    assert ran.state.fusion.without == [calls[3].key] and calls[3].is_usable


# beside the fusion


def fuse_without(seconds: float, control: Control) -> None:
    asyncio.get_running_loop().call_later(
        seconds, lambda: control.tell(fuse_now=True, stopped=control.stopped)
    )


async def test_who_is_fused_without_goes_on_and_keeps_the_run_under_way(
    run_engine: RunEngine,
) -> None:
    control, answered = Control(), []
    fuse_without(10, control)
    state = RunState()

    async def look() -> None:
        answered.append((state.is_answered, state.status, state.fusion.status, state.outcome))

    scripts = {"a": [1, "x"], "b": [1, "y"], "c": ["half ", 60, look, "rest"]}
    ran = await run_engine(scripts, control=control, policy=Policy(stall_timeout=100), state=state)
    call = ran.state.latest(Step.PANEL, seat=2)
    assert fused_after(ran) == pytest.approx(10)
    assert (call.text, call.is_usable) == ("half rest", True)
    assert answered == [(True, RunStatus.RUNNING, RunStatus.COMPLETED, RunStatus.COMPLETED)]
    kinds = [e.type for e in ran.events]
    assert kinds.index(EventType.FUSION_COMPLETED) < kinds.index(EventType.RUN_COMPLETED)
    assert ran.state.fused.text == "Fused." and not ran.state.is_answered
    assert ran.state.outcome is RunStatus.COMPLETED


async def test_an_agent_s_run_ends_with_its_answer_since_its_next_turn_takes_it_up(
    run_engine: RunEngine,
) -> None:
    control = Control()
    fuse_without(10, control)
    scripts = {"a": [1, "x"], "b": [1, "y"], "c": drips(100)}
    tools = {"options": {"tools": [{"type": "function", "function": {"name": "look"}}]}}
    ran = await run_engine(scripts, control=control, policy=Policy(), request=tools)
    call = ran.state.latest(Step.PANEL, seat=2)
    assert (call.reason, bool(call.text), ran.state.fusion.without) == ("cut_off", True, [])
    assert ran.events[-1].at - ran.state.started_at == pytest.approx(10)


async def test_where_nobody_goes_on_nothing_is_told_of_it(run_engine: RunEngine) -> None:
    ran = await run_engine({"a": [1, "x"], "b": [1, "y"]}, policy=Policy())
    assert not [e for e in ran.events if e.type is EventType.FUSION_COMPLETED]
    (started,) = (e for e in ran.events if e.type is EventType.FUSION_STARTED)
    assert "without" not in started.data


async def test_who_goes_on_may_be_stopped_alone(run_engine: RunEngine) -> None:
    control = Control()
    fuse_without(5, control)
    asyncio.get_running_loop().call_later(20, lambda: control.tell(fuse_now=True, stopped={2}))
    scripts = {"a": [1, "x"], "b": [1, "y"], "c": drips(100)}
    ran = await run_engine(scripts, control=control, policy=Policy())
    call = ran.state.latest(Step.PANEL, seat=2)
    assert (call.reason, ran.state.status) == ("cancelled", "completed")
    assert call.finished_at - call.sent_at == pytest.approx(20)


async def test_who_goes_on_and_breaks_is_not_asked_again(run_engine: RunEngine) -> None:
    control = Control()
    fuse_without(5, control)
    seat = Panelist("c", "fake", fallback=Panelist("spare", "fake"))
    scripts = {
        "a": [1, "x"],
        "b": [1, "y"],
        "c": [*drips(20), ProviderError(Reason.DISCONNECTED)],
        "spare": ["z"],
    }
    ran = await run_engine(scripts, control=control, panel=["a", "b", seat], policy=Policy())
    assert [c.cause for c in ran.state.calls_of(Step.PANEL, seat=2)] == ["first"]
    assert ran.state.latest(Step.PANEL, seat=2).retry_at is None


async def test_what_came_after_all_is_fused_by_another_fusion(run_engine: RunEngine) -> None:
    control = Control()
    fuse_without(5, control)
    scripts = {"a": [1, "x"], "b": [1, "y"], "c": drips(20)}
    ran = await run_engine(scripts, control=control, policy=Policy())
    ran.state.fusions[2] = FusionState(2, status=RunStatus.QUEUED)
    again = await run_engine(scripts, state=ran.state, panel=["a", "b", "c"])
    assert again.state.fusions[2].judged == ["panel-0-1", "panel-1-1", "panel-2-1"]
    assert [r.model for r in again.requests] == ["judge", "judge"]


@pytest.mark.parametrize("lost_before", [EventType.FUSION_COMPLETED, EventType.RUN_COMPLETED])
async def test_who_went_on_when_the_worker_was_lost_is_not_bought_again(
    run_engine: RunEngine, lost_before: EventType
) -> None:
    control = Control()
    fuse_without(5, control)
    scripts = {"a": [1, "x"], "b": [1, "y"], "c": drips(100)}
    whole = await run_engine(scripts, control=control, policy=Policy())
    left = RunState()
    for event in whole.events:
        if event.type is lost_before or event.call == "panel-2-1" and event.at > now() - 50:
            break
        apply(left, event)
    ran = await run_engine(scripts, state=left, panel=["a", "b", "c"])
    call = ran.state.latest(Step.PANEL, seat=2)
    assert ran.state.status == "completed" and ran.state.fused.text == "Fused."
    assert (call.number, call.reason) == (1, "worker_lost") and call.text.startswith("word0 word1")
    assert "c" not in [r.model for r in ran.requests]


# signs of life


@pytest.mark.parametrize(
    ("alive_timeout", "signs", "ends", "reason"),
    [
        (300, [*[20, Alive()] * 6, "rest"], 120, ""),
        (300, [*[20, Alive()] * 40], 300, "stalled"),
        (30, [*[20, Alive()] * 6, "rest"], 30, "stalled"),
        (300, [20, Alive(), 40], 50, "stalled"),
    ],
)
async def test_a_silence_with_signs_of_life_is_borne_longer_and_not_for_ever(
    run_engine: RunEngine, alive_timeout: float, signs: list[Any], ends: float, reason: str
) -> None:
    policy = Policy(alive_timeout=alive_timeout, panel_timeout=900)
    ran = await run_engine({"a": ["half ", *signs], "b": ["y"]}, policy=policy)
    call = ran.state.latest(Step.PANEL, seat=0)
    assert (call.reason, call.status == "completed") == (reason, not reason)
    assert call.finished_at - call.sent_at == pytest.approx(ends)
    assert "signs of life" in call.error or reason != "stalled" or ends == 30


async def test_a_call_that_only_lives_is_ended_in_words_that_say_so(run_engine: RunEngine) -> None:
    policy = Policy(panel_timeout=900)
    ran = await run_engine({"a": [*[20, Alive()] * 40], "b": ["y"]}, policy=policy)
    call = ran.state.latest(Step.PANEL, seat=0)
    assert call.error == "No text for 300 s, nothing but signs of life."
    assert (call.reason, call.first_token_at) == ("timeout", None)
    assert [e.type for e in ran.events].count(EventType.CALL_ALIVE) == 1
