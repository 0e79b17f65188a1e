"""From a claim to its words and back, and nothing else has moved."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.layout.conftest import Render, Show
from tests.layout.rich import SAYS, rich
from tests.stack import until

pytestmark = pytest.mark.browser

# Where everything is, and how far each part has been scrolled.
PLACES = """() => [scrollY, ...[".fused", ".aside", ".seat-body"].flatMap(s =>
  [...document.querySelectorAll(s)].flatMap(e => {
    const box = e.getBoundingClientRect();
    return [e.scrollTop, box.left, box.top, box.width, box.height];
  }))]"""
LIT = "[...(CSS.highlights.get('evidence') ?? [])].map(String).join()"


@pytest.fixture(scope="module")
def pages(render: Render) -> dict[str, str]:
    return render(rich=rich())


def test_there_is_a_page_to_show(pages: dict[str, str]) -> None:
    assert 'id="passage"' in pages["rich"]


def places(page: Page) -> Any:
    return page.evaluate(PLACES)


def settled(page: Page) -> Page:
    page.locator(".fused").evaluate("e => { e.scrollTop = 40 }")
    page.locator(".aside").evaluate("e => { e.scrollTop = 30 }")
    return page


@pytest.mark.parametrize("width", [360, 768, 1100, 1280, 1440, 2560])
def test_a_claims_passage_opens_and_closes_and_nothing_else_moves(show: Show, width: int) -> None:
    page = settled(show("rich", width, 900))
    if width == 360:
        page.locator(".rail [data-part=analysis]").click()
    link = page.locator("#analysis .stances a.quote", has_text=SAYS[1])
    link.scroll_into_view_if_needed()
    if width <= 1000:  # where the sheet from below does not come to lie on it
        link.evaluate("e => scrollBy(0, e.getBoundingClientRect().bottom - 430)")
    before = places(page)
    link.click()
    passage = page.get_by_role("region", name="gpt-5.5")
    expect(passage).to_be_visible()
    expect(passage).to_contain_text("What to do now: Retrofit, replace in 2031.")
    assert page.evaluate(LIT) == SAYS[1].rstrip(".")
    lit = page.evaluate(
        """() => {
          const [range] = CSS.highlights.get("evidence");
          const box = range.getBoundingClientRect();
          return [box.top, box.bottom];
        }"""
    )
    body = passage.locator(".passage-body").bounding_box()
    assert body and body["y"] <= lit[0] and lit[1] <= body["y"] + body["height"]
    assert places(page) == before
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.keyboard.press("Escape")
    expect(passage).to_be_hidden()
    assert places(page) == before
    expect(link).to_be_focused()


@pytest.mark.parametrize(
    ("width", "covered"), [(1100, ".aside"), (1200, ""), (1440, ""), (2560, "")]
)
def test_the_passage_stands_in_the_margin_and_over_the_map_only_where_there_is_none(
    show: Show, width: int, covered: str
) -> None:
    page = show("rich", width, 900)
    page.locator("#analysis .stances a.quote").first.click()
    box = page.locator("#passage").bounding_box()
    text = page.locator(".fused .reading p").first.bounding_box()
    map_ = page.locator(".aside").bounding_box()
    assert box and text and map_ and box["width"] >= 270
    assert box["x"] >= text["x"] + text["width"]
    assert (box["x"] + box["width"] <= map_["x"]) is (not covered)


def test_the_browsers_back_closes_a_passage_and_leaves_the_page_as_it_was(show: Show) -> None:
    page = settled(show("rich", 1440, 900))
    page.locator("#analysis .stances a.quote").first.hover()  # it may be scrolled to for that
    before = places(page)
    address = page.url
    page.locator("#analysis .stances a.quote").first.click()
    page.keyboard.press("j")
    expect(page.locator("#passage")).to_be_visible()
    page.go_back()
    expect(page.locator("#passage")).to_be_hidden()
    assert page.url == address
    assert places(page) == before


def test_keys_go_from_claim_to_claim(show: Show) -> None:
    page = show("rich", 1440, 900)
    said = page.locator(".passage-of")
    steps = (
        ("j", "What to do now"),
        ("j", "The rack has to be changed"),
        ("j", "R-404A has no future"),
        ("k", "The rack has to be changed"),
    )
    for key, claim in steps:
        page.keyboard.press(key)
        expect(page.locator("#analysis .claim-says:focus")).to_contain_text(claim)
    expect(page.locator("#passage")).to_be_hidden()
    page.keyboard.press("Enter")
    # With a passage open they go from passage to passage.
    for key, claim in (("", "The rack"), ("j", "R-404A has no future"), ("k", "The rack")):
        if key:
            page.keyboard.press(key)
        expect(said).to_contain_text(claim)
        expect(page.locator("#analysis .claim.is-lit")).to_contain_text(claim)
    page.keyboard.press("Escape")
    expect(page.locator("#analysis .claim-says:focus")).to_contain_text(
        "The rack has to be changed"
    )


def test_a_mark_opens_the_quote_of_its_sentences_claim_or_says_that_none_is_linked(
    show: Show,
) -> None:
    page = show("rich", 1440, 900)
    retrofit = page.locator(".fused p", has_text="The retrofit looks")
    retrofit.locator(".source", has_text="C").first.click()
    assert page.evaluate(LIT) == SAYS[2].rstrip(".")  # "... when new gas above 750 is barred"
    page.keyboard.press("Escape")
    expect(page.locator("#passage")).to_be_hidden()
    page.locator(".fused .source").first.click()
    assert page.evaluate(LIT) == SAYS[0].rstrip(".")
    expect(page.locator(".passage-of")).to_have_text("What to do now: Replace with CO2 now.")
    expect(page.locator(".passage-against")).to_contain_text("B E: Retrofit, replace in 2031.")
    page.keyboard.press("Escape")
    page.locator(".fused p", has_text="Point 3").locator(".source", has_text="E").click()
    expect(page.locator(".passage-found")).to_contain_text("Not linked to a claim")


@pytest.mark.parametrize("width", [768, 1100, 1440, 2560])
def test_marks_stand_in_the_margin_at_their_line_and_never_over_one_another(
    show: Show, width: int
) -> None:
    page = show("rich", width, 900)
    until(lambda: page.evaluate("document.querySelector('.fused .source').style.length > 0"))
    boxes = page.locator(".fused .source").evaluate_all(
        """all => all.map(mark => {
          const box = mark.getBoundingClientRect();
          const text = mark.closest("p").getBoundingClientRect();
          return [box.left, box.right, box.top, box.bottom, text.right, text.top, text.bottom];
        })"""
    )
    assert len(boxes) > 40
    for left, _, top, bottom, edge, first, last in boxes:
        # Two rows of marks beside one line are a little higher than it: their middles lie in it.
        assert left >= edge and first <= (top + bottom) / 2 <= last
    for one, two in zip(boxes, boxes[1:], strict=False):
        assert one[1] <= two[0] + 1 or one[3] <= two[2] + 1 or two[3] <= one[2] + 1
    fused = page.locator(".fused").bounding_box()
    assert fused and max(box[1] for box in boxes) <= fused["x"] + fused["width"]


@pytest.mark.parametrize("down", [700, 430, 200])
def test_on_a_phone_a_mark_that_was_touched_stays_in_view_above_its_passage(
    show: Show, down: int
) -> None:
    page = show("rich", 360, 780)
    mark = page.locator(".fused .source[data-seat]").first
    mark.evaluate("(e, down) => scrollBy(0, e.getBoundingClientRect().bottom - down)", down)
    before = page.evaluate("scrollY")
    mark.click()
    pane, at = page.locator("#passage").bounding_box(), mark.bounding_box()
    assert pane and at and at["y"] >= 0 and at["y"] + at["height"] <= pane["y"] + 1
    page.locator("[data-passage-back]").click()
    expect(page.locator("#passage")).to_be_hidden()
    until(lambda: page.evaluate(f"scrollY === {before}"))


@pytest.mark.parametrize("width", [360, 768])
def test_the_last_claim_that_was_touched_stays_in_view_above_its_passage(
    show: Show, width: int
) -> None:
    page = show("rich", width, 780)
    if width == 360:
        page.locator(".rail [data-part=analysis]").click()
    claim = page.locator("#analysis .claim-says:has(.mark:not([data-mark=silent]))").last
    claim.evaluate("e => scrollBy(0, e.getBoundingClientRect().bottom - 740)")
    before = page.evaluate("scrollY")
    claim.locator("th").click()
    pane, at = page.locator("#passage").bounding_box(), claim.bounding_box()
    assert pane and at and at["y"] >= 0 and at["y"] + at["height"] <= pane["y"] + 1
    page.keyboard.press("Escape")
    expect(page.locator("#passage")).to_be_hidden()
    until(lambda: page.evaluate(f"scrollY === {before}"))
