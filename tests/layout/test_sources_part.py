"""Sources beside the map: reached by the rail and by a key, nothing cut, nothing that hinders; and
*Web* beside *Fuse* where an engine is configured."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import expect
from pytest_django.plugin import DjangoDbBlocker

from tests.console.researched import keep_texts, looked_up, researched
from tests.layout.conftest import Show
from tests.layout.paired import paired
from tests.layout.rich import rich

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> dict[str, str]:
    from django.conf import settings

    with django_db_blocker.unblock():
        alice = User.objects.create_user("alice-of-sources")
        client = Client()
        client.force_login(alice)
        run = researched(rich(3)).save(alice)
        keep_texts(run)
        own = looked_up().save(alice)
        made = {"run": "?look=result", "source": "/sources/1"}
        html = {
            n: client.get(f"/fusion/runs/{run.pk}{q}").content.decode() for n, q in made.items()
        }
        html["own"] = client.get(f"/fusion/runs/{own.pk}?look=answers").content.decode()
        before = settings.SEARCH_ENGINES
        settings.SEARCH_ENGINES = {"searxng": ("", "http://127.0.0.1:9")}
        html["compose"] = client.get("/fusion").content.decode()
        settings.SEARCH_ENGINES = before
        html["without"] = client.get("/fusion").content.decode()
        client.logout()
        run.delete()
        own.delete()
        alice.delete()
    return html


def overflow(page: Any) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    paired(("run", "source", "compose", "own"), (360, 1440), ("light", "dark")),
)
def test_nothing_hinders_and_nothing_is_cut(show: Show, name: str, width: int, scheme: str) -> None:
    page = show(name, width, 900, color_scheme=scheme)
    if name == "run":
        page.locator('.rail [data-part="sources"]').click()
        expect(page.get_by_role("heading", name="Sources")).to_be_in_viewport()
        expect(page.get_by_text("Not found there")).to_be_visible()
    if name == "own":
        page.get_by_text("Looked up: 1 search, 1 page opened, in 1 turn").click()
        expect(page.get_by_text("There is no tool")).to_be_visible()
    found = Axe().run(page).response["violations"]
    assert [(v["id"], v["nodes"][0]["html"]) for v in found] == []
    assert overflow(page) <= 0


BACK = {
    "Esc": lambda page: page.keyboard.press("Escape"),
    "its button": lambda page: page.get_by_role("button", name="Back").click(),
    "the browser's": lambda page: page.go_back(),
}


@pytest.mark.parametrize("way", BACK)
@pytest.mark.parametrize("width", [768, 1440])
def test_they_stand_in_the_maps_place_and_back_leads_to_where_one_was(
    show: Show, width: int, way: str
) -> None:
    page = show("run", width, 900)
    places = (
        "() => [scrollY, ...['.fused', '.aside'].map(e => document.querySelector(e).scrollTop)]"
    )
    page.locator(".fused").evaluate("e => e.scrollTop = 120")
    page.locator(".aside").evaluate("e => e.scrollTop = 60")
    page.locator("#run").evaluate("() => scrollTo(0, 30)")
    before, text = page.evaluate(places), page.locator("#fused-answer").bounding_box()
    page.keyboard.press("s")
    expect(page.get_by_role("heading", name="Sources")).to_be_in_viewport()
    expect(page.locator("#analysis")).to_be_hidden()
    expect(page.locator('.rail [data-part="sources"]')).to_have_attribute("aria-current", "true")
    expect(page.locator('.rail [data-part="sources"] .rail-state')).to_have_text("2")
    assert page.url.endswith("?look=result&part=sources")
    if width == 1440:
        assert page.locator("#fused-answer").bounding_box() == text
        assert page.locator(".aside").evaluate("e => e.scrollTop") == 0
    page.keyboard.press("r")  # from one to the other, with one way back for both
    expect(page.locator("#receipt")).to_be_in_viewport()
    expect(page.locator("#sources")).to_be_hidden()
    BACK[way](page)
    expect(page.locator("#analysis")).to_be_visible()
    expect(page.locator("#receipt")).to_be_hidden()
    assert "part=" not in page.url
    page.wait_for_function(
        f"before => String(({places})()) === before", arg=",".join(map(str, before))
    )


def test_an_address_opens_them_and_without_scripts_they_stand_below_the_map(show: Show) -> None:
    for query in ("/?look=result&part=sources", "/?look=result#sources"):
        page = show("run", 1440, 900, query=query)
        expect(page.locator("#sources")).to_be_visible()
        expect(page.locator("#analysis")).to_be_hidden()
        page.keyboard.press("Escape")
        expect(page.locator("#sources")).to_be_hidden()
        expect(page.locator("#analysis")).to_be_visible()
    bare = show("run", 1440, 900, java_script_enabled=False)
    for part in ("#analysis", "#sources", "#receipt"):
        expect(bare.locator(part)).to_be_visible()


def test_on_a_phone_they_are_tabs_and_back_leads_to_the_one_before(show: Show) -> None:
    page = show("run", 360, 780)
    page.locator('.rail [data-part="analysis"]').click()
    page.locator('.rail [data-part="sources"]').click()
    expect(page.locator("#sources")).to_be_visible()
    expect(page.get_by_role("button", name="Back")).to_be_hidden()
    page.go_back()
    expect(page.locator("#analysis")).to_be_visible()
    expect(page.locator('.rail [data-part="analysis"]')).to_have_attribute("aria-current", "true")
    assert page.url.endswith("part=analysis")


def test_web_is_one_box_and_absent_without_an_engine(show: Show, pages: dict[str, str]) -> None:
    page = show("compose", 1440, 900)
    expect(page.get_by_role("checkbox", name="Web")).to_have_count(1)
    assert not re.search(r'name="web', pages["without"])
