"""The page of models as people use it: found, starred, priced; with and without JavaScript."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.browser.acts import ask, read_again_until_the_end, wait_for_the_end
from tests.browser.conftest import People, Visit
from tests.stack import Stack
from tests.upstream import Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]
WIDE, NARROW = ({"width": width, "height": 900} for width in (1440, 360))

LISTED = """
from console.models import CatalogModel, Credential
key = Credential.objects.get(slug="openai")
CatalogModel.objects.bulk_create(
    CatalogModel(credential=key, model=f"{maker}/page-{n:02}", name=f"Page {n}",
                 input_price=10**9, output_price=None if n == 7 else 4 * 10**9)
    for n in range(30) for maker in ("google", "qwen")
)
"""


@pytest.fixture(scope="module", autouse=True)
def listed(stack: Stack) -> None:
    stack.shell(LISTED)


def holds(page: Page) -> None:
    """Nobody is hindered, and nothing stands beyond the window."""
    found = Axe().run(page).response["violations"]
    assert [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found] == []
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1440", "360"])
def test_a_model_is_found_as_one_types_and_starred_where_it_stands(
    visit: Visit, viewport: dict[str, int]
) -> None:
    page = visit("alice", viewport=viewport)
    page.goto("/fusion")
    page.locator("header .menu summary").click()
    page.get_by_role("link", name="Models", exact=True).click()
    rows = page.locator(".models-table tbody tr")
    expect(rows.first).to_be_visible()
    holds(page)
    page.get_by_role("searchbox").press_sequentially("qwen page-07")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("unknown")
    expect(page.get_by_role("searchbox")).to_be_focused()
    assert "q=qwen%20page-07" in page.url
    star = page.get_by_role("button", name="Star qwen/page-07")
    star.focus()
    page.keyboard.press("Enter")
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(star).to_be_focused()
    page.goto("/fusion/models?only=starred")
    expect(rows).to_have_count(1)
    holds(page)
    star.click()
    expect(star).to_have_attribute("aria-pressed", "false")


def test_without_javascript_it_is_searched_paged_and_starred_all_the_same(visit: Visit) -> None:
    page = visit("bob", java_script_enabled=False, viewport=NARROW)
    page.goto("/fusion/models")
    page.get_by_role("searchbox").fill("page-")
    page.get_by_role("button", name="Search").click()
    rows = page.locator(".models-table tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_role("link", name="More").click()
    expect(rows).to_have_count(10)
    page.get_by_role("button", name="Star qwen/page-29").click()
    expect(page.get_by_role("button", name="Star qwen/page-29")).to_have_attribute(
        "aria-pressed", "true"
    )
    assert "after=" in page.url
    page.get_by_role("link", name="Price unknown").click()
    expect(rows.first).to_contain_text("unknown")


def test_an_admin_sets_what_is_really_paid(visit: Visit) -> None:
    page = visit("ada", viewport=WIDE)
    page.goto("/fusion/models?q=google/page-03")
    page.get_by_role("link", name="google/page-03").click()
    page.get_by_label("Own price in").fill("0.25")
    page.get_by_label("Own price out").fill("1")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto("/fusion/models?only=own")
    row = page.locator(".models-table tbody tr")
    expect(row).to_contain_text("$0.25")
    expect(row).to_contain_text("set here")
    expect(row).to_contain_text("$4.00")


@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["1440", "360"])
def test_a_seat_is_asked_again_with_a_model_that_is_chosen_from_the_list(
    visit: Visit, people: People, upstream: Upstream, viewport: dict[str, int]
) -> None:
    page = visit("alice", viewport=viewport)
    address = ask(people("alice"), "good", "markdown", judge="markdown")
    page.goto(address)
    wait_for_the_end(page)
    page.locator(".again summary").click()
    field = page.locator("#again-seat-1")
    field.click()
    rows = page.locator("#picker-list [role=option]")
    expect(rows.first).to_be_visible()
    page.keyboard.type("google page-11")
    expect(rows).to_have_count(1)
    assert [v["id"] for v in Axe().run(page).response["violations"]] == []
    page.keyboard.press("Escape")
    expect(field).to_have_value("")
    page.keyboard.type("google page-11")
    page.keyboard.press("Enter")
    expect(field).to_have_value("google/page-11")
    assert page.url.endswith(address)  # nothing was sent
    page.locator(".again-row", has=field).get_by_role("button").click()
    wait_for_the_end(page)
    assert upstream.calls_of("google/page-11")


def test_a_judge_of_another_fusion_is_chosen_from_the_list_where_that_can_be_had(
    visit: Visit, people: People
) -> None:
    page = visit("alice", trouble=True, viewport=WIDE)
    page.goto(ask(people("alice"), "good", "markdown", judge="markdown"))
    wait_for_the_end(page)
    page.locator(".again-more > summary").click()
    judge = page.locator("#again-judge")
    for what in ("**/picker/picker.*.js", "**/fusion?models"):  # as in the midst of an upgrade
        page.route(what, lambda route: route.abort(), times=1)
        with page.expect_event("requestfailed"):
            judge.focus()
        judge.blur()
    judge.press_sequentially("qwen page-12")
    rows = page.locator("#picker-list [role=option]")
    expect(rows).to_have_count(1)
    page.keyboard.press("Enter")
    expect(judge).to_have_value("qwen/page-12")


def test_without_javascript_a_name_that_nobody_knows_is_refused_with_a_sentence(
    visit: Visit, people: People
) -> None:
    page = visit("alice", java_script_enabled=False, trouble=True)
    page.goto(ask(people("alice"), "good", "markdown", judge="markdown"))
    read_again_until_the_end(page)
    page.locator(".again summary").click()
    page.locator("#again-seat-1").fill("nowhere:\u2028odd")
    page.locator(".again-row").nth(1).get_by_role("button").click()
    expect(page.get_by_role("main")).to_contain_text("name is one line")
