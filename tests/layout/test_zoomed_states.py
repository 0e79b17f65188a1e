"""The run's page enlarged, in colours that are forced, and in a script that runs the other way.

At 200 and 400 % a window of so many pixels has a half and a quarter of them for the page; no screen
has fewer than 320 x 256. Twelve states hold every pair of two properties; FUSION_LONG_TESTS=1 looks
at all of them.
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
from playwright.sync_api import Page, expect
from pytest_django.plugin import DjangoDbBlocker

from tests.console.story import Story
from tests.layout.conftest import Show
from tests.layout.orderly import MISDIRECTED, UNREACHABLE, WIDER, cut, hindrances
from tests.layout.paired import LONG
from tests.layout.rich import CODE, TABLE, panel, rich, under_way
from tests.layout.served import HOST
from tests.layout.test_cold_load import until_it_is_settled
from tests.layout.test_states import HEIGHTS
from tests.layout.windows import Windows

pytestmark = pytest.mark.browser

LEAST = (320, 256)
COLOURS = ("light", "dark", "forced")
ZOOMS = (2, 4)
DIRECTIONS = ("ltr", "rtl")
MOMENTS = ("result", "answers", "streaming")


@dataclass(frozen=True)
class State:
    width: int
    colours: str
    zoom: int
    direction: str
    moment: str

    def __str__(self) -> str:
        return f"{self.width}-{self.colours}-{self.zoom}00%-{self.direction}-{self.moment}"


EVERY = [State(*one) for one in product(HEIGHTS, COLOURS, ZOOMS, DIRECTIONS, MOMENTS)]
PAIRED = [
    State(width, colours, ZOOMS[(i + j) % 2], DIRECTIONS[(i // 2 + j) % 2], MOMENTS[(i + j) % 3])
    for (i, width), (j, colours) in product(enumerate(HEIGHTS), enumerate(COLOURS))
]


def pairs(states: list[State]) -> set[tuple[Any, ...]]:
    return {pair for state in states for pair in combinations(enumerate(astuple(state)), 2)}


def test_twelve_states_hold_every_pair_of_two_properties() -> None:
    assert len(EVERY) == 144 and len(PAIRED) == 12
    assert pairs(PAIRED) == pairs(EVERY)


# ---- a run in Arabic, with all that stands in answers ----

PROMPT = "هل نستبدل وحدة التبريد الآن أم ننتظر حتى عام 2029؟"
SAYS = "يجب استبدال الوحدة قبل الصيف.", "التعديل أرخص في الربيع.", "ننتظر حتى عام 2029."
ARABIC_TABLE = "| البند | الكلفة |\n|---|--:|\n| المصنع | 1,234,567.89 |\n| الطاقة | 1,885 |\n"
FORMULA = "$$\nn^{*} = \\frac{0.7\\,C}{\\sqrt{a^2+b^2}}\n$$"
CJK = "**重要：**这是测试。后面的**「文字」**不应加粗。"
LONG_WORD = "https://example.com/" + "a" * 120


def arabic(seat: int) -> str:
    more = "فقرة أخرى من الجواب بعض الشيء طويلة. " * 4
    return "\n\n".join(
        (
            f"## الجواب {seat + 1}",
            f"{SAYS[seat % 3]} {more}",
            "This paragraph is English, and it ends with a full stop.",
            "1. أولا\n2. ثانيا\n10. عاشرا",
            ARABIC_TABLE,
            TABLE,
            FORMULA,
            CODE,
            CJK,
            f"انظر {LONG_WORD} للمزيد.",
        )
    )


def arabic_quote(seat: int) -> dict[str, Any]:
    start = arabic(seat).find(SAYS[seat])
    found = {"verified": True, "start": start, "end": start + len(SAYS[seat])}
    return {"seat": seat, "quote": SAYS[seat]} | found


def arabic_claim(key: str, text: str, *seats: int) -> dict[str, Any]:
    evidence = [arabic_quote(seat) for seat in seats]
    return {key: text, "seats": list(seats), "evidence": evidence, "standing": "supported"}


ARABIC_ANALYSIS: dict[str, Any] = {
    "consensus": [arabic_claim("claim", "الوحدة قديمة ويجب تغييرها", 0, 1)],
    "contradictions": [
        {
            "topic": "متى يجب استبدالها؟",
            "stances": [
                arabic_claim("stance", "قبل الصيف.", 0),
                arabic_claim("stance", "في الربيع.", 1),
                arabic_claim("stance", "بعد سنوات.", 2),
            ],
        }
    ],
    "partial_coverage": [],
    "unique_insights": [],
    "blind_spots": ["من يصون المصنع أثناء التغيير"],
}
ARABIC_FUSED = f"""**يجب استبدال الوحدة قبل الصيف.** [^A] التعديل أرخص مما يبدو. [^B,C]
ثم ننتظر. [^own]

English, too, and in its own direction. [^A,B]

{ARABIC_TABLE}
{FORMULA}

- بند أول [^A]
- بند ثان [^B]

