"""Fragments tell little of a text that grows. What they do tell of it makes them anew, once a
second; what they do not tell makes nothing."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from console.engine.events import EventType
from console.engine.state import RunState, Step, call_key
from console.fragments import SeatFragments, run_context, run_fragments
from console.live.frames import Cursor, _without_figures
from console.live.watch import Watch
from console.models.shown import ALL
from tests.console.story import Story

ANALYSIS, SYNTHESIS = call_key(Step.ANALYSIS, 1, 1), call_key(Step.SYNTHESIS, 1, 1)
CLAIM = '{"consensus": [{"claim": "Upkeep is a real cost", "seats": [0, 1, 2]}'
ANOTHER = ', {"claim": "It is not in the budget", "seats": [0, 1]}'


def answered() -> Story:
    story = Story().begin().wait(1)
    for seat in range(3):
        story.write(seat, "Upkeep is a real cost.").answer(seat)
    return story


def judging() -> Story:
    story = answered().judge().tell(EventType.CALL_SENT, ANALYSIS, 1)
    return story.tell(EventType.CALL_DELTA, ANALYSIS, 1, text=CLAIM)


def one_late() -> Story:
    story = Story().begin().wait(1).write(0, "One.").answer(0).write(1, "Two.").answer(1)
    return story.write(2, "Th").judge(without=["panel-2-1"]).analyse().synthesise("All ")


def asked_again() -> Story:
    story = Story().begin().write(0, "On").fail(0)
    return story.ask(0, 2, "retry").write(0, "One ", 2)


MOMENTS: dict[str, Callable[[], Story]] = {
    "three write": lambda: Story().begin().write(0, "a ").write(1, "b ").write(2, "c "),
    "one thinks": lambda: Story().begin().think(0, "Hm. "),
    "one has thought and writes": lambda: Story().begin().think(0, "Hm. ").write(0, "So "),
    "one has failed": lambda: Story().begin().write(1, "b ").fail(0),
    "one is asked again": asked_again,
    "the judge writes": judging,
    "the fused answer is written": lambda: answered().judge().analyse().synthesise("The "),
    "it is written without one": one_late,
}


def grows(story: Story, call: str, text: str, *, thoughts: bool = False) -> RunState:
    kind = EventType.CALL_REASONING_DELTA if thoughts else EventType.CALL_DELTA
    return story.tell(kind, call, story.state.calls[call].fusion or 0, text=text).state


def watching(story: Story) -> tuple[Watch, list[int]]:
    """A watch that has shown what there is, a while ago, and of which step it makes fragments."""
    made: list[int] = []
    watch = Watch(uuid.uuid4(), None, lambda *_: made.append(1) or {})  # type: ignore[arg-type]
    watch._spec = story.spec
    watch.viewers.append(Cursor(ALL))
    watch._render(story.state, "")
    made.clear()
    return watch, made


@pytest.fixture(autouse=True)
def always_a_second_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def idle(self: Watch) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(Watch, "_follow_to_the_end", idle)
    monkeypatch.setattr("console.live.watch.ANYHOW", 0)


def fragments(story: Story) -> dict[str, str]:
    context = run_context(story.spec, story.state, show_costs=True)
    return {name: _without_figures(html) for name, html in run_fragments(context).items()}


@pytest.mark.parametrize(("moment", "thoughts"), list(itertools.product(MOMENTS, (False, True))))
async def test_where_no_fragments_are_made_none_would_say_anything_else(
    moment: str, thoughts: bool
) -> None:
    story = MOMENTS[moment]()
    for key in [key for key, call in story.state.calls.items() if not call.status.is_final]:
        watch, made = watching(story)
        before = fragments(story)
        await watch._step(grows(story, key, ANOTHER, thoughts=thoughts), "", {key})
        assert made or fragments(story) == before, key
        watch.close()


@pytest.mark.parametrize(
    ("moment", "call", "thoughts", "is_made"),
    [
        ("three write", "panel-0-1", False, False),
        ("three write", "panel-0-1", True, True),  # it begins to think
        ("one thinks", "panel-0-1", True, False),  # shown when it is whole
        ("one thinks", "panel-0-1", False, True),  # the first word
        ("one thinks", "panel-1-1", False, True),
        ("one has thought and writes", "panel-0-1", False, False),
        ("one has thought and writes", "panel-0-1", True, True),  # between what it writes
        ("one is asked again", "panel-0-2", False, False),
        ("the judge writes", ANALYSIS, False, True),
        ("the fused answer is written", SYNTHESIS, False, False),
        ("it is written without one", SYNTHESIS, False, False),
        ("it is written without one", "panel-2-1", False, False),
    ],
)
async def test_fragments_are_made_of_growing_text_where_they_tell_of_it(
    moment: str, call: str, thoughts: bool, is_made: bool
) -> None:
    story = MOMENTS[moment]()
    watch, made = watching(story)
    await watch._step(grows(story, call, ANOTHER, thoughts=thoughts), "", {call})
    assert bool(made) is is_made
    watch.close()


async def test_fragments_that_tell_of_growing_text_are_made_once_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now: dict[str, Any] = {"at": 100.0}
    monkeypatch.setattr("console.live.watch.ANYHOW", 1.0)
    monkeypatch.setattr("console.live.watch.time.monotonic", lambda: now["at"])
    story = judging()
    watch, made = watching(story)
    for _ in range(40):
        now["at"] += 0.05
        await watch._step(grows(story, ANALYSIS, " "), "", {ANALYSIS})
    assert len(made) in (1, 2)
    assert watch._frames.step == 1 + len(made)  # what it writes meanwhile stands nowhere
    watch.close()


ENDS = (EventType.RUN_COMPLETED, EventType.RUN_FAILED, EventType.RUN_CANCELLED)


@pytest.mark.parametrize(("moment", "end"), list(itertools.product(MOMENTS, ENDS)))
def test_a_seat_of_which_the_end_says_nothing_new_is_not_made_again(
    moment: str, end: EventType, monkeypatch: pytest.MonkeyPatch
) -> None:
    story, made = MOMENTS[moment](), SeatFragments()
    run_fragments(run_context(story.spec, story.state, show_costs=True), made)
    why = {"reason": "no_usable_answer", "error": "Nobody."} if end is EventType.RUN_FAILED else {}
    context = run_context(story.spec, story.tell(end, **why).state, show_costs=True)
    assert run_fragments(context, made) == run_fragments(context)
    if story.state.fusion and not story.state.fusion.without:  # all seats had ended
        monkeypatch.setattr("console.fragments._seat_fragments", None)
        run_fragments(context, made)
