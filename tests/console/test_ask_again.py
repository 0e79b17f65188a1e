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
from console.models.order import ARCHIVE
from console.record.asked import asked
from console.services.ask_again import run_ask_again
from console.services.deletion import runs_delete
from console.services.errors import Refused
from console.services.follow import run_follow
from console.services.imports import runs_import
from console.services.order import runs_mark
from console.services.preset_versions import version_add
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
        ("own", True, "own"),
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
        ("shared", "provider", "shared"),
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


def test_a_way_of_the_web_that_was_the_run_s_own_stays_and_the_preset_s_is_as_it_is_now(
    with_key: None, monkeypatch: pytest.MonkeyPatch, alice: User
) -> None:
    for module in ("web", "ask_again"):
        monkeypatch.setattr(f"console.services.{module}.is_offered", lambda: True)
    preset = Preset.objects.get(slug="quality")
    version = version_add(preset=preset, by=alice)  # Quality's usual way is "shared"
    Preset.objects.filter(pk=preset.pk).update(web="provider")
    version_add(preset=preset, by=alice)
    ways: list[tuple[Way, Way]] = [("shared", "provider"), ("own", "own")]
    for was, becomes in ways:
        run = Story(replace(a_spec(), research=Research(way=was))).whole().save(alice)
        Run.objects.filter(pk=run.pk).update(preset_version=version)
        run.refresh_from_db()
        research = run_ask_again(run=run, owner=alice).frozen_spec.research
        assert research and research.way == becomes


def test_a_file_says_what_its_run_asks_again_and_whether_it_was_put_away(
    page: Client, alice: User, bob: User
) -> None:
    before = Story().whole().save(alice)
    after = Story().whole().save(alice, again_of=before, visibility="team")
    runs_mark(runs=[after], person=alice, kind=ARCHIVE, on=True)
    address = f"/fusion/runs/{after.pk}/export"
    [told] = page.get(address).json()["runs"]
    assert (told["again_of"], told["archived"]) == (str(before.pk), True)
    reader = Client()
    reader.force_login(bob)
    [told] = reader.get(address).json()["runs"]
    assert "again_of" not in told and "archived" not in told
    # Where it is brought in, both go along, and mean nothing.
    mine = page.get(address).content
    [brought] = runs_import(owner=bob, raw=mine)
    assert brought.again_of_id is None
    [told] = reader.get(f"/fusion/runs/{brought.pk}/export").json()["runs"]
    assert (told["again_of"], told["archived"]) == (str(before.pk), True)


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


# edit and run


@pytest.fixture
def edited(with_key: None, alice: User) -> Run:
    """Of a preset, with a file, in a project."""
    project = project_save(by=alice, name="Billing", context="We bill nobody.")
    spec = preset_spec(Preset.objects.get(slug="quality"))
    run = Story(spec).whole().save(alice, prompt="Should we\nmove?")
    Run.objects.filter(pk=run.pk).update(project=project, context=project.context)
    run.refresh_from_db()
    return run


def edit(page: Client, run: Run, **changed: Any) -> Any:
    models = [f"{one.credential}:{one.model}" for one in run.frozen_spec.panel]
    form = {
        "prompt": run.prompt.replace("\n", "\r\n"), "preset": "custom", "panel": models[:2],
        "judge": models[0], "visibility": "private", "client_run_id": str(uuid.uuid4()),
        "project": "billing", "reuse_of": str(run.pk), "reuse": "on",
    }  # fmt: skip
    return page.post(changed.pop("at", "/fusion"), form | changed)


def test_who_edits_and_runs_pays_only_for_who_was_not_asked(page: Client, edited: Run) -> None:
    [address] = re.findall(r'href="([^"]*edit[^"]*)"', shown(page, edited))
    html = page.get(address).content.decode()
    assert f'name="reuse_of" value="{edited.pk}"' in html and "pay only for the rest" in html
    panel = [*(f"{one.credential}:{one.model}" for one in edited.frozen_spec.panel[:2])]
    made = edit(page, edited, panel=[panel[0], "openrouter:maker/another", panel[1]])
    run = Run.objects.get(pk=made["Location"].rpartition("/")[2])
    taken = {call.seat: call.taken_from for call in run.calls.filter(cause="taken")}
    assert taken == {0: f"{edited.pk}/panel-0-1", 2: f"{edited.pk}/panel-1-1"}
    # The price before it is asked is that of the others; unticked, everybody is asked.
    both, one = (edit(page, edited, at="/fusion?quote", reuse=on) for on in ("", "on"))
    assert both.content != one.content
    made = edit(page, edited, reuse="")
    assert not Run.objects.get(pk=made["Location"].rpartition("/")[2]).calls.exists()


@pytest.mark.parametrize(
    "changed",
    [{"prompt": "Should we stay?"}, {"project": "-"}, {"web_shown": "on", "web": "on"}],
    ids=["question", "project", "web"],
)
def test_who_changes_what_was_asked_is_told_rather_than_charged(
    page: Client, edited: Run, settings: Any, changed: dict[str, str]
) -> None:
    settings.SEARCH_ENGINES = {"searxng": ("", "http://127.0.0.1:9")}
    refused = edit(page, edited, **changed)
    html = refused.content.decode()
    assert refused.status_code == 422 and Run.objects.count() == 1
    assert ("everybody is asked anew" if "web" in changed else "nobody has answered it") in html
    assert re.search(r'name="reuse" checked aria-invalid', html)


def test_nobody_takes_over_what_they_may_not_read(client: Client, bob: User, edited: Run) -> None:
    client.force_login(bob)
    refused = edit(client, edited)
    assert refused.status_code == 422 and "is not there any more" in refused.content.decode()
    assert edit(client, edited, reuse_of="nothing").status_code == 422
