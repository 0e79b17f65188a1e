"""A program that comes back to a run's events, of which rows have told a part: whatever it heard
last, it folds every word once."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import RequestFactory

from console.api.runs.events import _Telling
from console.engine.events import Event, EventType
from console.models import Run
from console.record.eventlog import VERSION, Entry, Position
from tests.console.story import Story, a_spec

pytestmark = pytest.mark.django_db

SEAT = "panel-0-1"
Heard = list[tuple[str, str, dict[str, Any]]]


def telling(run: Run, last: str = "") -> _Telling:
    headers = {"Last-Event-ID": last} if last else {}
    call: Any = SimpleNamespace(
        request=RequestFactory().get("/", headers=headers), token=SimpleNamespace(owner_id=0)
    )
    return _Telling(call, run)


def heard(said: list[bytes]) -> Heard:
    result = []
    for event in said:
        fields = dict(line.split(": ", 1) for line in event.decode().strip().split("\n"))
        result.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
    return result


def text(events: Heard) -> str:
    told = ""
    for _, name, data in events:
        if name == "run.snapshot":
            told = next(c["text"] for c in data["run"]["calls"] if c["key"] == SEAT)
        elif name == "panel.delta":
            told += data["text"]
    return told


def delta(word: str) -> dict[str, Any]:
    return Event(EventType.CALL_DELTA, 2.0, SEAT, data={"text": word}).to_dict()


@pytest.mark.parametrize("has_ended", [False, True])
def test_every_word_is_told_once_wherever_a_program_is_cut_off(
    alice: User, has_ended: bool
) -> None:
    story = Story(a_spec("maker/alpha", stop_after="panel")).begin().write(0, "One ")
    run = story.save(alice)
    entries = [Entry("1-1", "s", {"v": VERSION} | story.state.to_dict())]
    thought = Event(EventType.CALL_REASONING_DELTA, 2.0, SEAT, data={"text": "Hm."})
    entries.append(Entry("1-2", "e", [delta("two "), thought.to_dict(), delta("three ")]))
    end = Event(EventType.RUN_CANCELLED, 3.0).to_dict()
    entries.append(Entry("1-3", "e", [delta("four."), *([end] if has_ended else [])]))
    story.write(0, "two ")
    run.log_position = "1-2"  # says as much, and more

    first = telling(run)
    events = list(first._of_entry(entries[0]))
    first._rows_reach = Position.read(run.log_position)
    events += first._of_rows(story.state)
    for entry in entries[1:]:
        events += first._of_entry(entry)
    whole = heard(events)
    assert text(whole) == "One two three four."
    assert [name for _, name, _ in whole].count("run.cancelled") == has_ended

    for cut in range(1, len(whole) + 1):
        before = whole[:cut]
        again = telling(run, last=before[-1][0])
        after = heard([e for entry in entries for e in again._of_entry(entry)])
        assert text(before + after) == "One two three four.", before[-1]
        assert [n for _, n, _ in before + after].count("run.cancelled") == has_ended
