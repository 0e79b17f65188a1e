"""A question is asked again as people do it, with JavaScript on a desk and without it on a phone:
what changed is read, both answers are pinned side by side, and who asks something like it is told.
"""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import ask, wait_for_the_end, wide_things
from tests.browser.conftest import People, Shoot, Visit
from tests.browser.test_accessibility import problems
from tests.browser.test_order_in_browser import DESK, PHONE
from tests.stack import until
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]


def says(upstream: Upstream, price: str, *more: str) -> None:
    claims = [f"A new rack costs {price} euros.", "The lease ends in 2034.", *more]
    analysis = {
        "consensus": [{"claim": claim, "seats": ["A", "B"]} for claim in claims],
        **dict.fromkeys(
            ("contradictions", "partial_coverage", "unique_insights", "blind_spots"), []
        ),
    }
    judged = Script(text=json.dumps(analysis))
    upstream.script("scribe", Script(text=f"It costs {price} euros.", judge=judged))


def looks_right(page: Page, *, javascript: bool) -> None:
    if javascript:
        assert problems(page) == []
        assert wide_things(page) == []


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without"])
def test_what_changed_since_is_read_beside_the_earlier_answer(
    visit: Visit, people: People, upstream: Upstream, shoot: Shoot, javascript: bool
) -> None:
    says(upstream, "96,000")
    prompt = f"Replace the refrigeration rack, {'now' if javascript else 'next year'}?"
    run = ask(people("bob"), "good", "markdown", judge="scribe", prompt=prompt)
    until(lambda: 'data-status="completed"' in people("bob").http.get(run).text)
    says(upstream, "98,000", "Fitters are booked out until autumn.")
    size = DESK if javascript else PHONE
    page = visit("bob", viewport=size, java_script_enabled=javascript)

    page.goto(run)
    page.get_by_role("region", name="Go on").get_by_role("button", name="Ask again").first.click()
    expect(page).not_to_have_url(re.compile(re.escape(run)))
    expect(page.get_by_text("Asks again what was asked")).to_be_visible()
    until(lambda: 'data-status="completed"' in people("bob").http.get(page.url).text)
    if javascript:
        wait_for_the_end(page)
    page.goto(f"{page.url.partition('?')[0]}?look=result")
    since = page.locator("#since")
    expect(since).to_contain_text("1 figure moved, 1 new")
    expect(since.locator("del")).to_have_text("A new rack costs 96,000 euros.")
    expect(since.locator("ins").first).to_have_text("A new rack costs 98,000 euros.")
    expect(since).not_to_contain_text("2034")
    looks_right(page, javascript=javascript)
    shoot(page, f"since-{javascript}")

    again = page.url
    since.get_by_role("link", name="Both answers side by side").click()
    expect(page.locator("#text-left")).to_contain_text("96,000")
    expect(page.locator("#text-right")).to_contain_text("98,000")
    looks_right(page, javascript=javascript)
    shoot(page, f"beside-{javascript}")
    page.goto("/fusion/runs")
    for box in page.get_by_role("checkbox", name=prompt).all():
        box.check()
    page.get_by_role("button", name="Side by side").click()
    expect(page.locator("#text-left")).to_contain_text("96,000")

    # Nobody but the judge is paid for.
    page.goto(again)
    go_on = page.get_by_role("region", name="Go on")
    go_on.get_by_label("Take over answers").check()
    shoot(page, f"again-{javascript}")
    go_on.get_by_role("button", name="Ask again").first.click()
    expect(page).not_to_have_url(again)
    until(lambda: 'data-status="completed"' in people("bob").http.get(page.url).text)
    page.goto(f"{page.url.partition('?')[0]}?look=answers")
    expect(page.get_by_text("taken over from an earlier run").first).to_be_visible()
    looks_right(page, javascript=javascript)
    shoot(page, f"taken-{javascript}")

    # Nor is who stays where another panel is asked the same.
    page.goto(again)
    page.get_by_role("link", name="Edit and run").click()
    page.get_by_label("Take over answers").check()
    looks_right(page, javascript=javascript)
    shoot(page, f"edited-{javascript}")
    page.get_by_role("button", name="Fuse", exact=True).click()
    expect(page).to_have_url(re.compile("/fusion/runs/"))
    until(lambda: 'data-status="completed"' in people("bob").http.get(page.url).text)
    page.goto(f"{page.url.partition('?')[0]}?look=answers")
    expect(page.get_by_text("taken over from an earlier run").first).to_be_visible()


def test_who_types_something_like_it_is_told_of_it(
    visit: Visit, people: People, shoot: Shoot
) -> None:
    asked = "Which insulation suits the attic of a farmhouse?"
    run = ask(people("bob"), "good", "markdown", prompt=asked)
    until(lambda: 'data-status="completed"' in people("bob").http.get(run).text)
    for size in (DESK, PHONE):
        page = visit("bob", viewport=size)
        page.goto("/fusion")
        page.locator("#prompt").fill("What insulation is best for a farmhouse attic?")
        line = page.locator("#like")
        expect(line).to_contain_text("You asked something like this")
        assert problems(page) == []
        assert wide_things(page) == []
        shoot(page, f"like-{size['width']}")
    line.get_by_role("link", name=asked).click()
    expect(page).to_have_url(re.compile(re.escape(run)))
    plain = visit("bob", viewport=PHONE, java_script_enabled=False)
    plain.goto("/fusion?q=What+insulation+is+best+for+a+farmhouse+attic%3F")
    expect(plain.locator("#like")).to_contain_text("You asked something like this")
