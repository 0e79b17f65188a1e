"""The list of models below the fields of the admin that name one, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import Client
from playwright.sync_api import Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from console.models import Credential, Preset, SiteChoices
from tests.browser.chromium import FLAGS, executable
from tests.layout.orderly import hindrances
from tests.layout.picked import fragment

ROWS = "#picker-list [role=option]"
LIST = fragment()


@pytest.fixture
def two_keys() -> list[Credential]:
    return [
        Credential.objects.create(
            slug=slug, name=slug, kind="openai_compatible", base_url="http://127.0.0.1:9/v1"
        )
        for slug in ("one", "two")
    ]


@contextmanager
def visit(site: LiveServer, width: int) -> Iterator[tuple[Page, list[str]]]:
    """The page of an admin who has signed in, and what was blocked or broke on it. No row is read
    within: the browser has an event loop in this thread."""
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": 1200})
        page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: said.append(str(e)))
        page.route(
            "**/fusion?models*",
            lambda route: route.fulfill(body=LIST, content_type="text/html; charset=utf-8"),
        )
        page.goto(f"{site.url}/sign-in?next=/admin/")
        page.get_by_label("Username").fill("ada")
        page.get_by_label("Password").fill("ada-has-a-password")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/admin/")
        yield page, said
        browser.close()
    assert said == []


def pick(page: Page, name: str, typed: str, *keys: str) -> None:
    page.locator(f"[name={name}]").focus()
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type(typed)
    expect(page.locator(ROWS)).to_have_count(1)
    for key in (*keys, "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".picker")).to_be_hidden()


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_an_admin_chooses_the_models_of_a_preset(
    live_server: LiveServer,
    ada: User,
    two_keys: list[Credential],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(StaticFilesHandler, "_should_handle", lambda *_: False)
    preset = Preset.objects.get(slug="quality")
    seats = preset.panelists.count()
    one, two = (str(key.pk) for key in two_keys)
    with visit(live_server, 1440) as (page, said):
        page.goto(f"{live_server.url}/admin/console/preset/{preset.pk}/change/")
        assert page.locator("#model-list").count() == 0  # nobody has come to a field yet
        # Of two keys the second, by its name alone, and what stands in the form fits it.
        pick(page, "judge_model", "claude-1-pro", "ArrowRight", "ArrowDown")
        expect(page.locator("[name=judge_model]")).to_have_value("anthropic/claude-1-pro")
        expect(page.locator("[name=judge_credential]")).to_have_value(two)
        page.locator("[name=judge_model]").click()
        at = page.locator("[name=judge_model]").get_attribute("aria-activedescendant")
        assert (page.locator(f"#{at}").get_attribute("aria-label") or "").endswith("chosen")
        assert said == []
        # All of the page, Django's side list, too, some of whose tables have one column only.
        assert hindrances(page, but=["th-has-data-cells"]) == []
        page.emulate_media(color_scheme="dark")
        page.evaluate("Promise.all(document.getAnimations().map(each => each.finished))")
        assert hindrances(page, but=["th-has-data-cells"]) == []
        said.clear()  # of styles that axe puts in
        page.keyboard.press("Escape")
        expect(page.locator("[name=judge_model]")).to_have_value("anthropic/claude-1-pro")
        # Who chooses a model wants that one, not what fills the place.
        page.locator("[name=judge_fallback_model]").scroll_into_view_if_needed()
        pick(page, "judge_fallback_model", "gpt-7-pro")
        expect(page.locator("[name=judge_fallback_credential]")).to_have_value(one)
        # A seat that is added.
        page.get_by_text("Add another Panelist").click()
        seat = f"panelists-{seats}"
        pick(page, f"{seat}-model", "qwen-9-pro")
        page.get_by_role("button", name="Save", exact=True).click()
        page.wait_for_url("**/admin/console/preset/")
    preset.refresh_from_db()
    assert (preset.judge_model, preset.judge_credential) == ("anthropic/claude-1-pro", two_keys[1])
    assert (preset.judge_place, preset.judge_fallback_model) == ("", "openai/gpt-7-pro")
    added = preset.panelists.order_by("seat").last()
    assert added and (added.model, added.credential) == ("qwen/qwen-9-pro", two_keys[0])


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_on_a_phone_the_list_stays_within_the_window(
    live_server: LiveServer,
    ada: User,
    two_keys: list[Credential],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(StaticFilesHandler, "_should_handle", lambda *_: False)
    one = str(two_keys[0].pk)
    with visit(live_server, 360) as (page, said):
        page.goto(f"{live_server.url}/admin/console/sitechoices/add/")
        page.locator("[name=reference_model]").click()  # opens as soon as the list is there
        expect(page.locator(ROWS).first).to_be_visible()
        field = page.locator("[name=reference_model]").bounding_box()
        box = page.locator(".picker").bounding_box()
        assert field and box and box["x"] >= 0 and box["x"] + box["width"] <= 360
        assert 0 <= box["y"] - (field["y"] + field["height"]) < 12
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        assert said == []
        assert hindrances(page) == []
        said.clear()  # of styles that axe puts in
        page.keyboard.type("gemini-0-pro")
        page.locator(ROWS).first.click()
        expect(page.locator("[name=reference_model]")).to_have_value("google/gemini-0-pro")
        expect(page.locator("[name=reference_credential]")).to_have_value(one)
    assert not SiteChoices.objects.exists()  # nothing was sent


@pytest.mark.django_db
def test_every_field_that_names_a_model_has_the_list(client: Client, ada: User) -> None:
    client.force_login(ada)
    preset = Preset.objects.get(slug="quality")
    html = client.get(f"/admin/console/preset/{preset.pk}/change/").content.decode()
    names = ["judge_model", "synthesizer_model", "judge_fallback_model"]
    names += ["synthesizer_fallback_model", "panelists-0-model", "panelists-0-fallback_model"]
    names += ["panelists-__prefix__-model"]
    for name in names:
        field = html.partition(f'name="{name}"')[2].partition(">")[0]
        assert "data-model" in field, name
    assert 'id="model-keys"' in html
