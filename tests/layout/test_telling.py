"""Who looks elsewhere while a run goes on: what its tab says, and that a message of the browser is
offered once, when it takes long."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.layout.conftest import Render, Show
from tests.layout.rich import rich, under_way

pytestmark = pytest.mark.browser

STAND_IN = """permission => {
  window.told = [];
  window.Notification = class {
    static permission = permission;
    static async requestPermission() { return (this.permission = "granted"); }
    constructor(title) { window.told.push(title); }
    addEventListener() {}
  };
}"""
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
LONG, SHORT = 21_000, 10_000


@pytest.fixture(scope="module")
def pages(render: Render) -> dict[str, str]:
    return render(rich=rich(3), live=under_way())


def test_there_are_pages(pages: dict[str, str]) -> None:
    assert {"rich", "live"} == pages.keys()


def hidden(show: Show, permission: str = "default", seconds: int = LONG) -> Page:
    page = show("live", 1440, apart=True)
    page.clock.install()
    page.evaluate(STAND_IN, permission)
    page.evaluate(HIDE, True)
    page.clock.fast_forward(seconds)
    return page


def becomes(page: Page, word: str) -> None:
    page.evaluate("w => (document.querySelector('[data-figure=in-title]').textContent = w)", word)


@pytest.mark.parametrize(
    ("permission", "kept", "seconds", "is_offered"),
    [
        ("default", None, LONG, True),
        ("default", None, SHORT, False),
        ("denied", None, LONG, False),
        ("granted", None, LONG, False),
        ("default", "asked", LONG, False),
        ("default", "yes", LONG, False),
    ],
)
def test_a_message_is_offered_once_when_a_hidden_run_takes_long(
    show: Show, permission: str, kept: str | None, seconds: int, is_offered: bool
) -> None:
    page = show("live", 1440, apart=True)
    page.clock.install()
    page.evaluate(STAND_IN, permission)
    if kept:
        page.evaluate("kept => localStorage.setItem('fusion.tell', kept)", kept)
    page.evaluate(HIDE, True)
    page.clock.fast_forward(seconds)
    expect(page.locator("#tell-me")).to_be_visible(visible=is_offered)


def test_who_looks_at_it_is_offered_nothing(show: Show) -> None:
    page = hidden(show, seconds=SHORT)
    page.evaluate(HIDE, False)
    page.clock.fast_forward(LONG)
    expect(page.locator("#tell-me")).to_be_hidden()


@pytest.mark.parametrize(("is_hidden", "told"), [(True, 1), (False, 0)])
def test_who_wished_for_it_is_told_of_the_end_when_they_look_elsewhere(
    show: Show, is_hidden: bool, told: int
) -> None:
    page = hidden(show)
    page.evaluate(HIDE, False)
    page.locator("#tell-me").click()
    expect(page.locator("#tell-me")).to_be_hidden()
    page.evaluate(HIDE, is_hidden)
    becomes(page, "Analysis")
    becomes(page, "Ready")
    expect(page).to_have_title("Ready · Should we move our billing? · Fusion")
    said = page.evaluate("window.told")
    assert len(said) == told and all(s.startswith("Ready: Should we move") for s in said)


def test_the_icon_is_another_for_each_way_a_run_may_stand(show: Show) -> None:
    page = show("live", 1440)
    icon = page.locator("link[rel=icon]")
    for word in ("3 of 5", "Analysis", "Ready", "Failed", "Stopped"):
        becomes(page, "Fusing")
        expect(page).to_have_title("Fusing · Should we move our billing? · Fusion")
        running = icon.get_attribute("href")
        becomes(page, word)
        expect(page).to_have_title(f"{word} · Should we move our billing? · Fusion")
        ended = word in ("Ready", "Failed", "Stopped")
        assert (icon.get_attribute("href") != running) is ended, word


def test_the_tab_of_a_run_that_had_ended_says_what_was_asked(show: Show) -> None:
    page = show("rich", 1440)
    expect(page).to_have_title("Should we move our billing? · Fusion")
    assert "favicon" in (page.locator("link[rel=icon]").get_attribute("href") or "")
