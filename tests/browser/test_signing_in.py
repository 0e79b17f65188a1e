"""Signing in and asking, where a browser alone can tell: a password that is looked at, what is kept
of before, a name that was meant."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.live.conftest import PASSWORD
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]


def test_a_password_can_be_looked_at_and_is_sent_as_one(visit: Visit) -> None:
    page = visit()
    page.goto("/sign-in")
    page.get_by_label("Username").fill("alice")
    field = page.locator("#id_password")
    field.fill(PASSWORD)
    expect(field).to_have_attribute("type", "password")
    page.get_by_role("button", name="Show password").click()
    expect(field).to_have_attribute("type", "text")
    expect(page.get_by_role("button", name="Hide password")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile("/fusion"))


def test_without_javascript_there_is_no_button_that_does_nothing(visit: Visit) -> None:
    page = visit(java_script_enabled=False)
    page.goto("/sign-in")
    expect(page.locator("[data-shows]")).to_be_hidden()
    expect(page.locator("#id_password")).to_be_visible()


@pytest.mark.parametrize("prompt", ["Keep this, please.", ""])
def test_whose_session_has_ended_is_told_whether_something_is_kept(
    visit: Visit, prompt: str
) -> None:
    page = visit("alice")
    page.goto("/fusion")
    if prompt:
        page.get_by_role("textbox", name="Prompt").fill(prompt)
    page.context.clear_cookies(name="sessionid")
    page.reload()
    expect(page.get_by_text("Your session has ended")).to_be_visible()
    kept = page.get_by_text("What you had written is kept in this tab.")
    expect(kept).to_be_visible() if prompt else expect(kept).to_be_hidden()
    page.get_by_label("Username").fill("alice")
    page.locator("#id_password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile("/fusion"))
    if prompt:
        expect(page.get_by_role("textbox", name="Prompt")).to_have_value(prompt)


@pytest.fixture
def good_again(upstream: Upstream) -> Iterator[None]:
    """The presets of all these tests name it."""
    yield
    upstream.release()
    upstream.script("good")  # as it was


@pytest.mark.usefixtures("good_again")
def test_a_slow_judges_claims_come_one_by_one_and_stay(visit: Visit, upstream: Upstream) -> None:
    claims = [{"claim": f"Claim number {n} of it.", "seats": ["A", "B"]} for n in range(8)]
    analysis = json.dumps({"consensus": claims, "contradictions": [], "partial_coverage": [],
                           "unique_insights": [], "blind_spots": ["Snow"]})  # fmt: skip
    half = len(re.findall(r"\S+", analysis)) // 2
    upstream.script("good", Script(text="Fused.", judge=Script(text=analysis, hold_after=half)))
    page = visit("alice")
    page.goto("/fusion")
    page.get_by_role("radio", name="Plain pair").check()
    page.get_by_role("textbox", name="Prompt").fill("Is it so?")
    page.get_by_role("button", name="Fuse", exact=True).click()
    page.wait_for_url(re.compile("/fusion/runs/"))
    card = page.get_by_role("region", name="Agreement map")
    expect(card).to_contain_text("Claim number 0 of it.")
    expect(card).to_contain_text("is comparing 2 answers")
    expect(card).not_to_contain_text("Claim number 7 of it.")
    expect(page.locator("#phases")).to_contain_text("≈")
    page.reload()
    expect(card).to_contain_text("Claim number 0 of it.")
    upstream.release()
    expect(card).to_contain_text("Claim number 7 of it.")
    expect(card).to_contain_text("Claim number 0 of it.")
