"""What programs hear of a run is what they heard before, byte for byte.

Each test plays a run in which one thing happens at a time: the models speak when they are told
to, and they are told to when both streams have said what came before. What was heard stands in
`golden/<run>.<stream>.txt`: `events` is `GET /v1/runs/{id}/events` while the run goes on,
`responses` is `POST /v1/responses` with OpenRouter's events, `rows` is the former once the
log is gone and the rows tell the run. What is left out of the comparison: streams.py. After a
change of the streams that is meant:

    FUSION_RECORD_GOLDEN=1 python3 manage.py test tests/api/test_golden_streams.py -q
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from .conftest import GEMINI, GPT, OPUS, Api
from .play import ANSWERS, ASK, JUDGE, SPARE, WRITER, Play, breaks_after, refuses, says
from .streams import comparable
from .test_responses import WEATHER
from .test_runs import ended, read

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def play(api: Api) -> Play:
    return Play(api)


def compare(play: Play, run: str) -> None:
    """Compares what was heard to the golden streams, or records it."""
    events = comparable(play.events.whole(), play.run_id)
    responses = comparable(play.responses.whole(), play.run_id)
    late = comparable(play.hear_events().whole(), play.run_id)
    last = max(n for n, event in enumerate(events) if "event: run.snapshot" in event)
    assert late == [events[0], *events[last:]]  # what the log holds since it began anew
    assert play.api.lose_log(play.run_id)
    rows = comparable(play.hear_events().whole(), play.run_id)
    heard = {"events": events, "responses": responses, "rows": rows}
    for stream, said in heard.items():
        file = GOLDEN / f"{run}.{stream}.txt"
        if os.environ.get("FUSION_RECORD_GOLDEN") == "1":
            file.parent.mkdir(exist_ok=True)
            file.write_text("\n\n".join(said) + "\n", encoding="utf-8", newline="\n")
        else:
            golden = file.read_text(encoding="utf-8")[:-1].split("\n\n")
            assert said == golden, f"{file.name}\n{first_difference(said, golden)}"


def first_difference(said: list[str], golden: list[str]) -> str:
    """Where it is, and what stands there: an event may be as long as a page."""
    for number, (one, other) in enumerate(zip(said, golden, strict=False)):
        if one != other:
            at = len(os.path.commonprefix([one, other]))
            around = slice(max(0, at - 150), at + 150)
            return f"event {number}: …{one[around]}…\nbut was: …{other[around]}…"
    return f"{len(said)} events, but were {len(golden)}"


def test_a_whole_run(play: Play) -> None:
    play.ask()
    play.answer_all()
    play.analyse()
    play.write()
    compare(play, "whole")


def test_a_panel_that_loses_a_seat_in_mid_answer(play: Play) -> None:
    play.script(GPT, breaks_after("It was ", "going to be"))
    play.ask()
    play.answer("panel-0-1")
    play.let(GPT)
    play.until_event("panel.failed", '"panel-1-1"')
    play.answer("panel-2-1")
    play.analyse()
    play.write()
    compare(play, "degraded")


def test_seats_that_are_asked_again_and_one_that_is_replaced(play: Play) -> None:
    play.script(OPUS, refuses("429 Too Many Requests", "Retry-After: 0"), ANSWERS[OPUS])
    play.script(GPT, refuses("503 Service Unavailable", "Retry-After: 0"), ANSWERS[GPT])
    play.script(GEMINI, refuses("404 Not Found"))
    play.script(SPARE, ANSWERS[GEMINI])
    panel = [OPUS, GPT, {"model": GEMINI, "fallback": SPARE}]
    play.ask(fusion=ASK["fusion"] | {"panel": panel})
    for seat, (model, grace) in enumerate(((OPUS, False), (GPT, True))):
        play.let(model)
        play.was_asked(model, 2)
        play.until_event("call.sent", f'"panel-{seat}-2"')
        play.answer(f"panel-{seat}-2", turn=2, grace=grace)
    play.let(GEMINI)
    play.answer("panel-2-2", model=SPARE)
    play.analyse()
    play.write()
    compare(play, "retried")


def test_a_run_that_loses_its_worker_in_mid_panel(play: Play) -> None:
    play.script(GPT, says("It was ", "going to be", thinks=("Well,",), ends=False), ANSWERS[GPT])
    play.script(GEMINI, says(ends=False), ANSWERS[GEMINI])
    play.ask()
    play.answer("panel-0-1")
    play.let(GPT)
    play.until_event("panel.delta", "going to be")
    play.until_response("fusion_call.panel.delta", "going to be")
    stack = play.api.stack
    stack.kill("worker")
    try:
        # Its lease has run out: another may take the run over at once.
        play.api.shell(
            "from django.utils import timezone\n"
            "from console.models import Run\n"
            f"said = Run.objects.filter(pk={play.run_id!r}).update(lease_until=timezone.now())"
        )
    finally:
        stack.start_worker()
    for seat, model in ((1, GPT), (2, GEMINI)):
        play.was_asked(model, 2)
        play.until_event("call.sent", f'"panel-{seat}-2"')
        play.until_response("fusion_call.panel.added", f'"panel-{seat}-2"')
    play.answer("panel-1-2", turn=2, grace=True)
    play.answer("panel-2-2", turn=2)
    play.analyse()
    play.write()
    compare(play, "resumed")


def test_a_run_that_is_fused_again(play: Play) -> None:
    play.ask()
    play.answer_all()
    play.analyse()
    play.write()
    ended(play.api, play.run_id)
    play.ask_again(criteria="Be “brief”.", seats=["A", "B"])
    play.analyse()
    play.write()
    compare(play, "fused-again")


def test_a_run_that_is_stopped_in_mid_panel(play: Play) -> None:
    play.script(GPT, says("It was ", "going to be", ends=False))
    play.ask()
    play.answer("panel-0-1")
    play.let(GPT)
    play.until_event("panel.delta", "going to be")
    play.until_response("fusion_call.panel.delta", "going to be")
    assert play.api.post(f"/runs/{play.run_id}/cancel").status_code == 200
    compare(play, "cancelled")


def test_a_judge_that_cannot_be_read(play: Play) -> None:
    play.script(JUDGE, says("They all agree."), says("I mean ", "it."))
    play.ask()
    play.answer_all()
    play.let(JUDGE, turn=1)
    play.let(JUDGE, turn=2)
    play.until_event("analysis.failed", '"final":true')
    play.write()
    compare(play, "judge-failed")


def test_a_synthesizer_that_fails_and_an_answer_that_stands_in(play: Play) -> None:
    heard = threading.Event()
    play.script(WRITER, breaks_after("Both ", "say so", when=heard))
    play.ask()
    play.answer_all()
    play.analyse()
    play.write()
    play.until_response("output_text.delta", "say so")
    heard.set()
    compare(play, "stand-in")


def test_a_panel_that_comes_to_nothing(play: Play) -> None:
    seats = {OPUS: "402 Payment Required", GPT: "401 Unauthorized", GEMINI: "403 Forbidden"}
    for model, status in seats.items():
        play.script(model, refuses(status))
    play.ask()
    for seat, model in enumerate(seats):
        play.let(model)
        play.until_event("panel.failed", f'"panel-{seat}-1"')
    compare(play, "all-failed")


def test_a_panel_that_is_asked_which_answer_is_better(play: Play) -> None:
    play.ask()
    play.answer_all()
    play.analyse()
    play.write()
    ended(play.api, play.run_id)
    play.script(OPUS, says('{"better": "equal"}'))
    play.script(GPT, says("The first, ", "I think."))
    play.script(GEMINI, refuses("403 Forbidden"))
    play.api.upstream.requests.clear()
    # Which of the two comes first is drawn from the run's seed.
    play.api.shell(
        "from console.models import Run\n"
        "from console.services.fusions import run_poll\n"
        f"run = Run.objects.get(pk={play.run_id!r})\n"
        "run.spec['shuffle_seed'] = 7\n"
        "run.save(update_fields=['spec'])\n"
        "said = len(run_poll(run=run, fusion=1))"
    )
    play.hear_again(OPUS, GPT, GEMINI)
    for seat, model in enumerate((OPUS, GPT)):
        play.let(model)
        play.until_event("poll.completed", f'"poll-f1-s{seat}-1"')
    play.let(GEMINI)
    compare(play, "polled")


def test_a_synthesizer_that_calls_a_tool(play: Play) -> None:
    called = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city":"Zürich"}'},
    }
    play.script(WRITER, says("Let me ", "look [^A].", tool_calls=[called]))
    play.ask(tools=[WEATHER])
    play.answer_all()
    play.analyse()
    play.write()
    compare(play, "tools")
    said = read(play.api, play.run_id)
    assert said["tool_calls"][0]["function"]["arguments"] == '{"city":"Zürich"}'
