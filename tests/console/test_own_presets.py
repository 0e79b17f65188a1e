"""`/fusion/presets`: what members save for themselves, offer to the team, and go back to."""

from __future__ import annotations

import re
import uuid
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from console.engine.findings.families import family
from console.engine.steps.prompts import load as load_prompts
from console.models import Call, CatalogModel, Credential, OwnPreset, Preset, Purse, Run
from console.models.catalog import NANO
from console.models.money import RUN, run_subject
from console.services.build_spec import build
from console.services.errors import Refused
from console.services.fusion_wish import fusion_wish
from console.services.own_presets import own_wish
from console.services.panel_content import content_of
from console.services.panel_fill import panel_proposed
from console.services.preset_versions import version_add
from console.services.presets import preset_wish
from console.services.runs import run_start
from console.services.wish import Wish

from .listed import Have
from .story import Story, a_spec

pytestmark = pytest.mark.database

PANEL = {
    "panel": ["openrouter:maker/one", "openrouter:maker/two"],
    "judge": "openrouter:maker/judge",
    "criteria": "weigh legal risk",
    "wait_for": "all_but_one",
    "seat-0-label": "Skeptic",
    "seat-0-system_prompt": "Doubt it.",
    "seat-1-fallback_model": "openrouter:maker/other",
    "policy-retries": "3",
    "no_training": "on",
}


