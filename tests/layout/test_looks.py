"""Two looks at a run: what fills the window, and that nothing is lost beside it."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect

from console.engine.events import EventType
from tests.console.story import Story, a_spec
from tests.layout.conftest import Render, Show
from tests.layout.rich import rich, under_way

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(render: Render) -> dict[str, str]:
    stories = {"rich": rich(), "eight": rich(8), "three": rich(3), "live": under_way()}
    first = Story(replace(a_spec("maker/one", "maker/two"), stop_after="panel")).begin()
    stories["waits"] = first.answer(0, "Yes.").answer(1, "No.").tell(EventType.RUN_COMPLETED)
    long = "Keep, retrofit or replace it, and when? " * 5
    html = {}
    for look in ("", "answers", "result", "upside-down"):
        query = f"?look={look}" if look else ""
        pages = render(query, **stories) | render(query, prompt=long, long=rich(3))
        html |= {f"{name}{look}": page for name, page in pages.items()}
    return html


def top(locator: Locator) -> float:
    return float(locator.evaluate("e => e.getBoundingClientRect().top + scrollY"))


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
    below, beside = second.bounding_box(), first.bounding_box()
    assert below and beside
    if (width, look, script) == (2560, "result", True):
        # There the answers have room beside their result.
        assert below["x"] >= beside["x"] + beside["width"] and below["y"] == beside["y"]
        assert below["x"] + below["width"] > width - 40
    else:
        assert below["y"] >= first.locator("> *").evaluate_all(ends)
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
    expect(page.locator(".seat:not(.is-spine)")).to_have_count(
        len(letters)
    )  # all are, until laid out
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


def test_on_a_phone_each_part_is_one_tap_away_under_tabs_that_stay_in_view(show: Show) -> None:
    page = show("rich", 360, 780)
    main, rail = page.locator("#run"), page.locator(".rail")
    parts = {
        "fused-answer": ".fused",
        "analysis": ".aside",
        "seat-0": "#seat-0",
        "seat-4": "#seat-4",
    }
    assert rail.evaluate("e => e.scrollWidth <= e.clientWidth")
    for id in (*parts, "fused-answer"):
        page.mouse.wheel(0, 900)
        tab = rail.locator(f"[data-part={id}]")
        tab.click()
        expect(tab).to_have_attribute("aria-current", "true")
        expect(rail.locator("[aria-current]")).to_have_count(1)
        visible = [i for i, where in parts.items() if page.locator(where).is_visible()]
        assert visible == [id]
        look = "answers" if id.startswith("seat") else "result"
        expect(main).to_have_attribute("data-look", look)
        assert page.url.endswith(f"?look={look}&part={id}")
        box = rail.bounding_box()
        assert box and 0 <= box["y"] < 500


@pytest.mark.parametrize(
    ("width", "pane", "text"),
    [(1440, 160, 240), (1200, 190, 270), (768, 240, 320), (360, 250, 330)],
)
def test_the_head_of_a_finished_run_leaves_the_window_to_its_answer(
    show: Show, width: int, pane: int, text: int
) -> None:
    page = show("rich", width, 900)
    assert top(page.locator("#fused-answer")) <= pane
    assert top(page.locator("[data-text=fused]")) <= text
    # What the line of steps says is read aloud, and not said twice to whoever sees it.
    status = page.locator("#run-status")
    expect(status).to_have_text("Done")
    assert (status.bounding_box() or {"width": 9})["width"] <= 1
    steps = page.locator(".phases li").evaluate_all("all => all.map(e => e.offsetTop)")
    assert width < 700 or len(set(steps)) == 1


@pytest.mark.parametrize(("width", "text"), [(1440, 250), (1024, 290), (360, 340)])
def test_the_head_of_a_run_under_way_leaves_the_window_to_its_answers(
    show: Show, width: int, text: int
) -> None:
    page = show("liveanswers", width, 900)
    assert top(page.locator(".seat-body").first) <= text
    # What the line of steps says is read aloud, and not said twice to whoever sees it.
    sentence = page.locator("#run-status [data-state]")
    expect(sentence).to_contain_text("Panel: ")
    assert (sentence.bounding_box() or {"width": 9})["width"] <= 1
    expect(page.locator(".run-grace")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 2560])
def test_no_name_is_cut_by_what_ends_its_answer(show: Show, width: int) -> None:
    page = show("liveanswers", width, 900)
    end = page.get_by_role("button", name="Stop D deepseek-v4-pro")
    expect(end).to_be_visible()
    name = page.locator("#seat-3-name")
    assert name.evaluate("e => e.scrollWidth <= e.clientWidth")
    boxes = [one.bounding_box() for one in (end, page.locator("#seat-3 [data-fold]"))]
    assert boxes[0] and boxes[1] and min(boxes[0]["width"], boxes[0]["height"]) >= 24
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"] + 1


def test_on_a_wide_window_a_seats_key_opens_its_answer_beside_the_result(show: Show) -> None:
    page = show("rich", 2560, 1440)
    text, map_ = page.locator("#fused-answer"), page.locator(".aside")
    before = text.bounding_box(), map_.bounding_box()
    page.keyboard.press("e")
    expect(page.locator("#seat-4 .seat-body")).to_be_focused()
    expect(page.locator("#run")).to_have_attribute("data-look", "result")
    assert (text.bounding_box(), map_.bounding_box()) == before
    page.set_viewport_size({"width": 1440, "height": 900})
    answers = page.locator(".answers").bounding_box()
    expect(page.locator(".outcome")).to_be_in_viewport()
    assert answers and answers["y"] > 800


def test_on_a_phone_a_long_prompt_is_folded_and_opens_where_it_stands(show: Show) -> None:
    page = show("long", 360, 780)
    prompt = page.get_by_role("heading", level=1)
    folded = prompt.evaluate("e => e.offsetHeight")
    page.get_by_text("Whole prompt").click()
    assert folded < 80 < prompt.evaluate("e => e.offsetHeight")
    assert prompt.evaluate("e => e.scrollHeight <= e.clientHeight + 1")
    wide = show("long", 1440, 900)
    expect(wide.get_by_text("Whole prompt")).to_be_hidden()


def tap(page: Page, locator: Locator) -> None:
    """Where it is: a click of a locator's own may scroll the page before."""
    box = locator.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def test_on_a_phone_a_part_that_is_left_and_come_back_to_is_scrolled_as_it_was(show: Show) -> None:
    page = show("rich", 360, 780)
    tab = page.locator(".rail a")
    page.evaluate("scrollTo({ top: 900, behavior: 'instant' })")
    tap(page, tab.nth(3))
    rail = page.locator(".rail").bounding_box()
    seat = page.locator("#seat-1").bounding_box()
    assert rail and seat and abs(rail["y"]) < 1 and 0 < seat["y"] - rail["height"] < 40
    tap(page, tab.nth(0))
    assert page.evaluate("scrollY") == 900


