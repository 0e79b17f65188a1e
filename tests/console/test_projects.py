"""Projects: named sets of questions that the team sees, with a context, a preset and a budget."""

from __future__ import annotations

import json
import re
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import Http404
from django.test import Client

from console import access
from console.models import OwnPreset, Preset, Project, Purse, Run, RunDeletion
from console.money.book import purses_for
from console.record.asked import Asked, in_context
from console.services.deletion import runs_delete, runs_put_back
from console.services.errors import Refused
from console.services.links import run_share
from console.services.projects import project_delete, project_save, runs_project
from console.services.token_defaults import TokenDefaults
from console.services.tokens import OverLimit, token_create, token_run_start

from .story import Story, a_spec, link_to

pytestmark = pytest.mark.database

CONTEXT = "We bill 40,000 customers. Never name one."


@pytest.fixture(autouse=True)
def with_key(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-only-for-tests")


@pytest.fixture
def billing(alice: User) -> Project:
    return project_save(by=alice, name="Billing 2.0", context=CONTEXT)


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    Story().whole().save(alice)  # past the first page
    return client


def text_of(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def chosen_preset(client: Client, path: str) -> str:
    radios = re.findall(r'<input[^>]*name="preset"[^>]*>', text_of(client, path))
    [chosen] = [radio for radio in radios if "checked" in radio]
    return re.findall(r'value="([^"]*)"', chosen)[0]


def ask(client: Client, **fields: Any) -> Run:
    form = {"preset": "quality", "client_run_id": str(uuid.uuid4()), "prompt": "Move it?"}
    response = client.post("/fusion", form | fields)
    assert response.status_code == 302, response.content.decode()
    return Run.objects.latest("created_at")


def test_a_project_is_made_changed_and_deleted_by_who_made_it(page: Client, alice: User) -> None:
    form = {
        "name": "  Billing  2.0 ",
        "context": CONTEXT,
        "preset": "budget",
        "per_day": "5",
        "per_run": "10",
    }
    made = page.post("/fusion/projects/new", form)
    assert made["Location"] == "/fusion/projects/billing-20"
    project = Project.objects.get()
    assert (project.name, project.made_by, project.preset) == ("Billing 2.0", alice, "budget")
    shown = text_of(page, "/fusion/projects/billing-20")
    assert "Never name one." in shown and "It is asked with Budget" in shown and "$5" in shown
    assert "A run may cost $10 at most." in shown
    assert "Billing 2.0" in text_of(page, "/fusion/projects")
    page.post("/fusion/projects/billing-20/edit", {"name": "Billing", "per_run": "0.5"})
    project.refresh_from_db()
    assert (project.name, project.context, project.run_budget) == ("Billing", "", Decimal("0.5"))
    assert not Purse.objects.exists()
    refused = page.post("/fusion/projects/billing-20/edit", {"name": " ", "per_day": "much"})
    assert refused.status_code == 422 and "Enter a number." in refused.content.decode()
    assert "goes" not in text_of(page, "/fusion/projects/billing-20/delete")
    page.post("/fusion/projects/billing-20/delete")
    assert not Project.objects.exists()


def test_names_in_addresses_are_unlike_each_other_and_the_page_of_a_new_one(alice: User) -> None:
    slugs = [project_save(by=alice, name=name).slug for name in ("New", "Über", "über", "水")]
    assert slugs == ["new-2", "uber", "uber-2", "project"]


def test_a_question_is_asked_in_a_project_and_tells_so(
    page: Client, billing: Project, bob: User
) -> None:
    compose = text_of(page, f"/fusion?project={billing.slug}")
    assert f'<option value="{billing.slug}" selected>' in compose
    run = ask(page, project=billing.slug)
    assert (run.project, run.context) == (billing, CONTEXT)
    project_save(by=bob, name="Billing", context="Another.", project=billing)
    shown = text_of(page, f"/fusion/runs/{run.pk}")
    assert f'href="/fusion/projects/{billing.slug}"' in shown
    assert "Never name one." in shown and "Another." not in shown
    assert ask(page).project is None
    gone = page.post("/fusion", {"preset": "quality", "prompt": "x", "project": "gone"})
    assert gone.status_code == 422 and "That project is not there any more" in gone.content.decode()


def test_without_projects_nothing_of_them_is_on_the_pages_where_one_asks(page: Client) -> None:
    assert 'name="project"' not in text_of(page, "/fusion")
    assert 'name="project"' not in text_of(page, "/fusion/runs?filters=1")
    assert 'name="project"' not in text_of(page, f"/fusion/runs/{Run.objects.get().pk}")


def test_the_context_goes_before_all_and_into_a_systems_own_words() -> None:
    said = [{"role": "user", "content": "Why?"}]
    told = {"role": "system", "content": "Ctx"}
    own = {1: [{"role": "system", "content": "Brief."}, *said]}
    assert in_context(Asked(said, own), "") == Asked(said, own)
    found = in_context(Asked(said, own), "Ctx")
    assert found.messages == [told, *said]
    assert found.histories == {1: [{"role": "system", "content": "Ctx\n\nBrief."}, *said]}


def test_a_project_begins_with_its_preset_also_with_one_that_a_member_offers(
    page: Client, alice: User, bob: User
) -> None:
    content = {"panel": [{"model": "openai/gpt-5"}], "judge": "openai/gpt-5"}
    own = OwnPreset.objects.create(owner=bob, slug="bob-own", name="Bob’s", content=content)
    with pytest.raises(Refused, match="no such preset"):
        project_save(by=alice, name="A", preset="bob-own")
    OwnPreset.objects.filter(pk=own.pk).update(offered_at=own.created_at)
    project = project_save(by=alice, name="A", preset="bob-own")
    assert chosen_preset(page, "/fusion?project=a") == "bob-own"
    assert 'value="bob-own"' not in text_of(page, "/fusion")
    site = project_save(by=alice, name="A", preset="budget", project=project)
    assert chosen_preset(page, "/fusion?project=a") == "budget"
    assert site == project


def test_a_run_is_put_in_and_out_by_its_owner(
    page: Client, billing: Project, alice: User, bob: User
) -> None:
    run = Story().whole().save(alice, visibility="team")
    page.post(f"/fusion/runs/{run.pk}/order", {"title": "", "tags": "", "project": billing.slug})
    run.refresh_from_db()
    assert (run.project, run.context) == (billing, "")  # it was asked without
    bobs = Client()
    bobs.force_login(bob)
    bobs.post(f"/fusion/runs/{run.pk}/order", {"project": ""})
    run.refresh_from_db()
    assert run.project == billing
    page.post(f"/fusion/runs/{run.pk}/order", {"title": "", "tags": "", "project": ""})
    run.refresh_from_db()
    assert run.project is None


def test_a_project_has_of_its_questions_what_each_may_read(
    page: Client, billing: Project, alice: User, bob: User, charlie: User, ada: User
) -> None:
    for name, visibility in (("Hers alone", "private"), ("The team’s", "team")):
        run = Story().whole().save(alice, prompt=name, visibility=visibility)
        runs_project(runs=[run], project=billing)
    Story().whole().save(alice, prompt="In none", visibility="team")
    found = {}
    for user in (alice, bob, ada):
        client = Client()
        client.force_login(user)
        for path in (f"/fusion/projects/{billing.slug}", f"/fusion/runs?project={billing.slug}"):
            shown = text_of(client, path)
            names = {n for n in ("Hers alone", "The team’s", "In none") if n in shown}
            assert found.setdefault(user, names) == names
    assert found == {alice: {"Hers alone", "The team’s"}, bob: {"The team’s"}, ada: {"The team’s"}}
    assert "In none" not in text_of(page, "/fusion/runs?project=no-such")
    assert not access.projects_of(charlie).exists()
    with pytest.raises(Http404):
        access.project_editable_by(bob, billing.slug)
    assert access.project_editable_by(ada, billing.slug) == billing


def test_what_everybody_in_the_project_reads_is_its_owners_alone_outside_of_it(
    billing: Project, alice: User, bob: User
) -> None:
    run = Story().whole().save(alice)
    with pytest.raises(Refused, match="in no project"):
        run_share(run=run, visibility="project", by=alice)
    runs_project(runs=[run], project=billing)
    run_share(run=run, visibility="project", by=alice)
    assert run.shared_with == "project" and run.shared_in_words == "Everyone in the project"
    assert access.run_visible_to(bob, run.pk)
    act = runs_delete(runs=[run], by=alice)
    runs_put_back(act=act, person=alice)
    assert access.run_visible_to(bob, run.pk)
    runs_project(runs=[run], project=None)
    with pytest.raises(Http404):
        access.run_visible_to(bob, run.pk)


def test_a_deleted_project_leaves_its_runs_and_no_name_behind(
    page: Client, billing: Project, alice: User, bob: User
) -> None:
    run, other = ask(page, project=billing.slug), Story().whole().save(alice)
    run_share(run=run, visibility="project", by=alice)
    runs_project(runs=[other], project=billing)
    run_share(run=other, visibility="project", by=alice)
    act = runs_delete(runs=[other], by=alice)
    defaults = TokenDefaults(preset="quality", project=billing.slug)
    token, _ = token_create(owner=bob, defaults=defaults)
    project_save(by=alice, name="Billing", per_month=Decimal(3), project=billing)
    project_delete(project=billing)
    run.refresh_from_db()
    token.refresh_from_db()
    assert (run.project, run.visibility, run.context) == (None, "private", CONTEXT)
    assert (
        token.defaults == {"preset": "quality"}
        and not Purse.objects.filter(kind="project").exists()
    )
    assert RunDeletion.objects.get().act == act
    runs_put_back(act=act, person=alice)
    with pytest.raises(Http404):
        access.run_visible_to(bob, other.pk)


def test_its_budget_is_one_more_that_its_runs_are_paid_from(alice: User, bob: User) -> None:
    dear = project_save(by=alice, name="A", per_day=Decimal(1), per_run=Decimal("0.25"))
    other = project_save(by=alice, name="B", per_month=Decimal(0))
    token, _ = token_create(owner=bob)
    assert [p.kind for p in purses_for(None, bob.pk, [token.pk], dear.pk)] == ["project"]
    assert purses_for(None, bob.pk, [token.pk]) == []
    run = token_run_start(token=token, prompt="Why?", spec=a_spec(), project=dear)
    assert Purse.objects.get(kind="run").limit == Decimal("0.25")
    assert run.project == dear
    with pytest.raises(OverLimit, match="project's budget of .* a month is used up. Whoever made"):
        token_run_start(token=token, prompt="Why?", spec=a_spec(), project=other)


def test_whoever_reads_by_link_is_told_nothing_of_its_project(
    client: Client, billing: Project, alice: User
) -> None:
    run = Story().whole().save(alice, visibility="link", project=billing, context=CONTEXT)
    link_to(run, "by-link")
    for path in ("/fusion/shared/by-link", "/fusion/shared/by-link/export?format=md"):
        shown = text_of(client, path)
        assert "Should we move our billing?" in shown
        assert "Billing 2.0" not in shown and "Never name" not in shown
    client.force_login(alice)
    assert "Project: Billing 2.0" in text_of(client, f"/fusion/runs/{run.pk}/export?format=md")
    told = json.loads(text_of(client, f"/fusion/runs/{run.pk}/export?format=json"))
    assert told["runs"][0]["context"] == CONTEXT


def test_a_preset_names_one_for_runs_that_say_nothing(
    page: Client, billing: Project, alice: User
) -> None:
    Preset.objects.filter(slug="quality").update(project=billing)
    shown = text_of(page, "/fusion")
    assert "in Billing 2.0" in shown and "Project as the preset says" in shown
    assert ask(page).project == billing
    assert ask(page, project="-").project is None
    assert ask(page, preset="budget").project is None
    content = {"panel": [{"model": "openai/gpt-5"}], "judge": "openai/gpt-5"}
    own = OwnPreset.objects.create(owner=alice, slug="alice-own", name="Own", content=content)
    form = {"name": "Own", "panel": "openai/gpt-5", "judge": "openai/gpt-5"}
    page.post("/fusion/presets/alice-own/edit", form | {"project": billing.slug})
    own.refresh_from_db()
    assert own.project == billing
    assert f'value="{billing.slug}" selected' in text_of(page, "/fusion/presets/alice-own/edit")
    assert ask(page, preset="alice-own").project == billing
