"""A whole run as a document: written, read and brought in again it is the same run."""

from __future__ import annotations

import copy
import json
import random
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from console.engine.errors import Reason
from console.engine.spec import Panelist
from console.engine.state import CallStatus, RunStatus, Step, call_key
from console.models import Run, Visibility
from console.record.portable import (
    Malformed,
    bring_in,
    read,
    to_json,
    write,
)
from console.record.public import run_object
from console.record.rows import state_from_rows
from console.services.follow import run_follow
from console.site.sample import FILE
from tests.console import test_by_words as by_words
from tests.console.story import Story, a_spec

TEXT = "# Why\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nprint('<script>')\n```\n"


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def a_run(owner: User, **fields: Any) -> Run:
    story = Story(a_spec("m/alpha", "m/beta", "m/gamma")).begin().wait(1)
    story.think(0, "Let me see.").answer(0, TEXT).wait(1)
    story.answer(1, "So it is.", citations=[{"url": "https://a.example/1", "title": "One"}])
    story.fail(2, Reason.RATE_LIMITED).judge().wait(2).analyse()
    return story.synthesise("It is so (A).").wait(1).complete().save(owner, **fields)


def json_of(*runs: Run) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(to_json(write(runs)))
    return data


def again(data: Any, owner: User) -> list[Run]:
    document = read(json.dumps(data).encode())
    return bring_in(document, owner=owner, visibility=Visibility.PRIVATE, origin="page")


# ---- what comes back ----


def test_a_run_that_was_taken_along_is_the_same_run(alice: User, bob: User) -> None:
    data = json_of(a_run(alice))
    (brought,) = again(data, bob)
    assert json_of(brought) == data
    assert (data["v"], brought.owner) == (1, bob)


def test_it_has_the_same_page(alice: User, page: Client) -> None:
    run = a_run(alice)
    (brought,) = again(json_of(run), alice)
    first, second = (_html(page, r) for r in (run, brought))
    assert first == second
    assert "&lt;script&gt;" in first and "<script>" not in _body(first)


def _html(page: Client, run: Run) -> str:
    html = page.get(f"/fusion/runs/{run.pk}").content.decode()
    html = html.replace(str(run.pk), "RUN")
    html = re.sub(r'name="(csrfmiddlewaretoken|client_run_id)" value="[^"]*"', "", html)
    html = re.sub(r'nonce="[^"]*"|data-now="[^"]*"', "", html)
    return html


def _body(html: str) -> str:
    return html[html.index("<main") : html.index("</main>")]


def test_what_goes_on_from_it_comes_along_and_asks_the_same(alice: User) -> None:
    from console.record.asked import asked

    run = a_run(alice)
    after = run_follow(run=run, owner=alice, prompt="And then?", spec=a_spec("m/alpha"))
    after.status = RunStatus.CANCELLED
    after.save()
    data = json_of(run, after)
    first, second = again(data, alice)
    assert second.follows_id == first.pk
    assert asked(second) == asked(after)
    assert json_of(first, second) == data


def test_every_kind_of_run_comes_back(alice: User) -> None:
    swapped = Panelist("m/other", "openrouter", price=None, label="bold").to_dict()
    stories = [
        Story().whole(),
        Story(a_spec("m/one")).begin().answer(0, "Yes.").judge().synthesise("Yes.").complete(),
        Story(a_spec(stop_after="panel")).begin().wait(1),
        Story().begin().answer(0, "Yes.").answer(1, "No.").answer(2, "").judge().misjudge(),
        by_words.told(),
        by_words.failed_judge(writes=False),
    ]
    for story in stories:
        for call in story.state.calls.values():
            if not call.status.is_final:
                call.status = CallStatus.CANCELLED
        for fusion in story.state.fusions.values():
            fusion.status = RunStatus.COMPLETED
        story.state.status = RunStatus.COMPLETED
        story.state.calls["panel-0-1"].panelist = swapped
        data = json_of(story.save(alice))
        assert json_of(*again(data, alice)) == data


