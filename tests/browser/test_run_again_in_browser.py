"""What a reader does with answers beyond reading them: end, hurry, fuse again, go on."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.acts import ask, wait_for_the_end
from tests.browser.conftest import People, Visit
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]


def test_who_does_not_wait_fuses_now_and_again_without_a_reload(
    visit: Visit, people: People
) -> None:
    address = ask(people("bob"), "good", "echo", "fault-hold", prompt="Why hurry?")
    page = visit("bob")
    page.goto(address)
    expect(page.get_by_role("heading", name="Go on")).to_have_count(0)
    expect(page.get_by_role("article", name="echo")).to_contain_text("Why hurry?")
    page.evaluate("window.is_the_same = true")
    page.get_by_role("button", name="Fuse without C").click()
    expect(page.locator("#run-status")).to_contain_text("Done, from 2 of 3 answers")
    page.get_by_role("button", name="Stop C fault-hold").click()
    wait_for_the_end(page)
    assert page.evaluate("window.is_the_same")
    expect(page.get_by_role("article", name="fault-hold")).to_contain_text("stopped")
    expect(page.get_by_role("heading", name="Go on")).to_have_count(1)  # the end has brought it all
    page.get_by_text("Change…").click()
    page.get_by_label("Criteria").fill("weigh the cost of haste")
    page.get_by_role("checkbox", name="B · echo").uncheck()
    page.get_by_role("button", name="Fuse again").click()
    page.wait_for_url(re.compile("/fusion/runs/"))
    wait_for_the_end(page)
    fused = page.get_by_role("region", name="Fused answer")
    tabs = page.get_by_role("navigation", name="Fusions")
    expect(fused).to_contain_text("weigh the cost of haste")
    expect(tabs.get_by_role("link", name="Fusion 2 of A, done")).to_be_visible()
    expect(fused.get_by_text("What changed since 1")).to_be_visible()
    page.keyboard.press("[")
    expect(fused).not_to_contain_text("weigh the cost of haste")
    assert page.url.endswith("?look=result&fusion=1")


def test_who_reads_the_old_fusion_keeps_it_and_is_told_that_the_new_one_is_there(
    visit: Visit, people: People, upstream: Upstream
) -> None:
    analysis = Script()
    texts = Script(text="The first text."), Script(text="The second text.", hold_after=1)
    upstream.script("pen", analysis, texts[0], analysis, texts[1])
    page = visit("bob")
    page.goto(ask(people("bob"), "good", "echo", judge="pen", prompt="Again?"))
    wait_for_the_end(page)
    page.get_by_role("button", name="Fuse again").click()
    fused = page.get_by_role("region", name="Fused answer")
    tabs = page.get_by_role("navigation", name="Fusions")
    expect(tabs.get_by_role("link", name="Fusion 2, running")).to_be_visible()
    expect(fused).to_contain_text("The first text.")
    ready = page.get_by_role("link", name="Fused answer 2 ready")
    expect(ready).to_be_hidden()
    page.locator(".fused").click()  # somebody reads
    upstream.release()
    wait_for_the_end(page)
    expect(fused).to_contain_text("The first text.")
    expect(tabs.get_by_role("link", name="Fusion 2, done")).to_be_visible()
    ready.click()
    expect(fused).to_contain_text("The second")
    expect(fused.locator(".changed[open]")).to_contain_text("What changed since 1")


def test_a_seat_that_drags_on_is_ended_alone(
    visit: Visit, people: People, upstream: Upstream
) -> None:
    address = ask(people("bob"), "fault-hold", "good", prompt="Which one drags?")
    page = visit("bob")
    page.goto(address)
    page.get_by_role("button", name="Stop A fault-hold").click()
    wait_for_the_end(page)
    expect(page.get_by_role("article", name="fault-hold")).to_contain_text("stopped")
    expect(page.get_by_role("region", name="Fused answer")).to_contain_text("answer of good")


def test_compared_first_fused_later_and_asked_on(visit: Visit, people: People) -> None:
    page = visit("bob")
    page.goto("/fusion")
    page.get_by_role("textbox", name="Prompt").fill("Compare first?")
    page.get_by_role("radio", name="Plain pair").check()
    page.get_by_role("button", name="Compare first").click()
    page.wait_for_url(re.compile("/fusion/runs/.{36}"))
    wait_for_the_end(page)
    expect(page.get_by_role("region", name="Fused answer")).to_contain_text(
        "nothing has been fused"
    )
    expect(page.locator("#run")).to_have_attribute("data-look", "answers")
    expect(page.locator("#phases")).to_contain_text("no sources")
    page.get_by_role("button", name="Fuse these ·").click()
    expect(page.get_by_role("region", name="Fused answer")).to_contain_text("answer of good")
    wait_for_the_end(page)
    page.get_by_role("textbox", name="Follow up").fill("And what then?")
    page.get_by_label("Goes on from").select_option(label="from B · markdown")
    page.get_by_role("button", name="Ask on").click()
    expect(page.get_by_role("heading", name="And what then?")).to_be_visible()
    wait_for_the_end(page)


def test_a_seat_that_failed_is_asked_again_where_it_says_so(
    visit: Visit, people: People, upstream: Upstream
) -> None:
    upstream.script("moody", Script(status=401), Script(text="Now I answer."))
    page = visit("bob")
    page.goto(ask(people("bob"), "moody", "good", prompt="Who is moody?"))
    wait_for_the_end(page)
    seat = page.get_by_role("article", name="moody")
    expect(seat.get_by_role("button", name="Ask again A moody")).to_be_visible()
    expect(page.locator("#again-seat-0")).to_be_attached()
    seat.get_by_role("link", name="Another model for A").click()
    expect(page.get_by_label("A model", exact=True)).to_be_focused()
    seat.get_by_role("button", name="Ask again A moody").click()
    expect(seat).to_contain_text("Now I answer.")
    wait_for_the_end(page)
    expect(seat.get_by_role("button", name="Ask again")).to_have_count(0)
