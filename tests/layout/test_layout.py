"""How pages lie at the widths that people have: what Django renders, shown by a real Chromium
without a server behind it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Locator, Page, expect
from pytest_django.plugin import DjangoDbBlocker

from tests.console.story import ANALYSIS, Story, a_spec
from tests.layout.conftest import Show, at_each_width

pytestmark = pytest.mark.browser

LONG = "A paragraph that is long enough to wrap in every column, with a_very_long_word_" + "x" * 90
TABLE = "| a | b | c |\n|---|---|---|\n| 1 | 2 | 3 |"
RICH = f"## A heading\n\n{LONG}\n\n{TABLE}\n\n```\n{'code ' * 60}\n```\n"
FIGURES = "| Quarter | Cost in euro | Months | Risk |\n|---|--:|--:|---|\n| third<br>of 2026 "
FIGURES += "| 1,234,567.89 | 48,000 | moderate |\n"
ARABIC = "مرحبا بالعالم"
MIXED = f"{ARABIC}\n\nEnglish, too.\n\n10. {ARABIC}\n\n```\nasync () => {{}}\n```\n\n{FIGURES}"
OPPOSED = ANALYSIS | {
    "contradictions": [
        {
            "topic": "This year?",
            "stances": [
                {
                    "seats": [0, 1, 2],
                    "stance": "Yes, in two steps, the first before summer.",
                },
                {
                    "seats": [3, 4, 5],
                    "stance": "No: nobody has the time before next winter.",
                },
            ],
        }
    ]
}
PAGES = ("/fusion", "/fusion/runs", "/fusion/tokens")


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    """Address -> HTML."""
    with django_db_blocker.unblock():
        alice = User.objects.create_user("alice-of-layout")
        story = Story().begin().answer(0, RICH).answer(1, "Short.").answer(2, RICH).judge()
        run = story.analyse().synthesise(RICH).complete().save(alice)
        client = Client()
        client.force_login(alice)
        runs = {"run": run, "six": six_seats().save(alice), "alone": alone().save(alice)}
        html = {a: client.get(a).content.decode() for a in PAGES}
        for name, one in runs.items():
            html[name] = client.get(f"/fusion/runs/{one.pk}").content.decode()
    yield html
    with django_db_blocker.unblock():
        client.logout()
        for one in runs.values():
            one.delete()
        alice.delete()


def six_seats() -> Story:
    story = Story(a_spec(*(f"maker/{letter}" for letter in "abcdef"))).begin()
    for seat in range(6):
        story.answer(seat, MIXED if seat == 0 else "Short.")
    return story.judge().analyse(OPPOSED).synthesise(f"Wet [^A], so.\n\n{MIXED}").complete()


def alone() -> Story:
    story = Story(a_spec("maker/a")).begin().answer(0, "Many words. " * 60)
    return story.judge().synthesise("Short.").complete()


def test_there_are_pages_to_show(pages: dict[str, str]) -> None:
    assert all("<main" in html for html in pages.values())


@pytest.mark.parametrize("name", [*PAGES, "run", "six", "alone"])
def test_nothing_is_wider_than_the_window(show: Show, name: str) -> None:
    widths = "[document.scrollingElement.scrollWidth, document.documentElement.clientWidth]"
    for page in at_each_width(show, name, [360, 768, 1440, 2560]):
        whole, window = page.evaluate(widths)
        assert whole <= window


def test_on_a_phone_the_fused_answer_comes_first_and_one_answer_at_a_time(show: Show) -> None:
    page = show("run", 360)
    expect(page.get_by_role("region", name="Fused answer")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(0)
    page.locator(".rail [data-part=seat-1]").click()
    expect(page.get_by_role("article")).to_have_count(1)
    expect(page.get_by_role("article", name="beta")).to_be_visible()
    expect(page.get_by_role("region", name="Fused answer")).to_be_hidden()


# How often a word or figure in a cell is broken over lines.
BROKEN = """cell => {
  const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
  let broken = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    for (const word of node.data.matchAll(/\\S+/g)) {
      const range = new Range();
      range.setStart(node, word.index);
      range.setEnd(node, word.index + word[0].length);
      broken += range.getClientRects().length - 1;
    }
  return broken;
}"""


def test_words_and_figures_in_tables_stay_whole_and_the_table_scrolls(show: Show) -> None:
    page = show("six", 360)
    page.locator(".rail [data-part=seat-0]").click()
    table = page.locator("#seat-0 .reading table")
    cells = table.locator("th, td").all()
    assert len(cells) == 8 and not any(cell.evaluate(BROKEN) for cell in cells)
    assert table.evaluate("table => table.scrollWidth > table.clientWidth")
    expect(table).to_have_attribute("tabindex", "0")


def test_every_block_runs_its_own_way_and_code_always_one(show: Show) -> None:
    reading = show("six", 1440).locator("#seat-0 .reading[data-text]")
    direction = "element => getComputedStyle(element).direction"
    paragraphs = [p.evaluate(direction) for p in reading.locator("p").all()]
    assert paragraphs == ["rtl", "ltr"]
    assert reading.locator("ol").evaluate(direction) == "rtl"
    assert reading.locator("pre").evaluate(direction) == "ltr"
    room = "list => parseFloat(getComputedStyle(list).paddingRight)"
    assert reading.locator("ol").evaluate(room) >= 24


def test_what_a_contradiction_rests_on_uses_the_width_of_a_phone(show: Show) -> None:
    page = show("six", 360)
    page.locator(".rail [data-part=analysis]").click()
    card, stances = (page.locator(s).bounding_box() for s in ("#analysis", "#analysis .stances"))
    assert card and stances and stances["width"] > 0.8 * card["width"]
    assert stances["x"] + stances["width"] <= card["x"] + card["width"]


def test_one_answer_alone_has_lines_that_can_be_read(show: Show) -> None:
    page = show("alone", 1440)
    seat, text = (page.locator(s).bounding_box() for s in ("#seat-0", "#seat-0 .reading p"))
    assert seat and text and text["width"] < 720 < seat["width"]


def test_every_mark_is_drawn_where_colours_are_forced(show: Show) -> None:
    page = show("six", 1440, forced_colors="active")
    drawn = """all => all.map(mark => {
      const style = getComputedStyle(mark, "::before");
      const isText = !["none", "normal", '""'].includes(style.content);
      return isText || parseFloat(style.borderTopWidth) > 0;
    })"""
    stances = "#analysis .mark:not(:has(.figure)), #analysis .figure"
    for marks in (stances, ".run-status [data-state]"):
        found = page.locator(marks).evaluate_all(drawn)
        assert found and all(found), marks
    meanings = page.locator("#analysis .mark").evaluate_all("all => all.map(m => m.dataset.mark)")
    assert {"says so", "says otherwise", "silent"} == set(meanings)
    edges = "all => all.map(chip => parseFloat(getComputedStyle(chip).borderTopWidth))"
    assert min(page.locator(".chip").evaluate_all(edges)) >= 1


def test_no_line_begins_with_the_sign_behind_a_mark_of_source(show: Show) -> None:
    source = show("run", 360).locator("body")
    assert source.evaluate(
        """body => {
          const probe = document.createElement("p");
          probe.className = "reading";
          probe.innerHTML = 'aa<span class="source">A</span>, b';
          probe.style.width = "0";
          probe.style.overflowWrap = "normal";
          body.append(probe);
          const range = new Range();
          range.setStart(probe.lastChild, 0);
          range.setEnd(probe.lastChild, 1);
          const sign = range.getBoundingClientRect();
          const mark = probe.querySelector("span").getBoundingClientRect();
          return sign.left >= mark.right - 1 && sign.top < mark.bottom;
        }"""
    )


# ---- copying over plain http, where there is no clipboard; times ----


def pasted(page: Page) -> str:
    page.evaluate("document.body.append(document.createElement('textarea'))")
    field = page.locator("body > textarea").last
    field.focus()
    page.keyboard.press("Control+V")
    return field.input_value()


def copy_buttons(page: Page) -> list[tuple[Locator, str]]:
    return [
        (page.locator("#seat-0 .seat-title .copy"), MIXED),
        (page.locator("#fused-head .copy"), f"Wet, so.\n\n{MIXED}"),
        (page.locator("#seat-0 .code > .copy"), "async () => {}\n"),
    ]


def test_answers_code_and_the_fused_answer_are_copied_over_plain_http(show: Show) -> None:
    page = show("six", 1440)
    assert page.evaluate("navigator.clipboard === undefined")
    for button, text in copy_buttons(page):
        button.click()
        expect(button).to_contain_text("Copied")
        assert pasted(page) == text


def test_where_nothing_can_be_copied_it_is_marked_and_said(show: Show) -> None:
    page = show("six", 1440)
    page.evaluate("document.execCommand = () => false")
    for button, _ in copy_buttons(page):
        button.click()
        expect(button).to_contain_text("Press Ctrl C")
        assert page.evaluate("String(getSelection()).trim()")


def test_times_stand_in_the_zone_of_whoever_reads(show: Show) -> None:
    for name in ("run", "/fusion/runs"):
        page = show(name, 1440, timezone_id="Asia/Tokyo")
        time = page.locator("time").first
        moment = datetime.fromisoformat(time.get_attribute("datetime") or "")
        expect(time).to_contain_text(f"{moment.astimezone(ZoneInfo('Asia/Tokyo')):%H:%M}")
        expect(time).not_to_contain_text("UTC")
    still = show("run", 1440, java_script_enabled=False)
    expect(still.locator("time").first).to_contain_text("UTC")