texts = st.text(max_size=30)
moments = st.integers(0, 4_000_000_000_000).map(lambda ms: ms / 1000)
ended = st.sampled_from(["completed", "failed", "cancelled"])


def quotes_of(seats: int) -> st.SearchStrategy[Any]:
    seat = st.integers(0, seats - 1)
    quote = {"seat": seat, "quote": texts}
    found = {"verified": st.booleans(), "start": st.integers(0, 9), "end": st.integers(0, 9)}
    either = st.fixed_dictionaries(quote) | st.fixed_dictionaries(quote | found)
    return st.lists(either, max_size=2)


def analyses_of(seats: int) -> st.SearchStrategy[Any]:
    several = st.lists(st.integers(0, seats - 1), max_size=seats)
    extra = {"evidence": quotes_of(seats), "standing": st.sampled_from(["supported", "partly"])}

    def of(**required: Any) -> st.SearchStrategy[Any]:
        return st.lists(st.fixed_dictionaries(required, optional=extra), max_size=2)

    stances = of(stance=texts, seats=several)
    return st.fixed_dictionaries(
        {
            "consensus": of(claim=texts, seats=several),
            "contradictions": st.lists(
                st.fixed_dictionaries({"topic": texts, "stances": stances}), max_size=2
            ),
            "partial_coverage": of(point=texts, seats=several),
            "unique_insights": of(insight=texts, seat=st.integers(0, seats - 1)),
            "blind_spots": st.lists(texts, max_size=2),
        },
        optional={"cut_off": st.booleans(), "left_out": st.integers(0, 9)},
    )


@st.composite
def runs(draw: st.DrawFn) -> dict[str, Any]:
    seats = draw(st.integers(1, 3))
    spec = a_spec(*(f"m/{n}" for n in range(seats))).to_dict()
    said = st.fixed_dictionaries(
        {"status": ended, "text": texts, "reasoning": texts, "error": texts, "model": texts},
        optional={
            "usage": st.fixed_dictionaries(
                {}, optional={"input_tokens": st.integers(0, 2**53 - 1)}
            ),
            "cost": st.none() | st.integers(0, 10**9).map(lambda n: str(Decimal(n).scaleb(-8))),
            "finish_reason": st.none() | st.sampled_from(["stop", "length", ""]),
            "reason": st.sampled_from(["", *(reason.value for reason in Reason)]),
            "started_at": st.none() | moments,
        },
    )

    def call(step: Step, place: int, number: int = 1, seat: int | None = None) -> dict[str, Any]:
        is_answer = step is Step.PANEL
        return draw(said) | {
            "key": call_key(step, place, number, seat),
            "step": step.value,
            "number": number,
            "cause": "first",
            "seat": place if is_answer else seat,
            "fusion": None if is_answer else place,
            "panelist": spec["judge"],
        }

    calls = [
        call(Step.PANEL, seat, number + 1)
        for seat in range(seats)
        for number in range(draw(st.integers(0, 2)))
    ]
    fusions = []
    if draw(st.booleans()):
        judged = [one["key"] for one in calls]
        calls += [call(Step.ANALYSIS, 1), call(Step.CONDENSE, 1, seat=0), call(Step.SYNTHESIS, 1)]
        analysis = draw(st.none() | analyses_of(seats))
        fusions = [
            {"number": 1, "judged": judged, "status": draw(ended), "analysis": analysis}
            | {"judge": spec["judge"], "criteria": draw(texts)}
        ]
    prompt = draw(st.text(min_size=1, max_size=30))
    return {
        "prompt": prompt,
        "messages": [{"role": "user", "content": prompt}],
        "spec": spec,
        "preset": "p",
        "preset_name": "P",
        "created_at": draw(moments),
        "attempt": 1,
        "status": draw(ended),
        "started_at": draw(st.none() | moments),
        "idle_seconds": draw(moments),
        "calls": calls,
        "fusions": fusions,
    }


