"""Another model in a seat of a preset, chosen in its card: by mouse, by keyboard, on a phone."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, Route, expect
from pytest_django.plugin import DjangoDbBlocker

from console.services.own_presets import own_preset_save
from console.services.wish import Wish
from tests.layout.conftest import Show
from tests.layout.orderly import hindrances
from tests.layout.picked import fragment

from .rich import rich

pytestmark = pytest.mark.browser
SEAT = "#preset-alice-plants-more [data-swap]"
ROWS = "#picker-list [role=option]"


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> dict[str, str]:
    with django_db_blocker.unblock(), ExitStack() as undo:
        keys = pytest.MonkeyPatch()
        undo.callback(keys.undo)
        keys.setenv("OPENROUTER_API_KEY", "sk-or-only-for-tests")
        keys.setattr(settings, "SEARCH_ENGINES", {"searxng": ("", "http://127.0.0.1:9")})
        alice = User.objects.create_user("alice")
        undo.callback(alice.delete)
        client = Client()
        client.force_login(alice)
        undo.callback(client.logout)
        run = rich(2).save(alice)
        undo.callback(run.delete)
        for name in ("Plants", "Pumps", "Pipes", "Valves"):
            panel = [f"openrouter:maker/{letter}-{name.lower()}" for letter in "abcd"]
            wish = Wish(panel=panel, judge=panel[0])
            own = own_preset_save(owner=alice, name=name, wish=wish)
            own_preset_save(
                owner=alice, name=name, wish=replace(wish, criteria="weigh legal risk"), preset=own
            )
        return {
            "compose": client.get("/fusion?preset=alice-plants").content.decode(),
            "list": client.get("/fusion/presets").content.decode(),
            "new": client.get("/fusion/presets/new?of=alice-plants").content.decode(),
            "versions": client.get("/fusion/presets/alice-plants/versions").content.decode(),
            "delete": client.get("/fusion/presets/alice-plants/delete").content.decode(),
        }


@pytest.fixture(scope="module")
def models() -> str:
    return fragment("openai/gpt-7-pro")


def opened(show: Show, models: str, width: int = 1440, **options: str) -> Page:
    page = show("compose", width, 900, "/fusion", **options)

    def answer(route: Route) -> None:
        route.fulfill(body=models, content_type="text/html; charset=utf-8")

    page.route("**/fusion?models*", answer)
    return page


def test_there_is_a_preset_to_change(pages: dict[str, str], models: str) -> None:
    assert 'data-swap="alice-plants:1"' in pages["compose"] and len(models) > 100_000


def test_a_seat_is_changed_by_two_presses_and_outlives_a_reload(show: Show, models: str) -> None:
    page = opened(show, models)
    page.locator(SEAT).nth(1).click()
    expect(page.locator(ROWS).first).to_be_visible()
    page.locator(ROWS).first.click()
    for _ in range(2):
        expect(page.locator(SEAT).nth(1)).to_contain_text("gpt-7-pro")
        card = page.locator(".preset-card", has=page.locator("#preset-alice-plants"))
        expect(card.locator(".preset-changed")).to_be_visible()
        expect(card.locator("[name=swap]")).to_have_value("alice-plants:1:openai/gpt-7-pro")
        expect(card.get_by_role("button", name="Save… Plants as it is now")).to_be_visible()
        page.reload()


def test_a_seat_is_changed_by_the_keyboard_and_left_as_it_is_by_escape(
    show: Show, models: str
) -> None:
    page = opened(show, models)
    page.locator("#preset-alice-plants").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert page.locator(SEAT).nth(2).evaluate("seat => seat === document.activeElement")
    page.keyboard.press("Enter")
    expect(page.locator(ROWS).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(SEAT).nth(2)).to_be_focused()
    expect(page.locator(SEAT).nth(2)).to_contain_text("c-plants")
    page.keyboard.press("Enter")
    page.keyboard.type("gemini-10")
    page.keyboard.press("Enter")
    expect(page.locator(SEAT).nth(2)).to_contain_text("gemini-10-pro")
    expect(page.locator(SEAT).nth(2)).to_be_focused()
    # A name that no list has is taken as it is typed.
    page.keyboard.press("Enter")
    page.keyboard.type("nobody:knows/this-one")
    page.keyboard.press("Enter")
    expect(page.locator(SEAT).nth(2)).to_contain_text("this-one")
    assert page.url.endswith("/fusion")  # nothing was sent


def test_others_are_found_in_one_list(show: Show, models: str) -> None:
    page = opened(show, models)
    page.locator(".presets-all summary").click()
    found = page.locator(".presets-found .preset-card:visible")
    expect(found).to_have_count(2)
    first = found.first.locator("label").inner_text().split()[0]
    page.locator("[data-presets-search]").fill(first)
    expect(found).to_have_count(1)
    page.locator("[data-presets-search]").fill("nothing like it")
    expect(page.get_by_text("No preset is called that.")).to_be_visible()


BLIND = """<p class="quote-whole"><strong>Free</strong></p>
<data class="seat-blind" value="1" hidden>takes no pictures: not “photo-of-the-pump.png”</data>
<p class="quote-note quote-blind">B takes no pictures and is asked without “photo.png”.</p>"""


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (360, "dark")])
def test_a_seat_says_that_it_takes_no_pictures_and_is_given_to_another_model(
    show: Show, models: str, width: int, theme: str
) -> None:
    page = opened(show, models, width, color_scheme=theme)
    page.route("**/fusion?quote", lambda route: route.fulfill(body=BLIND, content_type="text/html"))
    page.locator("#prompt").fill("What is wrong with this pump?")
    lacks = page.locator(".seat-lacks")
    expect(lacks).to_have_text(
        "takes no pictures: not “photo-of-the-pump.png” · use text instead · another model"
    )
    assert lacks.evaluate("one => one.closest('li').querySelector('.chip').textContent") == "B"
    expect(page.locator(".quote-blind")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert hindrances(page) == []
    chosen = BLIND.replace("seat-blind", "seat-textual").replace("takes no", "gets text instead of")
    page.unroute("**/fusion?quote")
    page.route("**/fusion?quote", lambda r: r.fulfill(body=chosen, content_type="text/html"))
    page.get_by_role("button", name="Use text instead for B").press("Enter")
    undo = page.get_by_role("button", name="No text instead for B")
    expect(undo).to_be_focused()
    assert page.locator("input[name=as_text]").input_value() == "1"
    page.unroute("**/fusion?quote")
    page.route("**/fusion?quote", lambda route: route.fulfill(body=BLIND, content_type="text/html"))
    undo.press("Enter")
    expect(page.locator("input[name=as_text]")).to_have_count(0)
    page.get_by_role("button", name="Another model for B").click()
    expect(page.locator(ROWS).first).to_be_visible()
    taken = page.locator(f"{ROWS} .picker-takes")
    expect(taken.filter(has_not_text="image")).to_have_count(0)
    page.unroute("**/fusion?quote")
    page.route("**/fusion?quote", lambda route: route.fulfill(body="", content_type="text/html"))
    page.locator(ROWS).first.click()
    expect(lacks).to_have_count(0)


def test_another_card_changes_the_box_until_somebody_has_chosen(show: Show, models: str) -> None:
    page = opened(show, models)
    box = page.get_by_role("checkbox", name="Web")
    cards = [page.locator(f"#preset-{slug}") for slug in ("quality", "alice-plants")]
    quality, own = cards
    page.locator(".presets-all summary").click()
    quality.check(force=True)
    expect(box).to_be_checked()
    own.check(force=True)
    expect(box).not_to_be_checked()
    box.check()
    quality.check(force=True)
    own.check(force=True)
    expect(box).to_be_checked()


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (360, "dark"), (360, "light")])
def test_nobody_is_hindered(show: Show, models: str, width: int, theme: str) -> None:
    page = opened(show, models, width, color_scheme=theme)
    page.locator(SEAT).nth(1).click()
    page.locator(ROWS).first.click()
    page.locator(".presets-all summary").click()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert hindrances(page) == []
    page.locator(SEAT).nth(0).click()
    expect(page.locator(ROWS).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    for moment in ("list", "new", "versions", "delete"):
        page = show(moment, width, 900, color_scheme=theme)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert hindrances(page) == [], moment
