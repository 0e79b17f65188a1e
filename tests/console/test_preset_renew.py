"""What the page and the admin show and do of presets with places."""

from __future__ import annotations

import html
import re
import uuid

import httpx
import pytest
from django.contrib.auth.models import User
from django.test import Client

from console.models import Preset, Run
from tests.console.listed import KEYS, Have, Lists
from tests.console.test_admin_presets import form
from tests.console.test_places import HAIKU, OPUS, SOL, names

pytestmark = pytest.mark.django_db
NEWER = f"claude-opus-6 is newer than {OPUS}."


def card(client: Client, slug: str) -> str:
    """As words; "" where there is none."""
    page = client.get("/fusion").text
    for found in page.split('<div class="preset-card">')[1:]:
        if f'id="preset-{slug}"' in found:
            text = re.sub(r"<[^>]+>", " ", found.split("</fieldset>")[0])
            return html.unescape(" ".join(text.split()))
    return ""


@pytest.fixture
def member(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def admin(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def test_a_card_shows_who_sits_in_its_places_and_that_they_are_of_one_family(
    member: Client, have: Have
) -> None:
    assert card(member, "quality") == ""
    have("anthropic")
    shown = card(member, "quality")
    assert shown.count(OPUS) == 4 and "One family" in shown and "Judge on the panel" in shown
    assert "writer" not in shown
    assert f"judge {HAIKU} writer {OPUS}" in card(member, "budget")


def test_a_judge_of_another_maker_has_no_badge(member: Client, have: Have) -> None:
    have("openrouter")
    for slug in ("quality", "budget"):
        shown = card(member, slug)
        assert "family" not in shown and "on the panel" not in shown and "related" not in shown


@pytest.mark.parametrize("key", ["ollama"])
def test_where_no_model_fits_there_is_no_card(member: Client, have: Have, key: str) -> None:
    have(key)
    assert card(member, "quality") == card(member, "budget") == ""


def test_an_admin_has_the_newer_model_by_one_click_and_nobody_else_does(
    member: Client, admin: Client, have: Have, lists: Lists
) -> None:
    have("anthropic")
    card(member, "quality")
    names(lists, "anthropic", "claude-opus-6", OPUS, HAIKU)
    assert "newer" not in card(member, "quality")
    assert card(admin, "quality").endswith(f"{NEWER} Use it in Quality")
    renew = "/fusion/presets/quality/renew"
    assert member.post(renew).status_code == 404
    assert Client().post(renew).status_code == 302
    assert admin.get(renew).status_code == 405
    assert admin.post("/fusion/presets/nothing/renew").status_code == 404
    part = admin.post(renew, {"preset": "quality"}, headers={"HX-Request": "true"}).text
    assert part.startswith('<div class="preset-card">') and "checked" in part
    assert part.count("claude-opus-6") >= 4 and "newer" not in part
    said = admin.post(renew, follow=True).text
    assert "Nothing is newer." in said


def test_an_admin_renews_from_the_list_of_presets(admin: Client, have: Have, lists: Lists) -> None:
    have("anthropic")
    card(admin, "quality")
    names(lists, "anthropic", "claude-opus-6", OPUS, HAIKU)
    chosen = [p.pk for p in Preset.objects.filter(slug__in=["quality", "local"])]
    action = {"action": "renew", "_selected_action": chosen}
    said = admin.post("/admin/console/preset/", action, follow=True).text
    assert "Quality asks claude-opus-6 now." in said and "Local: none is newer." in said


def test_an_admin_makes_a_preset_of_places(admin: Client, have: Have) -> None:
    have("anthropic", "openai")
    places = {
        "judge_model": "",
        "judge_credential": "",
        "judge_place": "other/strongest",
        "synthesizer_place": "any/strongest",
        "panelists-0-place": "openai/cheap",
        "panelists-0-credential": "",
        "panelists-1-place": "any/cheap",
    }
    made = admin.post("/admin/console/preset/add/", form(["", ""], **places), follow=True)
    assert made.status_code == 200
    pair = Preset.objects.get(slug="pair")
    assert [(p.place, p.model, p.credential.slug) for p in pair.panelists.all()] == [
        ("openai/cheap", "gpt-6-luna", "openai"),
        ("any/cheap", HAIKU, "anthropic"),
    ]
    assert (pair.judge_model, pair.judge_credential.slug) == (OPUS, "anthropic")
    assert pair.synthesizer_model == OPUS
    page = admin.get(f"/admin/console/preset/{pair.pk}/change/").text
    assert '<option value="openai/cheap" selected>OpenAI, cheap</option>' in page


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"panelists-0-model": ""}, "Name a model, or choose a place to fill."),
        ({"panelists-0-credential": ""}, "Choose whose model it is."),
        ({"judge_model": ""}, "Name a model, or choose a place to fill."),
        ({"judge_credential": ""}, "Choose whose model it is."),
        ({"judge_place": "nobody/best"}, "nobody/best is not one of the available choices"),
        ({"panelists-0-place": "other/cheap"}, "other/cheap is not one of the available choices"),
    ],
)
def test_what_names_neither_a_model_nor_a_place_is_refused(
    admin: Client, wrong: dict[str, str], sentence: str
) -> None:
    answer = admin.post("/admin/console/preset/add/", form(["m"], **wrong))
    assert sentence in answer.text and not Preset.objects.filter(slug="pair").exists()


def test_a_place_that_nothing_fills_is_said_when_it_is_saved(admin: Client, have: Have) -> None:
    have("ollama")
    data = form([""], **{"panelists-0-place": "xai/strongest"})
    said = admin.post("/admin/console/preset/add/", data, follow=True).text
    assert "No model that your keys reach fits “xAI, strongest”." in said
    assert card(admin, "pair") == ""
    assert "fits “xAI, strongest”" in html.unescape(admin.get("/fusion").text)


def test_for_one_run_the_judge_writes_where_that_is_wished(member: Client, have: Have) -> None:
    have("anthropic")
    assert "Cheap writer too" in member.get("/fusion").text
    for extra, writer in (({}, OPUS), ({"judge_writes": "on"}, HAIKU)):
        sent = {"prompt": "Why?", "preset": "budget", "client_run_id": str(uuid.uuid4())}
        assert member.post("/fusion", sent | extra).status_code == 302
        assert Run.objects.latest("created_at").frozen_spec.writer.model == writer
    Preset.objects.filter(slug="budget").update(judge_writes=True)
    assert "Cheap writer too" not in member.get("/fusion").text
    assert f"judge {HAIKU} " in f"{card(member, 'budget')} "


def test_a_pasted_key_fills_presets_at_once(admin: Client, lists: Lists, have: Have) -> None:
    have("anthropic")
    text = lists[httpx.URL(KEYS["anthropic"][1]).netloc.decode()]
    assert text and card(admin, "quality").count(OPUS) == 4
    have("openai")
    assert SOL in card(admin, "quality")
