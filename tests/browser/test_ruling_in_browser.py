"""What a reader adds to the next fusion: counted on its button, kept while it cannot be sent."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import ask, wait_for_the_end, wide_things
from tests.browser.conftest import People, Shoot, Visit
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]

ANALYSIS = {
    "consensus": [{"claim": "Both plants meet the limit of 2032.", "seats": ["A", "B"]}],
    "contradictions": [
        {
            "topic": "What to do now",
            "stances": [
                {"seats": ["A"], "stance": "replace with CO₂ now"},
                {"seats": ["B"], "stance": "retrofit, replace in 2031"},
            ],
        }
    ],
    "partial_coverage": [],
    "unique_insights": [{"insight": "Heat recovery could replace the boiler.", "seat": "A"}],
    "blind_spots": ["What the lease allows"],
}


@pytest.fixture
def models(upstream: Upstream) -> None:
    upstream.script(
        "alpha", Script(text="Replace the plant with CO₂ now, before new gas is barred.")
    )
    upstream.script("beta", Script(text="Retrofit the plant and replace it in 2031."))
    judged = Script(text=json.dumps(ANALYSIS))
    upstream.script(
        "writer",
        Script(text="The retrofit looks cheaper than it is.[^A] Replace now.[^B]", judge=judged),
    )


def to_the_map(page: Page, width: int) -> None:
    """On a phone it is a tab of its own."""
    if width < 1000:
        page.locator(".rail a[data-part='analysis']").click()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.usefixtures("models")
def test_facts_are_counted_kept_and_sent_as_one_call(
    visit: Visit, people: People, shoot: Shoot, upstream: Upstream, width: int, scheme: str
) -> None:
    page = visit("alice", viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(ask(people("alice"), "alpha", "beta", judge="writer"))
    wait_for_the_end(page)
    page.goto(page.url.split("?")[0] + "?look=result")
    again = page.locator("#again-form")
    button = again.get_by_role("button")
    to_the_map(page, width)
    expect(button).to_contain_text("Fuse again")
    again.get_by_label("I add").first.fill("The bank offers the loan at 1.4 %.")
    expect(button).to_contain_text("Fuse again with 1 fact")
    again.get_by_label("I add").nth(1).fill("Our lease runs until 2034.")
    expect(button).to_contain_text("Fuse again with 2 facts")
    shoot(page, f"ruling-{width}-{scheme}")
    page.reload()
    to_the_map(page, width)
    expect(button).to_contain_text("Fuse again with 2 facts")
    again.get_by_text("Change…").click()
    again.get_by_label("the best answer as it is").check()
    expect(button).to_have_text("Take the best answer with 2 facts")
    again.get_by_label("a fused answer").check()
    again.get_by_label("Form", exact=True).select_option("decision memo")
    shoot(page, f"ruling-change-{width}-{scheme}")
    assert wide_things(page) == []
    upstream.script("writer", Script(text="Replace it now, at 1.4 %.[^you]"))
    made = len(upstream.calls)
    with page.expect_navigation(wait_until="commit"):  # a page of the same run
        button.click()
    wait_for_the_end(page)
    assert [call.model for call in upstream.calls[made:]] == ["writer"]
    page.goto(page.url.split("?")[0] + "?look=result")
    expect(page.locator(".fused .source-you")).to_have_text("you")
    to_the_map(page, width)
    again.get_by_text("Keeps 2 facts").click()
    expect(again.get_by_role("checkbox", name="Our lease runs until 2034.")).to_be_checked()
    expect(again.get_by_label("I add")).to_have_value("")
    # What is kept is not counted until something new is set beside it.
    expect(button).to_contain_text("Fuse again")
    expect(button).not_to_contain_text("with")
    shoot(page, f"ruled-{width}-{scheme}")
    assert wide_things(page) == []