def test_on_a_phone_an_address_opens_the_part_that_it_names(show: Show) -> None:
    for query in ("/?look=answers#seat-2", "/?look=answers&part=seat-2"):
        page = show("rich", 360, 780, query=query)
        expect(page.locator("#seat-2")).to_be_visible()
        expect(page.locator(".fused")).to_be_hidden()
    bare = show("rich", 360, 780, java_script_enabled=False)
    for part in (".fused", ".aside", "#seat-4"):
        expect(bare.locator(part)).to_be_visible()


@pytest.mark.parametrize(
    ("name", "width", "is_first"),
    [
        ("rich", 1999, False),
        ("rich", 2030, True),
        ("rich", 2560, True),
        ("three", 2000, True),
        ("eight", 2560, False),
        ("eight", 2870, True),
    ],
)
def test_the_fused_answer_is_the_first_column_where_no_answer_folds_for_it(
    show: Show, name: str, width: int, is_first: bool
) -> None:
    page = show(f"{name}answers", width, 1200)
    columns = page.locator(".desk > .fused, .desk .seat:not(.is-spine)")
    ids = columns.evaluate_all("all => all.map(e => e.id)")
    assert ids[0] == ("fused-answer" if is_first else "seat-0")
    assert len(ids) == is_first + page.locator(".seat").count()
    widths = columns.evaluate_all("all => all.map(e => e.offsetWidth)")
    assert min(widths) >= 240 and (not is_first or widths[0] == max(widths))
    page.keyboard.press("0")
    look = "answers" if is_first else "result"
    expect(page.locator("#run")).to_have_attribute("data-look", look)
    expect(page.locator("#fused-answer")).to_be_focused()
    page.keyboard.press("2")
    assert page.locator(".outcome > :first-child").get_attribute("id") == "fused-answer"


