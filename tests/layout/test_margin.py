"""Marks of source stand in the margin: the text beside them flows as if there were none."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, expect
from pytest_django.plugin import DjangoDbBlocker

from tests.layout.conftest import Show, at_each_width
from tests.layout.rich import ANALYSIS, answer, panel
from tests.stack import until

pytestmark = pytest.mark.browser

TEXTS = {
    "before a comma": "It costs 96,000 and a weekend [^B], but R-448A meets a limit [^C], too.",
    "after a full stop": "Replace it with another one. [^A] You would pay twice. [^own] Or not.",
    "several at one place": "Only reclaimed gas may go into it. [^A,C,D] That is short-lived.",
    "beside stress": "**Order it now** [^A], *before summer* [^B,C]; then `wait()` [^D].",
    "without a space": "The retrofit looks cheaper[^A](see below)[^B]-ish.",
    "a list": "- Four days of downtime [^A], or five\n- none at all [^B]; that is better than one",
    "lines of the text's own": "Roses are red, [^A]\nviolets are blue [^B],\nso much is so. [^C]",
    "Chinese": "冷库必须在二〇三一年之前更换[^A]，但现在改造更便宜[^B]。以后再说吧[^own]。",
    "a table's cells": "| What | Risk |\n|---|---|\n| Keep | low [^A,B,C] |\n| Go | high [^own] |",
    "a whole paragraph": " ".join(f"Sentence {n} says so. [^A,B,C,D]" for n in range(4)),
    "Arabic": "يجب استبداله قبل الصيف [^A]، لكن التكلفة أعلى مما يبدو [^B]. ثم ننتظر. [^own]",
}
# Of each line what stands on it, without white space.
AT_WIDTHS = """text => {
  const found = [];
  for (let width = 130; width < 560; width += 17) {
    text.style.width = `${width}px`;
    found.push(linesOf(text));
  }
  return found;

  function linesOf(text) {
  const lines = new Map();
  const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest(".source")) continue;
    for (const { 0: letter, index } of node.data.matchAll(/\\S/gu)) {
      const range = new Range();
      range.setStart(node, index);
      range.setEnd(node, index + letter.length);
      const { top, bottom } = range.getBoundingClientRect();
      const line = Math.round((top + bottom) / 16); // code and stress lie a pixel beside it
      lines.set(line, (lines.get(line) ?? "") + letter);
    }
  }
  return [...lines.values()];
  }
}"""
CROWDED = {
    "two short sentences": "Yes. [^A,C] Not before 2029. [^A,B,C,D]",
    "three short sentences": "Yes. [^A,B] No. [^C,D] Maybe so. [^own]",
    "four letters and the writer": "So. [^A,B,C,D] But then. [^own]",
    "as many as five answers have": "Yes. [^A,B,C,D] No. [^A,B,C,D] Maybe so. [^own] Or. [^A,B]",
    "six short sentences": "Yes. [^A] No. [^B] Or. [^C] So. [^D] Then. [^A] Now. [^B,C]",
}
FIVE = {
    "five letters": "They all say so. [^A,B,C,D,E] Point 2 is said by all of them. [^A,B,C,D,E]"
}
# Of every two marks how many pixels wide the one lies on the other.
ON_EACH_OTHER = """text => {
  const boxes = [...text.querySelectorAll(".source")].map((mark) => mark.getBoundingClientRect());
  const over = (a, b) =>
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1 &&
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1;
  return boxes.flatMap((a, n) => boxes.slice(n + 1).filter((b) => over(a, b))).length;
}"""


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    with django_db_blocker.unblock():
        alice = User.objects.create_user("alice-of-margins")
        client = Client()
        client.force_login(alice)
        runs, html = [], {}
        for name, text in (TEXTS | CROWDED | FIVE).items():
            seats = 5 if name in FIVE else 4
            story = panel(seats)
            for seat in range(seats):
                story.answer(seat, answer(seat))
            story.judge().analyse(ANALYSIS).synthesise(text).complete()
            runs.append(story.save(alice))
            html[name] = client.get(f"/fusion/runs/{runs[-1].pk}").content.decode()
    yield html
    with django_db_blocker.unblock():
        client.logout()
        for run in runs:
            run.delete()
        alice.delete()


def test_there_are_pages_with_marks(pages: dict[str, str]) -> None:
    assert all(html.count('class="source') >= 2 for html in pages.values())


@pytest.mark.parametrize("name", TEXTS)
def test_every_line_ends_where_it_would_without_marks_which_a_thumb_finds_under_their_paragraph(
    show: Show, name: str
) -> None:
    widths = [1440, 360, 390, 700]
    for width, page in zip(widths, at_each_width(show, name, widths, 900), strict=True):
        if width < 1000:
            _a_thumb_finds_each(page)
        if width in (360, 1440):
            _lines_end_where_they_would(page)


def _lines_end_where_they_would(page: Page) -> None:
    text = page.locator(".fused [data-text]")
    assert text.locator(".source").count() >= 2

    def lines() -> list[list[str]]:
        found: list[list[str]] = text.evaluate(AT_WIDTHS)
        return found

    marked = lines()
    text.evaluate("text => text.querySelectorAll('.source').forEach(mark => mark.remove())")
    text.evaluate("text => text.normalize()")
    plain = lines()
    wrong = [(a, b) for a, b in zip(marked, plain, strict=True) if a != b]
    assert wrong == []


# Of each mark its box, the lowest line of words of its block, and the block's edges.
UNDER = """text => Array.from(text.querySelectorAll(".source"), mark => {
  const box = mark.getBoundingClientRect(), block = mark.closest("p, li, td, th");
  const edges = block.getBoundingClientRect();
  const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
  let words = 0;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest(".source") || !node.data.trim()) continue;
    const range = new Range();
    range.selectNodeContents(node);
    words = Math.max(words, range.getBoundingClientRect().bottom);
  }
  return { left: box.left, right: box.right, top: box.top, bottom: box.bottom, words,
           from: edges.left, to: edges.right, end: edges.bottom };
})"""


def _a_thumb_finds_each(page: Page) -> None:
    marks = page.locator(".fused [data-text]").evaluate(UNDER)
    for mark in marks:
        assert mark["right"] - mark["left"] >= 40 and mark["bottom"] - mark["top"] >= 40
        assert mark["top"] >= mark["words"] - 5 and mark["bottom"] <= mark["end"] + 1
        assert mark["from"] - 6 <= mark["left"] and mark["right"] <= mark["to"] + 6
    for n, one in enumerate(marks):
        for other in marks[n + 1 :]:
            beside = one["right"] <= other["left"] + 0.5 or other["right"] <= one["left"] + 0.5
            assert beside or one["bottom"] <= other["top"] + 0.5


def test_on_a_phone_a_mark_that_comes_later_has_its_place_and_one_of_another_part_too(
    show: Show,
) -> None:
    page = show("after a full stop", 360, 780)
    text = page.locator(".fused [data-text]")
    # Above the others, in the same row: the text grows no higher for it.
    text.evaluate("""text => {
      const mark = text.querySelector(".source");
      mark.after(mark.cloneNode(true));
    }""")
    until(
        lambda: page.evaluate(
            """() => new Set(Array.from(document.querySelectorAll(".fused .source"),
             mark => mark.getBoundingClientRect().left)).size === 3"""
        )
    )
    page.locator(".rail [data-part=analysis]").click()
    page.locator(".rail [data-part=fused-answer]").click()
    assert len({mark["left"] for mark in text.evaluate(UNDER)}) == 3


def test_on_a_phone_sources_that_are_hidden_leave_no_room(show: Show) -> None:
    page = show("after a full stop", 360, 780)
    paragraph = page.locator(".fused [data-text] p")
    high = paragraph.evaluate("e => e.offsetHeight")
    page.locator(".sources-toggle").click()
    assert paragraph.evaluate("e => e.offsetHeight") == high - 40


@pytest.mark.parametrize("name", CROWDED)
def test_no_mark_lies_on_another_where_short_sentences_share_a_line(show: Show, name: str) -> None:
    for page in at_each_width(show, name, [1440, 2560, 701, 800, 1001, 1199], 900):
        _none_lies_on_another(page)


def _none_lies_on_another(page: Page) -> None:
    text = page.locator(".fused [data-text]")
    expect(text.locator(".source").nth(1)).to_have_attribute("style", re.compile("--at"))
    assert text.locator(".source").count() >= 5
    assert text.evaluate(ON_EACH_OTHER) == 0
    # What lies beside one line does not lie beside the next but one.
    heights = {box["y"] for mark in text.locator(".source").all() if (box := mark.bounding_box())}
    assert max(heights) - min(heights) < 24


def test_five_letters_of_a_sentence_are_one_row(show: Show) -> None:
    for page in at_each_width(show, "five letters", [1440, 2560, 768], 900):
        _five_are_one_row(page)


def _five_are_one_row(page: Page) -> None:
    marks = page.locator(".fused [data-text] .source")
    expect(marks.nth(1)).to_have_attribute("style", re.compile("--at"))
    rows: dict[float, int] = {}
    for mark in marks.all():
        assert (box := mark.bounding_box()) and box["width"] > 15
        rows[box["y"]] = rows.get(box["y"], 0) + 1
    assert set(rows.values()) == {5}
