"""The agreement map: stances as figures, where the fused answer says a claim, filters, rulings, and
the card of a mark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.plugin import DjangoDbBlocker

from tests.layout.conftest import Show
from tests.layout.rich import rich
from tests.layout.test_passage import PLACES
from tests.stack import until

pytestmark = pytest.mark.browser

AT_THE_MAP = "/?look=result&part=analysis"  # on a phone one part is shown at a time


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    with django_db_blocker.unblock():
        alice = User.objects.create_user("alice-of-maps")
        bob = User.objects.create_user("bob-of-maps")
        client = Client()
        run = rich().save(alice, visibility="team")
        eight = rich(8)
        of_one = {"on": 1, "claim": "consensus-1", "verdict": "wrong", "note": "Two offers are in."}
        about = {"text": "The rack has to be changed by about 2031 in any case", "stances": []}
        fact = "The bank offers the loan at 1.4 % until the end of the year, as its letter says."
        eight.state.fusions[1].wish = {"on": 1, "rulings": [of_one | about], "facts": [fact]}
        ruled = eight.save(alice)
        client.force_login(bob)
        html = {"read": client.get(f"/fusion/runs/{run.pk}").content.decode()}
        client.force_login(alice)
        html["rich"] = client.get(f"/fusion/runs/{run.pk}").content.decode()
        html["eight"] = client.get(f"/fusion/runs/{ruled.pk}").content.decode()
    yield html
    with django_db_blocker.unblock():
        client.logout()
        run.delete()
        ruled.delete()
        User.objects.filter(username__endswith="-of-maps").delete()


def test_only_its_owner_rules_in_the_map(pages: dict[str, str]) -> None:
    assert 'name="verdict-consensus-1"' in pages["rich"]
    assert 'name="verdict-' not in pages["read"] and "note-consensus" not in pages["read"]


def claims(page: Page) -> list[str]:
    said: list[str] = page.locator("#analysis .claim:visible .claim-says th").all_inner_texts()
    return said


def lit(page: Page, name: str = "sentence") -> list[str]:
    said: list[str] = page.evaluate(
        "name => [...(CSS.highlights.get(name) ?? [])].map(r => String(r).replace(/\\s+/g, ' '))",
        name,
    )
    return said


def test_three_stances_look_like_three_and_the_letter_is_not_needed(show: Show) -> None:
    page = show("rich", 1440, 900)
    cells = page.locator(".claim", has_text="What to do now").locator(".mark .figure")
    assert cells.all_inner_texts() == ["1", "2", "1", "3", "2"]
    shapes = cells.evaluate_all(
        """all => all.map(one => {
          const { borderRadius, transform } = getComputedStyle(one, "::before");
          return [borderRadius, transform !== "none"].join();
        })"""
    )
    assert shapes == ["50%,false", "2px,false", "50%,false", "2px,true", "2px,false"]


SHOWN = {
    "contradictions": ["What to do now"],
    "unique_insights": ["Eleven of sixteen refills went into circuit 2"],
    "unverified": ["Eleven of sixteen refills went into circuit 2"],
    "writer": ["You would pay twice within seven years."],
    "blind_spots": ["Who services the plant during the change"],
    "seat-4": ["What to do now", "R-404A has no future after 2029", "Downtime is four days"],
}


def test_a_filter_shows_its_claims_with_their_heads_and_stands_in_the_address(show: Show) -> None:
    page = show("rich", 1440, 900)
    assert len(claims(page)) == 7
    for value, shown in SHOWN.items():
        page.locator(f".mapped input[value='{value}']").check()
        assert [" ".join(said.split()) for said in claims(page)] == shown
        heads = page.locator("#analysis .map-part:visible")
        assert 1 <= heads.count() <= len(shown), value
        assert page.url.endswith(f"?show={value}")
    page.locator(".mapped input[value=all]").check()
    assert len(claims(page)) == 7 and "show=" not in page.url


@pytest.mark.parametrize("value", SHOWN)
def test_an_address_with_a_filter_opens_the_map_with_it(show: Show, value: str) -> None:
    page = show("rich", 1440, 900, f"/?show={value}")
    assert len(claims(page)) == len(SHOWN[value])
    page.locator(".mapped input[value=all]").check()
    assert len(claims(page)) == 7 and "show=" not in page.url


def test_filters_work_without_javascript_and_none_leaves_nothing(show: Show) -> None:
    page = show("rich", 1440, 900, java_script_enabled=False)
    page.locator(".map-filters input[value=contradictions]").check()
    assert claims(page) == ["What to do now"]
    labels = page.locator(".map-filters label").all_inner_texts()
    assert labels[0] == "All 6" and not any(label.endswith(" 0") for label in labels)


def test_all_filters_and_every_claim_are_one_stop_each(show: Show) -> None:
    page = show("rich", 1440, 900)
    page.locator(".map-filters input").first.focus()
    stops = []
    for _ in range(8):
        page.keyboard.press("Tab")
        stops.append(page.evaluate("document.activeElement.closest('.claim')?.dataset.claim ?? ''"))
    assert stops[:5] == [
        "contradictions-1",
        "consensus-1",
        "consensus-2",
        "partial_coverage-1",
        "unique_insights-1",
    ]


def test_arrows_go_within_a_claim_and_rule_nothing(show: Show) -> None:
    page = show("rich", 1440, 900)
    page.keyboard.press("j")
    page.keyboard.press("j")
    names = []
    for _ in range(5):
        page.keyboard.press("ArrowRight")
        names.append(
            page.evaluate("document.activeElement.value ?? document.activeElement.className")
        )
    assert names[:4] == ["use", "right", "wrong", "on"]
    assert (
        page.locator("#analysis .ruling-choice [type=radio]:checked:not([value=''])").count() == 0
    )
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Space")
    assert page.locator("[name='verdict-consensus-1']:checked").get_attribute("value") == "wrong"
    page.keyboard.press("ArrowDown")
    expect(page.locator("#analysis .claim-says:focus")).to_contain_text("R-404A has no future")


def test_a_ruling_its_note_and_its_taking_back_are_fields_of_the_form(show: Show) -> None:
    page = show("rich", 1440, 900)
    dispute = page.locator(".claim", has_text="What to do now")
    values = dispute.locator("[type=radio]").evaluate_all("all => all.map(one => one.value)")
    assert sorted(values) == ["", "none", "stance-1", "stance-2", "stance-3"]
    note = dispute.locator("[name='note-contradictions-1']")
    expect(note).to_be_hidden()
    dispute.locator("[value='stance-1']").check()
    note.fill("Our lease runs until 2034.")
    owners = dispute.locator("[form]").evaluate_all(
        "all => all.map(one => one.getAttribute('form'))"
    )
    assert set(owners) == {"again-form"}
    dispute.locator("[data-ruling=''] input").check()
    note.fill("")
    expect(dispute.locator("[data-ruling='']")).to_be_hidden()


def test_what_was_ruled_on_an_earlier_fusion_stands_there_with_its_note(show: Show) -> None:
    page = show("eight", 1440, 900)
    claim = page.locator(".claim", has_text="The rack has to be changed")
    expect(claim.locator("[value=wrong]")).to_be_checked()
    expect(claim.locator("[name='note-consensus-1']")).to_have_value("Two offers are in.")
    expect(claim.locator(".ruling-on")).to_have_text("you ruled on fusion 1")
    assert page.locator(".ruling-on").count() == 1


def test_what_is_kept_is_no_news_and_folded_it_leaves_the_map_its_room(show: Show) -> None:
    page = show("eight", 1440, 900)
    label = page.locator("#again-label")
    expect(label).to_have_text("Fuse again")
    foot, map_ = (page.locator(name).bounding_box() for name in ("#again", ".aside"))
    assert foot and map_ and foot["height"] < 0.27 * map_["height"]
    kept = page.locator(".again-kept")
    kept.get_by_text("Keeps 1 ruling and 1 fact").click()
    expect(kept.get_by_role("checkbox")).to_have_count(1)  # the ruling stands in the map
    expect(kept.get_by_role("checkbox")).to_be_in_viewport()
    page.locator("#analysis [name='verdict-consensus-2'][value='wrong']").evaluate("e => e.click()")
    expect(label).to_have_text("Fuse again with 2 rulings and 1 fact")
    kept.get_by_role("checkbox").uncheck()
    expect(label).to_have_text("Fuse again with 2 rulings")


def test_a_copy_below_a_claim_says_what_it_copies(show: Show) -> None:
    page = show("rich", 1440, 900)
    dispute = page.locator(".claim", has_text="What to do now")
    expect(dispute.get_by_role("button", name="Copy contradiction")).to_be_visible()
    page.locator(".claim", has_text="no future after").locator("summary").click()
    expect(page.get_by_role("button", name="Copy claim").first).to_be_visible()


def test_two_quotes_of_one_seat_stand_in_the_map_both(show: Show) -> None:
    page = show("rich", 1440, 900)
    third = page.locator(".stances li[data-stance='3'] .evidence > li[data-seat='3']")
    expect(third).to_have_count(2)
    expect(third.first).to_be_visible()
    expect(third.last).to_be_visible()


@pytest.mark.parametrize("width", [360, 800, 1440])
def test_a_mark_that_names_no_answer_says_in_words_what_it_is_when_it_is_pressed(
    show: Show, width: int
) -> None:
    page = show("rich", width, 800, has_touch=True)
    mark, card = page.locator(".fused .source-own").first, page.locator("#quote-card")
    mark.scroll_into_view_if_needed()
    mark.tap()
    expect(card).to_be_visible()
    expect(card).to_contain_text("No answer says this")
    box = card.bounding_box()
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= width
    page.locator(".fused h3").first.tap()
    expect(card).to_be_hidden()
    mark.press("Enter")
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()


@pytest.mark.parametrize("width", [360, 768, 1440, 2560])
def test_evidence_and_stances_use_the_whole_width_below_their_claim(show: Show, width: int) -> None:
    page = show("rich", width, 900, AT_THE_MAP)
    claim = page.locator(".claim", has_text="What to do now")
    box, stances, row = (
        claim.locator(part).first.bounding_box()
        for part in (".claim-more", ".stances", ".evidence")
    )
    assert box and stances and row
    assert stances["width"] > 0.85 * box["width"] and row["width"] > 0.85 * box["width"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert claim.locator(".claim-says").bounding_box()["y"] < row["y"]  # type: ignore[index]


@pytest.mark.parametrize("width", [360, 1440])
def test_where_the_answer_says_a_claim_is_shown_and_back_leads_to_where_one_was(
    show: Show, width: int
) -> None:
    page = show("rich", width, 900, AT_THE_MAP)
    use = page.locator(".claim", has_text="What to do now").locator(".use").first
    if width > 1000:
        page.locator(".fused").evaluate("e => { e.scrollTop = e.scrollHeight }")
    use.scroll_into_view_if_needed()
    before = page.evaluate(PLACES)
    use.click()
    assert lit(page)[0].startswith("Replace the rack with transcritical CO2")
    in_view = page.evaluate(
        """() => {
          const [range] = CSS.highlights.get("sentence");
          const { top, bottom } = range.getBoundingClientRect();
          return top >= 0 && bottom <= innerHeight;
        }"""
    )
    assert in_view and page.evaluate(PLACES) != before
    page.go_back()
    expect(use).to_be_focused()
    assert page.evaluate(PLACES) == before


def test_what_a_jump_brings_under_the_pointer_does_not_take_the_light(show: Show) -> None:
    page = show("rich", 360, 900, AT_THE_MAP)
    use = page.locator(".claim", has_text="What to do now").locator(".use").first
    use.focus()
    page.keyboard.press("Enter")
    asked = lit(page)
    mark = page.locator(".fused p", has_text="Topping up").locator(".source").last.bounding_box()
    assert mark is not None and mark["y"] < 800, "in view, and of another sentence"
    page.go_back()
    expect(use).to_be_focused()
    page.mouse.move(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
    page.keyboard.press("Enter")
    expect(page.locator(".fused .source:hover")).to_have_count(1)
    assert lit(page) == asked
    page.mouse.move(mark["x"] + mark["width"] / 2 + 2, mark["y"] + mark["height"] / 2)
    assert lit(page) != asked, "it is pointed at now"


def test_a_claims_passage_and_back_are_two_actions_and_nothing_else_moves(show: Show) -> None:
    page = show("rich", 1440, 900)
    page.keyboard.press("j")
    page.locator(".fused").evaluate("e => { e.scrollTop = 40 }")
    before = page.evaluate(PLACES)
    page.keyboard.press("Enter")
    expect(page.locator("#passage")).to_be_visible()
    assert page.evaluate(PLACES) == before
    assert any("Replace the rack" in said for said in lit(page))
    page.keyboard.press("Escape")
    expect(page.locator("#passage")).to_be_hidden()
    assert page.evaluate(PLACES) == before
    expect(page.locator("#analysis .claim-says:focus")).to_contain_text("What to do now")


def hover(page: Page, mark: Any) -> None:
    mark.hover()
    expect(page.locator("#quote-card")).to_be_visible()


@pytest.mark.parametrize("width", [1200, 1440, 2560])
def test_a_mark_under_the_pointer_has_a_card_in_the_margin_that_covers_nothing(
    show: Show, width: int
) -> None:
    page = show("rich", width, 900)
    before = page.evaluate(PLACES)
    hover(page, page.locator(".fused .source", has_text="C").first)
    card = page.locator("#quote-card")
    expect(card).to_contain_text("gemini-3.1-pro")
    expect(card).to_contain_text("The same article bars new gas above 750.")
    expect(card).to_contain_text("B E: Retrofit, replace in 2031.")
    assert lit(page) == ["Replace the rack with transcritical CO2, and order it before the summer"]
    expect(page.locator(".claim.is-near")).to_contain_text("What to do now")
    box, text, map_ = (
        page.locator(name).first.bounding_box()
        for name in ("#quote-card", ".fused .reading p", ".aside")
    )
    marks = page.locator(".fused .source").evaluate_all(
        "all => Math.max(...all.map(one => one.getBoundingClientRect().right))"
    )
    assert box and text and map_
    assert box["x"] >= marks and box["x"] + box["width"] <= map_["x"]
    assert page.evaluate(PLACES) == before
    page.mouse.move(5, 5)
    expect(card).to_be_hidden()
    assert lit(page) == []


@pytest.mark.parametrize("width", [701, 768, 1000, 1001, 1199])
@pytest.mark.parametrize("high", [900, 420])
def test_where_there_is_no_margin_the_card_covers_no_mark_and_not_the_line_it_speaks_of(
    show: Show, width: int, high: int
) -> None:
    page = show("rich", width, high)
    mark = page.locator(".fused .source", has_text="C").first
    mark.scroll_into_view_if_needed()
    before = page.evaluate(PLACES)
    hover(page, mark)
    card, at = page.locator("#quote-card").bounding_box(), mark.bounding_box()
    assert card and at
    assert card["x"] >= 0 and card["x"] + card["width"] <= width
    assert (
        card["y"] >= at["y"] + at["height"]
        or card["y"] + card["height"] <= at["y"]
        or card["x"] >= at["x"] + at["width"]
    )
    assert page.evaluate(PLACES) == before
    page.mouse.move(5, 5)
    expect(page.locator("#quote-card")).to_be_hidden()


@pytest.mark.parametrize(
    ("mark", "says"),
    [(".source-own", "No answer says this"), ("[data-seat='4']", "Not linked to a claim")],
)
def test_a_card_says_so_where_there_is_no_quote(show: Show, mark: str, says: str) -> None:
    page = show("rich", 1440, 900)
    hover(page, page.locator(".fused [data-text]").locator(mark).first)
    expect(page.locator("#quote-card")).to_contain_text(says)


def test_the_card_comes_by_the_keyboard_too_and_goes_by_escape(show: Show) -> None:
    page = show("rich", 1440, 900)
    page.locator(".fused .source").nth(1).focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#quote-card")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#quote-card")).to_be_hidden()


def test_consensus_says_among_how_many_families(show: Show) -> None:
    page = show("rich", 1440, 900)
    claim = page.locator(".claim", has_text="The rack has to be changed")
    expect(claim.locator(".claim-families")).to_have_text("among 4 families")


RATIOS = """all => all.map(one => {
  const luminance = (css) => {
    const parts = css.match(/[\\d.]+/g).map(Number);
    const rgb = css.startsWith("color(") ? parts.slice(0, 3) : parts.slice(0, 3).map(n => n / 255);
    const [r, g, b] = rgb.map(n => n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const { color, backgroundColor } = getComputedStyle(one);
  if (/\\/ 0|, 0\\)$/.test(backgroundColor)) return 0;  // of what lies behind it nothing is known
  const [a, b] = [luminance(color), luminance(backgroundColor)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
})"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_are_read_on_their_own_ground(show: Show, scheme: str) -> None:
    page = show("eight", 1440, 900, color_scheme=scheme)
    for letters in (".map .chip", ".rail .chip", ".fused .source"):
        ratios = page.locator(letters).evaluate_all(RATIOS)
        assert len(ratios) >= 8 and min(ratios) >= 4.5, letters


ROW = "row => [row.scrollLeft, row.scrollWidth - row.clientWidth]"


@pytest.mark.parametrize("width", [1200, 1440, 2560])
def test_beside_the_text_no_filter_is_cut(show: Show, width: int) -> None:
    row = show("rich", width, 900, AT_THE_MAP).locator(".map-filters")
    assert row.locator("label").count() == 8
    assert row.evaluate(
        """row => [...row.children].every((one) => {
          const [box, room] = [one.getBoundingClientRect(), row.getBoundingClientRect()];
          return box.left >= room.left && box.right <= room.right && box.bottom <= room.bottom;
        }) && getComputedStyle(row).maskImage === 'none'"""
    )


@pytest.mark.parametrize("width", [720, 360])
def test_filters_that_do_not_fit_are_announced_and_reached_by_wheel_and_click(
    show: Show, width: int
) -> None:
    page = show("rich", width, 900, AT_THE_MAP)
    row = page.locator(".map-filters")
    at, room = row.evaluate(ROW)
    assert at == 0 and room > 20
    cut = "row => getComputedStyle(row).getPropertyValue('--cut-after')"
    assert row.evaluate(cut) not in ("0px", "")  # it fades where it goes on
    labels = row.locator("label")
    for place in range(labels.count()):
        labels.nth(place).locator("input").evaluate("field => field.click()")
    at, room = row.evaluate(ROW)
    assert at == pytest.approx(room, abs=2)
    assert row.evaluate(cut) == "0px"
    row.hover()
    page.mouse.wheel(0, -2000)
    until(lambda: page.evaluate("document.querySelector('.map-filters').scrollLeft === 0"))


COVERED = """what => {
  const boxOf = (element) => element.getBoundingClientRect();
  const claim = boxOf(document.querySelector(what));
  const letters = boxOf(document.querySelector('.map thead th'));
  const foot = boxOf(document.querySelector('.again-foot'));
  const fits = claim.height < foot.top - letters.bottom - 16;
  return Math.max(letters.bottom - claim.top, fits ? claim.bottom - foot.top : 0);
}"""
AT = ".claim:has(.claim-says:focus)"


def test_the_next_claim_stands_whole_between_letters_and_foot_and_so_does_its_note(
    show: Show,
) -> None:
    page = show("rich", 1440, 800)
    for _ in claims(page):
        page.keyboard.press("j")
        assert page.evaluate(COVERED, AT) < 1
        if (right := page.locator(f"{AT} .ruling [data-ruling=right] input")).count():
            right.evaluate("field => field.click()")
            page.locator(f"{AT} .ruling-note").wait_for()
            assert page.evaluate(COVERED, f"{AT} .ruling-note") < 1
    expect(page.locator("#again-label")).to_have_text("Fuse again with 5 rulings")
    # With a passage open the row is lit, and is in view as well; back leads to where one was.
    page.keyboard.press("j")
    where = "document.querySelector('.aside').scrollTop"
    before = page.evaluate(where)
    page.keyboard.press("Enter")
    for _ in claims(page):
        page.keyboard.press("j")
        assert page.evaluate(COVERED, ".claim.is-lit") < 1
    page.keyboard.press("k")
    assert page.evaluate(where) > before
    page.keyboard.press("Escape")
    expect(page.locator("#passage")).to_be_hidden()
    assert page.evaluate(where) == before
