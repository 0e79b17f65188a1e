"""From a key and a preset of the admin's to a fused answer of a new member's."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.acts import fuse, sign_in, wait_for_the_end, words
from tests.browser.conftest import Visit
from tests.live.conftest import PASSWORD
from tests.stack import until
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]

KEY = "sk-of-the-second-server-0123456789"


@pytest.fixture
def second() -> Iterator[Upstream]:
    """Another server, which knows one key only."""
    with Upstream(strict=True, api_key=KEY) as up:
        up.script("thinker", Script(text="Thinker says yes.\n\nIt **holds**.", hold_after=2))
        up.script("doubter", Script(text="Doubter says no to it all.", hold_after=2))
        up.script("referee", Script(text="Between yes and no: it depends.", hold_after=3))
        yield up


def enter_key(page: Page, address: str, key: str) -> None:
    page.goto("/fusion/keys")
    page.get_by_label("Provider").select_option("OpenAI-compatible server")
    page.get_by_label("API key").fill(key)
    page.get_by_label("Base URL").fill(address)
    page.get_by_label("Name", exact=True).fill("Second server")
    page.get_by_role("button", name="Test and save").click()


def make_preset(page: Page) -> None:
    page.goto("/admin/console/preset/add/")
    page.locator("#id_name").fill("House pair")
    page.keyboard.press("Tab")
    expect(page.locator("#id_slug")).to_have_value("house-pair")
    page.locator("#id_judge_model").fill("referee")
    page.locator("#id_judge_credential").select_option(label="Second server")
    page.get_by_text("Add another Panelist").click()
    for seat, model in enumerate(["thinker", "doubter"]):
        page.locator(f"#id_panelists-{seat}-credential").select_option(label="Second server")
        page.locator(f"#id_panelists-{seat}-model").fill(model)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()


def add_member(page: Page, name: str) -> None:
    page.goto("/admin/auth/user/add/")
    page.locator("#id_username").fill(name)
    page.locator("#id_password1").fill(PASSWORD)
    page.locator("#id_password2").fill(PASSWORD)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()


def test_a_member_runs_exactly_what_the_admin_set_up(visit: Visit, second: Upstream) -> None:
    admin = visit()
    sign_in(admin, "ada", PASSWORD)
    enter_key(admin, second.url, "sk-a-wrong-key-00000000")
    expect(admin.get_by_role("alert")).to_contain_text("Not saved")
    enter_key(admin, second.url, KEY)
    expect(admin.get_by_text("Second server is saved")).to_be_visible()
    assert KEY not in admin.content()
    make_preset(admin)
    add_member(admin, "mia")

    page = visit()
    sign_in(page, "mia", PASSWORD)
    presets = page.get_by_role("radiogroup", name="Preset")
    expect(presets.get_by_role("radio", name="House pair")).to_have_count(1)
    presets.get_by_role("radio", name="House pair").check()
    page.get_by_role("textbox", name="Prompt").fill("Does it hold?")
    fuse(page)
    seats = page.get_by_role("article")
    expect(seats).to_have_count(2)
    thinker = page.get_by_role("article", name=re.compile("thinker"))
    doubter = page.get_by_role("article", name=re.compile("doubter"))
    # Two words came, the rest is held back: they are on the page all the same.
    expect(thinker).to_contain_text("Thinker says")
    expect(doubter).to_contain_text("Doubter says")
    expect(page.locator("#run-status")).to_contain_text("Panel: 0 of 2 answered")
    assert not any(call.finished for call in second.calls)
    second.release()
    wait_for_the_end(page)
    expect(thinker.locator("strong")).to_have_text("holds")
    expect(doubter).to_contain_text("no to it all.")
    expect(page.get_by_role("region", name="Agreement map")).to_contain_text("Consensus")
    expect(page.get_by_role("region", name="Fused answer")).to_contain_text(
        "Between yes and no: it depends."
    )
    expect(page.locator("#run-status")).to_contain_text("Done")
    until(lambda: all(call.finished for call in second.calls))
    asked = [(call.model, call.wants_json) for call in second.calls]
    assert sorted(asked[:2]) == [("doubter", False), ("thinker", False)]
    assert asked[2:] == [("referee", True), ("referee", False)]
    read = words(page)
    page.reload()
    assert words(page) == read
