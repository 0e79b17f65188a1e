"""Something is found again as a person would: by the key, a phrase, its passage, the run."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.test_accessibility import problems
from tests.stack import Stack

pytestmark = [pytest.mark.browser, pytest.mark.live]

_BIRDS = """
from django.contrib.auth.models import User
from tests.console.story import Story
bob = User.objects.get(username="bob")
if not bob.runs.filter(prompt="Which birds?").exists():
    filler = "Much else is said of birds here.\\n\\n" * 80
    text = filler + "The grey heron wades.\\n\\n" + filler
    story = Story().begin().answer(0, "None.").answer(1, text)
    story.fail(2).judge().analyse().synthesise("Storks clatter.\\n\\n" + filler).complete()
    first = story.save(bob, prompt="Which birds?")
    Story().whole().save(bob, prompt="And which fish?", follows=first, follows_from="fused")
    Story().whole().save(bob, prompt="Something else?")
"""


@pytest.fixture(scope="module")
def birds(stack: Stack) -> None:
    stack.shell(_BIRDS)


def in_view(page: Page) -> bool:
    box = page.locator("#found-1").bounding_box()
    size: Any = page.viewport_size
    return bool(box) and 0 <= box["y"] < size["height"] - 20  # type: ignore[index]


@pytest.mark.parametrize("width", [1440, 360])
def test_a_passage_is_found_and_read_in_its_place(visit: Visit, birds: None, width: int) -> None:
    page = visit("bob", viewport={"width": width, "height": 800})
    page.goto("/fusion/tokens")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("/")
    box = page.get_by_role("searchbox")
    expect(box).to_be_focused()
    box.press_sequentially('"gray heron" wades')
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing that you may read says this.")).to_be_visible()
    box.fill('"Grey HERON" wad*')
    box.press("Enter")
    expect(page.locator(".question-passage mark").first).to_have_text("grey heron")
    assert "q=%22Grey" in page.url
    assert problems(page) == []
    page.locator(".question-title a").first.click()
    expect(page.locator("#found-1")).to_have_text("grey heron")
    page.wait_for_load_state()
    assert in_view(page)
    page.go_back()
    expect(page.locator(".question-passage mark").first).to_have_text("grey heron")


@pytest.mark.parametrize("width", [1440, 360])
def test_without_javascript_it_is_a_form_and_pages(visit: Visit, birds: None, width: int) -> None:
    page = visit("bob", java_script_enabled=False, viewport={"width": width, "height": 800})
    page.goto("/fusion/runs")
    page.get_by_role("searchbox").fill("storks")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Filters").click()
    page.get_by_text("More", exact=True).click()
    page.get_by_label("State").select_option("answered")
    page.get_by_label("Something missing").check()
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".question-title a").first).to_have_text("Which birds?")
    expect(page.locator(".search-chip")).to_have_count(2)
    page.get_by_role("link", name="something missing").click()
    page.wait_for_url(re.compile(r"\?q=storks&state=completed$"))
    page.locator(".question-title a").first.click()
    expect(page.locator("#found-1")).to_have_text("Storks")
    assert in_view(page)


def test_what_narrows_hinders_nobody(visit: Visit, birds: None) -> None:
    for width in (1440, 360):
        page = visit("bob", viewport={"width": width, "height": 800})
        page.goto("/fusion/runs?q=birds&state=completed&filters=1")
        expect(page.get_by_label("Preset")).to_be_visible()
        assert problems(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_follow_ups_are_folded_and_reached(visit: Visit, birds: None) -> None:
    page = visit("bob")
    page.goto("/fusion/runs")
    row = page.locator(".question", has_text="Which birds?")
    expect(row).to_have_count(1)
    row.get_by_role("link", name="1 follow-up").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("And which fish?")