@given(several=st.lists(runs(), min_size=1, max_size=2))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_a_run_holds_written_and_read_it_is_the_same(
    several: list[dict[str, Any]], alice: User
) -> None:
    document = read(json.dumps({"v": 1, "runs": several}).encode())
    rows = bring_in(document, owner=alice, visibility=Visibility.PRIVATE, origin="page")
    rows = [Run.objects.get(pk=run.pk) for run in rows]
    written = to_json(write(rows))
    assert written == to_json(document)
    assert read(written.encode()) == document


def test_what_no_database_keeps_is_replaced_as_it_is_of_a_models_text(alice: User) -> None:
    data = json_of(a_run(alice))
    data["runs"][0]["calls"][0]["text"] = "a\0b"
    data["runs"][0]["fusions"][0]["analysis"]["blind_spots"] = ["\0", r"\u0000", "\\\0"]
    (brought,) = again(data, alice)
    assert brought.calls.get(key="panel-0-1").text == "a\ufffdb"
    spots = brought.fusions.get().analysis["blind_spots"]
    assert spots == ["\ufffd", r"\u0000", "\\\ufffd"]


def test_what_programs_are_told_is_the_same(alice: User) -> None:
    run = a_run(alice)
    (brought,) = again(json_of(run), alice)
    told, again_told = (
        run_object(r, r.frozen_spec, state_from_rows(r)).model_dump() for r in (run, brought)
    )
    assert told | {"id": ""} == again_told | {"id": ""}


def test_markup_that_a_document_brings_is_shown_as_text(alice: User, page: Client) -> None:
    harm = "<img src=x onerror=alert(1)>"
    data = json_of(a_run(alice))
    it = data["runs"][0]
    it["prompt"] = it["preset_name"] = harm
    for call in it["calls"]:
        call |= {"text": harm, "reasoning": harm, "error": harm, "model": harm}
    analysis = it["fusions"][0]["analysis"]
    analysis["consensus"] = [
        {"claim": harm, "seats": [0], "evidence": [{"seat": 0, "quote": harm}]}
    ]
    analysis["blind_spots"] = [harm]
    it["fusions"][0]["criteria"] = harm
    (brought,) = again(data, alice)
    html = _html(page, brought)
    assert "<img" not in html and "&lt;img src=x onerror=alert(1)&gt;" in html


# ---- what is neither the one nor the other ----


@pytest.fixture(scope="session")
def sample_file() -> bytes:
    return FILE.read_bytes()


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value.items() if isinstance(value, dict) else ()
    for name, one in enumerate(value) if isinstance(value, list) else inner:
        yield from leaves(one, (*path, name))


def bend(data: dict[str, Any], dice: random.Random) -> None:
    """One thing in it is gone, or another."""
    *way, last = dice.choice([path for path in leaves(data) if path])
    place: Any = data
    for step in way:
        place = place[step]
    match dice.randrange(3):
        case 0:
            del place[last]
        case 1:
            place[last] = dice.choice([None, "", "x", 0, 7, -1, 1.5, True, [], {}, "panel-0-1"])
        case _:
            place[last] = copy.deepcopy(data["runs"][0]["fusions"][0])


@pytest.mark.parametrize("seed", range(3))
def test_a_bent_document_is_refused_or_has_its_page(
    seed: int, alice: User, page: Client, sample_file: bytes
) -> None:
    dice = random.Random(seed)
    taken = 0
    for _ in range(20):
        data = json.loads(sample_file)
        for _ in range(dice.randint(1, 2)):
            bend(data, dice)
        try:
            runs = again(data, alice)
        except Malformed:
            continue
        for run in runs:
            taken += 1
            assert page.get(f"/fusion/runs/{run.pk}").status_code == 200
            assert run_object(run, run.frozen_spec, state_from_rows(run)).id
            write([run])
    assert taken