def test_two_texts_are_pinned_and_shown_side_by_side(show: Show) -> None:
    page = show("eightanswers", 1440, 900)
    pinned = page.locator("[data-pinned]")
    page.locator("#seat-0 .seat-body").click()
    page.keyboard.press("p")
    expect(pinned).to_have_text("Pinned A 3")
    # Without a keyboard, too: in the menu beside its *Copy*.
    page.locator("#seat-1 [data-copy-as]").click()
    page.locator("#copy-menu").get_by_role("button", name="Pin").click()
    expect(pinned).to_have_text("Pinned A, B 3")
    page.locator("#seat-1 [data-copy-as]").click()
    page.locator("#copy-menu").get_by_role("button", name="Unpin").click()
    expect(pinned).to_have_text("Pinned A 3")
    page.locator("#seat-6 .seat-spine").click()
    page.locator("#seat-7 .seat-spine").click()
    page.locator("#seat-5 .seat-spine").click()
    assert "A" in shown(page)  # it was read longest ago, and is pinned
    page.keyboard.press("0")
    page.keyboard.press("p")
    expect(pinned).to_have_text("Pinned A, fused-1 3")
    assert (pinned.get_attribute("href") or "").endswith("/compare?left=A&right=fused-1")
    page.keyboard.press("p")
    expect(pinned).to_have_text("Pinned A 3")


@pytest.mark.parametrize("width", [360, 390])
def test_on_a_phone_what_can_be_done_stands_in_one_row_with_what_it_took(
    show: Show, width: int
) -> None:
    page = show("rich", width, 780)
    share, pinned = page.locator(".share > summary"), page.locator(".looks [data-pinned]")
    assert abs(top(share) - top(pinned)) <= 4
    assert abs(top(share) - top(page.locator(".phase-total"))) <= 12
    share.click()
    panel = page.locator(".share .menu-panel").bounding_box()
    assert panel and panel["x"] >= 0 and panel["x"] + panel["width"] <= width
    assert panel["y"] >= share.bounding_box()["y"] + 30  # type: ignore[index]


def test_on_a_phone_what_waits_to_be_fused_has_a_row_below_what_else_can_be_done(
    show: Show,
) -> None:
    page = show("waits", 360, 780)
    share, fuse = page.locator(".share > summary"), page.locator("#fuse-these button")
    assert abs(top(share) - top(page.locator(".looks [data-pinned]"))) <= 4
    assert top(share) + 30 < top(fuse) < 220 and top(page.locator("#phases")) < 150
    assert (fuse.bounding_box() or {"width": 0})["width"] > 300


def test_on_a_phone_pinned_comes_as_a_run_that_is_compared_first_ends(show: Show) -> None:
    page = show("waits", 360, 780)
    # As the page is that was open while it ran.
    page.locator("#run").evaluate(
        "e => { e.removeAttribute('data-ended'); e.dataset.live = 'yes' }"
    )
    share, pinned = page.locator(".share > summary"), page.locator(".looks [data-pinned]")
    fuse = page.locator("#fuse-these button")
    boxes = [box for one in (share, fuse, pinned) if (box := one.bounding_box())]
    assert len({round(box["y"] + box["height"] / 2) for box in boxes}) == 1 and len(boxes) == 3
    assert boxes[-1]["x"] + boxes[-1]["width"] <= 360 - 15
    expect(pinned).to_have_accessible_name(re.compile("^Pinned"))


@pytest.mark.parametrize("width", [360, 390])
def test_on_a_phone_what_a_run_took_and_cost_is_read_whole(show: Show, width: int) -> None:
    page = show("rich", width, 780)
    total = page.locator(".phases .phase-total")
    for words in ("53.5 s", "1 min 43 s · $0.006", "1 h 12 min · ≈ $1,204.0033"):
        total.locator(".phase-figures").evaluate("(e, words) => { e.textContent = words }", words)
        assert total.evaluate("e => e.scrollWidth <= e.clientWidth"), words


# What is drawn smaller than a thumb and is not touched beside itself, either.
TOO_SMALL = """() => Array.from(document.querySelectorAll(
  "button, .button, select, .menu > summary, .looks a, .site-header nav a, .rail a, " +
  ".ruling-choice, .map-filters label, .map-letter input, .claim-quotes > summary, " +
  ".fusion-tabs ol a, a.quote, .again-more > summary, .again-kept > summary, .prompt-switch"))
  .filter(e => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .map(e => {
    const beside = getComputedStyle(e, "::after");
    const more = beside.position === "absolute" ? parseFloat(beside.top) * 2 : 0;
    const high = e.getBoundingClientRect().height - Math.min(0, more || 0);
    return [e.textContent.trim().slice(0, 20), e.className, Math.round(high * 10) / 10];
  })
  .filter(([, , high]) => high < 40)"""


@pytest.mark.parametrize("name", ["rich", "eight", "live"])
def test_what_a_thumb_touches_is_forty_pixels_high(show: Show, name: str) -> None:
    page = show(name, 360, 780, has_touch=True, is_mobile=True)
    for part in ("fused-answer", "analysis", "seat-0", "receipt"):
        tab = page.locator(f".rail [data-part={part}]")
        tab.click()
        expect(tab).to_have_attribute("aria-current", "true")
        assert page.evaluate(TOO_SMALL) == [], part
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, part
