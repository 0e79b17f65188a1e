"""A seat's fragments are made again when what they show of it has changed, and only then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from console import fragments
from console.engine.errors import Reason
from console.engine.events import EventType
from console.fragments import SeatFragments, run_context, run_fragments
from console.live.frames import _without_figures

from .story import Story

Act = Callable[[Story], object]


def told(*acts: Act) -> Story:
    story = Story().begin()
    for act in acts:
        act(story)
    return story


@pytest.fixture
def made_anew(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose."""
    names: list[str] = []
    make = fragments._seat_fragments

    def note(seat: Any, *args: Any, **kwargs: Any) -> dict[str, str]:
        names.append(seat.id)
        return make(seat, *args, **kwargs)

    monkeypatch.setattr(fragments, "_seat_fragments", note)
    return names


def shown(story: Story, made: SeatFragments | None = None, *, show_costs: bool = True) -> Any:
    context = run_context(story.spec, story.state, show_costs=show_costs)
    html = run_fragments(context, made)
    return {name: _without_figures(part) for name, part in html.items()}


@pytest.mark.parametrize(
    ("act", "anew"),
    [
        (lambda s: s.write(0, " and more"), []),
        (lambda s: s.write(1, "The first word"), ["seat-1"]),
        (lambda s: s.think(1, "Hm."), ["seat-1"]),
        (lambda s: s.think(0, "Hm, after all."), ["seat-0"]),
        (lambda s: s.answer(0, "Whole."), ["seat-0"]),
        (lambda s: s.fail(2, Reason.STALLED), ["seat-2"]),
        (lambda s: s.wait(30), []),
        (lambda s: s.answer(1, "B.").answer(2, "C.").judge(), ["seat-1", "seat-2"]),
        (lambda s: s.tell(EventType.RUN_CANCELLED), ["seat-0", "seat-1", "seat-2"]),
    ],
)
def test_of_seats_only_those_that_have_changed_are_made_anew(
    made_anew: list[str], act: Act, anew: list[str]
) -> None:
    story, made = told(lambda s: s.write(0, "Some words")), SeatFragments()
    shown(story, made)
    made_anew.clear()
    act(story)
    kept = shown(story, made)
    assert [*made_anew] == anew
    assert kept == shown(story), "what is kept is what would be made"


def test_a_whole_run_is_told_alike_to_who_keeps_and_who_does_not() -> None:
    story, made = Story().begin(), SeatFragments()
    acts: list[Act] = [
        lambda s: s.think(0, "Hm."),
        lambda s: s.write(0, "Half an "),
        lambda s: s.write(0, "answer."),
        lambda s: s.fail(1, Reason.RATE_LIMITED),
        lambda s: s.ask(1, 2, "retry"),
        lambda s: s.write(1, "Another.", 2),
        lambda s: s.answer(0, "Half an answer, and the rest."),
        lambda s: s.answer(1, "Another.", 2),
        lambda s: s.judge(),
        lambda s: s.analyse(),
        lambda s: s.answer(2, "Late."),
        lambda s: s.synthesise("Fused [^A]."),
        lambda s: s.complete(),
    ]
    for act in acts:
        act(story.wait(1))
        for show_costs in (True, False):
            assert shown(story, made, show_costs=show_costs) == shown(story, show_costs=show_costs)
