"""A page that is opened for the first time: what comes late (fonts, modules) moves nothing that
can be read already."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, Route
from pytest_django.plugin import DjangoDbBlocker

from tests.console.story import Story
from tests.layout.paired import paired
from tests.layout.rich import rich, under_way
from tests.layout.served import HOST, serve

pytestmark = pytest.mark.browser

WATCH = """window.shifts = [];
const where = ({ x, y, width, height }) => [x, y, width, height].map(Math.round);
const what = (node) => (node?.nodeType === 3 ? node.parentElement : node)?.outerHTML.slice(0, 80);
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput, sources } of list.getEntries())
    if (!hadRecentInput)
      shifts.push([value, sources.map(({ node, previousRect, currentRect }) =>
        [what(node), where(previousRect), where(currentRect)])]);
}).observe({ type: "layout-shift", buffered: true });"""
PAINTED = """new Promise((done) => new PerformanceObserver((list) => {
  if (list.getEntriesByName("first-contentful-paint").length) done(true);
}).observe({ type: "paint", buffered: true }))"""
LATE = {
    "fonts": re.compile(r"\.woff2$"),
    "modules": re.compile(r"\.js$"),
    "both": re.compile(r"\.(woff2|js)$"),
    "nothing": re.compile(r"(?!)"),
}


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    with django_db_blocker.unblock():
        owner = User.objects.create_user("who-comes-first")
        client = Client()
        client.force_login(owner)
        stories = {"rich": rich(), "under way": under_way(), "eight": rich(8), "six": rich(6)}
        runs = {name: story.save(owner) for name, story in stories.items()}
        html = {
            f"{name}, {look}": client.get(f"/fusion/runs/{run.pk}?look={look}").content.decode()
            for name, run in runs.items()
            for look in ("result", "answers")
        }
        # By the story's clock it has gone on for a minute, not for months.
        html = {
            name: re.sub(r'data-now="[^"]+"', f'data-now="{Story().now + 83}"', page)
            for name, page in html.items()
        }
        html["to ask on"] = client.get("/fusion").content.decode()
    yield html
    with django_db_blocker.unblock():
        client.logout()
        for run in runs.values():
            run.delete()
        owner.delete()


def test_there_are_pages(pages: dict[str, str]) -> None:
    assert 'class="source' in pages["rich, result"]


COLD = ("rich, result", "rich, answers", "under way, answers", "to ask on")


@pytest.mark.parametrize(("name", "late", "width"), paired(COLD, LATE, (1440, 360)))
def test_nothing_moves_that_is_shown(
    chromium: Browser, pages: dict[str, str], name: str, width: int, late: str
) -> None:
    page = chromium.new_context(viewport={"width": width, "height": 900}).new_page()
    held: list[Route] = []
    is_painted = False

    def answer(route: Route) -> None:
        if not is_painted and LATE[late].search(route.request.url):
            held.append(route)
        else:
            route.fallback()

    serve(page, lambda path: pages[name])
    page.route("**/*", answer)
    page.route_web_socket(re.compile("/ws/"), lambda socket: None)
    page.add_init_script(WATCH)
    page.goto(HOST, wait_until="commit")
    page.evaluate(PAINTED)
    is_painted = True
    for route in held:
        route.fallback()
    until_it_is_settled(page)
    shifts = page.evaluate("shifts")
    assert sum(value for value, _ in shifts) < 0.02, shifts


# What is seen of columns, the height of each text, and that of the line below the question.
PLACES = """() => {
  const all = (selector) =>
    [...document.querySelectorAll(selector)].filter((element) => element.checkVisibility());
  return {
    columns: all(".seat > .seat-head").map((e) => e.parentElement.getBoundingClientRect())
      .map(({ x, width }) => [Math.round(x), Math.round(width)]),
    texts: all(".seat .reading").map((e) => e.parentElement.scrollHeight),
    line: document.querySelector(".run-meta").getBoundingClientRect().height,
  };
}"""
# Where scripts never come all columns are shown at last, on a slow machine in the middle of this.
NEVER = """const sheet = new CSSStyleSheet();
sheet.replaceSync(".seat { animation-play-state: paused !important; }");
document.adoptedStyleSheets.push(sheet);"""


@pytest.mark.parametrize(
    ("name", "widths"),
    [
        ("eight, answers", [768, 1000, 1440, 1900, 2290, 2560]),
        ("six, answers", [1300, 1700, 2560]),
        ("rich, answers", [768, 1440, *range(320, 440, 10)]),
    ],
)
def test_what_scripts_bring_has_its_place_however_late_they_come(
    chromium: Browser, pages: dict[str, str], name: str, widths: list[int]
) -> None:
    page = chromium.new_context().new_page()
    held: list[Route] = []
    serve(page, lambda path: pages[name])
    page.route(LATE["modules"], lambda route: held.append(route))
    page.route_web_socket(re.compile("/ws/"), lambda socket: None)
    page.add_init_script(NEVER)
    page.goto(HOST, wait_until="commit")
    page.evaluate(PAINTED)
    page.evaluate("document.fonts.ready.then(() => true)")

    def places() -> dict[int, Any]:
        found = {}
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            until_it_is_drawn(page)
            found[width] = page.evaluate(PLACES)
        return found

    before = places()
    page.unroute(LATE["modules"])
    for route in held:
        route.fallback()
    until_it_is_settled(page)
    assert places() == before


def test_of_a_page_that_comes_in_slowly_no_column_is_shown_before_all_can_be(
    chromium: Browser, pages: dict[str, str]
) -> None:
    whole = pages["eight, answers"]
    begun, _, _ = whole.partition('<article id="seat-7"')
    shown = []
    for html in (begun, whole):
        page = chromium.new_context(viewport={"width": 1440, "height": 900}).new_page()
        serve(page, lambda path, html=html: html)
        page.route_web_socket(re.compile("/ws/"), lambda socket: None)
        page.goto(HOST)
        shown.append(page.locator("#seat-0 .seat-head").is_visible())
    assert shown == [False, True]


def until_it_is_settled(page: Page) -> None:
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready.then(() => true)")
    until_it_is_drawn(page)


def until_it_is_drawn(page: Page) -> None:
    for _ in range(5):
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