@pytest.fixture(autouse=True)
def with_key(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-or-only-for-tests")


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def saved(client: Client, **fields: Any) -> OwnPreset:
    response = client.post("/fusion/presets/new", {"name": "Plants"} | PANEL | fields)
    assert response.status_code == 302, response.content.decode()
    return OwnPreset.objects.latest("pk")


def ask(client: Client, **fields: Any) -> Any:
    form = {"prompt": "Why?", "preset": "quality", "client_run_id": str(uuid.uuid4())}
    return client.post("/fusion", form | fields)


def test_a_member_saves_all_that_a_preset_holds_and_asks_with_it(page: Client) -> None:
    preset = saved(page)
    assert preset.slug == "alice-plants"
    assert f'value="{preset.slug}"' in page.get("/fusion").content.decode()
    assert ask(page, preset=preset.slug).status_code == 302
    run = Run.objects.get()
    spec = run.frozen_spec
    assert (run.preset, run.preset_name, run.preset_version) == (preset.slug, "Plants", 1)
    assert [p.model for p in spec.panel] == ["maker/one", "maker/two"]
    assert (spec.panel[0].label, spec.panel[0].system_prompt) == ("Skeptic", "Doubt it.")
    assert spec.panel[1].fallback and spec.panel[1].fallback.model == "maker/other"
    assert (spec.judge.model, spec.criteria) == ("maker/judge", "weigh legal risk")
    assert (spec.policy.retries, spec.policy.wait_for.word) == (3, "all_but_one")
    assert spec.terms.no_training


def test_a_shape_is_told_to_whoever_writes_and_to_nobody_else(page: Client) -> None:
    preset = saved(page, shape="memo")
    assert ask(page, preset=preset.slug).status_code == 302
    run = Run.objects.get()
    prompts, usual = run.frozen_spec.prompts, load_prompts()
    assert prompts.synthesis.startswith(usual.synthesis) and "decision memo" in prompts.synthesis
    assert "decision memo" in prompts.small_synthesis
    assert (
        replace(prompts, synthesis=usual.synthesis, small_synthesis=usual.small_synthesis) == usual
    )
    again = page.get(f"/fusion?run={run.pk}").content.decode()
    assert '<option value="memo" selected>' in again
    page.post(f"/fusion/presets/{preset.slug}/edit", {"name": "Plants"} | PANEL | {"shape": ""})
    told = page.get(f"/fusion/presets/{preset.slug}/versions").content.decode()
    assert "shape" in told and "memo" in told
    refused = page.post("/fusion/presets/new", {"name": "x"} | PANEL | {"shape": "sonnet"})
    assert refused.status_code == 422


def test_a_place_is_filled_as_it_is_asked_and_with_somebody_else_where_it_says_so(
    page: Client, have: Have, ada: User
) -> None:
    have("openrouter")
    places = {
        "panel": ["anthropic/strongest", "other/strongest"],
        "judge": "other/strongest",
        "seat-1-fallback_model": "",
    }
    preset = saved(page, **places)
    assert preset.content["panel"][0]["model"] == "anthropic/strongest"
    html = page.get("/fusion/presets").content.decode()
    assert "Anthropic, strongest" in html
    ask(page, preset=preset.slug)
    spec = Run.objects.get().frozen_spec
    makers = [family(who.model) for who in (*spec.panel, spec.judge)]
    assert makers[0] == "anthropic" and len(set(makers)) == 3
    by_program = build(Wish(panel=["any/cheap"], judge="anthropic/strongest", listed_only=True))
    assert family(by_program.judge.model) == "anthropic"
    page.post(f"/fusion/presets/{preset.slug}/offer", {"offered": "yes"})
    done = signed_in(ada).post(f"/fusion/presets/{preset.slug}/copy", {"to": "site"})
    assert done.status_code == 302
    site = Preset.objects.get(slug="plants")
    assert [p.place for p in site.panelists.all()] == places["panel"]
    assert site.judge_place == "other/strongest"
    Credential.objects.exclude(slug="mine").update(enabled=False)
    refused = page.post("/fusion/presets/new", {"name": "x"} | PANEL | places)
    assert refused.status_code == 422
    assert "No model that your keys reach fits" in refused.content.decode()


def test_the_web_is_a_saved_preset_s_too(page: Client, settings: Any) -> None:
    settings.SEARCH_ENGINES = {"searxng": ("", "http://127.0.0.1:9")}
    form = page.get("/fusion/presets/new").content.decode()
    assert 'name="web_way"' in form and 'name="web_claims"' in form
    preset = saved(page, web_way="shared", web_claims="on")
    assert (preset.content["web"], preset.content["web_limits"]) == ("shared", {"claims": True})
    edited = page.get(f"/fusion/presets/{preset.slug}/edit").content.decode()
    assert 'name="web_claims" checked' in edited
    chosen = page.get(f"/fusion?preset={preset.slug}").content.decode()
    assert re.search(r'name="web" checked', chosen)
    ask(page, preset=preset.slug)
    research = Run.objects.get().frozen_spec.research
    assert research and research.way == "shared" and research.claims
    ask(page, preset=preset.slug, web_shown="on")  # the box was there and not ticked
    assert Run.objects.latest("created_at").frozen_spec.research is None
    assert saved(page, name="Dry").content.get("web") is None


def test_a_run_is_edited_and_run_with_its_question_its_files_and_whom_it_asked(
    page: Client, alice: User, bob: User
) -> None:
    preset = saved(page)
    note = SimpleUploadedFile("notes.txt", b"Rain is wet.", "text/plain")
    assert ask(page, preset=preset.slug, prompt="Why is rain wet?", files=note).status_code == 302
    run = Run.objects.get()
    html = page.get(f"/fusion?run={run.pk}&edit").content.decode()
    assert "Why is rain wet?" in html and "notes.txt" in html
    assert re.search(rf'value="{preset.slug}"[^>]*checked', html, re.S)
    preset.delete()
    html = page.get(f"/fusion?run={run.pk}&edit").content.decode()
    assert "Why is rain wet?" in html and 'value="openrouter:maker/two"' in html
    other = signed_in(bob).get(f"/fusion?run={run.pk}&edit").content.decode()
    assert "rain wet" not in other and "There is no such run." in other


def test_no_run_with_it_costs_more_than_its_budget(page: Client, ada: User, alice: User) -> None:
    preset = saved(page, run_budget="0.25")

    def limit(run: Run) -> Decimal | None:
        purse = Purse.objects.filter(kind=RUN, subject=run_subject(run.pk)).first()
        return None if purse is None else Decimal(purse.limit_nano) / NANO

    ask(page, preset=preset.slug)
    assert limit(Run.objects.get()) == Decimal("0.25")
    ask(page, preset=preset.slug, swap=f"{preset.slug}:0:openrouter:maker/nine")
    assert limit(Run.objects.latest("created_at")) == Decimal("0.25")
    # A program that names it is held to it, too, and may ask for less.
    spec = replace(a_spec(), preset=preset.slug)
    for asked, holds in ((None, "0.25"), ("3", "0.25"), ("0.1", "0.1")):
        most = None if asked is None else Decimal(asked)
        run = run_start(owner=alice, prompt="Why?", spec=spec, max_cost=most)
        assert limit(run) == Decimal(holds)
    page.post(f"/fusion/presets/{preset.slug}/offer", {"offered": "yes"})
    signed_in(ada).post(f"/fusion/presets/{preset.slug}/copy", {"to": "site"})
    assert preset_wish(Preset.objects.get(slug="plants")).max_cost == Decimal("0.25")
    html = page.get(f"/fusion/presets/{preset.slug}/edit").content.decode()
    assert re.search(r'name="run_budget"[^>]*value="0.25"', html)
    wrong = page.post("/fusion/presets/new", {"name": "x"} | PANEL | {"run_budget": "much"})
    assert "A budget is a number of dollars" in wrong.content.decode()


def test_whoever_fills_the_panel_may_say_under_which_price(page: Client, have: Have) -> None:
    have("openrouter")
    form = {"prompt": "Why?", "preset": "custom", "panel": [""], "judge": ""}

    def filled(most: str) -> tuple[list[str], str]:
        html = page.post("/fusion?fill", form | {"fill_most": most}).content.decode()
        names = re.findall(r'name="panel"[^>]*?value="([^"]+)"', html, re.S)
        return names, html

    dear, _ = filled("")
    cheap, html = filled("$1")
    assert len(dear) == len(cheap) == 3 and dear != cheap
    assert 'name="fill_most"' in html and 'value="$1"' in html
    for name in cheap:
        row = CatalogModel.objects.get(model=name.partition(":")[2])
        assert row.price and row.price.output <= 1
    assert "is a number of dollars" in filled("cheap")[1]
    none, html = filled("0.0000001")
    assert none == [] or all(":free" in name for name in none)


def test_what_was_saved_stands_in_its_form_and_is_what_it_was_when_saved_again(
    page: Client,
) -> None:
    preset = saved(page)
    before = preset.content
    html = page.get(f"/fusion/presets/{preset.slug}/edit").content.decode()
    for value in ("maker/two", "Skeptic", "Doubt it.", "maker/other", "weigh legal risk"):
        assert value in html
    page.post(f"/fusion/presets/{preset.slug}/edit", {"name": "Flowers"} | PANEL)
    preset.refresh_from_db()
    assert (preset.name, preset.slug, preset.content) == ("Flowers", "alice-plants", before)


def test_a_mistake_comes_back_with_a_sentence_and_nothing_lost(page: Client) -> None:
    fields = PANEL | {"name": "", "judge": ""}
    response = page.post("/fusion/presets/new", fields)
    html = response.content.decode()
    assert response.status_code == 422
    assert "Give it a name." in html and "Name the model that judges" in html
    assert "maker/two" in html and "Doubt it." in html
    wrong = {"name": "x", "wait_for": "at_least:5"}
    response = page.post("/fusion/presets/new", PANEL | wrong)
    assert "nobody can wait for 5 answers" in response.content.decode()
    assert not OwnPreset.objects.exists()


def test_nobody_else_sees_or_asks_it(page: Client, bob: User, ada: User) -> None:
    preset = saved(page)
    for other in (bob, ada):
        client = signed_in(other)
        for address in ("/fusion", "/fusion/presets", "/admin/console/preset/"):
            assert "Plants" not in client.get(address).content.decode()
        assert ask(client, preset=preset.slug).status_code == 422
        assert client.get(f"/fusion?of={preset.slug}").status_code == 200
        assert "maker/two" not in client.get(f"/fusion?of={preset.slug}").content.decode()
        for act in ("edit", "delete", "versions", "offer", "copy"):
            assert client.post(f"/fusion/presets/{preset.slug}/{act}").status_code == 404
    assert not Run.objects.exists()


def test_two_people_may_give_the_same_name_and_no_two_presets_have_one_slug(
    page: Client, bob: User
) -> None:
    Preset.objects.filter(slug="budget").update(slug="alice-plants")
    assert saved(page).slug == "alice-plants-2"
    assert saved(page).slug == "alice-plants-3"
    assert saved(signed_in(bob)).slug == "bob-plants"


def test_an_offer_is_seen_by_the_team_and_copied_by_an_admin(
    page: Client, bob: User, ada: User
) -> None:
    preset = saved(page)
    page.post(f"/fusion/presets/{preset.slug}/offer", {"offered": "yes"})
    team, admin = signed_in(bob), signed_in(ada)
    assert "by alice" in team.get("/fusion/presets").content.decode()
    copy = f"/fusion/presets/{preset.slug}/copy"
    assert team.post(copy, {"to": "site"}).status_code == 404
    assert admin.post(copy, {"to": "site"}).status_code == 302
    made = Preset.objects.get(name="Plants")
    assert made.slug == "plants"
    assert content_of(preset_wish(made)) == content_of(own_wish(preset)) | {
        "panel": content_of(preset_wish(made))["panel"]  # with the limits of its keys
    }
    assert [p.model for p in made.panelists.all()] == ["maker/one", "maker/two"]
    assert team.post(copy, {"to": "own"}).status_code == 302
    mine = OwnPreset.objects.get(owner=bob)
    assert (mine.slug, mine.content) == ("bob-plants", preset.content)
    page.post(f"/fusion/presets/{preset.slug}/offer", {"offered": "no"})
    assert "by alice" not in team.get("/fusion/presets").content.decode()
    assert team.post(copy, {"to": "own"}).status_code == 404


def test_it_is_deleted_after_a_question_and_its_runs_stay(page: Client) -> None:
    preset = saved(page)
    ask(page, preset=preset.slug)
    assert "Delete Plants?" in page.get(f"/fusion/presets/{preset.slug}/delete").content.decode()
    assert OwnPreset.objects.exists()
    page.post(f"/fusion/presets/{preset.slug}/delete")
    assert not OwnPreset.objects.exists()
    assert page.get(f"/fusion/runs/{Run.objects.get().pk}").status_code == 200


def test_who_changed_what_is_told_and_undone(page: Client, alice: User) -> None:
    preset = saved(page)
    page.post(
        f"/fusion/presets/{preset.slug}/edit",
        {"name": "Plants"} | PANEL | {"judge": "openrouter:maker/better"},
    )
    address = f"/fusion/presets/{preset.slug}/versions"
    html = page.get(address).content.decode()
    assert "Version 2" in html and "alice," in html
    assert "openrouter:maker/judge" in html and "openrouter:maker/better" in html
    assert "weigh legal risk" not in html  # as before
    page.post(address, {"number": "1"})
    preset.refresh_from_db()
    assert preset.content["judge"] == "openrouter:maker/judge"
    ask(page, preset=preset.slug)
    assert Run.objects.get().preset_version == 3


def test_the_panel_of_a_run_is_saved_or_asked_something_else(page: Client, bob: User) -> None:
    preset = saved(page)
    ask(page, preset=preset.slug)
    run = Run.objects.get()
    html = page.get(f"/fusion/presets/new?run={run.pk}").content.decode()
    assert "openrouter:maker/two" in html and "Doubt it." in html
    html = page.get(f"/fusion?run={run.pk}").content.decode()
    assert "openrouter:maker/two" in html and "weigh legal risk" in html
    other = signed_in(bob).get(f"/fusion?run={run.pk}").content.decode()
    assert "There is no such run." in other and "maker/two" not in other


def test_of_somebody_elses_run_one_takes_whom_it_asked_and_no_more(page: Client, bob: User) -> None:
    preset = saved(page)
    ask(page, preset=preset.slug, visibility="team")
    html = signed_in(bob).get(f"/fusion?run={Run.objects.get().pk}").content.decode()
    assert "openrouter:maker/two" in html
    assert "Doubt it." not in html and "weigh legal risk" not in html


def test_a_finished_run_leads_to_both(page: Client, alice: User) -> None:
    run = Story().whole().save(alice)
    html = page.get(f"/fusion/runs/{run.pk}").content.decode()
    assert f"/fusion?run={run.pk}" in html
    assert f"/fusion/presets/new?run={run.pk}" in html


def test_what_stands_in_the_compose_form_is_saved_from_there(page: Client) -> None:
    response = page.post(
        "/fusion/presets/new", PANEL | {"save": "custom", "preset": "custom", "prompt": "Why?"}
    )
    html = response.content.decode()
    assert response.status_code == 200
    assert "openrouter:maker/two" in html and "Skeptic" in html and "weigh legal risk" in html
    assert not OwnPreset.objects.exists()
    assert ">\nWhy?</textarea>" in page.get("/fusion").content.decode()


def test_files_and_the_web_stay_with_the_prompt_while_a_preset_is_saved(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.pages.views.console.is_offered", lambda: True)
    brought = page.post("/fusion/files", {"files": SimpleUploadedFile("notes.md", b"# Six")})
    ticket = re.findall(r'name="attached" value="([^"]+)"', brought.content.decode())
    compose = {"save": "custom", "preset": "custom", "prompt": "Why?", "attached": ticket}
    page.post("/fusion/presets/new", PANEL | compose | {"web_shown": "on", "web": "on"})
    other = page.get("/fusion?q=Another").content.decode()
    assert ">\nAnother</textarea>" in other and "notes.md" not in other
    html = page.get("/fusion").content.decode()
    assert ">\nWhy?</textarea>" in html and "notes.md" in html
    assert re.search(r'name="web"\s+checked', html)
    assert "notes.md" not in page.get("/fusion").content.decode()


def test_an_admin_undoes_what_was_changed_of_the_sites(ada: User, bob: User) -> None:
    preset = Preset.objects.get(slug="quality")
    version_add(preset=preset, by=None)
    before = content_of(preset_wish(preset))
    Preset.objects.filter(pk=preset.pk).update(criteria="be brief")
    preset.panelists.filter(seat=0).update(label="First", temperature=0.5)
    version_add(preset=preset, by=ada)
    address = "/fusion/presets/quality/versions"
    html = signed_in(bob).get(address).content.decode()
    for word in ("criteria", "be brief", "seat A label", "First", "ada,"):
        assert word in html
    assert "Make it this again" not in html
    assert signed_in(bob).post(address, {"number": "1"}).status_code == 404
    signed_in(ada).post(address, {"number": "1"})
    assert content_of(preset_wish(Preset.objects.get(slug="quality"))) == before
    ask(signed_in(bob))
    assert Run.objects.get().preset_version == 3


SWAP = "quality:1:openrouter:maker/other"


def test_another_model_in_a_seat_of_a_preset_is_asked_and_told(page: Client) -> None:
    before = preset_wish(Preset.objects.get(slug="quality"))
    assert ask(page, swap=[SWAP, "budget:0:openrouter:maker/none"]).status_code == 302
    run = Run.objects.get()
    assert (run.preset, run.preset_name, run.preset_version) == ("custom", "Quality, changed", None)
    asked = [p.model for p in run.frozen_spec.panel]
    usual = [seat.model.model for seat in before.panel]  # type: ignore[union-attr]
    assert asked == [usual[0], "maker/other", *usual[2:]]
    # The next question begins with what was chosen last.
    html = page.get("/fusion").content.decode()
    assert 'value="openrouter:maker/other"' in html


def test_a_refused_form_keeps_what_was_changed(page: Client) -> None:
    html = ask(page, prompt="", swap=[SWAP]).content.decode()
    assert f'name="swap" value="{SWAP}"' in html
    assert 'title="openrouter:maker/other">other<' in html
    html = ask(page, swap=["quality:1", ":1:x", "quality:99:x", "quality:x:y"]).content.decode()
    assert "changed</span>" not in html  # what means nothing is passed by


def test_a_changed_preset_is_saved_as_one_of_ones_own(page: Client) -> None:
    fields = {"save": "quality", "preset": "quality", "prompt": "", "swap": [SWAP]}
    html = page.post("/fusion/presets/new", fields).content.decode()
    assert 'value="Quality"' in html and 'value="openrouter:maker/other"' in html


def test_an_address_fills_the_form_and_sends_nothing(client: Client, alice: User) -> None:
    address = "/fusion?q=Why+%26+how%3F&preset=budget"
    to = client.get(address)["Location"]
    signed = client.post(to, {"username": "alice", "password": "alice-has-a-password"})
    assert signed["Location"] == address
    html = client.get(address).content.decode()
    assert ">\nWhy &amp; how?</textarea>" in html
    assert re.search(r'value="budget"[^>]*\schecked', html)
    html = client.get("/fusion?panel=maker/one,maker/two&panel=maker/three").content.decode()
    assert re.search(r'value="custom"[^>]*\schecked', html)
    for name in ("one", "two", "three"):
        assert f'value="maker/{name}"' in html
    html = client.get("/fusion?preset=gone&q=Why").content.decode()
    assert "There is no preset “gone” here." in html and ">\nWhy</textarea>" in html
    for odd in ("?run=x", "?of=gone", "?panel=,&preset=%00", "?q=%00&of=%00", "?of=custom"):
        assert client.get(f"/fusion{odd}").status_code == 200
    assert not Run.objects.exists()


def test_a_seat_leads_to_custom_filled_with_its_panel(page: Client) -> None:
    html = page.get("/fusion").content.decode()
    assert 'href="/fusion?of=quality#panel-0"' in html
    html = page.get("/fusion?of=quality").content.decode()
    for seat in Preset.objects.get(slug="quality").panelists.all():
        assert f'value="openrouter:{seat.model}"' in html


def test_four_presets_stand_in_the_row_and_the_others_in_one_list(page: Client) -> None:
    presets = [saved(page, name=f"Own {n}") for n in range(6)]
    for preset in (presets[4], presets[5]):
        ask(page, preset=preset.slug)
    html = page.get("/fusion").content.decode()
    row, _, others = html.partition('class="presets-all"')
    assert all(f'value="{p.slug}"' in row for p in (presets[4], presets[5]))
    assert re.search(rf'value="{presets[5].slug}"[^>]*\schecked', row)
    assert row.count('name="preset"') == 4 + 1  # and Custom
    assert "4 more" in others and all(f'value="{p.slug}"' in others for p in presets[:4])


def filled(client: Client, **fields: Any) -> list[str]:
    form = {"prompt": "Why?", "preset": "custom"} | fields
    response = client.post("/fusion?fill", form)
    assert response.status_code == 200
    html = response.content.decode()
    assert ">\nWhy?</textarea>" in html and 'aria-invalid="true"' not in html
    return re.findall(r'<input id="panel-\d"[^>]*\svalue="([^"]*)"', html)[:8]


def test_a_panel_is_filled_with_models_of_other_families(page: Client, have: Have) -> None:
    have("openrouter", "anthropic")
    seats = filled(page, panel=["", "anthropic:claude-opus-4-5", ""], judge="")
    assert seats[1] == "anthropic:claude-opus-4-5" and all(seats[:3]) and not any(seats[3:])
    families = {family(seat.partition(":")[2]) for seat in seats[:3]}
    assert len(families) == 3
    html = page.post("/fusion?fill", {"preset": "custom"}).content.decode()
    assert html.count("another family, strongest") == 3
    assert re.search(r'<input id="judge"[^>]*value="[^"]+:[^"]+"', html)


def test_who_fails_often_or_costs_too_much_is_not_proposed(
    page: Client, alice: User, have: Have
) -> None:
    have("openrouter", "anthropic")
    first = panel_proposed(named=())[0]
    assert first.reason == "another family, strongest"
    key, _, model = first.name.partition(":")
    run = Story().whole().save(alice)
    for number in range(3):
        Call.objects.create(
            run=run,
            key=f"panel-7-{number}",
            step="panel",
            seat=7,
            number=number + 1,
            panelist={"credential": key, "model": model},
            status="failed" if number else "completed",
            sent_at=timezone.now(),
            started_at=timezone.now(),
        )
    assert first.name not in [one.name for one in panel_proposed(named=())]
    cheap = panel_proposed(named=(), max_price=1.0)
    assert cheap
    for one in cheap:
        key, _, model = one.name.partition(":")
        row = CatalogModel.objects.get(credential__slug=key, model=model)
        assert row.price is None or row.price.output <= 1


def test_answers_are_fused_again_as_with_ones_own_preset_and_nobody_elses(
    page: Client, alice: User, bob: User
) -> None:
    saved(page)
    saved(signed_in(bob), name="Pumps")
    run = Story().whole().save(alice)
    html = page.get(f"/fusion/runs/{run.pk}?again").content.decode()
    assert ">as Plants</option>" in html and "Pumps" not in html
    again = fusion_wish(run.frozen_spec, preset="alice-plants", person=run.owner)
    assert (again.judge, again.criteria) == ("openrouter:maker/judge", "weigh legal risk")
    with pytest.raises(Refused, match="There is no preset “bob-pumps”"):
        fusion_wish(run.frozen_spec, preset="bob-pumps", person=run.owner)
