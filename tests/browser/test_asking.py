"""The page where one asks: by keyboard, without JavaScript, in haste, by mistake."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import (
    ask,
    fill_custom,
    fuse,
    read_again_until_the_end,
    sign_in,
    wait_for_the_end,
    wide_things,
)
from tests.browser.conftest import PROMPT_LIMIT, People, Shoot, Visit
from tests.live.conftest import PASSWORD
from tests.stack import until
from tests.upstream import Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]


def test_the_keyboard_is_enough(visit: Visit) -> None:
    page = visit()
    page.goto("/sign-in")
    tab_to(page, "id_username")
    page.keyboard.type("bob")
    tab_to(page, "id_password")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/fusion")
    page.locator("body").focus()
    tab_to(page, "prompt")
    page.keyboard.type("Only keys?")
    pair = page.get_by_role("radio", name="Plain pair")
    # The one that was chosen last has the stop of them all.
    tab_to(page, page.locator("[name=preset]:checked").get_attribute("id") or "")
    for _ in range(9):
        if pair.is_checked():
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Custom")).to_be_checked()
    page.keyboard.press("ArrowUp")
    expect(pair).to_be_checked()
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile("/fusion/runs/"))
    expect(page.get_by_role("heading", name="Only keys?")).to_be_visible()
    wait_for_the_end(page)


def tab_to(page: Page, element_id: str) -> None:
    """Forward with the Tab key; where the focus is there already, nothing is pressed."""
    for _ in range(30):
        if page.evaluate("document.activeElement.id") == element_id:
            return
        page.keyboard.press("Tab")
    pytest.fail(f"Tab never reaches {element_id}")


def test_without_javascript_one_asks_and_reads(visit: Visit) -> None:
    page = visit(java_script_enabled=False)
    sign_in(page, "bob", PASSWORD)
    page.get_by_role("textbox", name="Prompt", exact=True).fill("Without script?")
    page.get_by_role("radio", name="Plain pair").check()
    fuse(page)
    answer = page.get_by_role("region", name="Fused answer")
    read_again_until_the_end(page)
    expect(answer).to_contain_text("This is the scripted answer of good.")
    expect(page.get_by_role("article")).to_have_count(2)
    expect(page.get_by_role("article", name="markdown")).to_contain_text("Title")


def test_a_double_click_asks_once(visit: Visit, upstream: Upstream) -> None:
    page = visit("bob")
    page.goto("/fusion")
    page.get_by_role("textbox", name="Prompt", exact=True).fill("Once, or twice?")
    fill_custom(page, "once-only", judge="good")
    page.get_by_role("button", name="Fuse", exact=True).dblclick()
    page.wait_for_url(re.compile("/fusion/runs/"))
    wait_for_the_end(page)
    page.goto("/fusion/runs")
    expect(page.get_by_role("link", name="Once, or twice?")).to_have_count(1)
    assert len(upstream.calls_of("once-only")) == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Write a prompt first."),
        ("long " * (PROMPT_LIMIT // 5 + 1), "5,005 characters; 5,000 are allowed."),
    ],
    ids=["empty", "too long"],
)
def test_a_prompt_that_cannot_be_sent_loses_nothing(visit: Visit, text: str, sentence: str) -> None:
    page = visit("bob", trouble=True)  # the browser complains about the answer's status, 422
    page.goto("/fusion")
    prompt = page.get_by_role("textbox", name="Prompt", exact=True)
    prompt.fill(text)
    fill_custom(page, "alpha", "beta", "gamma", "delta", judge="omega")
    page.get_by_role("button", name="Fuse", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text(sentence)
    expect(prompt).to_have_value(text)
    expect(prompt).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_role("radio", name="Custom")).to_be_checked()
    expect(page.locator("#panel-3")).to_have_value("openai:delta")
    expect(page.get_by_role("combobox", name="Judge")).to_have_value("openai:omega")
    prompt.fill("Now a good one")
    fuse(page)
    expect(page.get_by_role("article")).to_have_count(4)


def test_options_of_a_seat_go_with_it_and_what_is_wrong_is_unfolded(
    visit: Visit, upstream: Upstream, shoot: Shoot
) -> None:
    page = visit("bob", trouble=True)  # the browser complains about the answer's status, 422
    page.goto("/fusion")
    page.get_by_role("textbox", name="Prompt", exact=True).fill("How hot?")
    fill_custom(page, "gone", "plain", "hot-seat", judge="good")
    shoot(page, "options-folded")
    page.locator("summary", has_text="Options of seat C").click()
    seat = page.locator(".custom-seat[data-seat='2']")
    seat.get_by_label("Temperature").fill("3")
    seat.get_by_label("Max output tokens").fill("77")
    seat.get_by_label("Reasoning effort").select_option("low")
    seat.get_by_label("System prompt").fill("Be warm.")
    page.get_by_role("button", name="Fuse", exact=True).click()
    expect(page.get_by_role("alert").first).to_have_text("Look at the options of seat C.")
    temperature = seat.get_by_label("Temperature")
    expect(temperature).to_have_attribute("aria-invalid", "true")
    expect(seat.get_by_label("System prompt")).to_have_value("Be warm.")
    shoot(page, "options-wrong")
    page.set_viewport_size({"width": 390, "height": 844})
    shoot(page, "options-wrong-phone")
    assert wide_things(page) == []
    page.get_by_role("button", name="Remove seat A").click()
    moved = page.locator(".custom-seat[data-seat='1']")
    expect(moved.get_by_label("Temperature")).to_have_attribute("aria-invalid", "true")
    expect(moved.get_by_text("less than or equal to 2")).to_be_visible()
    expect(page.locator(".seat-options[open]")).to_have_count(1)
    moved.get_by_label("Temperature").fill("1.5")
    fuse(page)
    wait_for_the_end(page)
    expect(page.locator("#seat-1-head")).to_contain_text(
        "temperature 1.5 · reasoning effort low · at most 77 tokens · own system prompt"
    )
    shoot(page, "options-run-phone")
    assert wide_things(page) == []
    (asked,) = upstream.calls_of("hot-seat")
    assert (asked.body["temperature"], asked.body["max_tokens"]) == (1.5, 77)
    assert asked.body["reasoning_effort"] == "low"
    assert asked.body["messages"][0] == {"role": "system", "content": "Be warm."}
    (plain,) = upstream.calls_of("plain")
    assert "temperature" not in plain.body and not upstream.calls_of("gone")


def test_without_javascript_a_seat_is_given_its_options(visit: Visit, upstream: Upstream) -> None:
    page = visit("bob", java_script_enabled=False)
    page.goto("/fusion")
    page.get_by_role("textbox", name="Prompt", exact=True).fill("Without script, but cold?")
    page.get_by_role("radio", name="Custom").check()
    page.locator("#panel-4").fill("openai:cold-seat")
    page.locator("summary", has_text="Options of seat E").click()
    page.locator(".custom-seat[data-seat='4']").get_by_label("Temperature").fill("0.1")
    page.get_by_label("Judge", exact=True).fill("openai:good")
    fuse(page)
    until(lambda: upstream.calls_of("cold-seat"))
    (asked,) = upstream.calls_of("cold-seat")
    assert asked.body["temperature"] == 0.1


def test_a_draft_outlives_a_reload(visit: Visit, people: People) -> None:
    page = visit("bob")
    page.goto("/fusion")
    prompt = page.get_by_role("textbox", name="Prompt", exact=True)
    expect(prompt).to_be_focused()
    page.keyboard.type("A thought worth keeping")
    page.reload()
    expect(prompt).to_have_value("A thought worth keeping")
    page.goto(ask(people("bob"), "good", judge="good"))  # nor does looking at a run end it
    wait_for_the_end(page)
    page.get_by_role("link", name="New", exact=True).click()
    expect(prompt).to_have_value("A thought worth keeping")
    page.get_by_role("radio", name="Plain pair").check()
    fuse(page)
    page.get_by_role("link", name="New", exact=True).click()
    expect(prompt).to_have_value("")


def test_what_was_written_survives_signing_in_again_and_leaves_with_who_signs_out(
    visit: Visit, people: People
) -> None:
    page = visit("bob")
    page.goto(ask(people("bob"), "good", judge="good"))
    wait_for_the_end(page)
    page.get_by_role("textbox", name="Follow up").fill("And why is that?")
    sign_in_again_after(page, lambda: page.get_by_role("button", name="Ask on").click())
    expect(page.get_by_role("textbox", name="Follow up")).to_have_value("And why is that?")
    page.get_by_role("button", name="Ask on").click()
    expect(page.get_by_role("heading", name="And why is that?")).to_be_visible()
    page.get_by_role("link", name="Why?").first.click()
    expect(page.get_by_role("textbox", name="Follow up")).to_have_value("")

    page.goto("/fusion")
    page.get_by_role("textbox", name="Prompt", exact=True).fill("A long question")
    page.get_by_role("radio", name="Plain pair").check()
    sign_in_again_after(page, lambda: page.get_by_role("button", name="Fuse", exact=True).click())
    expect(page.get_by_role("textbox", name="Prompt", exact=True)).to_have_value("A long question")
    page.locator("summary", has_text="bob").click()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "alice", PASSWORD)
    expect(page.get_by_role("textbox", name="Prompt", exact=True)).to_have_value("")


def test_what_somebody_was_writing_is_not_shown_to_who_signs_in_next(visit: Visit) -> None:
    page = visit("bob")
    page.goto("/fusion")
    page.get_by_role("textbox", name="Prompt", exact=True).fill("Between me and the panel")
    page.context.clear_cookies(name="sessionid")  # ended elsewhere, or by leaving the admin
    sign_in(page, "alice", PASSWORD)
    expect(page.get_by_role("textbox", name="Prompt", exact=True)).to_have_value("")
    page.context.clear_cookies(name="sessionid")
    sign_in(page, "bob", PASSWORD)
    expect(page.get_by_role("textbox", name="Prompt", exact=True)).to_have_value(
        "Between me and the panel"
    )


def sign_in_again_after(page: Page, act: Callable[[], None]) -> None:
    page.context.clear_cookies(name="sessionid")
    act()
    page.wait_for_url("**/sign-in?**")
    page.get_by_label("Username").fill("bob")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/fusion**")
