"""What programs hear of a text that is replaced: the rest, where the new one goes on from what
they were told; else that it begins again."""

from __future__ import annotations

import json
from typing import Any

from console.api.openai.fusion_events import FusionEvents
from console.api.openai.sse import BEGINS_AGAIN, FreshText, PlainText
from console.engine.events import EventType
from console.engine.findings.answering import answering_call
from console.engine.state import CallState, CallStatus, Step
from tests.console.story import ANALYSIS, Story, a_spec

from .conftest import Api
from .test_run_events import Said, follow, texts

SEAT, FUSED = "panel-0-1", "synthesis-f1-1"


def written(text: str, step: Step = Step.SYNTHESIS) -> CallState:
    return CallState(key="x", step=step, number=1, cause="first", panelist={}, text=text)


def of_one_seat() -> Story:
    return Story(a_spec("maker/alpha", stop_after="panel")).begin()


def recast(story: Story, text: str, reasoning: str = "", key: str = SEAT) -> Story:
    return story.tell(EventType.CALL_RECAST, key, text=text, reasoning=reasoning)


class Program:
    """It streams the answer."""

    def __init__(self, story: Story) -> None:
        self._story, self._text = story, FreshText()

    def hears(self) -> str:
        call = answering_call(self._story.spec, self._story.state)
        return "".join(self._text.of(call))


def test_an_answer_that_goes_on_is_told_on() -> None:
    story = of_one_seat().write(0, "One ")
    program = Program(story)
    assert program.hears() == "One "
    recast(story, "One two ")
    assert program.hears() == "two "
    story.write(0, "three.").answer(0)
    assert program.hears() == "three."


def test_an_answer_that_does_not_go_on_begins_again() -> None:
    story = of_one_seat().write(0, "One ")
    program = Program(story)
    program.hears()
    recast(story, "Two ")
    assert program.hears() == f"{BEGINS_AGAIN}Two "
    story.write(0, "three.").answer(0)
    assert program.hears() == "three."


def test_an_answer_that_is_taken_back_begins_again_with_its_next_word() -> None:
    story = of_one_seat().write(0, "One ")
    program = Program(story)
    program.hears()
    recast(story, "")
    assert program.hears() == ""
    story.write(0, "Two.")
    assert program.hears() == f"{BEGINS_AGAIN}Two."


def test_an_answer_that_ends_shorter_than_it_was_told_begins_again() -> None:
    story = of_one_seat().write(0, "One two ")
    program = Program(story)
    program.hears()
    recast(story, "One ").answer(0)
    assert program.hears() == f"{BEGINS_AGAIN}One "


def test_nothing_begins_again_of_what_nobody_was_told() -> None:
    story = of_one_seat()
    program = Program(story)
    assert program.hears() == ""
    recast(story, "One ")
    assert program.hears() == "One "


def test_a_text_that_only_lags_behind_is_waited_for() -> None:
    text = PlainText()
    assert text.fresh(written("One two ", Step.PANEL)) == "One two "
    assert text.fresh(written("One ", Step.PANEL)) == ""
    assert text.fresh(written("One two three", Step.PANEL)) == "three"


def test_what_was_held_back_may_change_without_a_word() -> None:
    text = PlainText()
    assert text.fresh(written("One [^")) == "One"
    assert text.fresh(written("One, two [^A]")) == ", two"
    end = written("One, two [^A].")
    end.status = CallStatus.COMPLETED
    assert text.fresh(end) == "."


def test_the_panel_s_events_begin_the_answer_again() -> None:
    story = Story().begin().think(0, "Hm.").write(0, "One ")
    told = FusionEvents(story.spec)
    told.of(story.state)
    recast(story, "One two ", "Hm. So.")
    assert of_seat_a(told, story) == [
        ("panel.reasoning.delta", " So."),
        ("panel.delta", "two "),
    ]
    recast(story, "Two.", "Hm. So.").answer(0)
    again = of_seat_a(told, story)
    assert again == [
        ("panel.added", None),
        ("panel.reasoning.delta", "Hm. So."),
        ("panel.delta", "Two."),
        ("panel.completed", None),
    ]
    assert of_seat_a(told, story) == []


def of_seat_a(told: FusionEvents, story: Story) -> list[tuple[str, str | None]]:
    return [(n, d.get("delta")) for n, d in told.of(story.state) if d.get("call") == SEAT]


# A run that was stopped, and a log that says of it what it is given to say.
TALE = """
import asyncio
from django.contrib.auth.models import User
from django.utils import timezone
from console.engine.events import Event
from console.engine.reducer import apply
from console.engine.state import RunState
from console.models import Run
from console.record import eventlog
from console.services.build_spec import build
from console.services.wish import Wish
spec = build(Wish(panel=["good", "fast"], judge="good")).to_dict()
run = Run.objects.create(owner=User.objects.get(username="alice"), prompt="x", messages=[],
    spec=spec, preset="custom", preset_name="Custom", status="cancelled", attempt=1,
    finished_at=timezone.now())

async def tell():
    redis, state = eventlog.connect(), RunState()
    writer = eventlog.Writer(redis, run.pk, 1)
    for batch in json.loads(TOLD):
        events = [Event.from_dict(event) for event in batch]
        for event in events:
            apply(state, event)
        await writer.append(events, state)
    if UNKNOWN:
        writer._number += 1
        await writer._send(writer._number, "e", json.dumps([dict(UNKNOWN)]).encode(), False)
    await redis.aclose()

asyncio.run(tell())
said = str(run.pk)
"""


