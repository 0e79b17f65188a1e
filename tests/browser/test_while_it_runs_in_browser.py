"""A run that is waited for: by its column, by its tab, by the head of every page; and which of its
answers was best when it has ended."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.acts import ask, wait_for_the_end
from tests.browser.conftest import People, Shoot, Visit
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]

SLOW = " ".join(f"Sentence {n} about quite another thing." for n in range(400))


def test_the_one_that_still_writes_is_left_out_where_one_reads_it(
    visit: Visit, people: People, upstream: Upstream, shoot: Shoot
) -> None:
    upstream.script("slow", Script(text=SLOW, tokens_per_second=12))
    page = visit("alice", viewport={"width": 1440, "height": 900})
    address = ask(people("alice"), "good", "markdown", "slow", prompt="How is it told?")
    page.goto(address)
    slow = page.get_by_role("article", name="slow")
    expect(slow.get_by_text("The other 2 are in.")).to_be_visible()
    expect(slow.locator("[data-rate-of]")).to_contain_text(re.compile(r"^\d+ tok/s$"))
    expect(page).to_have_title(re.compile(r"^2 of 3 · How is it told\?"))
    assert page.locator("link[rel=icon]").get_attribute("href").startswith("data:")  # type: ignore[union-attr]
    head = page.locator(".under-way")
    expect(head).to_contain_text("under way")
    assert head.get_attribute("href") == address
    # At its own place only, as long as that can be seen.
    expect(page.locator("#fuse-now")).to_be_hidden()
    slow.get_by_role("button", name="Fold").click()
    expect(page.locator("#fuse-now")).to_be_visible()
    slow.locator("[data-open]").click()
    shoot(page, "still-writing")
    slow.get_by_role("button", name="Fuse without C").click()
    expect(page).to_have_title(re.compile("^Ready · "))
    expect(page.get_by_role("button", name="Fuse without C")).to_have_count(0)
    page.get_by_role("article", name="slow").get_by_role("button", name="Stop").click()
    wait_for_the_end(page)
    expect(page.locator(".under-way")).to_have_count(0)


def test_which_is_best_is_said_when_the_run_has_ended_and_stays(
    visit: Visit, people: People, upstream: Upstream, shoot: Shoot
) -> None:
    upstream.script("slow", Script(text=SLOW[:300], tokens_per_second=12))
    page = visit("alice", viewport={"width": 1440, "height": 900})
    page.goto(ask(people("alice"), "good", "slow"))
    expect(page.locator("#verdict")).to_be_attached()
    expect(page.locator("#verdict form")).to_have_count(0)
    wait_for_the_end(page)
    row = page.get_by_role("toolbar", name="Best of these")
    row.get_by_role("button", name="B", exact=True).click()
    chosen = row.locator("[aria-pressed=true]")
    expect(chosen).to_have_text("B")
    expect(chosen).to_be_focused()  # the row came anew
    row.get_by_role("button", name="a note").click()
    page.locator("#verdict").get_by_label("Why").fill("It says more.")
    page.keyboard.press("Enter")
    expect(page.locator("#verdict")).to_contain_text("It says more.")
    shoot(page, "best-of-these")
    page.reload()
    expect(chosen).to_have_text("B")
    chosen.click()
    expect(chosen).to_have_count(0)
