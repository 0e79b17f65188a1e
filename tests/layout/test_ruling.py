"""Rulings in the map are counted on the button of the next fusion, kept, and their effect is shown
before they are paid for."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import wide_things
from tests.layout.conftest import Render, Show
from tests.layout.rich import rich
from tests.stack import until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(render: Render) -> dict[str, str]:
    return render(rich=rich())


def test_what_is_ruled_in_the_map_belongs_to_the_form_below_it(pages: dict[str, str]) -> None:
    assert pages["rich"].count('id="again-form"') == 1
    assert 'form="again-form"' in pages["rich"]


def rule(page: Page, claim: str, verdict: str) -> None:
    field = f"#analysis [name='verdict-{claim}'][value='{verdict}']"
    # Where it stands: the foot of the map may lie over it.
    page.locator(field).evaluate("field => field.click()")


def lit(page: Page, name: str) -> list[str]:
    said: list[str] = page.evaluate(
        "name => [...(CSS.highlights.get(name) ?? [])].map(r => String(r).replace(/\\s+/g, ' '))",
        name,
    )
    return said


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
def test_rulings_are_counted_kept_and_their_effect_is_shown(
    show: Show, width: int, scheme: str
) -> None:
    page = show("rich", width, 900, color_scheme=scheme)
    button = page.locator("#again-label")
    expect(button).to_have_text("Fuse again")
    quiet = page.locator("#again-form button[type=submit]:not(.button-primary)")
    expect(quiet).to_have_count(1)  # until there is something to do otherwise
    rule(page, "contradictions-1", "stance-1")
    expect(button).to_have_text("Fuse again with 1 ruling")
    expect(quiet).to_have_count(0)
    rule(page, "consensus-1", "wrong")
    if width < 1000:
        page.locator(".rail a[data-part='analysis']").click()  # a tab of its own there
    page.locator("#again-fact").fill("The bank offers the loan at 1.4 %.")
    expect(button).to_have_text("Fuse again with 2 rulings and 1 fact")
    price = page.locator("#again-price")
    one_line = "price => price.getClientRects().length === 1 && price.offsetHeight < 30"
    assert price.inner_text() and price.evaluate(one_line), "a price that is broken is misread"
    effect = page.locator("#again-effect")
    linked = page.locator("#analysis [data-claim='consensus-1'] .use").count()
    if linked:
        assert lit(page, "falls")
        expect(effect).to_contain_text("away")
    expect(effect).to_contain_text("Nothing is promised of the rest.")
    if folder := os.environ.get("TEST_PICTURES"):
        page.screenshot(path=f"{folder}/rules-{width}-{scheme}.png")
        page.locator("#again").screenshot(path=f"{folder}/again-{width}-{scheme}.png")
    assert wide_things(page) == []
    page.evaluate("document.dispatchEvent(new Event('htmx:afterSwap'))")  # of something beside it
    expect(button).to_have_text("Fuse again with 2 rulings and 1 fact")
    page.reload()
    expect(button).to_have_text("Fuse again with 2 rulings and 1 fact")
    rule(page, "contradictions-1", "")
    rule(page, "consensus-1", "right")
    expect(button).to_have_text("Fuse again with 1 ruling and 1 fact")
    expect(effect).to_have_text("")
    assert lit(page, "falls") == lit(page, "anew") == []


def test_what_is_asked_of_nobody_has_no_price_and_says_what_it_does(show: Show) -> None:
    page = show("rich", 1440, 900)
    page.get_by_text("Change…").click()
    page.get_by_label("the best answer as it is").check()
    expect(page.locator("#again-label")).to_have_text("Take the best answer")
    expect(page.locator("#again-price")).to_have_text("")
    page.get_by_label("the analysis only").check()
    expect(page.locator("#again-label")).to_have_text("Analyse again")


@pytest.mark.parametrize("width", [1440, 2560, 1010])
def test_what_can_be_changed_is_seen_once_it_is_opened_and_folding_it_leads_back(
    show: Show, width: int
) -> None:
    page = show("rich", width, 900)
    aside = page.locator(".aside")
    before = aside.evaluate("aside => { aside.scrollTop = 60; return aside.scrollTop }")
    change = page.get_by_text("Change…")
    box = change.bounding_box()
    assert box
    page.mouse.click(box["x"] + 5, box["y"] + 5)  # by the pointer alone: nothing is scrolled for it
    for seen in ("#again-form > button", "#again-form-of", ".again-ways"):
        expect(page.locator(seen)).to_be_in_viewport(ratio=0.9)
    expect(change).to_be_in_viewport()
    assert page.evaluate("scrollY") == 0
    change.press("Enter")
    expect(page.locator(".again-ways")).not_to_be_visible()
    at = "before => document.querySelector('.aside').scrollTop === before"
    until(lambda: page.evaluate(at, before))
