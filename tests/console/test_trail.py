"""What a seat looked up by itself, as its column, the sources and programs tell it."""

from __future__ import annotations

import json

from django.contrib.auth.models import User
from django.test import Client

from console.engine.spec import Research
from console.engine.unasked import unasked
from console.fragments.pooled import phase
from console.fragments.seats import columns
from console.fragments.trail import trails
from console.models import Visibility
from console.record.portable import bring_in, read, to_json, write
from console.record.public import run_object
from tests.console.researched import ELBE, looked_up


def test_a_column_tells_what_its_seat_looked_up_folded(client: Client, db: None) -> None:
    alice = User.objects.create_user("alice")
    client.force_login(alice)
    run = looked_up().save(alice)
    html = client.get(f"/fusion/runs/{run.pk}").content.decode()
    assert "Looked up: 1 search, 1 page opened, in 1 turn" in html
    assert "I will look for its length." in html and "There is no tool “rm &lt;b&gt;”." in html
    assert "It cannot be given tools to search with" in html
    assert html.count("Looking things up") == 1  # C, whose tools are at work
    assert "Earlier tries" not in html and "opened by A" in html
    assert f'href="{ELBE}"' in html


def test_a_turn_is_no_answer_and_its_seat_goes_on() -> None:
    story = looked_up()
    seats = columns(story.spec, story.state)
    assert [s.state for s in seats] == ["done", "done", "waiting"]
    assert [c.key for c in (story.state.answer(s) for s in range(3)) if c] == [
        "panel-0-2",
        "panel-1-1",
    ]
    found = phase(story.spec, story.state)
    assert found and (found.state, found.what) == ("running", "1 read")


def test_programs_are_told_each_step_and_nothing_of_what_was_asked_to_whom_it_is_hidden(
    db: None,
) -> None:
    story = looked_up()
    run = story.save(User.objects.create_user("alice"))
    told = run_object(run, story.spec, story.state).model_dump(mode="json")
    steps = told["research"]["steps"]
    assert [(s["seat"], s["tool"], s["found"], s["source"]) for s in steps] == [
        ("A", "web_search", 1, None),
        ("A", "web_fetch", None, 1),
        ("A", "rm <b>", None, None),
        ("B", "shared", None, None),
        ("C", "web_search", 1, None),
    ]
    assert [c["cause"] for c in told["calls"] if c["seat"] == "A"] == ["first", "turn"]
    hidden = unasked(story.state)
    assert "elbe length" not in json.dumps(hidden.to_dict())
    assert trails(hidden)[0].summary.startswith("1 search")


def test_a_run_under_way_says_that_seats_search_until_they_are_fused() -> None:
    story = looked_up()
    assert story.spec.research == Research(way="own")
    story.answer(2, "Yes [1].", 2).judge()
    found = phase(story.spec, story.state)
    assert found and (found.state, found.what) == ("done", "1")


def test_a_run_taken_along_and_brought_in_again_has_the_same_trail(
    client: Client, alice: User
) -> None:
    client.force_login(alice)
    story = looked_up()
    story.state.calls["panel-0-1"].goes_on = {"back": {"reasoning_details": [{"data": "sealed"}]}}
    run = story.answer(2, "Yes [1].", 2).judge().analyse().synthesise("Long (A).").complete()
    data = to_json(write([run.save(alice)]))
    assert "sealed" not in data
    document = read(data.encode())
    (brought,) = bring_in(document, owner=alice, visibility=Visibility.PRIVATE, origin="page")
    html = client.get(f"/fusion/runs/{brought.pk}").content.decode()
    assert "Looked up: 1 search, 1 page opened, in 1 turn" in html
    assert "sealed" not in html
