"""Every page before axe, in light and in dark."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.browser.acts import ask, wait_for_the_end
from tests.browser.conftest import People, Shoot, Visit
from tests.prose import words
from tests.upstream import Script, Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]

CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


def problems(page: Page) -> list[str]:
    """All of them in light; in dark the one rule that colours can break."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    found = Axe().run(page).response["violations"]
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    found += Axe().run(page, options=CONTRAST).response["violations"]
    page.emulate_media(color_scheme="light")
    return [f"{v['id']}: {v['nodes'][0]['html'][:200]}" for v in found]


def test_nothing_hinders_on_the_pages_around_a_run(visit: Visit, shoot: Shoot) -> None:
    stranger, admin = visit(), visit("ada", viewport={"width": 1440, "height": 900})
    stranger.goto("/sign-in")
    assert problems(stranger) == []
    for address in ("/fusion", "/fusion/runs", "/fusion/models", "/fusion/keys", "/v1/docs"):
        admin.goto(address)
        assert problems(admin) == []
        shoot(admin, "desktop-light" + address.replace("/", "-"))


def test_nothing_hinders_while_a_run_is_watched_and_read(
    visit: Visit, people: People, upstream: Upstream, shoot: Shoot
) -> None:
    upstream.script("teller", Script(text="# Why\n\n- one\n- two\n\n`code` and more", hold_after=6))
    page = visit("alice", viewport={"width": 1440, "height": 900})
    page.goto(ask(people("alice"), "markdown", "teller", "fault-404", judge="markdown"))
    expect(page.locator("[data-text=seat-1]")).to_contain_text("one")
    expect(page.get_by_role("article", name="fault-404")).to_contain_text("failed")
    assert problems(page) == []
    upstream.release()
    wait_for_the_end(page)
    assert problems(page) == []
    shoot(page, "finished-desktop-light")


def test_what_is_wider_than_its_column_is_reached_by_the_keyboard(
    visit: Visit, people: People, upstream: Upstream
) -> None:
    thoughts = words(900, of="thought")
    upstream.script("wide", Script(reasoning=thoughts, text=f"Look:\n\n```\n{'wide ' * 60}\n```\n"))
    page = visit("alice", viewport={"width": 1440, "height": 900})
    page.goto(ask(people("alice"), "wide", "good", judge="wide"))
    wait_for_the_end(page)
    assert problems(page) == []
    code = page.get_by_role("article", name="wide").locator("pre")
    code.focus()
    expect(code).to_be_focused()
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("main details").evaluate_all("all => all.forEach((one) => (one.open = true))")
    assert problems(page) == []
