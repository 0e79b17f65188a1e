"""A run's page: stopping, failing, and answers side by side or one at a time."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.acts import ask, wait_for_the_end, words
from tests.browser.conftest import People, Visit
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]


def test_stop_ends_the_run_where_one_reads_and_keeps_what_came(
    visit: Visit, people: People, upstream: Upstream
) -> None:
    page = visit("alice")
    page.goto(ask(people("alice"), "good-long", "good-long"))
    expect(page.get_by_role("article").first).to_contain_text("Sentence 1")
    page.evaluate("window.is_the_same = true")
    page.get_by_role("button", name="Stop A").click()
    expect(page.get_by_role("article").first).to_contain_text("stopped")
    page.get_by_role("button", name="Stop", exact=True).click()
    wait_for_the_end(page, "cancelled")
    expect(page.locator("#run-status")).to_contain_text("Stopped")
    assert page.evaluate("window.is_the_same")
    expect(page.get_by_role("article").first).to_contain_text("Sentence 1")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    upstream.wait_until(lambda: all(c.ended_at for c in upstream.calls_of("good-long")))


def test_a_failed_seat_says_why_in_its_own_column(
    visit: Visit, people: People, upstream: Upstream
) -> None:
    upstream.script("refuser", Script(status=402, error_message="No credit is left."))
    page = visit("alice")
    page.goto(ask(people("alice"), "good", "refuser", "fault-cut"))
    wait_for_the_end(page)
    refused = page.get_by_role("article", name="refuser")
    expect(refused).to_contain_text("No credit is left.")
    cut = page.get_by_role("article", name="fault-cut")
    expect(cut).to_contain_text("cut off")
    expect(cut).to_contain_text("kept and not given to the judge")
    expect(page.get_by_role("article", name="good")).not_to_contain_text("credit")
    expect(page.locator("#run-badges")).to_contain_text("From a single answer")


def test_when_all_fail_each_says_why(visit: Visit, people: People) -> None:
    page = visit("alice")
    page.goto(ask(people("alice"), "fault-401", "fault-404"))
    wait_for_the_end(page, "failed")
    expect(page.locator("#run-status")).to_contain_text("Failed")
    expect(page.get_by_role("article").locator(".notice")).to_have_count(2)


def test_a_socket_cut_again_and_again_loses_nothing(visit: Visit, people: People) -> None:
    page = visit("alice")
    page.goto(ask(people("alice"), "good-slow--tokens_per_second=8"))
    for _ in range(4):
        page.wait_for_timeout(250)
        page.evaluate("window.sockets.at(-1).close()")
    wait_for_the_end(page)
    live = words(page)
    page.reload()
    assert words(page) == live


def test_a_phone_shows_one_answer_at_a_time(
    visit: Visit, people: People, upstream: Upstream
) -> None:
    page = visit("alice", viewport={"width": 360, "height": 740})
    page.goto(ask(people("alice"), "markdown", "good-long--tokens_per_second=0--hold_after=1"))
    upstream.release()  # it is read while it is written
    wait_for_the_end(page)
    articles = page.get_by_role("article")
    expect(articles).to_have_count(1)
    page.locator(".rail [data-part=seat-1]").click()
    expect(page.get_by_role("article", name="good-long")).to_be_visible()
    expect(articles).to_have_count(1)
    # Nothing moved while it was read, and a reload leaves who reads where they were; who comes
    # anew finds the fused answer first.
    page.reload()
    expect(page.get_by_role("article", name="good-long")).to_be_visible()
    page.goto(page.url.partition("?")[0])
    expect(page.get_by_role("region", name="Fused answer")).to_be_visible()
    expect(articles).to_have_count(0)
