"""How pages lie at the widths that people have: what Django renders, shown by a real Chromium
without a server behind it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from mimetypes import guess_type
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, Route, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from tests.browser.conftest import FLAGS
from tests.console.story import Story

pytestmark = pytest.mark.browser

STATIC = Path(settings.BASE_DIR, "static")
HOST = "http://layout.test"
LONG = "A paragraph that is long enough to wrap in every column, with a_very_long_word_" + "x" * 90
TABLE = "| a | b | c |\n|---|---|---|\n| 1 | 2 | 3 |"
RICH = f"## A heading\n\n{LONG}\n\n{TABLE}\n\n```\n{'code ' * 60}\n```\n"
PAGES = ("/fusion", "/fusion/runs", "/fusion/tokens")


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    """Address -> HTML. Rendered before Chromium is there: its loop and the ORM are no friends."""
    with django_db_blocker.unblock():
        alice = User.objects.create_user("alice-of-layout")
        story = Story().begin().answer(0, RICH).answer(1, "Short.").answer(2, RICH).judge()
        run = story.analyse().synthesise(RICH).complete().save(alice)
        client = Client()
        client.force_login(alice)
        addresses = (*PAGES, f"/fusion/runs/{run.pk}")
        html = {a: client.get(a).content.decode() for a in addresses}
        html["run"] = html.pop(addresses[-1])
    yield html
    with django_db_blocker.unblock():
        client.logout()
        run.delete()
        alice.delete()


@pytest.fixture(scope="module")
def chromium(pages: dict[str, str]) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)


Show = Callable[[str, int], Page]


@pytest.fixture
def show(chromium: Browser, pages: dict[str, str]) -> Iterator[Show]:
    contexts = []

    def shown(name: str, width: int) -> Page:
        context = chromium.new_context(viewport={"width": width, "height": 800})
        contexts.append(context)

        def answer(route: Route) -> None:
            path = route.request.url.removeprefix(HOST)
            if not path.startswith("/static/"):
                route.fulfill(body=pages[name], content_type="text/html")
                return
            plain = re.sub(r"\.[0-9a-f]{12}(\.\w+)$", r"\1", path.removeprefix("/static/"))
            file = STATIC / plain
            if file.exists():
                kind = guess_type(file.name)[0] or "application/octet-stream"
                route.fulfill(body=file.read_bytes(), content_type=kind)
            else:
                route.abort()  # htmx, of a package: the layout does not wait for it

        page = context.new_page()
        page.route("**/*", answer)
        page.goto(HOST)
        return page

    yield shown
    for context in contexts:
        context.close()


@pytest.mark.django_db
def test_there_are_pages_to_show(pages: dict[str, str]) -> None:
    assert all("<main" in html for html in pages.values())


@pytest.mark.parametrize("width", [360, 768, 1440, 2560])
@pytest.mark.parametrize("name", [*PAGES, "run"])
def test_nothing_is_wider_than_the_window(show: Show, name: str, width: int) -> None:
    page = show(name, width)
    widths = "[document.scrollingElement.scrollWidth, document.documentElement.clientWidth]"
    whole, window = page.evaluate(widths)
    assert whole <= window


def test_answers_stand_side_by_side_and_the_fused_one_below_them(show: Show) -> None:
    page = show("run", 1440)
    columns = [box for a in page.get_by_role("article").all() if (box := a.bounding_box())]
    fused = page.get_by_role("region", name="Fused answer").bounding_box()
    assert fused and len(columns) == 3
    assert len({round(box["y"]) for box in columns}) == 1
    assert [box["x"] for box in columns] == sorted({box["x"] for box in columns})
    assert fused["y"] >= max(box["y"] + box["height"] for box in columns)


def test_on_a_phone_the_fused_answer_comes_first_and_one_answer_at_a_time(show: Show) -> None:
    page = show("run", 360)
    (column,) = [a.bounding_box() for a in page.get_by_role("article").all() if a.is_visible()]
    fused = page.get_by_role("region", name="Fused answer").bounding_box()
    assert fused and column and fused["y"] < column["y"]
