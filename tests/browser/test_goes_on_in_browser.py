"""Fusing without somebody who still writes, and with it when it has come."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.acts import ask, wait_for_the_end, wide_things
from tests.browser.conftest import People, Shoot, Visit
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]

HALF = "The first half of it is long enough to be read. "


@pytest.mark.parametrize("width", [1440, 360])
def test_who_still_writes_is_named_fused_without_and_fused_with_when_it_has_come(
    visit: Visit, people: People, upstream: Upstream, shoot: Shoot, width: int
) -> None:
    upstream.script("slow", Script(text=HALF + "And the rest.", hold_after=10))
    address = ask(people("alice"), "good", "markdown", "slow")
    page = visit("alice", viewport={"width": width, "height": 900})
    page.goto(address)
    status = page.locator("#run-status")
    expect(status).to_contain_text("C is still writing")
    button = page.get_by_role("button", name="Fuse without C")
    expect(button).to_be_visible()
    shoot(page, f"goes-on-{width}-writing")
    button.click()
    fused = page.get_by_role("region", name="Fused answer")
    expect(status).to_contain_text("Done, from 2 of 3 answers")
    expect(status).to_contain_text("C is still writing")
    if width == 360:  # one part at a time
        page.locator(".rail [data-part=fused-answer]").click()
    expect(fused.get_by_role("button", name="Copy the fused answer", exact=True)).to_be_visible()
    expect(page.locator("#seat-2-end")).to_contain_text("It goes on.")
    expect(page.get_by_role("button", name="Fuse without")).to_be_hidden()
    assert wide_things(page) == []
    shoot(page, f"goes-on-{width}-answered")
    upstream.release()
    wait_for_the_end(page)
    with_it = page.get_by_role("button", name="Fuse with C too")
    expect(with_it).to_be_visible()
    expect(fused).to_contain_text("without the answer of C")
    shoot(page, f"goes-on-{width}-come")
    with_it.click()
    wait_for_the_end(page)
    expect(status).to_have_text("Done")
    expect(page.get_by_role("button", name="Fuse with")).to_have_count(0)


def test_the_compose_page_says_in_words_whom_to_wait_for(visit: Visit, shoot: Shoot) -> None:
    page = visit("alice")
    page.goto("/fusion")
    page.get_by_text("For this run: whom to wait for, limits").click()
    chosen = page.get_by_role("combobox", name="Wait for")
    chosen.select_option("all but one")
    expect(page.get_by_label("Quorum")).to_have_count(0)
    expect(page.get_by_label("Grace")).to_have_count(0)
    shoot(page, "wait-for")
