"""Logs that code of another version writes: nobody misreads them, and the rows stand in."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from console.engine.events import Event, EventType
from console.engine.reducer import apply
from console.engine.state import RunState
from console.models import Run
from console.record import eventlog
from console.record.eventlog import Entry
from console.worker.worker import Worker
from tests.carrying_out import carry_out
from tests.console.story import Story, a_spec
from tests.realtime.conftest import StartRun
from tests.realtime.test_live_rows import impatient, save_rows, viewer_of, word  # noqa: F401
from tests.realtime.test_recorder_faults import added, on_loop
from tests.upstream import Script, Upstream

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN = {"t": "call.dreamt", "at": 3.0, "c": "panel-0-1"}


JUDGED: dict[str, Any] = {"judged": [], "judge": {}, "synthesizer": {}, "criteria": ""}


def written() -> RunState:
    state = apply(RunState(), Event(EventType.RUN_STARTED, 1.0, data={"attempt": 1}))
    return apply(apply(state, added()), word("One "))


def whole(state: RunState, version: int = eventlog.VERSION) -> Entry:
    return Entry("1-9", "s", {"v": version} | state.to_dict())


def test_an_event_of_an_unknown_type_leaves_the_state_as_it_was_and_says_so() -> None:
    state = written()
    entry = Entry("1-2", "e", [word("two ").to_dict(), UNKNOWN, word("three ").to_dict()])
    assert entry.fold(state) is None
    assert state.to_dict() == written().to_dict()


def test_a_log_that_could_not_be_read_can_be_from_its_next_snapshot_on() -> None:
    lost = Entry("1-2", "e", [UNKNOWN]).fold(written())
    lost = Entry("1-3", "e", [word("three ").to_dict()]).fold(lost)
    assert lost is None
    found = whole(written()).fold(lost)
    assert found and found.calls["panel-0-1"].text == "One "


@pytest.mark.parametrize("version", [1, eventlog.VERSION + 1])
def test_a_snapshot_of_another_version_is_not_read(version: int) -> None:
    assert whole(written(), version).fold(None) is None
    state = written().to_dict()  # the first version had no number
    assert Entry("1-1", "s", state).fold(written()) is None


def test_a_field_that_only_a_later_version_knows_is_passed_over() -> None:
    begun = Event(EventType.FUSION_STARTED, 2.0, fusion=1, data=JUDGED)
    state = apply(written(), begun)
    later = {"v": eventlog.VERSION, "new": 1} | state.to_dict()
    for part in (*later["calls"], *later["fusions"]):
        part["new"] = ["said"]
    found = Entry("1-9", "s", later).fold(None)
    assert found and found.to_dict() == state.to_dict()


async def append_unknown(writer: eventlog.Writer) -> None:
    writer._number += 1
    await writer._send(writer._number, "e", json.dumps([UNKNOWN]).encode(), False)


def test_a_viewer_of_a_log_that_cannot_be_read_is_shown_the_rows(
    alice: User, worker: Worker
) -> None:
    story = Story(a_spec("maker/alpha")).begin().write(0, "One ")
    run = story.save(alice)

    async def watch_it() -> None:
        writer = eventlog.Writer(worker.redis, run.pk, 1)
        await writer.append([], story.state)
        async with viewer_of(run) as viewer:
            await writer.append([word("two ")], story.write(0, "two ").state)
            await viewer.sees("One two")
            await append_unknown(writer)
            await save_rows(worker, run, story.write(0, "three "), at="1-3")
            await viewer.sees("One two three")
            # What goes on from what was not read is not read either.
            await writer.append([word("four ")], story.write(0, "four ").state)
            await save_rows(worker, run, story, at="1-4")
            await viewer.sees("One two three four")
            writer._needs_snapshot = True
            await writer.append([], story.state)
            await writer.append([word("five ")], story.write(0, "five ").state)
            await viewer.sees("One two three four five")
            assert viewer.resets == 1  # the first frame; nothing was taken back
            await save_rows(worker, run, story.tell(EventType.RUN_CANCELLED), at="1-9")
            await viewer.sees("One two three four five", "cancelled")

    on_loop(worker, watch_it())


@pytest.mark.parametrize(
    ("log", "text"),
    [
        ("as it is today", "One two "),
        ("with an older key", "One "),
        ("with a newer snapshot", "One "),
        ("with an unknown event", "One "),
        ("with a call of an unknown step", "One "),
    ],
)
def test_a_run_whose_log_is_of_another_version_is_taken_up_from_its_rows(
    worker: Worker, upstream: Upstream, start: StartRun, log: str, text: str
) -> None:
    """The log has more of the interrupted text than the rows; who can read it takes that over."""
    run = start("good")
    upstream.script("good", Script(text="Anew."))
    Run.objects.filter(pk=run.pk).update(status="running", attempt=1)
    story = Story(a_spec("good", credential="test")).begin().write(0, "One ")

    async def write() -> None:
        await save_rows(worker, run, story, at="")
        key = eventlog._key(run.pk)
        body = {"v": eventlog.VERSION} | story.write(0, "two ").state.to_dict()
        if log == "with an older key":
            key = key.removesuffix(f":{eventlog.VERSION}")
        if log == "with a newer snapshot":
            body["v"] += 1
        await worker.redis.xadd(key, {"s": json.dumps(body)}, id="1-1")
        if log == "with a call of an unknown step":
            dream = {"t": "call.added", "at": 1.0, "c": "dream-1", "d": {"step": "dream"}}
            await worker.redis.xadd(key, {"e": json.dumps([dream])}, id="1-2")
        if log == "with an unknown event":
            await worker.redis.xadd(key, {"e": json.dumps([UNKNOWN])}, id="1-2")

    on_loop(worker, write())
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    carry_out(worker, str(run.pk))
    calls = {call.key: call for call in run.calls.all()}
    assert (calls["panel-0-1"].text, calls["panel-0-1"].reason) == (text, "worker_lost")
    assert calls["panel-0-2"].text == "Anew."


def test_the_log_says_its_version_in_its_key_and_in_every_snapshot(
    worker: Worker, start: StartRun
) -> None:
    run = start("good")
    carry_out(worker, str(run.pk))

    async def read() -> list[Any]:
        entries: list[Any] = await worker.redis.xrange(f"fusion:run:{run.pk}:log:2")
        return entries

    (_, fields), *_ = on_loop(worker, read())
    assert json.loads(fields[b"s"])["v"] == 2
