"""*Web*, from the box beside *Fuse* to a source as it was read: the whole product with a search
engine and pages of this machine."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, expect

from tests.browser.acts import fill_custom, fuse, sign_in, wait_for_the_end
from tests.browser.test_accessibility import problems
from tests.live.conftest import PASSWORD, PLANTED, add_people
from tests.stack import Stack
from tests.upstream import Script, Upstream
from tests.upstream.engines import Web

pytestmark = [pytest.mark.browser, pytest.mark.live]

QUERIES = {"queries": ["elbe length"]}
STANCES = [
    {"stance": "The Elbe measures 1,094 kilometres.", "seats": ["A"]},
    {"stance": "The Elbe measures 2,000 kilometres.", "seats": ["B"]},
]
ANALYSIS = {
    "consensus": [],
    "contradictions": [{"topic": "How long is the river Elbe?", "stances": STANCES}],
    "partial_coverage": [],
    "unique_insights": [],
    "blind_spots": [],
}
FOUND = {
    "findings": [
        {"source": 1, "quote": "1,094 km long", "says": "stance-1"},
        {"source": 1, "quote": "2,000 km at least", "says": "stance-2"},
    ]
}
SAID = "The Elbe is “1,094 km long” [1]."


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    with Web() as web, Upstream() as upstream:
        web.add("/elbe", "Elbe", "The river Elbe is 1,094 km long.", "It rises in the mountains.")
        upstream.script("alpha", Script(text=SAID))
        upstream.script("beta", Script(text="It is “2,000 km long” [1]."))
        upstream.script(
            "boss",
            lambda body: Script(
                text=SAID,
                judge=Script(text=json.dumps(QUERIES)) if "search queries" in str(body) else None,
            ),
        )
        upstream.script(
            "careful",
            lambda body: Script(
                text="It is long.",
                judge=Script(text=json.dumps(FOUND if "checks a claim" in str(body) else ANALYSIS)),
            ),
        )
        upstream.keep()
        env = {"SEARXNG_URL": web.url, "FUSION_FETCH_ALLOW": web.place}
        with Stack(OPENAI_BASE_URL=upstream.url, OPENAI_API_KEY=PLANTED, **env) as stack:
            add_people(stack)
            size = {"width": 1440, "height": 900}
            context = browser.new_context(base_url=stack.url, viewport=size)  # type: ignore[arg-type]
            yield context.new_page()
            context.close()


def test_what_is_asked_with_web_is_answered_from_pages_that_can_be_read_beside_it(
    page: Page,
) -> None:
    sign_in(page, "alice", PASSWORD)
    page.locator("#prompt").fill("How long is the Elbe?")
    fill_custom(page, "alpha", "beta", judge="boss")
    page.get_by_role("checkbox", name="Web").check()
    fuse(page)
    wait_for_the_end(page)
    expect(page.locator("#phases li").first).to_contain_text(re.compile(r"Sources\s+done\s+1"))
    page.keyboard.press("s")
    part = page.locator("#sources")
    expect(part).to_be_in_viewport()
    expect(part).to_contain_text("Searched for “elbe length”")
    expect(part).to_contain_text("Not found there: “2,000 km long”")
    expect(part.locator(".chip")).to_have_text([re.compile("A"), re.compile("B")])
    cited = page.locator('#fused-answer a[href$="/elbe"]').first
    expect(cited).to_be_attached()
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        found = Axe().run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"]) for v in found] == []
    page.set_viewport_size({"width": 1440, "height": 900})
    part.get_by_role("link", name="as it was read").click()
    expect(page.locator("mark")).to_have_text("1,094 km long")
    page.get_by_role("link", name="How long is the Elbe?").click()
    expect(page.locator("#sources")).to_be_attached()


def test_a_claim_is_looked_up_and_what_pages_say_of_it_stands_below_it(page: Page) -> None:
    """After the one before: the same people, and another question."""
    page.goto("/fusion")
    page.locator("#prompt").fill("Is the Elbe long?")
    fill_custom(page, "alpha", "beta", judge="careful")
    page.get_by_role("checkbox", name="Web").uncheck()
    fuse(page)
    wait_for_the_end(page)
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{page.url.partition('?')[0]}?look=result&part=analysis")
    claim = page.locator("[data-claim='contradictions-1']")
    claim.get_by_role("button", name="Look it up").click()
    told = claim.locator(".looked-up")
    expect(told).to_contain_text("Looked up: 1 page read.")
    expect(told.get_by_role("link", name="1,094 km long")).to_be_visible()
    expect(told).to_contain_text("not in this page")
    expect(claim.get_by_role("button", name="Look it up")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.set_viewport_size({"width": 1440, "height": 900})
    assert problems(page) == []
    told.get_by_role("link", name="1,094 km long").click()
    expect(page.get_by_role("main")).to_contain_text("It rises in the mountains.")
