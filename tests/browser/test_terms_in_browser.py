"""Who may be sent the prompt: told while it is chosen, and kept."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.acts import fill_custom, fuse, wait_for_the_end
from tests.browser.conftest import Shoot, Visit
from tests.stack import Stack
from tests.upstream import Upstream

pytestmark = [pytest.mark.browser, pytest.mark.live]

FAR = """
from console.models import Credential
Credential.objects.create(
    slug="far", name="Far", kind="openai_compatible", base_url={url!r}, own_machine=False)
"""
GONE = "from console.models import Credential\nCredential.objects.filter(slug='far').delete()"


@pytest.fixture
def far(stack: Stack, upstream: Upstream) -> Iterator[None]:
    stack.shell(FAR.format(url=upstream.url))
    yield
    stack.shell(GONE)


def test_who_falls_away_is_seen_before_fuse_is_pressed(
    visit: Visit, shoot: Shoot, far: None
) -> None:
    page = visit("alice")
    page.goto("/fusion")
    page.get_by_role("textbox", name="Prompt").fill("For whose eyes?")
    fill_custom(page, "good", "good", "markdown")
    page.locator("#panel-1").fill("far:good")
    page.get_by_text("Who may be sent the prompt").click()
    page.get_by_label("Zero retention").check()
    told = page.locator("#left-out")
    expect(told).to_contain_text("Seat B (good) is asked at Far")
    expect(told).to_contain_text("It falls away.")
    button = page.get_by_role("button", name="Fuse", exact=True)
    expect(button).to_be_enabled()
    shoot(page, "terms")
    page.locator("#judge").fill("far:good")
    page.locator("#judge").blur()
    expect(page.locator("#fuse")).to_contain_text("The judge (good) is asked at Far")
    shoot(page, "terms-off")
    expect(button).to_be_disabled()
    page.locator("#judge").fill("openai:good")
    page.locator("#judge").blur()
    expect(button).to_be_enabled()
    fuse(page)
    page.wait_for_url(re.compile("/fusion/runs/"))
    wait_for_the_end(page)
    for _ in range(2):
        heads = page.locator(".seat-asked", has_text="zero retention")
        expect(heads).to_have_count(2)
        page.reload()
