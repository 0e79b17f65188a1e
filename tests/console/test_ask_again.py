"""A question is asked again, of its preset as it is by now, and what changed since is shown."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.engine.spec import Research, Way
from console.engine.state import RunStatus
from console.models import Preset, Run
from console.record.asked import asked
from console.services.ask_again import run_ask_again
from console.services.deletion import runs_delete
from console.services.errors import Refused
from console.services.follow import run_follow
from console.services.presets import preset_spec
from console.services.projects import project_save

from .story import ANALYSIS, Story, a_spec

pytestmark = pytest.mark.database

OLD = {
    "consensus": [
        {"claim": "A new rack costs 96,000 euros.", "seats": [0, 1, 2]},
        {"claim": "The retrofit is safe.", "seats": [0, 1, 2]},
        {"claim": "Order before the summer.", "seats": [0, 1]},
    ],
    "contradictions": [],
    "partial_coverage": [],
    "unique_insights": [],
}
NEW = {
    "consensus": [
        {"claim": "98,000 euros is what a new rack costs.", "seats": [0, 1, 2]},
        {"claim": "The retrofit is not safe.", "seats": [0, 1, 2]},
        {"claim": "Before the summer it should be ordered.", "seats": [0, 1]},
    ],
    "contradictions": [],
    "partial_coverage": [],
    "unique_insights": [{"insight": "Fitters are booked out until autumn.", "seat": 2}],
}


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def with_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-only-for-tests")


def story(analysis: dict[str, Any], fused: str = "The fused answer.") -> Story:
    told = Story().begin()
    for seat in range(3):
        told.answer(seat, "An answer.")
    told.judge().analyse(ANALYSIS | analysis)
    return told.synthesise(fused).complete()


def again(page: Client, run: Run) -> Any:
    return page.post(f"/fusion/runs/{run.pk}/again", {"client_run_id": str(uuid.uuid4())})


def shown(page: Client, run: Run) -> str:
    return unescape(page.get(f"/fusion/runs/{run.pk}").content.decode())


def told(html: str) -> list[tuple[str, ...]]:
    block = html.partition('id="since"')[2].partition("</details>")[0]
    found = re.findall(r'<li data-change="(\w+)">(.*?)</li>', block, re.DOTALL)
    return [(word, *re.findall(r"<(?:del|ins)[^>]*>(.*?)</", said)) for word, said in found]


def test_the_present_preset_is_asked_the_same_question(
    with_key: None, page: Client, alice: User
) -> None:
    run = Story().whole().save(alice, title="Billing", visibility="team")
    Preset.objects.filter(slug="quality").update(criteria="Brevity.")
    assert "The same question with Quality as it is now" in shown(page, run)
    response = again(page, run)
    made = run.asked_again.get()
    assert response["Location"] == f"/fusion/runs/{made.pk}"
    assert (made.prompt, made.title, made.visibility) == (run.prompt, "Billing", "team")
    assert (made.preset, made.frozen_spec.criteria) == ("quality", "Brevity.")
    assert asked(made).messages == asked(run).messages
    html = shown(page, made)
    assert "Asks again what was asked" in html and f'href="/fusion/runs/{run.pk}"' in html
    assert told(html) == []


@pytest.mark.parametrize(
    ("way", "with_engine", "again_way"),
    [
        ("shared", True, "shared"),
        ("own", True, "shared"),  # as its preset says now
        ("files", True, None),  # of a project that this run is not in
        ("own", False, None),
    ],
)
def test_the_web_is_searched_where_it_was(
    with_key: None,
    alice: User,
    settings: Any,
    way: Way,
    with_engine: bool,
    again_way: str | None,
) -> None:
    settings.SEARCH_ENGINES = {"searxng": ("", "http://127.0.0.1:9")} if with_engine else {}
    spec = replace(a_spec("alpha", "beta"), research=Research(way=way))
    run = Story(spec).whole().save(alice)
    research = run_ask_again(run=run, owner=alice).frozen_spec.research
    assert (research.way if research else None) == again_way


def test_where_there_is_no_such_preset_the_same_panel_is_asked(
    with_key: None, page: Client, alice: User
) -> None:
    run = Story().whole().save(alice)
    Run.objects.filter(pk=run.pk).update(preset="gone")
    assert "The same question of the same panel" in shown(page, run)
    again(page, run)
    spec = run.asked_again.get().frozen_spec
    assert spec.preset == "custom"
    assert [one.model for one in spec.panel] == [one.model for one in run.frozen_spec.panel]


def test_a_follow_up_goes_on_from_what_it_went_on_from(with_key: None, alice: User) -> None:
    first = Story().whole().save(alice)
    follow = run_follow(run=first, owner=alice, prompt="And then?")
    with pytest.raises(Refused, match="has not ended yet"):
        run_ask_again(run=follow, owner=alice)
    Run.objects.filter(pk=follow.pk).update(status=RunStatus.COMPLETED)
    follow.refresh_from_db()
    made = run_ask_again(run=follow, owner=alice)
    assert (made.follows, made.again_of) == (first, follow)
    assert asked(made).messages == asked(follow).messages


def test_it_stays_in_its_project_and_answers_told_something_else_are_asked_anew(
    with_key: None, alice: User
) -> None:
    project = project_save(by=alice, name="Billing", context="We bill nobody.")
    spec = preset_spec(Preset.objects.get(slug="quality"))
    run = Story(spec).whole().save(alice, visibility="team")
    in_it = {"project": project, "leaves_with_project": True, "context": project.context}
    Run.objects.filter(pk=run.pk).update(**in_it)
    run.refresh_from_db()
    made = run_ask_again(run=run, owner=alice, reuses=True)
    assert (made.project, made.context, made.shared_with) == (project, project.context, "project")
    assert made.calls.filter(cause="taken").count() == 3
    project_save(by=alice, name="Billing", context="We bill everybody.", project=project)
    run.refresh_from_db()
    made = run_ask_again(run=run, owner=alice, reuses=True)
    assert made.context == "We bill everybody." and not made.calls.exists()


@pytest.mark.parametrize(
    ("was", "preset", "becomes"),
    [
        ("files", "", None),
        ("own", "", "own"),
        ("shared", "provider", "provider"),
        (None, "shared", None),
    ],
)
def test_the_web_is_searched_only_where_it_was(
    with_key: None,
    monkeypatch: pytest.MonkeyPatch,
    alice: User,
    was: Way | None,
    preset: str,
    becomes: str | None,
) -> None:
    for module in ("web", "ask_again"):
        monkeypatch.setattr(f"console.services.{module}.is_offered", lambda: True)
    Preset.objects.filter(slug="quality").update(web=preset or "off")
    run = Story().whole().save(alice)
    asked_with = replace(run.frozen_spec, research=Research(way=was) if was else None)
    Run.objects.filter(pk=run.pk).update(spec=asked_with.to_dict())
    run.refresh_from_db()
    research = run_ask_again(run=run, owner=alice).frozen_spec.research
    assert (research.way if research else None) == becomes


def test_only_its_owner_asks_again(page: Client, client: Client, alice: User, bob: User) -> None:
    run = Story().whole().save(alice, visibility="team")
    client.force_login(bob)
    assert again(client, run).status_code == 404
    assert "Ask again" not in shown(client, run)


def test_what_changed_is_told_and_what_is_only_reworded_is_not(page: Client, alice: User) -> None:
    before = story(OLD).save(alice)
    after = story(NEW).save(alice, again_of=before)
    html = shown(page, after)
    assert told(html) == [
        ("turned", "The retrofit is safe.", "The retrofit is not safe."),
        ("figure", "A new rack costs 96,000 euros.", "98,000 euros is what a new rack costs."),
        ("new", "Fitters are booked out until autumn."),
    ]
    assert "1 turned, 1 figure moved, 1 new" in html
    assert f"/fusion/runs/{after.pk}/compare?with={before.pk}" in html
    same = story(NEW).save(alice, again_of=after)
    html = shown(page, same)
    assert told(html) == [] and "nothing but words" in html


def test_without_an_analysis_the_answers_are_compared(page: Client, alice: User) -> None:
    told_of = Story().begin().answer(0, "It rains.").fail(1).fail(2).judge()
    before = told_of.synthesise("It costs **40** euros. It *rains*.").complete().save(alice)
    after = story(NEW, "It *costs* 50 euros. It rains.").save(alice, again_of=before)
    assert told(shown(page, after)) == [("figure", "It costs 40 euros.", "It costs 50 euros.")]


def test_nobody_learns_of_an_earlier_run_that_they_may_not_read(
    page: Client, alice: User, bob: User
) -> None:
    before = story(OLD).save(alice)
    after = story(NEW).save(alice, again_of=before, visibility="team")
    reader = Client()
    reader.force_login(bob)
    html = shown(reader, after)
    assert told(html) == [] and "Asks again" not in html and str(before.pk) not in html
    runs_delete(runs=[before], by=alice)
    assert told(shown(page, after)) == []


def test_what_changed_is_taken_along(page: Client, alice: User, bob: User) -> None:
    before = story(OLD).save(alice)
    after = story(NEW).save(alice, again_of=before, visibility="team")
    export = f"/fusion/runs/{after.pk}/export?format="
    said = page.get(f"{export}md").content.decode()
    assert "## What changed since " in said
    assert "- **turned**: The retrofit is safe. → The retrofit is not safe." in said
    html = page.get(f"{export}html").content.decode()
    assert "<del" in html and "Fitters are booked out until autumn." in html
    reader = Client()
    reader.force_login(bob)
    for form in ("md", "html"):
        assert "What changed since" not in reader.get(export + form).content.decode()
