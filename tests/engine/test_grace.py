"""The rule of specs frozen before whom to wait for was said in words: once enough answers are in,
who writes is waited for up to the panel's limit, who is silent has the grace period."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from console.engine.calls.context import Control
from console.engine.errors import ProviderError, Reason
from console.engine.events import EventType
from console.engine.provider import ReasoningDelta
from console.engine.spec import Panelist, Policy
from console.engine.state import Step
from console.engine.wait_for import ALL_BUT_ONE, WaitFor, at_least
from tests.engine.conftest import Ran, RunEngine
from tests.engine.virtual import run_in_virtual_time

SPARE = ["The spare's answer."]
FAST = {"a": [1, "x"], "b": [1, "y"], "c": [1, "z"]}


def frozen_before(wait_for: WaitFor = ALL_BUT_ONE, **more: Any) -> Policy:
    return Policy(wait_for=wait_for, writing_factor=None, silent_factor=None, **more)


def drips(seconds: float) -> list[Any]:
    return ["word "] + [x for n in range(int(seconds * 2)) for x in (0.5, f"word{n} ")]


def busy(after: float) -> ProviderError:
    return ProviderError(Reason.RATE_LIMITED, retryable=True, retry_after=after)


def broken() -> ProviderError:
    return ProviderError(Reason.DISCONNECTED)


# What a straggler does, call by call.
STRAGGLERS: dict[str, Any] = {
    "silent": [[60, "late"]],
    "fast": [[1.5, "x"]],
    "dripping": [drips(49)],
    "beginning after 5 s": [[5, *drips(30)]],
    "thinking": [[*[ReasoningDelta("hm "), 10] * 7, "x"]],
    "thinking in vain": [[ReasoningDelta("hm "), 200]],
    "falling silent": [["half", 200]],
    "retrying": [[busy(20)], ["x"]],
    "retrying, then dripping": [[busy(3)], drips(49)],
    "breaking soon": [["half", 2, broken()]],
    "breaking late": [["half", 20, broken()]],
    "dripping for ever": [drips(2_000)],
}


def ask(run_engine: RunEngine, scripts: dict[str, Any], **more: Any) -> Ran:
    ran: Ran = run_in_virtual_time(run_engine(scripts, **more))
    return ran


def panel_took(ran: Ran) -> float:
    (began,) = (e.at for e in ran.events if e.type == EventType.RUN_STARTED)
    (ended,) = (e.at for e in ran.events if e.type == EventType.FUSION_STARTED)
    return ended - began


# Fast seats are done after 1 s; a grace of 8 s is over after 9 s, one of 100 s after 101 s.
@pytest.mark.parametrize(
    ("straggler", "grace", "causes", "reason", "seconds"),
    [
        ("silent", 0, ["first"], "cut_off", 1),
        ("silent", 8, ["first"], "cut_off", 9),
        ("silent", 100, ["first"], "", 60),
        ("fast", 0, ["first"], "cut_off", 1),
        ("fast", 8, ["first"], "", 1.5),
        ("dripping", 0, ["first"], "", 49),
        ("dripping", 8, ["first"], "", 49),
        ("dripping", 100, ["first"], "", 49),
        ("beginning after 5 s", 0, ["first"], "cut_off", 1),
        ("beginning after 5 s", 8, ["first"], "", 35),
        ("thinking", 0, ["first"], "", 70),
        ("thinking", 8, ["first"], "", 70),
        ("thinking in vain", 8, ["first"], "stalled", 30),
        ("falling silent", 8, ["first"], "stalled", 30),
        ("retrying", 8, ["first"], "rate_limited", 9),
        ("retrying", 100, ["first", "retry"], "", 20.25),
        ("retrying, then dripping", 0, ["first"], "rate_limited", 1),
        ("retrying, then dripping", 8, ["first", "retry"], "", 52.25),
        ("breaking soon", 0, ["first"], "disconnected", 2),
        ("breaking soon", 8, ["first", "fallback"], "", 2),
        ("breaking late", 8, ["first"], "disconnected", 20),
        ("breaking late", 100, ["first", "fallback"], "", 20),
        ("dripping for ever", 8, ["first"], "timeout", 300),
    ],
)
def test_only_the_silent_are_cut_off_when_the_grace_is_over(
    run_engine: RunEngine,
    straggler: str,
    grace: float,
    causes: list[str],
    reason: str,
    seconds: float,
) -> None:
    turns = list(STRAGGLERS[straggler])
    scripts = FAST | {
        "d": lambda request: turns.pop(0) if len(turns) > 1 else turns[0],
        "spare": SPARE,
    }
    seat = Panelist("d", "fake", fallback=Panelist("spare", "fake"))
    panel = ["a", "b", "c", seat if straggler.startswith("breaking") else "d"]
    policy = frozen_before(grace=grace, grace_factor=0)
    ran = ask(run_engine, scripts, panel=panel, policy=policy)
    last = ran.state.latest(Step.PANEL, seat=3)
    assert [c.cause for c in ran.state.calls_of(Step.PANEL, seat=3)] == causes
    assert last.reason == reason and last.retry_at is None
    # Where nobody says when, a retry is spread over a quarter of a second.
    assert panel_took(ran) == pytest.approx(seconds, abs=0.26)
    assert last.is_usable is (reason == "")
    judged = [f"panel-{n}-1" for n in range(3)] + ([last.key] if last.is_usable else [])
    assert ran.state.fusion.judged == judged and ran.state.status == "completed"


def test_each_straggler_is_looked_at_alone(run_engine: RunEngine) -> None:
    scripts = {"a": [1, "x"], "silent": [60, "z"], "writes": drips(30), "thinks": [2, *drips(40)]}
    ran = ask(run_engine, scripts, policy=frozen_before(at_least(1), grace=4, grace_factor=0))
    reasons = [ran.state.latest(Step.PANEL, seat=s).reason for s in range(4)]
    assert reasons == ["", "cut_off", "", ""]
    cut = ran.state.latest(Step.PANEL, seat=1)
    assert cut.finished_at - cut.started_at == pytest.approx(5)
    assert panel_took(ran) == pytest.approx(42)


def test_who_waits_for_a_free_place_is_silent(run_engine: RunEngine) -> None:
    scripts = {"a": [1, "x"], "b": drips(49), "c": ["z"]}
    panel = ["b", "a", "b", "c"]
    policy = frozen_before(at_least(1), grace=8, grace_factor=0)
    ran = ask(run_engine, scripts, panel=panel, policy=policy, places=2)
    reasons = [ran.state.latest(Step.PANEL, seat=s).reason for s in range(4)]
    assert reasons == ["", "", "", "cut_off"]
    assert not ran.requests_to("c")


def test_a_writer_may_be_stopped_alone_after_the_grace(run_engine: RunEngine) -> None:
    control = Control()

    async def stop() -> None:
        await asyncio.sleep(20)
        control.tell(fuse_now=False, stopped={3})

    scripts = FAST | {"d": ["half", stop, 10, "more"], "e": drips(40)}
    ran = ask(run_engine, scripts, policy=frozen_before(grace=1, grace_factor=0), control=control)
    stopped, writing = (ran.state.latest(Step.PANEL, seat=s) for s in (3, 4))
    assert (stopped.reason, stopped.text) == ("cancelled", "half")
    assert writing.is_usable and panel_took(ran) == pytest.approx(40)
