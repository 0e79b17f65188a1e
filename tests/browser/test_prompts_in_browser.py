"""A template of one's own, with a blank of each kind: written, filled in, asked and recalled, on a
desk and on a phone, with and without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import fuse, wide_things
from tests.browser.conftest import Shoot, Visit
from tests.browser.test_accessibility import problems

pytestmark = [pytest.mark.browser, pytest.mark.live]

DESK, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 780}
TEXT = (
    "The leak at {place} loses {litres: number = 11} litres a day.\n\n"
    "{what was seen: long text}\n\n"
    "It is to be dry by {until: date}, and may cost {how much: choice of little | as much as it "
    "takes}. Answer for {place} alone."
)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "plain"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["1440", "360"])
def test_a_template_is_written_filled_in_asked_and_recalled(
    visit: Visit, shoot: Shoot, size: dict[str, int], scripts: bool
) -> None:
    name = f"Leak {size['width']} {'with' if scripts else 'without'}"
    page = visit("alice", trouble=True, viewport=size, java_script_enabled=scripts)
    page.goto("/fusion/prompts")
    page.get_by_role("link", name="New template").click()
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Text", exact=True).fill(TEXT)
    orderly(page, scripts=scripts)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text(f"{name} is saved.")).to_be_visible()
    orderly(page, scripts=scripts)

    page.goto("/fusion?preset=plain-pair")
    page.get_by_text("Start from…").click()
    page.get_by_role("button", name=re.compile(f"^{name}")).click()
    place = page.get_by_role("textbox", name="place", exact=True)
    expect(place).to_be_visible()
    place.fill("the {cellar} & <b>stairs</b>")
    page.get_by_role("textbox", name="litres", exact=True).fill("a lot")
    page.get_by_role("textbox", name="what was seen", exact=True).fill("Drops.\n\nA stain.")
    page.get_by_label("until", exact=True).fill("2026-12-24")
    page.get_by_label("how much", exact=True).select_option("little")
    shoot(page, f"prompt-filled-{size['width']}")
    orderly(page, scripts=scripts)

    # What is no number is said, by a 422, and nothing that was filled in is lost.
    page.get_by_role("button", name="Fuse", exact=True).click()
    expect(page.get_by_text("“litres” is a number, as 12 or 0.5.")).to_be_visible()
    expect(page.get_by_label("until", exact=True)).to_have_value("2026-12-24")
    expect(place).to_have_value("the {cellar} & <b>stairs</b>")
    page.get_by_role("textbox", name="litres", exact=True).fill("12.5")
    fuse(page)
    prompt = page.locator(".prompt").last
    for part in ("the {cellar} & <b>stairs</b>", "12.5 litres", "A stain.", "2026-12-24", "little"):
        expect(prompt).to_contain_text(part)
    if scripts:
        assert page.evaluate("window.ran") == 0

    # Asked before: the blanks stand as they were filled in.
    page.goto("/fusion")
    page.get_by_text("Start from…").click()
    page.get_by_role("list", name="Asked before").get_by_role("button").first.click()
    expect(page.get_by_role("textbox", name="litres", exact=True)).to_have_value("12.5")
    expect(page.get_by_label("how much", exact=True)).to_have_value("little")
    page.goto("/fusion/prompts")
    page.get_by_role("link", name=f"Delete… {name}").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text(f"{name} is deleted.")).to_be_visible()


def orderly(page: Page, *, scripts: bool) -> None:
    if scripts:
        assert problems(page) == []
        assert wide_things(page) == []
