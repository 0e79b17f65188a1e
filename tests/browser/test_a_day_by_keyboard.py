"""A day of one person without a mouse: from the empty page through two answers of their own and a
panel, a passage, a ruling, two texts side by side, a follow-up, and what is taken along."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.acts import wait_for_the_end
from tests.browser.conftest import Shoot, Visit
from tests.browser.test_ruling_in_browser import ANALYSIS
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]

NO_MOUSE = """
window.pressed = 0;
for (const type of ["pointerdown", "mousedown", "wheel", "touchstart"])
  addEventListener(type, () => { window.pressed += 1; }, { capture: true });
"""


def tab_to(page: Page, where: str, at_most: int, key: str = "Tab") -> Locator:
    """By Tab alone."""
    for _ in range(at_most):
        page.keyboard.press(key)
        there = page.evaluate("where => document.activeElement.matches(where)", where)
        if there:
            return page.locator(":focus")
    pytest.fail(f"{at_most} times {key} do not lead to {where}")


def test_a_day_without_a_mouse(visit: Visit, upstream: Upstream, shoot: Shoot) -> None:
    upstream.script(
        "alpha", Script(text="Replace the plant with CO₂ now, before new gas is barred.")
    )
    upstream.script("beta", Script(text="Retrofit the plant and replace it in 2031."))
    written = "The retrofit looks cheaper than it is.[^A] Replace now.[^B]"
    judge = Script(text=json.dumps(ANALYSIS))
    upstream.script("writer", Script(text=written, judge=judge, hold_after=4))
    page = visit("alice", viewport={"width": 1440, "height": 900}, apart=True)
    page.add_init_script(NO_MOUSE)

    # A new question, and who answers it.
    page.goto("/fusion/runs")
    page.keyboard.press("n")
    page.wait_for_url(re.compile(r"/fusion$"))
    expect(page.locator("#prompt")).to_be_focused()
    page.keyboard.type("What should become of the plant?")
    tab_to(page, "[name=preset]", at_most=6)
    while not page.evaluate("document.activeElement.id === 'preset-custom'"):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#model-list")).to_be_attached()
    for field, model in (("#panel-0", "alpha"), ("#panel-1", "beta"), ("#panel-2", "")):
        tab_to(page, field, at_most=6)
        page.keyboard.press("Control+A")
        page.keyboard.press("Delete")
        page.keyboard.type(f"openai:{model}" if model else "")
    tab_to(page, "#judge", at_most=12)
    page.keyboard.press("Control+A")
    page.keyboard.type("openai:writer")

    # Two answers that one has already.
    tab_to(page, "#elsewhere > summary", at_most=14)
    page.keyboard.press("Enter")
    for name, text in (("Mine", "Keep it until it breaks."), ("Theirs", "Sell the plant.")):
        if name == "Theirs":
            tab_to(page, "[data-add-answer]", at_most=3)
            page.keyboard.press("Enter")
        else:
            tab_to(page, "[name=answer-name]", at_most=3)
        expect(page.locator("[name=answer-name]:focus")).to_have_value("")
        page.keyboard.type(name)
        tab_to(page, "[name=answer-text]", at_most=4)
        page.keyboard.type(text)
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile("/fusion/runs/.{36}"))
    expect(page.locator(".fused")).to_contain_text("The retrofit looks")
    upstream.release()
    wait_for_the_end(page)

    # What was waited for is told, and one key away; a mark, a claim and their passages.
    expect(page.locator("#run-told")).to_contain_text(re.compile("ready|is there|ended"))
    page.keyboard.press("0")
    expect(page.locator("#fused-answer")).to_be_focused()
    tab_to(page, ".source", at_most=8)
    expect(page.locator("#quote-card")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("#passage")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#passage")).to_be_hidden()
    expect(page.locator(".source:focus")).to_have_count(1)
    page.keyboard.press("j")
    claim = page.locator("#analysis .claim-says:focus")
    expect(claim).to_contain_text("What to do now")
    page.keyboard.press("Enter")
    expect(page.locator(".passage-of")).to_contain_text("What to do now")
    page.keyboard.press("Escape")
    expect(claim).to_contain_text("What to do now")

    # A ruling, with its reason, sent.
    for _ in range(9):
        page.keyboard.press("ArrowRight")
        if page.evaluate("document.activeElement.value === 'stance-1'"):
            break
    page.keyboard.press("Space")
    button = page.locator("#again-form button[type=submit]")
    expect(button).to_contain_text("Fuse again with 1 ruling")
    tab_to(page, ".ruling-note", at_most=3)
    page.keyboard.type("Our lease runs until 2034.")
    shoot(page, "a-day-ruled")
    upstream.script("writer", Script(text="Replace it now.[^you]"))
    tab_to(page, "#again-form button[type=submit]", at_most=14)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/fusion/runs/"))
    expect(page.locator(".fused .source-you")).to_have_text("you", timeout=60_000)
    wait_for_the_end(page)

    # The fusion before, and back; two texts side by side, and back.
    expect(page.locator(".fusion-tabs [aria-current]")).to_contain_text("2")
    expect(page.get_by_role("textbox", name="Follow up")).to_be_visible()
    page.keyboard.press("[")
    page.wait_for_url(re.compile("fusion=1"))
    expect(page.locator(".fused")).to_contain_text("cheaper than it is")
    page.keyboard.press("]")
    page.wait_for_url(re.compile("fusion=2"))
    page.keyboard.press("a")
    expect(page.locator("#seat-0 .seat-body")).to_be_focused()
    page.keyboard.press("p")
    page.keyboard.press("b")
    page.keyboard.press("p")
    expect(page.locator("#run-told")).to_have_text("Pinned: A and B.")
    page.keyboard.press("3")
    page.wait_for_url(re.compile(r"/compare\?left=A&right=B"))
    page.keyboard.press("x")
    page.wait_for_url(re.compile("differs=1"))
    page.keyboard.press("Escape")
    page.wait_for_url(re.compile(r"/fusion/runs/.{36}\?"))

    # A copy to take along, and a follow-up.
    page.keyboard.press("0")
    tab_to(page, "#fused-head [data-copy]", at_most=6)
    page.keyboard.press("Enter")
    expect(page.locator("#fused-head [data-copy]")).to_contain_text("Copied")
    tab_to(page, "#follow-prompt", at_most=8)
    page.keyboard.type("And what does it cost?")
    tab_to(page, ".follow button", at_most=3)
    before = page.url.split("?")[0]
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url.split("?")[0] != before)
    wait_for_the_end(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("And what does it cost?")
    shoot(page, "a-day-followed")

    # The list of questions, and what was asked first.
    page.keyboard.press("/")
    page.wait_for_url(re.compile(r"/fusion/runs#search-box$"))
    expect(page.get_by_role("searchbox")).to_be_focused()
    first = page.get_by_role("link", name="What should become of the plant?")
    for _ in range(30):
        page.keyboard.press("Tab")
        if first.first.evaluate("e => e === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("What should become of the plant?")

    # And all of it as a file.
    tab_to(page, ".share summary, .take summary", at_most=14)
    page.keyboard.press("Enter")
    tab_to(page, "[href*='format=md'], [value=md], .take-along a", at_most=12)
    with page.expect_download() as taken:
        page.keyboard.press("Enter")
    text = taken.value.path().read_text()
    for words in ("Replace it now.", "Keep it until it breaks.", "Sell the plant.", "2034"):
        assert words in text
    assert page.evaluate("pressed") == 0
