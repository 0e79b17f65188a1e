"""What a watch makes on the loop and what in its thread, and what is sent of it."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from console.engine.events import Event, EventType
from console.engine.reducer import apply
from console.engine.state import RunState
from console.fragments import run_texts
from console.live.frames import Cursor, Frames
from console.live.watch import Watch
from console.models.shown import ALL
from console.record.eventlog import Entry
from tests.console.story import Story
from tests.live.member import read
from tests.realtime import test_live_frames
from tests.realtime.test_live_frames import (
    LINK,
    Viewer,
    delta,
    said,
    show,
    shown,
    snapshot,
    step,
    thought,
)

watch = test_live_frames.watch  # the fixture


def test_an_endless_line_is_sent_once(watch: Watch) -> None:
    viewer = Viewer(watch)
    show(watch, snapshot(said("one ")))
    viewer.look()
    sent = 0
    for number in range(2, 200):
        show(watch, Entry(f"1-{number}", "e", [delta(f"{number} ").to_dict()]))
        sent += len(watch._beyond(Cursor(ALL, after=watch._frames.step - 1)))
        viewer.look()
    assert viewer.text == "one " + "".join(f"{n} " for n in range(2, 200))
    assert sent < 200 * 200


def test_fragments_are_made_when_more_than_text_has_come(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    monkeypatch.setattr(watch, "_render_fragments", lambda *_: made.append(1) or {"x": "y"})
    watch.viewers.append(Cursor(ALL))
    monkeypatch.setattr("console.live.watch.ANYHOW", 1e9)
    show(watch, snapshot(said()))
    assert len(made) == 1
    text = [delta("a word ").to_dict()]
    for number, count in ((2, 2), (3, 2), (4, 2)):  # the first word changes what a seat is called
        step(watch, Entry(f"1-{number}", "e", text).fold(watch._state))
        assert len(made) == count
    assert read(watch._beyond(Cursor(ALL)))["figures"]["seat-0-tokens"].startswith("≈")
    step(watch, watch._state, "The worker has gone silent.")
    assert len(made) == 3


ITEMS = "".join(f"- item {n} of a list\n" for n in range(60))


@pytest.mark.parametrize(
    ("there", "comes", "is_on_the_loop"),
    [
        pytest.param("one ", "two ", True, id="a word"),
        pytest.param("one.\n\n", "two.\n\nthree.\n", True, id="short paragraphs"),
        pytest.param("one ", "word " * 199, True, id="as much as is small"),
        pytest.param("one ", "word " * 999, False, id="a long text at once"),
        pytest.param("word " * 9_999, "two ", True, id="a word to an endless line"),
        pytest.param("word " * 9_999, "two\n", False, id="the end of an endless line"),
        pytest.param(f"one.\n\n{ITEMS}- an ", "item ", True, id="a word to a long list"),
        pytest.param(f"one.\n\n{ITEMS}", "- an", False, id="a line that begins in a long list"),
        pytest.param(f"one.\n\n{ITEMS}", "- last\n", False, id="one more in a long list"),
        pytest.param(f"{ITEMS}\nThat is all.\n\n", "Well.\n", True, id="behind a long list"),
    ],
)
def test_only_little_text_is_rendered_on_the_loop_and_shows_the_same(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, there: str, comes: str, is_on_the_loop: bool
) -> None:
    threads: list[int] = []
    render = watch._render

    def noted(*args: Any) -> None:
        threads.append(threading.get_ident())
        render(*args)

    monkeypatch.setattr("console.live.watch.ANYHOW", 1e9)
    monkeypatch.setattr(watch, "_render", noted)
    show(watch, snapshot(said(there)))
    viewer = Viewer(watch)
    viewer.look()
    threads.clear()
    step(watch, Entry("1-2", "e", [delta(comes).to_dict()]).fold(watch._state))
    assert [thread == threading.get_ident() for thread in threads] == [is_on_the_loop]
    assert viewer.look() == "more" and shown(watch) == there + comes
    late = Viewer(watch)
    late.look()
    assert late.html == viewer.html


def test_fragments_and_whatever_is_not_text_are_never_made_on_the_loop(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    monkeypatch.setattr(
        watch, "_render_fragments", lambda *_: threads.append(threading.get_ident()) or {}
    )
    watch.viewers.append(Cursor(ALL))
    asyncio.run(watch._step(said("one "), ""))
    monkeypatch.setattr("console.live.watch.ANYHOW", 0)
    step(watch, Entry("1-2", "e", [thought("Hm.").to_dict()]).fold(watch._state))
    assert len(threads) == 2 and threading.get_ident() not in threads


def test_six_answers_of_prose_are_handed_to_a_thread_hardly_ever(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps of a run whose six seats write two hundred words each, all with every step."""
    handed: list[int] = []
    render = watch._render
    monkeypatch.setattr("console.live.watch.ANYHOW", 1e9)
    monkeypatch.setattr(
        watch, "_render", lambda *a: handed.append(threading.get_ident()) or render(*a)
    )
    state = RunState()
    apply(state, Event(EventType.RUN_STARTED, 1.0, data={"attempt": 1}))
    for seat in range(6):
        data = {"step": "panel", "seat": seat, "number": 1, "cause": "first", "panelist": {}}
        apply(state, Event(EventType.CALL_ADDED, 1.0, f"panel-{seat}-1", data=data))
    for number in range(200):
        for seat in range(6):
            word = "word.\n\n" if number % 40 == 39 - seat else "word "
            apply(state, Event(EventType.CALL_DELTA, 2.0, f"panel-{seat}-1", data={"text": word}))
        step(watch, state)
    assert len(handed) == 200
    assert sum(thread != threading.get_ident() for thread in handed) <= 2


