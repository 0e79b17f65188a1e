"""What a page tells of its own accord: news only, and that nobody could be reached."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect
from pytest_django.plugin import DjangoDbBlocker

from tests.layout.conftest import Render, Show
from tests.layout.moments import moments
from tests.layout.rich import under_way

pytestmark = pytest.mark.browser

STATE = re.compile(r'class="fused-state" data-state="\w+"')
BECOMES = """state => {
  const old = document.querySelector(".fused-state");
  const now = old.cloneNode();
  now.dataset.state = state;
  old.replaceWith(now);
}"""
NEWS = re.compile(r"\bis-there\b")


@pytest.fixture(scope="module")
def pages(render: Render, django_db_blocker: DjangoDbBlocker) -> dict[str, str]:
    (live,) = render(live=under_way(3)).values()
    assert STATE.search(live)
    with django_db_blocker.unblock():
        compose = moments("alice-in-time", seats=2)["compose"]
    # As while a seat is asked again.
    return {
        "compose": compose,
        "live": live,
        "fused": STATE.sub('class="fused-state" data-state="done"', live),
    }


def test_a_fused_answer_is_ready_when_it_has_come_and_not_when_it_was_there(show: Show) -> None:
    page = show("live", 1440)
    expect(page.locator(".fused-ready")).not_to_have_class(NEWS)
    page.evaluate(BECOMES, "done")
    expect(page.locator(".fused-ready")).to_have_class(NEWS)
    page = show("fused", 1440)
    expect(page.locator("#run")).to_have_attribute("data-look", "answers")
    expect(page.locator(".fused-ready")).not_to_have_class(NEWS)
    for state in ("writing", "done"):
        page.evaluate(BECOMES, state)
    expect(page.locator(".fused-ready")).to_have_class(NEWS)


@pytest.mark.parametrize("width", [1440, 390])
def test_without_a_network_to_stop_a_run_leaves_its_page_where_it_is(
    show: Show, width: int
) -> None:
    page = show("live", width, apart=True)
    page.evaluate("window.is_the_same = true")
    page.context.set_offline(True)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator("#messages [role=alert]")).to_have_text(
        "Fusion cannot be reached. Try again in a moment."
    )
    assert page.evaluate("window.is_the_same")
    page.context.set_offline(False)


def test_a_press_is_sent_once_and_is_seen_to_be_on_its_way(show: Show) -> None:
    page = show("live", 1440, apart=True)
    sent: list[str] = []

    def answer(route: Route) -> None:
        sent.append(route.request.post_data or "")
        route.fulfill(status=204)

    page.route("**/cancel", answer)
    stop = page.get_by_role("button", name="Stop", exact=True)
    stop.press("Enter")
    expect(stop).to_have_attribute("aria-disabled", "true")
    stop.press("Enter")
    expect(stop).to_be_focused()
    page.wait_for_timeout(200)
    assert len(sent) == 1 and "csrfmiddlewaretoken" in sent[0]


def test_a_proxy_that_finds_nobody_takes_no_page_away(show: Show, complaints: list[str]) -> None:
    page = show("live", 1440, apart=True)
    bare = "<html><title>502</title><h1>Bad Gateway</h1></html>"
    page.route("**/cancel", lambda r: r.fulfill(status=502, content_type="text/html", body=bare))
    stop = page.get_by_role("button", name="Stop", exact=True)
    stop.press("Enter")
    expect(page.locator("#messages [role=alert]")).to_have_text(
        "Fusion cannot be reached. Try again in a moment."
    )
    expect(page.locator("main#run")).to_have_count(1)
    expect(stop).not_to_have_attribute("aria-disabled", "true")
    complaints.clear()  # the browser's own word of a 502


def test_a_question_that_found_no_network_is_asked_with_the_next_press(show: Show) -> None:
    page = show("compose", 1440, 800, "/fusion", apart=True)
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.post_data or "")
        route.fulfill(status=204)

    page.route("**/fusion", answer)
    page.locator("#prompt").fill("What is rain?")
    page.context.set_offline(True)
    page.locator(".fuse .button-primary").click()
    expect(page.locator("#messages [role=alert]")).to_be_visible()
    assert asked == []
    page.context.set_offline(False)
    page.locator(".fuse .button-primary").click()
    page.wait_for_timeout(300)
    assert len(asked) == 1 and "What is rain?" in asked[0]
