"""Presets of one's own: a seat that is changed, asked and saved, with and without JavaScript."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from tests.browser.acts import fuse, wait_for_the_end
from tests.browser.conftest import Visit
from tests.upstream import Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]
SEATS = "[data-swap^='plain-pair:']"


def test_a_seat_is_changed_asked_and_saved_and_nothing_chosen_is_lost(
    visit: Visit, upstream: Upstream
) -> None:
    page = visit("alice")
    page.goto("/fusion?preset=plain-pair&q=Which+one%3F")
    page.locator(SEATS).nth(1).click()
    page.keyboard.type("openai:another-seat")
    page.keyboard.press("Enter")
    expect(page.locator(SEATS).nth(1)).to_contain_text("another-seat")
    page.get_by_role("button", name="Save… Plain pair as it is now").click()
    page.wait_for_url("**/fusion/presets/new")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Plain pair")
    page.get_by_label("Name", exact=True).fill("Odd pair")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url("**/fusion?preset=alice-odd-pair**")
    expect(page.get_by_role("radio", name="Odd pair yours")).to_be_checked()
    expect(page.locator("#prompt")).to_have_value("Which one?")
    expect(page.locator(SEATS).nth(1)).to_contain_text("markdown")  # the other is as it was
    page.locator("[data-swap='alice-odd-pair:0']").click()
    page.keyboard.type("openai:markdown")
    page.keyboard.press("Enter")
    page.locator("#prompt").press("Control+Enter")
    page.wait_for_url(re.compile("/fusion/runs/"))
    wait_for_the_end(page)
    assert upstream.calls_of("another-seat")
    expect(page.get_by_text("Odd pair, changed")).to_be_visible()
    page.locator(".again summary").click()
    page.get_by_role("link", name="New question with this panel").click()
    expect(page.locator("#panel-0")).to_have_value("openai:markdown")
    expect(page.locator("#panel-1")).to_have_value("openai:another-seat")


@pytest.mark.parametrize("width", [1440, 360])
def test_a_preset_is_given_a_shape_and_its_run_is_edited_and_run(
    visit: Visit, upstream: Upstream, width: int
) -> None:
    page = visit("alice", viewport={"width": width, "height": 900})
    page.goto("/fusion/presets/new?of=plain-pair")
    name = f"Memo {width}"
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Fused answer").select_option("decision memo")
    page.get_by_text("Whom to wait for, limits").click()
    expect(page.get_by_label("Budget of a run, $")).to_be_editable()
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("radio", name=f"{name} yours")).to_be_checked()
    page.locator("#prompt").fill(f"Which of {width}?")
    fuse(page)
    wait_for_the_end(page)
    told = [str(call.body["messages"]) for call in upstream.calls_of("good")]
    assert any("decision memo" in one for one in told)
    page.get_by_role("link", name="Edit and run").click()
    expect(page.locator("#prompt")).to_have_value(f"Which of {width}?")
    expect(page.get_by_role("radio", name=f"{name} yours")).to_be_checked()


def test_without_javascript_the_panel_is_filled_under_a_price(visit: Visit) -> None:
    page = visit("bob", java_script_enabled=False, viewport={"width": 360, "height": 800})
    page.goto("/fusion?preset=custom&panel=openai:good")
    page.get_by_label("under $").fill("nothing")
    page.get_by_role("button", name="Fill the panel").click()
    expect(page.get_by_role("alert")).to_contain_text("A price is a number of dollars")
    expect(page.locator("#panel-0")).to_have_value("openai:good")


def test_without_javascript_a_seat_leads_to_custom_and_a_preset_is_made_and_deleted(
    visit: Visit,
) -> None:
    page = visit("bob", java_script_enabled=False)
    page.goto("/fusion")
    page.locator(SEATS).nth(1).click()
    expect(page.get_by_role("radio", name="Custom")).to_be_checked()
    expect(page.locator("#panel-1")).to_have_value("openai:markdown")
    page.locator("#panel-1").fill("openai:good")
    page.get_by_role("button", name="Save… this panel as a preset").click()
    page.get_by_label("Name", exact=True).fill("Twice good")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("radio", name="Twice good yours")).to_be_checked()
    page.locator("#prompt").fill("Twice?")
    fuse(page)
    page.goto("/fusion/presets")
    page.get_by_role("link", name="Delete… Twice good").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("Twice good is deleted.")).to_be_visible()