@pytest.mark.parametrize(
    ("changed", "is_sent"),
    [
        pytest.param('<dl><dd data-figure="x">20</dd>10</dl>', False, id="a figure"),
        pytest.param('<dl><dd data-figure="x"></dd>10</dl>', False, id="a figure gone"),
        pytest.param('<dl><dd data-figure="x">10</dd>20</dl>', True, id="what is beside it"),
        pytest.param('<dl><dd data-figure="y">10</dd>10</dl>', True, id="another figure"),
        pytest.param('<dl><dd data-other="x">20</dd>10</dl>', True, id="no figure"),
    ],
)
def test_a_fragment_is_sent_for_more_than_a_figure_in_it_and_to_a_late_viewer_as_it_is(
    changed: str, is_sent: bool
) -> None:
    frames, early = Frames("w"), Cursor(ALL)

    def shows(html: str, figure: str) -> None:
        frames.begin_step()
        frames.take(status="running", figures={"x": figure})
        frames.take_fragments({"head": html}, shown=ALL)

    shows('<dl><dd data-figure="x">10</dd>10</dl>', "10")
    assert "head" in read(frames.next(early))["fragments"]
    shows(changed, "20")
    beyond = read(frames.next(early))
    assert beyond["figures"] == {"x": "20"}
    assert beyond.get("fragments", {}) == ({"head": changed} if is_sent else {})
    assert read(frames.next(Cursor(ALL)))["fragments"] == {"head": changed}


def test_numbers_formulas_and_directions_end_live_as_a_reload_shows_them(watch: Watch) -> None:
    viewer = Viewer(watch)
    pieces = [
        "Wet [1] at \\( x^",
        "2 \\).\n\n$$\na\n",
        "= b\n- c\n$$\n\n",
        "مرحبا [2].\n\n**重要：**这",
    ]
    show(watch, snapshot(said()))
    for piece in pieces:
        show(watch, Entry("1-2", "e", [delta(piece).to_dict()]))
        viewer.look()
    assert LINK not in viewer.html and viewer.html.count("<math") == 2
    cited = [{"url": "https://one.example/", "title": ""}]
    data = {"finish_reason": "stop", "citations": cited}
    ended = Event(EventType.CALL_COMPLETED, 3.0, "panel-0-1", data=data)
    show(watch, Entry("1-3", "e", [ended.to_dict()]))
    assert viewer.look() == "reset" and viewer.look() == "nothing"
    assert LINK in viewer.html and "[2]." in viewer.html
    assert viewer.html == run_texts(Story().spec, watch._state)["seat-0"]
