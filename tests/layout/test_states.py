"""The run's page in its states: every width with every theme, number of seats and moment of a run.

What the states have in common is looked at in each: nothing hinders (axe, and what axe leaves to
people), nothing moves, nothing is wider than the window or cut off, and the head is short. Sixteen
states hold every pair of two properties; FUSION_LONG_TESTS=1 looks at all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from itertools import combinations, product
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page
from pytest_django.plugin import DjangoDbBlocker

from console.models import Run
from console.services.links import run_share
from tests.console.story import Story
from tests.layout.orderly import WIDER, cut, hindrances, stops_until
from tests.layout.paired import LONG
from tests.layout.rich import answer, panel, rich
from tests.layout.served import HOST
from tests.layout.test_cold_load import WATCH, until_it_is_settled
from tests.layout.windows import Windows

pytestmark = pytest.mark.browser

HEIGHTS = {360: 780, 768: 1024, 1440: 900, 2560: 1440}
THEMES = ("light", "dark")
SEATS = (1, 3, 5, 8)
MOMENTS = ("streaming", "finished", "shared")


@dataclass(frozen=True)
class State:
    width: int
    theme: str
    seats: int
    moment: str

    def __str__(self) -> str:
        return f"{self.width}-{self.theme}-{self.seats}-{self.moment}"


EVERY = [State(*one) for one in product(HEIGHTS, THEMES, SEATS, MOMENTS)]
# Each width with each number of seats; along the diagonals of that square theme and moment take
# turns, and since a side is longer than either, each meets everything.
PAIRED = [
    State(width, THEMES[(i + j) % 2], seats, MOMENTS[(i + j) % 3])
    for (i, width), (j, seats) in product(enumerate(HEIGHTS), enumerate(SEATS))
]


def pairs(states: list[State]) -> set[tuple[Any, ...]]:
    return {pair for state in states for pair in combinations(enumerate(astuple(state)), 2)}


def test_sixteen_states_hold_every_pair_of_two_properties() -> None:
    assert len(EVERY) == 96 and len(PAIRED) == 16
    assert pairs(PAIRED) == pairs(EVERY)


def streaming(seats: int) -> Story:
    """The last seat still writes, the others have said what they say."""
    story = panel(seats)
    for seat in range(seats - 1):
        story.write(seat, answer(seat)).wait(3).answer(seat)
    return story.write(seats - 1, answer(seats - 1)[:900]).wait(2)


@pytest.fixture(scope="module")
def pages(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[dict[tuple[str, int], str]]:
    with django_db_blocker.unblock():
        owner = User.objects.create_user("who-has-all-states")
        signed_in, anybody = Client(), Client()
        signed_in.force_login(owner)
        html, runs = {}, list[Run]()
        for seats in SEATS:
            ended, open_ = rich(seats).save(owner), streaming(seats).save(owner)
            token = run_share(run=ended, visibility="link", by=owner)
            addresses = {
                "finished": (signed_in, f"/fusion/runs/{ended.pk}"),
                "streaming": (signed_in, f"/fusion/runs/{open_.pk}"),
                "shared": (anybody, f"/fusion/shared/{token}"),
            }
            for moment, (client, address) in addresses.items():
                page = client.get(address).content.decode()
                # By the story's clock it has gone on for a minute, not for months.
                now = f'data-now="{Story().now + 83}"'
                html[moment, seats] = re.sub(r'data-now="[^"]+"', now, page)
            runs += [ended, open_]
    yield html
    with django_db_blocker.unblock():
        signed_in.logout()
        for run in runs:
            run.delete()
        owner.delete()


def test_there_are_pages(pages: dict[tuple[str, int], str]) -> None:
    assert all("<main" in html for html in pages.values())


@pytest.mark.parametrize("state", EVERY if LONG else PAIRED, ids=str)
def test_the_page_of_a_run_is_in_order(
    windows: Windows, pages: dict[tuple[str, int], str], state: State
) -> None:
    page = opened(windows, pages[state.moment, state.seats], state)
    shifts = page.evaluate("shifts")
    assert sum(value for value, _ in shifts) < 0.02, shifts
    assert page.evaluate(WIDER) <= 0
    assert cut(page) == []
    assert page.locator(".run-head .badge").count() <= 3
    first = ".seat" if state.moment == "streaming" else "#fused-answer"
    assert stops_until(page, "#run", first, at_most=10) <= 10
    page.emulate_media(color_scheme=state.theme, reduced_motion="reduce")
    assert hindrances(page) == []


def opened(windows: Windows, html: str, state: State) -> Page:
    page = windows.take(
        lambda path: html, state.width, HEIGHTS[state.width], color_scheme=state.theme
    )
    page.goto(HOST)
    page.evaluate(WATCH)  # told of what moved before it looked as well
    until_it_is_settled(page)
    return page


# ---- what is looked at is seen where it is wrong ----

WRONG = {
    "a letter on its own wash": ("<b style=color:#5b8def;background:#dbe6ff>B</b>", hindrances),
    "a letter that is half there": ("<b style=opacity:.4>B</b>", hindrances),
    "a sign": ("<b style=color:#ccc>\N{CHECK MARK}</b>", hindrances),
    "a picture without words": ('<img src="data:," width=9 height=9>', hindrances),
    "a line": ("<p style=width:3em;overflow:hidden;white-space:nowrap>1 min 43 s</p>", cut),
    "dots alone": (
        "<p style=width:3em;overflow:hidden;white-space:nowrap;text-overflow:ellipsis>1 min 43 s",
        cut,
    ),
    "a second line": ("<p style=width:3em;height:1em;overflow:hidden>1 min 43 s</p>", cut),
}
RIGHT = (
    "<b>B</b> <b style=color:#1d4fc4;background:#dbe6ff>B</b> <b>\N{CHECK MARK}</b>"
    "<p title='1 min 43 s'"
    " style=width:3em;overflow:hidden;white-space:nowrap;text-overflow:ellipsis>1 min 43 s</p>"
    "<p style=width:3em;overflow:auto;white-space:nowrap tabindex=0>1 min 43 s</p>"
)
AROUND = "<!doctype html><html lang=en><title>x</title><main><h1>Some words</h1>{}</main></html>"


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_seen(blank: Page, name: str) -> None:
    html, look = WRONG[name]
    blank.set_content(AROUND.format(html))
    assert len(look(blank)) == 1


def test_what_only_looks_like_it_is_not(blank: Page) -> None:
    blank.set_content(AROUND.format(RIGHT))
    assert hindrances(blank) == [] and cut(blank) == []


@pytest.fixture
def blank(windows: Windows) -> Page:
    return windows.take(lambda path: "", 1280, 720)
