"""How far it is by the keyboard: Tab pressed in a real browser, at every moment of a run.

What has the focus is always seen: it is drawn two pixels wide, stands out from what is around it,
and nothing that stays in view lies over it.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.plugin import DjangoDbBlocker

from tests.layout.conftest import DRAWN, Show
from tests.layout.moments import MOMENTS, moments
from tests.layout.orderly import stops_until
from tests.layout.paired import paired

pytestmark = pytest.mark.browser
WIDTHS = (1440, 360)
MAIN = {"compose": "main", "history": "main", "compare": "#compare"}


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> dict[str, str]:
    with django_db_blocker.unblock():
        return moments("alice-of-stops", seats=8)


def test_there_are_pages_to_walk(pages: dict[str, str]) -> None:
    assert set(MOMENTS) == pages.keys()


WHO = """() => {
  const { activeElement: at } = document;
  const part = at.closest(".reading, .claim, .seat, .rail, .looks, .presets, .skips");
  return `${at.tagName.toLowerCase()}#${at.id}.${at.className} in ${part?.className ?? ""}`;
}"""


def walk(page: Page, start: str, within: str, at_most: int) -> list[str]:
    """What has the focus, stop by stop, from `start` until it leaves `within`."""
    page.locator(start).focus()
    stops: list[str] = []
    while len(stops) <= at_most:
        page.keyboard.press("Tab")
        if not page.evaluate("where => !!document.activeElement.closest(where)", within):
            break
        stops.append(page.evaluate(WHO))
    return stops


@pytest.mark.parametrize("width", WIDTHS)
def test_a_new_question_has_fourteen_stops_at_most(show: Show, width: int) -> None:
    stops = walk(show("compose", width, 900), "#main", "#main", at_most=20)
    assert 5 <= len(stops) <= 14, stops


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("moment", "goal"),
    [
        ("finished", "#fused-answer"),
        ("shared", "#fused-answer"),
        ("streaming", ".seat"),
        ("compare", ".pane-body"),
    ],
)
def test_from_the_head_to_what_is_read_it_is_ten_stops_at_most(
    show: Show, moment: str, goal: str, width: int
) -> None:
    page = show(moment, width, 900)
    assert stops_until(page, MAIN.get(moment, "#run"), goal, at_most=10) <= 10


@pytest.mark.parametrize("width", WIDTHS)
def test_while_it_runs_each_column_is_two_stops_and_the_fused_answer_comes_after_them(
    show: Show, width: int
) -> None:
    page = show("streaming", width, 900)
    stops = walk(page, ".rail a >> nth=0", ".rail, .seats", at_most=60)
    columns = [stop for stop in stops if "card seat" in stop]  # not what stands in a text
    shown = page.locator(".seat:visible:not(.is-spine)").count()
    spines = page.locator(".seat.is-spine:visible").count()
    assert 0 < len(columns) <= 2 * shown + spines, columns


@pytest.mark.parametrize(
    ("row", "stops", "arrow"),
    [
        (".rail", "a, button", "ArrowDown"),
        (".looks", "a", "ArrowRight"),
        (".fused [data-text]", ".source[data-seat]", "ArrowRight"),
        ("#seat-0", "[data-copy], .seat-acts button", "ArrowRight"),
        (".verdict-row", "button", "ArrowRight"),
    ],
)
def test_rows_are_one_stop_and_arrows_go_round_in_them(
    show: Show, row: str, stops: str, arrow: str
) -> None:
    page = show("finished", 1440, 900)
    if row in ("#seat-0", ".verdict-row"):
        page.keyboard.press("1")
    all_ = page.locator(row).first.locator(stops)
    reached = all_.evaluate_all("all => all.filter(e => e.tabIndex === 0 && e.checkVisibility())")
    assert len(reached) == 1
    all_.first.focus()
    for n in (1, 2):
        page.keyboard.press(arrow)
        expect(all_.nth(n % all_.count())).to_be_focused()
    page.keyboard.press("Home")
    expect(all_.first).to_be_focused()
    page.keyboard.press("End")
    expect(all_.last).to_be_focused()


def test_the_recent_runs_are_one_stop(show: Show) -> None:
    page = show("compose", 1440, 900)
    links = page.locator("#recent .run-rows a")
    assert links.count() == 6
    links.first.focus()
    page.keyboard.press("ArrowDown")
    expect(links.nth(1)).to_be_focused()
    assert links.evaluate_all("all => all.map(e => e.tabIndex)") == [-1, 0, -1, -1, -1, -1]


# ---- skip links ----


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(
    ("moment", "leads"),
    [
        (
            "compose",
            {"Skip to content": "#main", "Prompt": "#prompt", "Recent questions": "#recent"},
        ),
        (
            "finished",
            {
                "Skip to content": "#run",
                "Fused answer": "#fused-answer",
                "Agreement map": ".aside",
                "Answers": ".seat-body",
                "Follow up": "#follow-prompt",
            },
        ),
        ("shared", {"Fused answer": "#fused-answer", "Answers": ".seat-body"}),
        ("streaming", {"Answers": ".seat-body", "Agreement map": ".aside"}),
        ("compare", {"A · claude-opus-5.1": "#text-left", "B · gpt-5.5": "#text-right"}),
    ],
)
def test_the_first_tab_offers_each_region(
    show: Show, moment: str, leads: dict[str, str], width: int
) -> None:
    for name, place in leads.items():
        page = show(moment, width, 900)
        page.evaluate("document.activeElement.blur()")
        nav = page.get_by_role("navigation", name="Skip to")
        page.evaluate("scrollTo(0, 0)")
        page.locator(".skips a").first.focus()
        expect(nav.get_by_role("link").first).to_be_in_viewport()
        link = nav.get_by_role("link", name=name, exact=True)
        if width == 360 and moment == "compare" and place == "#text-right":
            continue  # its tab leads there
        link.focus()
        expect(link).to_be_in_viewport()
        page.keyboard.press("Enter")
        focused = page.locator(f"{place}:focus")
        expect(focused).to_have_count(1)
        expect(nav.get_by_role("link").first).not_to_be_in_viewport()


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_very_first_tab_leads_to_them(show: Show, moment: str) -> None:
    page = show(moment, 1440, 900)
    page.evaluate("document.activeElement.blur()")
    page.locator("html").evaluate("e => { e.tabIndex = -1; e.focus(); }")
    page.keyboard.press("Tab")
    expect(page.locator(".skips a").first).to_be_focused()


# ---- what has the focus is seen ----

SEEN = """() => {
  const at = document.activeElement;
  const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = colour;
    pixel.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pixel.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const light = (colour) => {
    const [r, g, b] = colour.map((part) => {
      const c = part / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = rgba(getComputedStyle(one).backgroundColor);
      if (colour[3] > 0.99) return colour;
    }
    return [255, 255, 255, 1];
  };
  const wrong = [];
  // Of a field that cannot be seen, what stands for it is drawn.
  const labels = [...(at.labels ?? [])];
  // And in a pane that is still empty, the sentence that says so.
  const within = at.querySelector(":scope > .fused-body > #fused-note > .placeholder");
  const around = [".preset-card", ".ask", "label", ".claim"].map((one) => at.closest(one));
  const isDrawn = ({ outlineStyle, outlineWidth }) =>
    outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  const shown = [at, within, ...labels, ...around];
  const drawn = shown.find((one) => one && isDrawn(getComputedStyle(one)));
  if (!drawn) wrong.push("not drawn");
  else {
    const { outlineColor, outlineOffset } = getComputedStyle(drawn);
    const below = parseFloat(outlineOffset) < 0 ? drawn : (drawn.parentElement ?? drawn);
    const [a, b] = [rgba(outlineColor), ground(below)].map((one) => light(one.slice(0, 3)));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 3) wrong.push(`${ratio.toFixed(2)} : 1`);
  }
  // Whatever lies over the middle of its first line is its own, or around it.
  const box = at.getClientRects()[0];
  if (!box) return [...wrong, "nowhere"];
  const x = box.left + Math.min(box.width / 2, 60);
  // What is higher than the window is seen by its sides.
  const y = Math.max(box.top, box.height > innerHeight ? 70 : 0) + Math.min(box.height / 2, 12);
  const over = document.elementFromPoint(x, y);
  const touches = (one) => one && over && (one.contains(over) || over.contains(one));
  if (![at, at.closest("label"), ...labels].some(touches)) {
    wrong.push(`at ${Math.round(x)}, ${Math.round(y)} under ${over?.outerHTML.slice(0, 80)}`);
  }
  return wrong;
}"""


WALKED = [one for one in MOMENTS if one != "history"]
WINDOWS = ((1440, "light"), (1440, "dark"), (360, "light"))


@pytest.mark.parametrize(
    ("moment", "window", "step"), paired(WALKED, WINDOWS, ("Tab", "Shift+Tab"))
)
def test_what_has_the_focus_is_seen_all_the_way(
    show: Show, moment: str, window: tuple[int, str], step: str
) -> None:
    width, scheme = window
    page = show(moment, width, 800, color_scheme=scheme, reduced_motion="reduce")
    page.evaluate(DRAWN)  # no hand is quicker
    page.evaluate("document.activeElement.blur()")
    if step == "Shift+Tab":
        page.evaluate("[...document.querySelectorAll('a[href], button')].at(-1).focus()")
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    else:
        page.locator(".skips a").first.focus()
    wrong: dict[str, list[str]] = {}
    for _ in range(90):
        page.keyboard.press(step)
        found = page.evaluate(f"document.activeElement === document.body || ({SEEN})()")
        if found is True:
            break
        if found:
            wrong[page.evaluate(WHO)] = found
    assert wrong == {}