def told_of(api: Api, *batches: list[dict[str, Any]], unknown: Any = None) -> str:
    begin = [
        event("run.started", attempt=1),
        *(added(f"panel-{seat}-1", "panel", seat=seat) for seat in (0, 1)),
    ]
    told = json.dumps([begin, *batches])
    run_id: str = api.shell(f"TOLD, UNKNOWN = {told!r}, {unknown!r}\n{TALE}")
    return run_id


def heard(api: Api, *batches: list[dict[str, Any]]) -> list[Said]:
    """What a reader hears of a run whose log says these, and that it was stopped."""
    return list(follow(api, told_of(api, *batches, [event("run.cancelled")])))


def event(kind: str, call: str = "", fusion: int = 0, **data: Any) -> dict[str, Any]:
    return {"t": kind, "at": 1_790_000_000.0, "c": call, "f": fusion, "d": data}


def added(key: str, step: str, fusion: int = 0, **data: Any) -> dict[str, Any]:
    panelist = {"model": "good", "credential": "openrouter"}
    said = {"step": step, "number": 1, "cause": "first", "panelist": panelist} | data
    return event("call.added", key, fusion, **said)


def test_the_rest_of_an_answer_that_goes_on_comes_as_deltas(api: Api) -> None:
    events = heard(
        api,
        [event("call.delta", SEAT, text="One ")],
        [event("call.recast", SEAT, text="One two ", reasoning="Hm.")],
        [event("call.delta", SEAT, text="three.")],
    )
    assert [(e.name, e.data.get("text")) for e in events[1:-1]] == [
        ("panel.delta", "One "),
        ("panel.reasoning.delta", "Hm."),
        ("panel.delta", "two "),
        ("panel.delta", "three."),
    ]
    assert texts(events)[SEAT] == "One two three."


def test_an_answer_that_does_not_go_on_is_told_by_the_whole_run_anew(api: Api) -> None:
    events = heard(
        api,
        [event("call.delta", SEAT, text="One ")],
        [
            event("call.recast", SEAT, text="Two ", reasoning="Hm."),
            event("call.delta", SEAT, text="three."),
        ],
    )
    names = ["run.snapshot", "panel.delta", "run.snapshot", "panel.delta", "run.cancelled"]
    assert [e.name for e in events] == names
    assert len({e.id for e in events}) == len(events)
    anew = next(c for c in events[2].data["run"]["calls"] if c["key"] == SEAT)
    assert (anew["text"], anew["reasoning"]) == ("Two ", "Hm.")
    assert texts(events)[SEAT] == "Two three."


def test_an_answer_that_loses_its_end_is_told_by_the_whole_run_anew(api: Api) -> None:
    events = heard(
        api,
        [event("call.delta", SEAT, text="One two ")],
        [event("call.recast", SEAT, text="One ", reasoning="")],
        [event("call.delta", SEAT, text="three.")],
    )
    assert texts(events)[SEAT] == "One three."


def test_a_fused_answer_that_is_replaced_is_told_without_its_marks(api: Api) -> None:
    judged = {"judged": [], "judge": {}, "synthesizer": {}, "criteria": ""}
    judged |= {"judge": {"model": "good"}, "synthesizer": {"model": "good"}}
    events = heard(
        api,
        [event("fusion.started", fusion=1, **judged), added(FUSED, "synthesis", 1)],
        [event("call.delta", FUSED, 1, text="One [^A] and [^")],
        [event("call.recast", FUSED, 1, text="One and two [^B].", reasoning="")],
        [event("call.delta", FUSED, 1, text=" More.")],
    )
    assert "run.snapshot" not in [e.name for e in events[1:]]
    assert texts(events)[FUSED] == "One and two. More."


def test_a_text_that_is_not_told_in_deltas_is_told_when_it_is_whole(api: Api) -> None:
    judged = {"judged": [], "criteria": ""}
    judged |= {"judge": {"model": "good"}, "synthesizer": {"model": "good"}}
    key = "analysis-f1-1"
    events = heard(
        api,
        [event("fusion.started", fusion=1, **judged), added(key, "analysis", 1)],
        [event("call.delta", key, 1, text="Hm. {")],
        [event("call.recast", key, 1, text="{}", reasoning="")],
        [event("call.completed", key, 1, text="{}", analysis=ANALYSIS)],
    )
    told = [e for e in events[1:] if e.data.get("call") == key]
    assert [e.name for e in told] == ["analysis.in_progress", "analysis.completed"]
    assert told[-1].data["text"] == "{}"
    assert "run.snapshot" not in [e.name for e in events[1:]]


def test_of_a_log_that_says_what_nobody_here_knows_the_rows_tell(api: Api) -> None:
    words = [event("call.delta", SEAT, text="One ")]
    run_id = told_of(api, words, unknown=event("call.dreamt", SEAT))
    names = ["run.snapshot", "panel.delta", "run.snapshot", "run.cancelled"]
    assert [e.name for e in follow(api, run_id)] == names