{CJK}
"""


def in_arabic(*, ends: bool = True) -> Story:
    story = panel(3)
    for seat in range(3):
        story.write(seat, arabic(seat)).wait(2)
        if ends or seat < 2:
            story.answer(seat)
    if not ends:
        return story
    return story.judge().analyse(ARABIC_ANALYSIS).synthesise(ARABIC_FUSED).wait(5).complete()


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    with django_db_blocker.unblock():
        owner = User.objects.create_user("owner-of-large-print")
        client = Client()
        client.force_login(owner)
        ruled = rich()
        wish = {"on": 1, "rulings": [], "facts": ["البنك يمنح القرض."]}
        fusions = ruled.state.fusions
        ruled.fuse_again("Keep it. [^A] The bank grants it. [^you]", wish=wish)
        fusions[2].analysis = fusions[1].analysis
        runs = {
            "ltr": rich().save(owner),
            "rtl": in_arabic().save(owner, prompt=PROMPT),
            "ltr-streaming": under_way().save(owner),
            "rtl-streaming": in_arabic(ends=False).save(owner, prompt=PROMPT),
            "ruled": ruled.save(owner),
            "alone": rich(1).save(owner),
        }
        html = {}
        for name, run in runs.items():
            for look in ("result", "answers"):
                page = client.get(f"/fusion/runs/{run.pk}?look={look}").content.decode()
                now = f'data-now="{Story().now + 83}"'
                html[f"{name}-{look}"] = re.sub(r'data-now="[^"]+"', now, page)
    yield html
    with django_db_blocker.unblock():
        client.logout()
        for run in runs.values():
            run.delete()
        owner.delete()


def test_there_are_pages(pages: dict[str, str]) -> None:
    assert all("<main" in html for html in pages.values())


@pytest.mark.parametrize("state", EVERY if LONG else PAIRED, ids=str)
def test_the_page_of_a_run_is_in_order_enlarged(
    windows: Windows, pages: dict[str, str], state: State
) -> None:
    page = opened(windows, pages, state)
    assert page.evaluate(WIDER) <= 0
    assert cut(page) == []
    assert page.evaluate(UNREACHABLE) == []
    assert page.evaluate(MISDIRECTED) == []
    assert page.evaluate(STUCK) <= 0.5
    # Forced colours are the reader's own choice; where one part is shown at a time, a link that
    # skips shows the one that it leads to.
    but = ["skip-link", *(["color-contrast"] if state.colours == "forced" else [])]
    page.emulate_media(reduced_motion="reduce")
    assert hindrances(page, but=but) == []


# The part of the window that stays covered by what sticks to its edges while the page scrolls.
STUCK = """async () => {
  scrollTo({ top: document.documentElement.scrollHeight / 2, behavior: "instant" });
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const stuck = [...document.querySelectorAll("body *")].filter((element) => {
    const { position } = getComputedStyle(element);
    if (!["fixed", "sticky"].includes(position) || !element.checkVisibility()) return false;
    const { top, bottom, width } = element.getBoundingClientRect();
    return width > innerWidth / 2 && ((top <= 1 && bottom > 1) ||
      (bottom >= innerHeight - 1 && top < innerHeight - 1));
  });
  const covered = stuck.reduce((all, element) => all + element.getBoundingClientRect().height, 0);
  scrollTo({ top: 0, behavior: "instant" });
  return covered / innerHeight;
}"""


def opened(windows: Windows, pages: dict[str, str], state: State) -> Page:
    sides = (state.width, HEIGHTS[state.width])
    width, height = (
        max(least, side // state.zoom) for least, side in zip(LEAST, sides, strict=True)
    )
    is_forced = state.colours == "forced"
    look = "result" if state.moment == "result" else "answers"
    name = f"{state.direction}{'-streaming' if state.moment == 'streaming' else ''}-{look}"
    page = windows.take(
        lambda path: pages[name],
        width,
        height,
        color_scheme="light" if is_forced else state.colours,
        forced_colors="active" if is_forced else "none",
    )
    page.goto(HOST)
    until_it_is_settled(page)
    return page


# ---- forced colours: what is chosen, and what kind of mark it is, is told without them ----

SHAPE = """(all) => all.map((element) => {
  const own = getComputedStyle(element);
  const before = getComputedStyle(element, "::before");
  const edge = (style) => ["borderTopWidth", "borderTopStyle", "borderLeftWidth", "borderLeftStyle",
    "borderRadius", "outlineStyle", "outlineWidth"].map((name) => style[name]);
  return JSON.stringify([edge(own), own.textDecorationLine, own.fontWeight,
    edge(before), before.content, before.transform]);
})"""
CHOSEN = {
    "a look": (".looks [aria-current]", ".looks a:not([aria-current])"),
    "a fusion": (".fusion-tabs [aria-current]", ".fusion-tabs a:not([aria-current])"),
    "a filter": (".map-filters :checked + span", ".map-filters :not(:checked) + span"),
    "a letter": (".map-letter :checked + .chip", ".map-letter :not(:checked) + .chip"),
    "a ruling": (".ruling-choice [value='wrong']:checked", ".ruling-choice [value='right']"),
    "the best": (".verdict-row [aria-pressed='true']", ".verdict-row [aria-pressed='false']"),
}


def test_what_is_chosen_is_told_without_its_colour(show: Show) -> None:
    page = show("ruled-result", 1440, 900, forced_colors="active")
    for name, (chosen, other) in CHOSEN.items():
        if name == "a letter":
            page.locator(".map-letter input").first.evaluate("e => e.click()")
        if name == "a ruling":
            page.locator(".ruling-choice [value='wrong']").first.evaluate("e => e.click()")
        if name == "the best":
            page.locator(".verdict-row button").first.evaluate("e => { e.ariaPressed = 'true' }")
        expect(page.locator(chosen).first).to_be_attached()
        shapes = [page.locator(one).evaluate_all(SHAPE) for one in (chosen, other)]
        assert shapes[0] and shapes[1] and not set(shapes[0]) & set(shapes[1]), name


def test_stances_quotes_and_letters_keep_their_shapes_in_forced_colours(show: Show) -> None:
    page = show("ltr-result", 1440, 900, forced_colors="active")
    figures = [f".stances li[data-stance='{n}'] .figure" for n in (1, 2, 3)]
    shapes = [page.locator(one).first.evaluate_all(SHAPE)[0] for one in figures]
    assert len(set(shapes)) == 3
    quotes = [page.locator(one).first for one in (".evidence a.quote", ".evidence span.quote")]
    styles = [one.evaluate("e => getComputedStyle(e).borderInlineStartStyle") for one in quotes]
    assert styles == ["solid", "dashed"]
    letters = page.locator(".source[data-seat]").evaluate_all(
        """all => all.map((mark) =>
          [mark.textContent.length, parseFloat(getComputedStyle(mark).borderTopWidth)])"""
    )
    assert letters and all(length == 1 and border >= 1 for length, border in letters)


def test_with_reduced_motion_nothing_moves_by_itself(show: Show) -> None:
    page = show("ltr-streaming-answers", 1440, 900, reduced_motion="reduce")
    expect(page.locator(".seat").first).to_be_visible()
    running = """() => document.getAnimations().filter((one) =>
      one.playState === "running" && !(one.timeline instanceof ScrollTimeline)).length"""
    assert page.evaluate(running) == 0


# ---- direction ----


@pytest.mark.parametrize("width", [1440, 768])
def test_marks_stand_at_the_line_where_their_sentence_ends_whatever_its_direction(
    show: Show, width: int
) -> None:
    page = show("rtl-result", width, 900)
    told = page.locator(".fused [data-text]").evaluate(
        """text => [...text.querySelectorAll(".source")].map((mark) => {
          const range = new Range();
          range.setStartBefore(mark.closest("p, li"));
          range.setEndBefore(mark);
          const line = [...range.getClientRects()].filter(({ width }) => width > 1).at(-1);
          const box = mark.getBoundingClientRect();
          const middle = (box.top + box.bottom) / 2;
          return [middle > line.top - 6 && middle < line.bottom + 6,
            box.left >= text.getBoundingClientRect().right];
        })"""
    )
    assert len(told) >= 8 and all(all(one) for one in told)


# ---- a measure, and without scripts ----


@pytest.mark.parametrize(("name", "width"), [("ltr", 2560), ("alone", 1440), ("alone", 2560)])
def test_one_answer_alone_has_lines_of_seventy_five_characters_at_most(
    show: Show, name: str, width: int
) -> None:
    page = show(f"{name}-answers", width, 1200)
    if name == "ltr":
        page.locator("#seat-2 [data-alone]").click()
    seat = "#seat-2" if name == "ltr" else "#seat-0"
    characters = page.locator(f"{seat} [data-text] p").first.evaluate(
        """p => {
          const one = document.createElement("span");
          one.style.cssText = "position: absolute; width: 1ch";
          p.append(one);
          const wide = p.getBoundingClientRect().width / one.getBoundingClientRect().width;
          one.remove();
          return wide;
        }"""
    )
    assert 40 < characters <= 76


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("name", ["ltr-result", "rtl-answers", "ruled-result"])
def test_without_scripts_a_finished_run_is_whole_and_nothing_on_it_is_dead(
    show: Show, name: str, width: int
) -> None:
    page = show(name, width, 900, java_script_enabled=False)
    for part in (
        "[data-text=fused]",
        "[data-text=seat-0]",
        "[data-text=seat-2]",
        ".map",
        "#receipt",
    ):
        expect(page.locator(part).first).to_be_visible()
    expect(page.get_by_label("Follow up")).to_be_visible()
    dead = page.locator("button[type=button]").all()
    assert [one.inner_text() for one in dead if one.is_visible()] == []
    page.locator("#analysis .claim-quotes > summary").first.click()
    expect(page.locator("#analysis .claim-quotes .quote").first).to_be_visible()
