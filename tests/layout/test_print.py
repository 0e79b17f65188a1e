"""A run on paper: the fused answer and the map, then the answers, whole, and nothing to press."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from tests.layout.conftest import Show
from tests.layout.rich import rich

pytestmark = pytest.mark.browser
A4 = (794, 1123)
PARTS = "#fused-answer, .aside > .card, .seat"
# The letters at the head of the map choose by a field that nobody sees.
FIELDS = "input:not(.map-letter input), textarea, select, summary"
CONTROLS = f"button, .button, {FIELDS}, .rail, .looks, .site-header, .skip"


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    with django_db_blocker.unblock():
        alice = User.objects.create_user("alice-of-paper")
        client = Client()
        client.force_login(alice)
        run = rich(5).save(alice)
        html = {
            look: client.get(f"/fusion/runs/{run.pk}?look={look}").content.decode()
            for look in ("answers", "result")
        }
    yield html
    with django_db_blocker.unblock():
        client.logout()
        run.delete()
        alice.delete()


def test_it_is_the_page_that_is_printed(pages: dict[str, str]) -> None:
    assert all("Fused answer" in html for html in pages.values())


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("look", ["answers", "result"])
def test_what_one_reads_is_printed_whole_and_in_order_without_controls(
    show: Show, look: str, width: int
) -> None:
    page = show(look, width, 900)
    page.wait_for_timeout(300)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": A4[0], "height": A4[1]})
    boxes = [part.bounding_box() for part in page.locator(PARTS).all() if part.is_visible()]
    tops = sorted((box["y"], box["y"] + box["height"]) for box in boxes if box)
    assert len(tops) == 8  # the fused answer, the map, the receipt, five answers
    assert all(bottom <= top + 1 for (_, bottom), (top, _) in zip(tops, tops[1:], strict=False))
    order = page.evaluate(
        """(parts) => [...document.querySelectorAll(parts)]
          .sort((a, b) => a.getBoundingClientRect().y - b.getBoundingClientRect().y)
          .map((part) => part.id || part.querySelector("[id]")?.id)""",
        PARTS,
    )
    assert order[:3] == ["fused-answer", "analysis", "receipt"]
    assert [one.startswith("seat-") for one in order[3:]] == [True] * 5
    cut = page.evaluate(
        """() => [...document.querySelectorAll(".seat-body, .fused-body, .aside, .seats")]
          .filter((part) => part.scrollHeight > part.clientHeight + 1).map((p) => p.className)"""
    )
    assert cut == []
    seen = [one for one in page.locator(CONTROLS).all() if one.is_visible()]
    left = {one.evaluate("(e) => e.className || e.tagName") for one in seen}
    assert left <= {"SUMMARY"}  # where quotes are folded; paper cannot unfold them
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
