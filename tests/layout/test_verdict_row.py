"""*Best of these*, under the answers: one stop of the keyboard, and what was seen goes along."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.layout.conftest import Render, Show
from tests.layout.rich import rich, under_way

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(render: Render) -> dict[str, str]:
    return render("?look=answers", rich=rich(3), live=under_way(5))


def test_it_is_said_of_a_run_that_has_ended(pages: dict[str, str]) -> None:
    assert "Best of these" in pages["rich"] and "Best of these" not in pages["live"]


@pytest.mark.parametrize("width", [360, 1440])
def test_the_row_stands_under_the_answers_and_is_one_stop_with_arrows_within(
    show: Show, width: int
) -> None:
    page = show("rich", width, 900)
    row = page.locator(".verdict-row")
    answers, box = page.locator(".seats").bounding_box(), row.bounding_box()
    assert answers and box and box["y"] >= answers["y"] + answers["height"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    expect(row.locator("button[tabindex='0']")).to_have_count(1)
    row.locator("button").first.focus()
    for name in ("B", "C", "tie", "all bad", "a note", "A"):
        page.keyboard.press("ArrowRight")
        expect(row.get_by_role("button", name=name, exact=True)).to_be_focused()
    expect(page.locator("#verdict-words")).to_be_hidden()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.locator("#verdict-words")).to_be_focused()


def test_what_was_seen_goes_along_with_what_is_found_best(show: Show) -> None:
    page = show("rich", 1440, 900)
    page.evaluate(
        """() => {
          const seats = document.querySelector(".seats");
          seats.prepend(seats.lastElementChild);
          addEventListener("submit", (event) => {
            event.preventDefault();
            window.sent = Object.fromEntries(new FormData(event.target, event.submitter));
          });
        }"""
    )
    page.locator(".verdict-row button[value=B]").click()
    sent = page.evaluate("window.sent")
    assert (sent["best"], sent["order"], sent["look"]) == ("B", "CAB", "answers")


@pytest.mark.parametrize("seats", [1440, 2560])
def test_every_figure_of_a_column_that_writes_has_its_room(show: Show, seats: int) -> None:
    page = show("live", seats, 900)
    for seat in page.locator(".seat:not(.is-spine)").all():
        parts = seat.locator(":is(.seat-figures > div, .seat-end, .seat-acts, .copy-pair):visible")
        boxes = [box for part in parts.all() if (box := part.bounding_box()) and box["width"]]
        chip, name = (
            seat.locator(".seat-title .chip").bounding_box(),
            seat.locator(".seat-title h2").bounding_box(),
        )
        assert chip and name and abs(chip["y"] - name["y"]) < 10, (
            "the name stands beside its letter"
        )
        for n, one in enumerate(boxes):
            for other in boxes[n + 1 :]:
                apart = (
                    one["x"] + one["width"] <= other["x"] + 1
                    or other["x"] + other["width"] <= one["x"] + 1
                    or one["y"] + one["height"] <= other["y"] + 1
                    or other["y"] + other["height"] <= one["y"] + 1
                )
                assert apart, (one, other)
