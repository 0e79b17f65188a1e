"""Who may read a run, as several people's browsers show it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import ask, wait_for_the_end
from tests.browser.conftest import People, Visit
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]


def share(page: Page, choice: str) -> None:
    if page.locator(".share[open]").count() == 0:
        page.locator(".share summary").first.click()
    page.get_by_label(choice).check()
    with page.expect_response("**/share"):
        page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def status_of(page: Page, address: str) -> int:
    answer = page.goto(address)
    assert answer
    return answer.status


def test_private_then_the_team_then_anyone_with_the_link(visit: Visit, people: People) -> None:
    page, bob, stranger = visit("alice"), visit("bob", trouble=True), visit(trouble=True)
    run = ask(people("alice"), "good", judge="good", prompt="Whose is it?")
    page.goto(run)
    wait_for_the_end(page)
    page.keyboard.press("r")
    expect(page.get_by_role("region", name="Receipt")).to_be_visible()
    page.keyboard.press("Escape")
    assert status_of(bob, run) == 404
    bob.goto("/fusion/runs")
    expect(bob.get_by_role("link", name="Whose is it?")).to_have_count(0)

    share(page, "The team")
    assert status_of(bob, run) == 200
    expect(bob.get_by_role("region", name="Fused answer")).to_contain_text("scripted answer")
    expect(bob.locator(".share")).to_have_count(0)
    bob.goto("/fusion/runs")
    expect(bob.get_by_role("link", name="Whose is it?")).to_have_count(1)

    share(page, "Anyone with the link")
    link = page.locator("#share-url").input_value()
    answer = stranger.goto(link)
    assert answer and answer.status == 200
    assert "noindex" in answer.headers["x-robots-tag"]
    expect(stranger.locator("meta[name=robots]")).to_have_attribute("content", "noindex, nofollow")
    expect(stranger.get_by_role("region", name="Fused answer")).to_contain_text("scripted answer")
    expect(stranger.locator("#receipt, [data-part=receipt]")).to_have_count(0)
    expect(stranger.get_by_text("Cost", exact=True)).to_have_count(0)
    expect(page.get_by_text("Cost", exact=True)).not_to_have_count(0)

    page.reload()
    page.locator(".share summary").first.click()
    expect(page.get_by_text("A link is open, made by alice")).to_be_visible()
    expect(page.locator("#share-url")).to_have_count(0)
    page.get_by_text("Another link…").click()
    page.get_by_label("names of models").check()
    page.get_by_role("button", name="Make it, and end this one").click()
    another = page.locator("#share-url").input_value()
    assert another != link and status_of(stranger, link) == 410
    stranger.goto(another)
    expect(stranger.get_by_role("region", name="Fused answer")).to_contain_text("scripted answer")
    expect(stranger.get_by_text("written by the writer", exact=True)).to_be_visible()

    share(page, "Only me")
    assert status_of(stranger, another) == 410
    expect(stranger.get_by_role("heading", name="This link has ended")).to_be_visible()
    assert status_of(bob, run) == 404


def test_a_link_taken_back_ends_the_watching(
    visit: Visit, people: People, upstream: Upstream
) -> None:
    upstream.script("whisper", Script(text="A secret, then another.", hold_after=2))
    page, stranger = visit("alice"), visit(trouble=True)
    page.goto(ask(people("alice"), "whisper", judge="good"))
    share(page, "Anyone with the link")
    link = page.locator("#share-url").input_value()
    stranger.goto(link)
    expect(stranger.get_by_role("article")).to_contain_text("A secret")
    share(page, "Only me")
    # The page notices by itself, and what it showed is gone.
    expect(stranger.get_by_text("A secret")).to_have_count(0, timeout=60_000)
    assert status_of(stranger, link) == 410
    page.get_by_role("button", name="Stop", exact=True).click()
    wait_for_the_end(page, "cancelled")


def test_a_finished_run_left_open_by_a_link_that_is_taken_back_is_gone(
    visit: Visit, people: People
) -> None:
    page, stranger = visit("alice"), visit(trouble=True)
    page.goto(ask(people("alice"), "good", judge="good"))
    wait_for_the_end(page)
    share(page, "Anyone with the link")
    stranger.goto(page.locator("#share-url").input_value())
    fused = stranger.get_by_role("region", name="Fused answer")
    expect(fused).to_contain_text("scripted answer")
    share(page, "Only me")
    # Whoever comes back to the page; who stays is asked for every half minute.
    stranger.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(stranger.get_by_role("heading", name="This link has ended")).to_be_visible()
    page.context.clear_cookies(name="sessionid")  # signed out in another tab
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.wait_for_url("**/sign-in?next=/fusion/runs/**")
