"""Was it worth it? Read on a finished run, and asked of the panel itself."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import ask, wait_for_the_end, wide_things
from tests.browser.conftest import People, Shoot, Visit
from tests.browser.test_evidence import ALPHA, ANALYSIS, BETA, FUSED
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]


@pytest.fixture
def models(upstream: Upstream) -> None:
    upstream.script("alpha", Script(text=ALPHA, judge=Script(text='{"better": "equal"}')))
    upstream.script("beta", Script(text=BETA, judge=Script(text="I prefer none.")))
    upstream.script("writer", Script(text=FUSED, judge=Script(text=json.dumps(ANALYSIS))))


def to_part(page: Page, name: str) -> None:
    """Of which a phone shows one at a time."""
    assert page.viewport_size
    if page.viewport_size["width"] <= 700:
        page.locator(f".rail [data-part={name}]").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.usefixtures("models")
def test_the_page_says_what_fusion_brought_and_asks_the_panel(
    visit: Visit, people: People, shoot: Shoot, width: int, scheme: str
) -> None:
    page = visit("alice", viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(ask(people("alice"), "alpha", "beta", judge="alpha"))
    wait_for_the_end(page)
    expect(page.locator("#run-badges")).to_contain_text("Judge on the panel")
    to_part(page, "analysis")
    page.get_by_text("Change…").click()
    page.get_by_label("Judge", exact=True).fill("openai:writer")
    page.get_by_role("button", name="Fuse again").click()
    page.wait_for_url(re.compile("/fusion/runs/"))
    wait_for_the_end(page)
    expect(page.locator("#run-badges")).not_to_contain_text("Judge on the panel")
    card = page.get_by_role("region", name="Was it worth it?")
    expect(card).to_contain_text("1 of 2 points shared, 1 contradicted")
    expect(card).to_contain_text("Tell customers")
    page.get_by_role("button", name="Ask the panel which is better").click()
    expect(card).to_contain_text("could not be read", timeout=60_000)
    expect(card).to_contain_text("1 neither")
    expect(page.get_by_role("button", name="Ask the panel which is better")).to_have_count(0)
    to_part(page, "analysis")
    page.get_by_text("The judge's ratings").click()
    to_part(page, "fused-answer")
    expect(page.get_by_role("region", name="Fused answer").locator(".source")).to_have_count(4)
    shoot(page, f"worth-{width}-{scheme}")
    assert wide_things(page) == []
    fits = "e => e.scrollWidth <= e.clientWidth"
    assert page.locator(".ratings .table-scroll").evaluate(fits)
    page.goto("/fusion")
    card = page.locator(".preset-card", has_text="Judge on the panel")
    expect(card.first).to_be_visible()
    shoot(page, f"kin-{width}-{scheme}")
    assert wide_things(page) == []
