"""What a watch shows: while its thread is at work on the next frame, from which source, and to
a viewer who had been shown what is no longer so."""

from __future__ import annotations

import asyncio
import json
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from console.engine.events import Event, EventType
from console.engine.reducer import apply
from console.engine.state import RunState
from console.live.frames import Cursor
from console.live.watch import Watch, Watches
from console.models.shown import ALL, BY_LINK
from console.record.eventlog import VERSION, Entry
from tests.console.story import Story
from tests.live.member import View, read

LINK = '<a href="https://one.example/"'


class NoRedis:
    async def xread(self, *_: Any, **__: Any) -> None:
        await asyncio.sleep(60)


async def test_a_frame_waits_for_a_step_that_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async def idle(self: Watch) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(Watch, "_follow_to_the_end", idle)
    watch = Watch(uuid.uuid4(), NoRedis(), lambda *_: {})  # type: ignore[arg-type]
    inside, go_on = threading.Event(), threading.Event()

    def work(*_: Any) -> None:
        watch._note = "half"
        inside.set()
        assert go_on.wait(60)
        watch._note = "whole"

    monkeypatch.setattr(watch, "_render", work)
    monkeypatch.setattr(watch, "_beyond", lambda cursor: watch._note)
    step = asyncio.create_task(watch._step(RunState(), ""))
    await asyncio.to_thread(inside.wait, 5)
    frame = asyncio.create_task(watch.frame(Cursor(ALL)))
    await asyncio.sleep(0.05)
    assert not frame.done()
    go_on.set()
    assert await frame == "whole"
    await step
    watch.close()


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Of one seat; what it follows is told to it by hand."""

    async def idle(self: Watch) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(Watch, "_follow_to_the_end", idle)

    async def make() -> Watch:
        return Watch(uuid.uuid4(), NoRedis(), lambda *_: {})  # type: ignore[arg-type]

    loop = asyncio.new_event_loop()
    watch = loop.run_until_complete(make())
    watch._spec = Story().spec
    yield watch
    watch.close()
    loop.run_until_complete(asyncio.gather(watch._task, return_exceptions=True))
    loop.close()


def said(*words: str) -> RunState:
    state = apply(RunState(), Event(EventType.RUN_STARTED, 1.0, data={"attempt": 1}))
    added = {"step": "panel", "seat": 0, "number": 1, "cause": "first", "panelist": {"model": "m"}}
    apply(state, Event(EventType.CALL_ADDED, 1.0, "panel-0-1", data=added))
    for word in words:
        apply(state, delta(word))
    return state


def delta(text: str) -> Event:
    return Event(EventType.CALL_DELTA, 2.0, "panel-0-1", data={"text": text})


def thought(text: str) -> Event:
    return Event(EventType.CALL_REASONING_DELTA, 2.0, "panel-0-1", data={"text": text})


def snapshot(state: RunState) -> Entry:
    return Entry("1-1", "s", {"v": VERSION} | state.to_dict())


def show(watch: Watch, entry: Entry) -> None:
    watch._render(entry.fold(watch._state), "")


def step(watch: Watch, state: RunState | None, note: str = "") -> None:
    """As when nothing but text has come."""
    assert state
    asyncio.run(watch._step(state, note, {"panel-0-1"}))


def shown(watch: Watch) -> str:
    return watch._frames.texts["seat-0"].renderer.text


@pytest.fixture
def watches(monkeypatch: pytest.MonkeyPatch) -> Watches:
    """Nothing happens in the runs they watch until somebody ends their watch."""

    async def idle(self: Watch) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(Watch, "_follow_to_the_end", idle)
    monkeypatch.setattr("console.record.eventlog.connect", NoRedis)
    monkeypatch.setattr("console.live.watch.LINGER", 0)
    return Watches(lambda *_: {})


async def lingered() -> None:
    """Long enough for a watch that nobody sees."""
    await asyncio.sleep(0.01)


@pytest.mark.parametrize("first_to_leave", [0, 1])
async def test_a_viewer_that_leaves_first_takes_nobody_with_it(
    watches: Watches, first_to_leave: int
) -> None:
    """Two who were sent the same are still two: the one that stays goes on being sent more."""
    run, cursors = uuid.uuid4(), [Cursor(ALL), Cursor(ALL)]
    views = [watches.watch(run, cursor) for cursor in cursors]
    watch, same = [await view.__aenter__() for view in views]
    assert watch is same
    await views[first_to_leave].__aexit__(None, None, None)
    (staying,) = watch.viewers
    assert staying is cursors[1 - first_to_leave] and not watch._task.cancelling()
    staying.after = 3
    await views[1 - first_to_leave].__aexit__(None, None, None)
    await lingered()
    assert not watch.viewers and watch._task.cancelling()
    async with watches.watch(run, Cursor(ALL)) as anew:
        assert anew is not watch


async def test_a_run_that_is_fused_again_is_watched_anew_though_somebody_still_reads_its_end(
    watches: Watches,
) -> None:
    run = uuid.uuid4()
    async with watches.watch(run, Cursor(ALL)) as before:
        await asyncio.sleep(0)  # it has begun
        before.close()
        await asyncio.gather(before._task, return_exceptions=True)
        assert before.ended
        async with watches.watch(run, Cursor(ALL)) as anew:
            assert anew is not before
        async with watches.watch(run, Cursor(ALL)) as later:
            pass
    await lingered()
    assert later._task.cancelling()
    assert not watches._watches


async def test_a_viewer_that_comes_back_soon_goes_on_where_it_was(
    watches: Watches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.live.watch.LINGER", 60)
    run, cursor = uuid.uuid4(), Cursor(ALL)
    async with watches.watch(run, cursor) as watch:
        watch._spec = Story().spec
        show(watch, snapshot(said("one ", "two ")))
        first = read(await watch.frame(cursor))
        show(watch, Entry("1-2", "e", [delta("three ").to_dict()]))
    again, stranger = Cursor(ALL), Cursor(ALL)
    async with watches.watch(run, again) as same:
        assert same is watch
        same.resume(again, f"{first['watch']}-{first['at']}")
        (more,) = read(await same.frame(again))["texts"]
        assert "reset" not in more and more["tail"] == "three "
        for position in ("", "-", "x-1", f"{watch.id}-x", f"{watch.id}-", f"other-{first['at']}"):
            same.resume(stranger, position)
            assert stranger.after == 0
        same.resume(stranger, f"{watch.id}-999999")
        assert stranger.after == more.get("at", same._frames.step)
    watch.close()


class Viewer:
    """One reader with a cursor, and what the page makes of the frames."""

    def __init__(self, watch: Watch) -> None:
        self._watch, self._cursor, self._view = watch, Cursor(ALL), View()

    def look(self) -> str:
        """Takes the next frame; how the text in it was told."""
        frame = read(self._watch._beyond(self._cursor))
        self._view.apply(frame)
        told = frame.get("texts", [])
        if not told:
            return "nothing"
        return "reset" if told[0].get("reset") else "more"

    @property
    def text(self) -> str:
        return self._view.text("seat-0").removesuffix("\n")

    @property
    def html(self) -> str:
        return self._view.html("seat-0")


def taken_up(*words: str, attempt: int) -> RunState:
    state = said(*words)
    state.attempt = attempt
    return state


def asked_again(*words: str) -> RunState:
    state = said("one ", "two ")
    failed = {"reason": "stalled", "error": "No text for too long.", "final": False}
    apply(state, Event(EventType.CALL_FAILED, 3.0, "panel-0-1", data=failed))
    added = {"step": "panel", "seat": 0, "number": 2, "cause": "retry", "panelist": {"model": "m"}}
    apply(state, Event(EventType.CALL_ADDED, 4.0, "panel-0-2", data=added))
    for word in words:
        apply(state, Event(EventType.CALL_DELTA, 5.0, "panel-0-2", data={"text": word}))
    return state


@pytest.mark.parametrize(
    ("then", "text"),
    [
        pytest.param(taken_up("one ", attempt=2), "one ", id="taken back"),
        pytest.param(taken_up(attempt=2), "", id="taken back to nothing"),
        pytest.param(taken_up("one ", "too ", "many", attempt=2), "one too many", id="rewritten"),
        pytest.param(asked_again("three "), "three ", id="of another call"),
        pytest.param(asked_again("one ", "two "), "one two ", id="the same of another call"),
        pytest.param(asked_again(), "", id="of another call that says nothing yet"),
    ],
)
def test_a_viewer_is_told_that_the_text_shown_is_no_longer_so(
    watch: Watch, then: RunState, text: str
) -> None:
    viewer = Viewer(watch)
    show(watch, snapshot(said("one ", "two ")))
    assert viewer.look() == "reset" and viewer.text == "one two "
    show(watch, snapshot(then))
    assert viewer.look() == "reset" and viewer.text == text
    assert viewer.look() == "nothing"
    late = Viewer(watch)
    late.look()
    assert late.text == text


def test_a_text_that_goes_on_is_never_told_anew(watch: Watch) -> None:
    viewer = Viewer(watch)
    state = said("A line.\n\n")
    show(watch, snapshot(state))
    assert viewer.look() == "reset"
    whole = "A line."
    for word in ("And ", "another.\n\n", "The ", "last."):
        show(watch, Entry("1-2", "e", [delta(word).to_dict()]))
        whole += word
        assert viewer.look() == "more"
        assert "".join(viewer.text.split()) == "".join(whole.split())
    ended = Event(EventType.CALL_COMPLETED, 3.0, "panel-0-1", data={"finish_reason": "stop"})
    show(watch, Entry("1-3", "e", [ended.to_dict()]))
    assert viewer.look() == "more" and viewer.look() == "nothing"


def test_a_viewer_who_was_away_while_a_text_was_rewritten_twice_sees_the_last(
    watch: Watch,
) -> None:
    viewer = Viewer(watch)
    show(watch, snapshot(said("one ", "two ")))
    viewer.look()
    show(watch, snapshot(taken_up("other ", attempt=2)))
    show(watch, snapshot(taken_up("one ", "two ", "three ", attempt=3)))
    assert viewer.look() == "reset" and viewer.text == "one two three "


def test_a_viewer_is_told_of_what_only_the_end_of_a_text_explains(watch: Watch) -> None:
    viewer = Viewer(watch)
    show(watch, snapshot(said("See [one].\n\n", "That is all.\n\n")))
    assert viewer.look() == "reset"
    definition = delta("[one]: https://one.example/\n").to_dict()
    show(watch, Entry("1-2", "e", [definition]))
    viewer.look()
    assert LINK not in viewer.html
    ended = Event(EventType.CALL_COMPLETED, 3.0, "panel-0-1", data={"finish_reason": "stop"})
    show(watch, Entry("1-3", "e", [ended.to_dict()]))
    assert viewer.look() == "reset"
    assert LINK in viewer.html and viewer.html.count("That is all.") == 1


def test_viewers_at_the_same_step_share_one_encoding(watch: Watch) -> None:
    show(watch, snapshot(said("one ")))
    cursors = [Cursor(ALL) for _ in range(3)]
    first = [watch._beyond(cursor) for cursor in cursors]
    assert first[0] is first[1] is first[2]
    show(watch, Entry("1-2", "e", [delta("two ").to_dict()]))
    assert watch._beyond(cursors[0]) is watch._beyond(cursors[1])
    assert read(watch._beyond(Cursor(BY_LINK)))["texts"][0]["reset"]


def test_a_text_that_is_not_wanted_costs_nothing_until_it_is_and_comes_whole_at_the_end(
    watch: Watch,
) -> None:
    cursor, view = Cursor(ALL), View()
    show(watch, snapshot(said("one ")))
    view.apply(read(watch._beyond(cursor)))
    cursor.wants = frozenset({"fused"})
    for number, word in enumerate(("two ", "three "), 2):
        show(watch, Entry(f"1-{number}", "e", [delta(word).to_dict()]))
        assert "texts" not in read(watch._beyond(cursor))
    cursor.wants = None
    (change,) = read(watch._beyond(cursor))["texts"]
    assert change["tail"] == "two three " and "reset" not in change
    cursor.wants = frozenset()
    show(watch, Entry("1-4", "e", [delta("four").to_dict()]))
    assert "texts" not in read(watch._beyond(cursor))
    ended = [
        Event(EventType.CALL_COMPLETED, 3.0, "panel-0-1", data={"finish_reason": "stop"}),
        Event(EventType.RUN_COMPLETED, 4.0),
    ]
    show(watch, Entry("1-5", "e", [event.to_dict() for event in ended]))
    assert "four" in json.dumps(read(watch._beyond(cursor))["texts"])
