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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("name", ["run", "source", "compose", "own"])
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


def test_a_key_leads_there_and_escape_back(show: Show) -> None:
    page = show("run", 1440, 900)
    page.keyboard.press("s")
    expect(page.get_by_role("heading", name="Sources")).to_be_in_viewport()
    expect(page.locator('.rail [data-part="sources"] .rail-state')).to_have_text("2")
    page.keyboard.press("Escape")
    expect(page.locator("#analysis")).to_be_in_viewport()


def test_web_is_one_box_and_absent_without_an_engine(show: Show, pages: dict[str, str]) -> None:
    page = show("compose", 1440, 900)
    expect(page.get_by_role("checkbox", name="Web")).to_have_count(1)
    assert not re.search(r'name="web', pages["without"])
