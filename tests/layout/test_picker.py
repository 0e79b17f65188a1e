"""Choosing one of 1,500 models below the field that names it: by keyboard, on a phone, by ear."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from pytest_django.plugin import DjangoDbBlocker

from tests.layout.conftest import Show
from tests.layout.moments import moments
from tests.layout.orderly import hindrances
from tests.layout.picked import bring_models, fragment

pytestmark = pytest.mark.browser
SEAT = "#panel-0"
ROWS = "#picker-list [role=option]"


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> dict[str, str]:
    with django_db_blocker.unblock():
        return {"compose": moments("alice-of-picker", seats=2)["compose"]}


@pytest.fixture(scope="module")
def models() -> str:
    used = ("openai/gpt-7-pro", "two:anthropic/claude-1-pro")
    return fragment(*used, starred=["qwen/qwen-9-pro"])


@pytest.fixture
def page(show: Show, models: str) -> Page:
    page = show("compose", 1440, 900, "/fusion")
    bring_models(page, models)
    return page


def titles(page: Page) -> list[str]:
    return page.locator(f"{ROWS} b").all_inner_texts()


def chosen(page: Page) -> str:
    """Of the row that would be taken, what is read aloud."""
    at = page.locator(":focus").get_attribute("aria-activedescendant")
    return page.locator(f"#{at}").get_attribute("aria-label") or "" if at else ""


def is_within(window: Page, panel: Locator) -> bool:
    box = panel.bounding_box()
    assert box and window.viewport_size
    return box["x"] >= 0 and box["x"] + box["width"] <= window.viewport_size["width"]


def test_there_is_a_page_to_choose_on(pages: dict[str, str], models: str) -> None:
    assert "data-model" in pages["compose"] and len(models) > 100_000


def test_a_model_is_chosen_by_the_keyboard(page: Page) -> None:
    page.locator(SEAT).focus()
    expect(page.locator(".picker")).to_be_hidden()  # Tab passes by
    page.keyboard.type("gem")
    expect(page.locator(ROWS)).to_have_count(24)
    assert {title[:6] for title in titles(page)} == {"gemini"}
    assert "gemini-0-pro, Google, key one" in chosen(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert chosen(page).startswith("gemini-10-pro")
    page.keyboard.press("Enter")
    expect(page.locator(SEAT)).to_have_value("google/gemini-10-pro")
    expect(page.locator(".picker")).to_be_hidden()
    expect(page.locator(SEAT)).to_be_focused()
    assert page.url.endswith("/fusion")  # nothing was sent


def test_what_was_used_lately_stands_first_with_its_key(page: Page) -> None:
    page.locator(SEAT).click()
    expect(page.locator(ROWS).first).to_be_visible()
    assert titles(page)[:4] == ["gpt-7-pro", "claude-1-pro", "qwen-9-pro", "gemini-0-pro"]
    page.locator(ROWS).nth(1).click()
    expect(page.locator(SEAT)).to_have_value("two:anthropic/claude-1-pro")


def test_what_calls_here_have_shown_stands_beside_a_name(page: Page) -> None:
    rows = page.locator(ROWS)
    page.locator(SEAT).click()
    expect(rows.nth(0)).to_contain_text("62 tok/s 5 % failed")
    expect(rows.nth(2)).to_contain_text("75 % failed")
    page.keyboard.press("ArrowDown")
    assert "62 tokens a second here, 2 of 40 calls failed here" in chosen(page)


def test_a_star_is_given_and_taken_by_key_and_pointer(page: Page, complaints: list[str]) -> None:
    sent: list[str] = []

    def keep(route: Route) -> None:
        sent.append(route.request.post_data or "")
        route.fulfill(status=200 if len(sent) < 3 else 503, body="")

    page.route("**/fusion/models/star", keep)
    page.locator(SEAT).click()
    page.keyboard.type("starred")
    expect(page.locator(ROWS)).to_have_count(1)
    assert chosen(page).endswith("starred")
    page.keyboard.press("Alt+Enter")
    expect(page.locator(ROWS).first).not_to_have_attribute("aria-label", re.compile("starred"))
    expect(page.locator(SEAT)).to_have_value("starred")  # nothing was chosen by it
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("gemini-10-pro")
    expect(page.locator(ROWS).first).to_have_attribute("aria-label", re.compile("gemini-10-pro"))
    star = page.locator(".picker-star").first
    star.click()
    expect(star).to_have_text("★")
    assert 'name="take"' in sent[0] and "one:qwen/qwen-9-pro" in sent[0]
    assert 'name="give"' in sent[1] and "one:google/gemini-10-pro" in sent[1]
    star.click()  # it cannot be kept: so it is as it was
    expect(page.get_by_role("status").filter(has_text="could not be kept")).to_be_attached()
    expect(star).to_have_text("★")
    complaints.clear()  # of what could not be kept


# What is typed, the first row, and whether there are others.
SEARCHES = [
    ("google 25", "gemini-25-pro", True),
    ("GPT-7", "gpt-7-pro", True),
    ("gpt7pro", "gpt-7-pro", False),
    ("claude <$0.10 image", "claude-1-pro", False),
    ("new", "gemini-15-pro", False),
    ("free gemini", "gemini-0-pro", False),
    ("gemini tools reasoning", "gemini-0-pro", True),
]


def test_what_is_typed_is_looked_for_in_name_maker_and_traits(page: Page) -> None:
    page.locator(SEAT).focus()
    for typed, first, many in SEARCHES:
        page.keyboard.press("ControlOrMeta+A")
        page.keyboard.type(typed)
        shown = titles(page)
        assert (shown[0], len(shown) > 1) == (first, many), typed


def test_escape_leaves_the_seat_as_it_was_and_tab_leaves_what_was_typed(page: Page) -> None:
    seat = page.locator(SEAT)
    seat.fill("openai/gpt-7-pro")
    expect(page.locator(".picker")).to_be_hidden()  # who pastes a name has chosen
    seat.click()
    assert "used lately" in chosen(page) and chosen(page).endswith("chosen")
    page.keyboard.type("gem")
    page.keyboard.press("Escape")
    expect(seat).to_have_value("openai/gpt-7-pro")
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("gem")
    page.keyboard.press("Tab")
    expect(seat).to_have_value("gem")
    expect(page.locator(".picker")).to_be_hidden()


def test_escape_of_whoever_came_by_key_and_typed_leaves_nothing_half_typed(page: Page) -> None:
    seat = page.locator(SEAT)
    was = seat.input_value()
    seat.focus()
    page.keyboard.type("gem")
    expect(page.locator(".picker")).to_be_visible()
    page.keyboard.press("Escape")
    expect(seat).to_have_value(was)
    page.keyboard.type("gem")
    page.keyboard.press("Enter")
    taken = seat.input_value()
    assert "gemini" in taken
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type("gpt")
    expect(page.locator(".picker")).to_be_visible()
    page.keyboard.press("Escape")
    expect(seat).to_have_value(taken)


def test_what_nobody_lists_may_be_typed_all_the_same(page: Page) -> None:
    page.locator(SEAT).focus()
    page.keyboard.type("nobody/lists-this")
    expect(page.locator(".picker")).to_be_hidden()
    expect(page.locator(SEAT)).to_have_attribute("aria-expanded", "false")
    expect(page.locator(SEAT)).to_have_value("nobody/lists-this")


def test_a_model_that_two_keys_reach_is_one_row_with_the_choice_inside(page: Page) -> None:
    rows, judge = page.locator(ROWS), page.locator("#judge")
    for by in ("keyboard", "pointer"):
        judge.fill("")
        judge.focus()
        page.keyboard.type("gemini-10-pro")
        expect(rows).to_have_count(1)
        expect(rows.first).to_contain_text("2 keys")
        if by == "keyboard":
            page.keyboard.press("ArrowRight")
        else:
            page.locator(".picker-ways").click()
        expect(rows).to_have_count(3)
        assert "key one" in chosen(page)
        page.keyboard.press("ArrowDown")
        assert "key two, price unknown" in chosen(page)
        page.keyboard.press("Enter")
        expect(judge).to_have_value("gemini-10-pro")


def test_prices_that_nobody_knows_are_no_zeros(page: Page) -> None:
    price = page.locator(ROWS).first.locator(":scope > span").nth(2)
    page.locator(SEAT).focus()
    for typed, told in (("gemini-5-pro", "unknown"), ("gemini-0-pro", "free")):
        page.keyboard.press("ControlOrMeta+A")
        page.keyboard.type(typed)
        expect(price).to_have_text(told)


def test_more_rows_are_made_as_they_are_come_to(page: Page) -> None:
    page.locator(SEAT).click()
    expect(page.locator(ROWS)).to_have_count(24)
    for _ in range(8):
        page.keyboard.press("PageDown")
    expect(page.locator(ROWS).nth(60)).to_be_attached()
    assert page.locator("[aria-selected=true]").count() == 1
    assert page.locator(ROWS).first.get_attribute("aria-setsize") == "1500"


@pytest.mark.parametrize(
    ("width", "direction", "theme"),
    [(1440, "ltr", "light"), (360, "ltr", "dark"), (360, "rtl", "light")],
)
def test_the_list_hinders_nobody(
    show: Show, models: str, width: int, direction: str, theme: str
) -> None:
    page = show("compose", width, 800, "/fusion", color_scheme=theme)
    bring_models(page, models)
    page.evaluate("to => document.documentElement.dir = to", direction)
    page.locator("#judge").click()
    page.keyboard.type("gem")
    panel = page.locator(".picker")
    expect(panel).to_be_visible()
    assert is_within(page, panel)
    field, box = page.locator("#judge").bounding_box(), panel.bounding_box()
    assert field and box and 0 <= box["y"] - (field["y"] + field["height"]) < 12
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert hindrances(page) == []


def test_without_javascript_it_is_a_field_like_any_other(show: Show) -> None:
    page = show("compose", 360, 800, "/fusion", java_script_enabled=False)
    assert page.locator(SEAT).get_attribute("role") is None
    assert page.locator(SEAT).get_attribute("list") is None
    assert page.locator("[role=listbox]").count() == 0
