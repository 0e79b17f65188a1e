"""Whoever has the browser's letters set larger than usual sees all of a page: it takes the layout
of a narrower screen."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django.plugin import DjangoDbBlocker

from tests.layout.conftest import Render
from tests.layout.rich import rich
from tests.layout.served import HOST, serve

pytestmark = pytest.mark.browser

QUESTION = "What would you say is the answer to the question that nobody has asked so far?"


@pytest.fixture(scope="module")
def pages(render: Render, django_db_blocker: DjangoDbBlocker) -> dict[str, str]:
    pages = {}
    for look in ("answers", "result"):
        found = render(f"?look={look}", prompt=QUESTION, run=rich(3))
        pages[look] = found["run"]
    with django_db_blocker.unblock():
        client = Client()
        client.force_login(User.objects.get(username="alice-of-pages"))
        for name, address in (("history", "/fusion/runs"), ("compose", "/fusion")):
            pages[name] = client.get(address).content.decode()
    return pages


def test_there_are_pages(pages: dict[str, str]) -> None:
    assert QUESTION in pages["history"] and QUESTION in pages["result"]


@pytest.mark.parametrize(("width", "letters"), [(1280, 20), (1280, 24), (1440, 32), (390, 24)])
def test_no_page_is_wider_than_its_window_and_what_was_asked_can_be_read(
    chromium: Browser, pages: dict[str, str], width: int, letters: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    with_letters(page, letters)
    serve(page, lambda path: pages[path.removeprefix("/")])
    for name in pages:
        page.goto(f"{HOST}/{name}")
        assert (
            page.evaluate("getComputedStyle(document.documentElement).fontSize") == f"{letters}px"
        )
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width, name
        if name == "history":
            shown = page.get_by_text(QUESTION).first.bounding_box()
            assert shown and shown["width"] > 10 * letters
    context.close()


def with_letters(page: Page, size: int) -> None:
    """As the browser's own setting has them, in pixels; 16 is the usual."""
    session = page.context.new_cdp_session(page)
    session.send("Page.enable")
    session.send("Page.setFontSizes", {"fontSizes": {"standard": size, "fixed": size}})
