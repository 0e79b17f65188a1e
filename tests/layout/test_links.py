"""A link to a part of a run opens the look where it stands and marks it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.plugin import DjangoDbBlocker

from tests.layout.conftest import Show
from tests.layout.paired import paired
from tests.layout.rich import rich
from tests.layout.test_copying import pasted

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    with django_db_blocker.unblock():
        alice = User.objects.create_user("alice-of-links")
        client = Client()
        client.force_login(alice)
        run = rich().save(alice, visibility="link", share_token="by-link-of-links")
        twice = rich().fuse_again("Written again.").save(alice)
        html = {
            f"{name} {look}": client.get(f"{path}?look={look}").content.decode()
            for name, path in (
                ("own", f"/fusion/runs/{run.pk}"),
                ("shared", "/fusion/shared/by-link-of-links"),
            )
            for look in ("answers", "result")
        }
        html["first"] = client.get(f"/fusion/runs/{twice.pk}?fusion=1").content.decode()
        html["second"] = client.get(f"/fusion/runs/{twice.pk}").content.decode()
    yield html
    with django_db_blocker.unblock():
        client.logout()
        run.delete()
        twice.delete()
        alice.delete()


def test_there_are_pages(pages: dict[str, str]) -> None:
    assert len(pages) == 6


def copy_link(page: Page, pair: str) -> str:
    page.locator(f"{pair} .copy-as").first.click()
    page.locator("#copy-menu").get_by_role("button", name="Copy link").click()
    expect(page.locator(f"{pair} .copy").first).to_contain_text("Copied")
    html, plain = pasted(page)
    assert html == ""
    return plain


CLAIM = "#analysis .claim:has(.stances)"
LINKS = {
    "#seat-1": "/?look=answers#seat-1",
    "#fused-head": "/?look=result&fusion=1#fused-answer",
    CLAIM: "/?look=result&fusion=1#claim-1-contradictions-1",
}


@pytest.mark.parametrize(("pair", "name", "width"), paired(LINKS, ("own", "shared"), (360, 1440)))
def test_a_part_is_copied_as_a_link_that_opens_and_marks_it(
    show: Show, pair: str, name: str, width: int
) -> None:
    address = LINKS[pair]
    page = show(f"{name} result", width, 900)
    if pair != "#fused-head":
        page.locator(f".rail [data-part={'analysis' if pair == CLAIM else 'seat-1'}]").click()
    assert copy_link(page, pair) == f"http://layout.test{address}"
    # Whoever has it, whatever they looked at: with and without the look that it asks for.
    for look in ("answers", "result"):
        page = show(f"{name} {look}", width, 900, query=address)
        part = page.locator(f"[id='{urlsplit(address).fragment}']")
        expect(part).to_be_in_viewport()
        assert page.locator(".is-linked").get_attribute("id") == part.get_attribute("id")
        wanted = "answers" if "answers" in address else "result"
        assert page.locator("main").get_attribute("data-look") == wanted
        assert part.evaluate(
            "e => [e, ...e.querySelectorAll('*')].some("
            "one => getComputedStyle(one).boxShadow.includes('inset'))"
            " || (e.matches('.seat') && getComputedStyle(e).outlineStyle === 'solid')"
        )


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("address", LINKS.values())
def test_without_scripts_the_anchor_leads_there(show: Show, width: int, address: str) -> None:
    look = "answers" if "answers" in address else "result"
    page = show(f"own {look}", width, 900, query=address, java_script_enabled=False)
    expect(page.locator(f"[id='{urlsplit(address).fragment}']")).to_be_in_viewport()


def test_a_claim_that_was_not_to_be_shown_is_shown(show: Show) -> None:
    page = show("own result", 1440, 900, query="/?look=result&show=only-one")
    claim = page.locator("#claim-1-consensus-1")
    page.locator("#analysis .map-filters label").nth(1).click()
    expect(claim).to_be_hidden()
    page.evaluate("location.hash = 'claim-1-consensus-1'")
    expect(claim).to_be_visible()
    expect(claim).to_be_in_viewport()
    expect(claim.locator(".claim-says")).to_be_focused()


def test_a_claim_of_another_fusion_leads_to_that_one(show: Show) -> None:
    page = show("second", 1440, 900, query="/#claim-1-consensus-2")
    expect(page).to_have_url("http://layout.test/?look=result&fusion=1#claim-1-consensus-2")


@pytest.mark.parametrize("hash", ["nobody", "claim-1-nothing-9", "%E0%A4%A", "seat-9", "1", "main"])
def test_what_nobody_knows_leads_nowhere(show: Show, hash: str) -> None:
    page = show("own result", 1440, 900, query=f"/#{hash}")
    assert page.locator("main").get_attribute("data-look") == "result"
    expect(page.locator(".fused")).to_be_visible()


def test_the_menu_of_a_claim_is_reached_by_the_keyboard(show: Show) -> None:
    page = show("own result", 1440, 900)
    page.locator(f"{CLAIM} .claim-says").focus()
    for _ in range(30):
        page.keyboard.press("ArrowRight")
        if page.evaluate("document.activeElement.matches('.copy-as')"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#copy-menu")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Copy link")).to_be_visible()
