"""Two looks at a run: what fills the window, and that nothing is lost beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Locator, Page, expect
from pytest_django.plugin import DjangoDbBlocker

from tests.layout.conftest import Show
from tests.layout.rich import rich, under_way

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    with django_db_blocker.unblock():
        alice = User.objects.create_user("alice-of-looks")
        client = Client()
        client.force_login(alice)
        stories = {"rich": rich(), "eight": rich(8), "three": rich(3), "live": under_way()}
        runs = {name: story.save(alice) for name, story in stories.items()}
        html = {}
        for name, run in runs.items():
            for look in ("", "answers", "result", "upside-down"):
                address = f"/fusion/runs/{run.pk}" + (f"?look={look}" if look else "")
                html[f"{name}{look}"] = client.get(address).content.decode()
    yield html
    with django_db_blocker.unblock():
        client.logout()
        for run in runs.values():
            run.delete()
        alice.delete()


def top(locator: Locator) -> float:
    return float(locator.evaluate("e => e.getBoundingClientRect().top + scrollY"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("page", "look"),
    [
        ("rich", "result"),
        ("live", "answers"),
        ("richanswers", "answers"),
        ("liveresult", "result"),
        ("richupside-down", "result"),
        ("liveupside-down", "answers"),
    ],
)
def test_a_running_run_opens_in_its_answers_a_finished_one_in_its_result_unless_the_address_says(
    pages: dict[str, str], page: str, look: str
) -> None:
    assert f'data-look="{look}"' in pages[page]


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("look", ["answers", "result"])
@pytest.mark.parametrize("width", [768, 1440, 2560])
def test_what_the_look_names_comes_first_and_the_other_stands_whole_below_it(
    show: Show, width: int, look: str, script: bool
) -> None:
    page = show(f"rich{look}", width, 900, java_script_enabled=script)
    answers, result = page.locator(".answers"), page.locator(".outcome")
    first, second = (answers, result) if look == "answers" else (result, answers)
    expect(first).to_be_in_viewport()
    ends = "all => Math.max(...all.map(e => e.getBoundingClientRect().bottom))"
    below = second.bounding_box()
    assert below and below["y"] >= first.locator("> *").evaluate_all(ends)
    expect(page.locator("[data-text=fused]")).to_contain_text("Point 8")
    expect(page.locator("[data-text=seat-0]")).to_contain_text("Paragraph 11")
    # By the keyboard one comes to what fills the window first, too.
    order = first.evaluate("(a, b) => a.compareDocumentPosition(b)", second.element_handle())
    assert order == 4  # b follows


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (2560, 1440)])
@pytest.mark.parametrize("look", ["answers", "result"])
def test_the_look_uses_the_whole_window_and_each_part_scrolls_alone(
    show: Show, look: str, width: int, height: int
) -> None:
    page = show(f"rich{look}", width, height)
    part = page.locator(".answers" if look == "answers" else ".outcome")
    box = part.bounding_box()
    assert box and height - 120 < box["y"] + box["height"] <= height
    panes = ".seat-body" if look == "answers" else ".fused, .aside"
    cut = part.locator(panes).evaluate_all("all => all.map(p => p.scrollHeight > p.clientHeight)")
    assert any(cut)
    if look == "answers":
        assert box["x"] + box["width"] > width - 40


def shown(page: Page) -> list[str]:
    return page.locator(".seat:not(.is-spine) .seat-title .chip").all_inner_texts()


@pytest.mark.parametrize(
    ("name", "width", "letters"),
    [
        ("eightanswers", 1440, "ABCD"),
        ("eightanswers", 2560, "ABCDEFGH"),
        ("richanswers", 1440, "ABCDE"),
        ("richanswers", 768, "AB"),
        ("threeanswers", 1280, "ABC"),
    ],
)
def test_no_second_row_what_does_not_fit_stands_as_a_spine(
    show: Show, name: str, width: int, letters: str
) -> None:
    page = show(name, width, 900)
    assert shown(page) == list(letters)
    seats = page.locator(".seat")
    boxes = [box for seat in seats.all() if (box := seat.bounding_box())]
    assert len({round(box["y"]) for box in boxes}) == 1
    assert [box["x"] for box in boxes] == sorted({box["x"] for box in boxes})
    assert page.locator(".seats").evaluate("e => e.scrollWidth <= e.clientWidth")
    for seat in page.locator(".seat:not(.is-spine)").all():
        assert (seat.bounding_box() or {"width": 0})["width"] >= 240


def test_a_spine_opens_and_the_column_read_longest_ago_folds(show: Show) -> None:
    page = show("eightanswers", 1440, 900)
    spine = page.locator("#seat-6 .seat-spine")
    expect(spine).to_contain_text("qwen3-max")
    expect(spine).to_contain_text("done")
    expect(page.locator("#seat-6")).to_have_class("card seat is-spine is-unread")
    page.locator("#seat-0 .seat-body").click()
    page.locator("#seat-1 .seat-body").click()
    spine.click()
    expect(page.locator("#seat-6 .seat-body")).to_be_focused()
    assert shown(page) == list("ABCG")  # D was never read
    page.locator("#seat-7 .seat-spine").click()
    assert shown(page) == list("ABGH")
    page.locator("#seat-1 [data-fold]").click()
    expect(page.locator("#seat-1 .seat-spine")).to_be_focused()
    assert "B" not in shown(page)


def test_one_column_alone_and_esc_back_to_all(show: Show) -> None:
    page = show("richanswers", 1440, 900)
    page.locator("#seat-2 [data-alone]").click()
    assert [a.get_attribute("id") for a in page.get_by_role("article").all()] == ["seat-2"]
    page.keyboard.press("Escape")
    expect(page.get_by_role("article")).to_have_count(5)


def test_keys_and_rail_lead_to_each_part_and_the_address_says_the_look(show: Show) -> None:
    page = show("rich", 1440, 900)
    main = page.locator("#run")
    for key, look, focus in (
        ("1", "answers", None),
        ("c", "answers", "#seat-2 .seat-body"),
        ("0", "result", "#fused-answer"),
        ("e", "answers", "#seat-4 .seat-body"),
        ("m", "result", ".aside"),
        ("2", "result", ".aside"),
    ):
        page.keyboard.press(key)
        expect(main).to_have_attribute("data-look", look)
        if focus:
            expect(page.locator(focus)).to_be_focused()
        assert page.url.endswith(f"look={look}")
    page.get_by_role("link", name="gpt-5.5").click()
    expect(main).to_have_attribute("data-look", "answers")
    page.get_by_role("textbox", name="Follow up").fill("1 2 a b")
    expect(main).to_have_attribute("data-look", "answers")


def test_keys_can_be_switched_off_and_stay_off(show: Show) -> None:
    page = show("rich", 1440, 900)
    page.keyboard.press("?")
    page.get_by_label("Letters and digits act").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    expect(page.locator("#run")).to_have_attribute("data-look", "result")
    page.reload()
    page.keyboard.press("1")
    expect(page.locator("#run")).to_have_attribute("data-look", "result")


def test_a_look_that_is_left_and_come_back_to_is_scrolled_as_it_was(show: Show) -> None:
    page = show("rich", 1440, 900)
    pane = page.locator(".fused")
    pane.evaluate("e => { e.scrollTop = 200 }")
    page.keyboard.press("1")
    page.locator("#seat-1 .seat-body").evaluate("e => { e.scrollTop = 150 }")
    page.keyboard.press("2")
    assert pane.evaluate("e => e.scrollTop") == 200
    assert page.locator("#seat-1 .seat-body").evaluate("e => e.scrollTop") == 150


def test_from_the_head_to_the_fused_answer_it_is_ten_stops_at_most(show: Show) -> None:
    page = show("rich", 1440, 900)
    page.locator("#run").evaluate("e => e.focus()")
    stops = 0
    while not page.locator("#fused-answer").evaluate("e => e === document.activeElement"):
        page.keyboard.press("Tab")
        stops += 1
        assert stops <= 10
