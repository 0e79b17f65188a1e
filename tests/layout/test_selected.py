"""Words that are selected in a text: what can be done with them stands beside them, knows whose
they are, and moves nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Locator, Page, expect
from pytest_django.plugin import DjangoDbBlocker

from tests.layout.conftest import Show
from tests.layout.rich import SAYS, rich, under_way
from tests.layout.served import HOST, serve
from tests.layout.test_copying import pasted
from tests.layout.test_passage import places

pytestmark = pytest.mark.browser

# Words, as they stand in one or several texts below an element.
SELECT = """(root, words) => {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const range = document.createRange();
  const [first, last] = words;
  let begun = false;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const at = node.data.indexOf(first);
    if (!begun && at >= 0) { range.setStart(node, at); begun = true; }
    const to = node.data.indexOf(last);
    if (begun && to >= 0) {
      range.setEnd(node, to + last.length);
      node.parentElement.scrollIntoView({ block: "center", behavior: "instant" });
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      return;
    }
  }
  throw new Error("not there: " + words);
}"""


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, str]]:
    with django_db_blocker.unblock():
        alice = User.objects.create_user("alice-who-selects")
        client = Client()
        client.force_login(alice)
        runs = {
            "rich": rich().save(alice, visibility="link", share_token="by-link-of-selected"),
            "live": under_way().save(alice),
        }
        html = {n: client.get(f"/fusion/runs/{r.pk}").content.decode() for n, r in runs.items()}
        html["shared"] = client.get("/fusion/shared/by-link-of-selected").content.decode()
        for name, address in (
            ("compare", f"/fusion/runs/{runs['rich'].pk}/compare"),
            ("compare-live", f"/fusion/runs/{runs['live'].pk}/compare"),
            ("compare-shared", "/fusion/shared/by-link-of-selected/compare"),
        ):
            query = "" if name == "compare-live" else "?left=B&right=fused-1"
            html[name] = client.get(address + query).content.decode()
    yield html
    with django_db_blocker.unblock():
        client.logout()
        for run in runs.values():
            run.delete()
        alice.delete()


def test_there_are_pages(pages: dict[str, str]) -> None:
    assert {"rich", "live", "shared"} < pages.keys()


def select(page: Page, where: str, first: str, last: str = "") -> None:
    page.locator(where).first.evaluate(SELECT, [first, last or first])


def menu(page: Page) -> Locator:
    return page.get_by_role("toolbar", name="Selected words")


def box(page: Page) -> Locator:
    return page.locator("#follow-prompt")


def part(page: Page, name: str) -> None:
    page.locator(f".rail [data-part={name}]").first.click()


# Where, the words, whose they are, and the part that has to be gone to.
CASES = {
    "an answer": (
        "seat-1", "#seat-1 .reading", SAYS[1], SAYS[1], "B · gpt-5.5", "?look=answers#seat-1"
    ),
    "code": (
        "seat-0", "#seat-0 pre", "npv", "return", "A · claude-opus-5.1",
        "?look=answers#seat-0",
    ),
    "a table": (
        "seat-2", "#seat-2 table", "Plant", "Sum", "C · gemini-3.1-pro", "?look=answers#seat-2"
    ),
    "the fused answer, over its marks of source": (
        "fused-answer", ".fused .reading", "The retrofit looks", "in 2032,",
        "Fused answer (written by claude-opus-5.1)", "?look=result&fusion=1#fused-answer",
    ),
    "a claim": (
        "analysis", "#claim-1-consensus-1", "by about 2031", "any case", "Analysis",
        "?look=result&fusion=1#claim-1-consensus-1",
    ),
    "a stance": (
        "analysis", "#analysis .stances", "Stay on it", "2029", "Analysis",
        "?look=result&fusion=1#claim-1-contradictions-1",
    ),
    "a quote": (
        "analysis", "#analysis .stances", SAYS[1].rstrip("."), SAYS[1].rstrip("."),
        "B · gpt-5.5", "?look=result&fusion=1#claim-1-contradictions-1",
    ),
    "several claims": (
        "analysis", "#analysis", "What to do now", "by about 2031", "Analysis",
        "?look=result&fusion=1#analysis",
    ),
}  # fmt: skip


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize(
    ("shown", "where", "first", "last", "who", "address"), CASES.values(), ids=[*CASES]
)
def test_selected_words_are_asked_about_and_copied_with_who_says_them(
    show: Show, width: int, shown: str, where: str, first: str, last: str, who: str, address: str
) -> None:
    page = show("rich", width, 900)
    part(page, shown)
    select(page, where, first, last)
    page.evaluate("getSelection().removeAllRanges()")
    before = places(page)
    expect(menu(page)).to_be_hidden()
    select(page, where, first, last)
    expect(menu(page)).to_be_visible()
    assert places(page) == before
    at = menu(page).bounding_box()
    assert at and at["x"] >= 0 and at["x"] + at["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    words = page.evaluate("String(getSelection())")
    menu(page).get_by_role("button", name="Copy with source").click()
    expect(menu(page)).to_contain_text("Copied")
    html, plain = pasted(page)
    source = f"\n\n— {who}, “Should we move our billing?”, http://layout.test/{address}\n"
    assert plain.endswith(source), plain
    is_of_one = where != "#analysis"  # in several claims stands what belongs to the page, too
    assert plain.startswith(first) and (
        not is_of_one or plain[: -len(source)].split() == words.split()
    )
    assert f'<a href="http://layout.test/{address.replace("&", "&amp;")}">' in html
    assert "class=" not in html and "<button" not in html

    select(page, where, first, last)
    expect(menu(page)).to_be_visible()
    menu(page).get_by_role("button", name="Ask about this").click()
    expect(box(page)).to_be_focused()
    expect(menu(page)).to_be_hidden()
    asked = box(page).input_value()
    assert asked.startswith(f"{who}:\n> ") and asked.endswith("\n\n")
    quoted = [line.removeprefix(">").strip() for line in asked.splitlines()[1:]]
    assert not is_of_one or " ".join(quoted).split() == words.split()
    page.keyboard.type("Why?")
    assert box(page).input_value() == f"{asked}Why?"
    assert box(page).evaluate("e => e.getBoundingClientRect().bottom <= innerHeight")


@pytest.mark.parametrize("width", [360, 1440])
def test_nothing_that_was_written_is_lost_and_the_draft_is_kept(show: Show, width: int) -> None:
    page = show("rich", width, 900)
    box(page).fill("First this.\nAnd")
    for said in (SAYS[1], SAYS[2]):
        seat = SAYS.index(said)
        part(page, f"seat-{seat}")
        select(page, f"#seat-{seat} .reading", said)
        menu(page).get_by_role("button", name="Ask about this").click()
        page.keyboard.type("Really?")
    written = (
        f"First this.\nAnd\n\nB · gpt-5.5:\n> {SAYS[1]}\n\nReally?\n\n"
        f"C · gemini-3.1-pro:\n> {SAYS[2]}\n\nReally?"
    )
    assert box(page).input_value() == written
    page.reload()
    assert box(page).input_value() == written


NONE = {
    "what was asked": ("h1.prompt", "move our billing"),
    "two answers": (".seats", SAYS[0]),
    "a button": (".looks", "Answers"),
    "a heading of the page": ("#analysis-title", "Agreement map"),
}


def test_of_what_is_nobodys_text_or_two_peoples_there_is_no_menu(show: Show) -> None:
    page = show("rich", 1440, 900, query="/?look=answers")
    for where, words in NONE.values():
        last = SAYS[1] if where == ".seats" else words
        select(page, where, words, last)
        # What is selected next is what is waited for: then the first has been looked at, too.
        page.wait_for_timeout(0)
        page.evaluate("new Promise(done => setTimeout(done, 400))")
        expect(menu(page)).to_be_hidden() if where != "#analysis-title" else None
        part(page, "seat-1")
        select(page, "#seat-1 .reading", SAYS[1])
        expect(menu(page)).to_be_visible()
        page.evaluate("getSelection().removeAllRanges()")
        expect(menu(page)).to_be_hidden()


def test_a_field_has_no_menu_and_esc_puts_it_away(show: Show) -> None:
    page = show("rich", 1440, 900)
    select(page, ".fused .reading", "The retrofit looks")
    expect(menu(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(menu(page)).to_be_hidden()
    assert page.evaluate("String(getSelection())") == "The retrofit looks"
    box(page).fill("Some words.")
    box(page).select_text()
    page.evaluate("new Promise(done => setTimeout(done, 400))")
    expect(menu(page)).to_be_hidden()


@pytest.mark.parametrize("does", ["Ask about this", "Copy with source"])
def test_the_keyboard_reaches_it_and_comes_back(show: Show, does: str) -> None:
    page = show("rich", 1440, 900)
    page.locator(".fused").focus()
    select(page, ".fused .reading", "The retrofit looks")
    expect(menu(page)).to_be_visible()
    page.keyboard.press("Tab")
    button = menu(page).get_by_role("button", name="Ask about this")
    expect(button).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(page.locator(".fused")).to_be_focused()
    page.keyboard.press("Tab")
    if does == "Copy with source":
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        expect(menu(page)).to_contain_text("Copied")
        page.keyboard.press("Escape")
        expect(page.locator(".fused")).to_be_focused()
        assert pasted(page)[1].startswith("The retrofit looks\n\n— Fused answer")
    else:
        page.keyboard.press("Enter")
        expect(box(page)).to_be_focused()
        assert box(page).input_value().endswith(":\n> The retrofit looks\n\n")


@pytest.mark.parametrize("name", ["live", "shared"])
def test_where_nobody_can_ask_it_is_only_copied(show: Show, name: str) -> None:
    page = show(name, 1440, 900)
    part(page, "seat-1")
    select(page, "#seat-1 .reading", SAYS[1])
    expect(menu(page).get_by_role("button")).to_have_text(["Copy with source"])


@pytest.mark.parametrize("name", ["rich", "shared"])
def test_without_scripts_it_is_not_there(show: Show, name: str) -> None:
    page = show(name, 1440, 900, java_script_enabled=False)
    expect(page.locator("#selected")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("selects", [False, True])
def test_a_passage_is_asked_about_as_it_stands_or_by_words_of_it(
    show: Show, width: int, selects: bool
) -> None:
    page = show("rich", width, 900)
    box(page).fill("Look:")
    part(page, "analysis")
    page.locator("#analysis .stances a.quote", has_text=SAYS[1]).click()
    pane = page.get_by_role("region", name="gpt-5.5")
    expect(pane).to_be_visible()
    words = SAYS[1].rstrip(".")
    if selects:
        words = "to R-448A"
        select(page, ".passage-body", words)
        menu(page).get_by_role("button", name="Ask about this").click()
    else:
        pane.get_by_role("button", name="Ask about this").click()
    expect(box(page)).to_be_focused()
    assert box(page).input_value() == f"Look:\n\nB · gpt-5.5:\n> {words}\n\n"
    if width == 360:
        expect(pane).to_be_hidden()
    at = box(page).bounding_box()
    assert at and at["y"] >= 0 and at["y"] + at["height"] <= 900


def test_a_mark_without_a_quote_is_asked_about_by_its_paragraph(show: Show) -> None:
    page = show("rich", 1440, 900)
    page.locator(".fused p", has_text="Point 3").locator(".source", has_text="E").click()
    pane = page.locator("#passage")
    expect(pane.locator(".passage-found")).to_contain_text("Not linked to a claim")
    pane.get_by_role("button", name="Ask about this").click()
    assert box(page).input_value().startswith("E · mistral-large-3:\n> ")


@pytest.mark.parametrize("name", ["shared"])
def test_where_nobody_can_ask_the_passage_has_no_button(show: Show, name: str) -> None:
    page = show(name, 1440, 900)
    page.locator("#analysis .stances a.quote").first.click()
    expect(page.locator("#passage")).to_be_visible()
    expect(page.locator("[data-passage-ask]")).to_be_hidden()


def test_for_a_finger_it_stands_at_the_lower_edge(show: Show) -> None:
    page = show("rich", 360, 780, has_touch=True, is_mobile=True)
    select(page, ".fused .reading", "The retrofit looks")
    at = menu(page).bounding_box()
    assert at and at["y"] + at["height"] > 740
    for button in menu(page).get_by_role("button").all():
        size = button.bounding_box()
        assert size and size["height"] >= 40


# ---- two texts side by side ----

SIDES = {
    "an answer": ("#text-left", SAYS[1], "B · gpt-5.5", "?look=answers#seat-1"),
    "the fused answer": (
        "#text-right", "The retrofit looks", "Fused answer", "?look=result&fusion=1#fused-answer"
    ),
}  # fmt: skip


def beside(show: Show, pages: dict[str, str], width: int) -> Page:
    """Two texts, and where their run is, that."""
    page = show("compare", width, 900, query="/compare")
    serve(page.context, lambda path: pages["compare" if path.endswith("compare") else "rich"])
    return page


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize(("where", "words", "who", "leads"), SIDES.values(), ids=[*SIDES])
def test_words_of_one_of_two_texts_are_copied_and_asked_about_under_the_run(
    show: Show, pages: dict[str, str], width: int, where: str, words: str, who: str, leads: str
) -> None:
    page = beside(show, pages, width)
    if width == 360:
        page.locator(".pane-tabs label").nth(["#text-left", "#text-right"].index(where)).click()
    select(page, where, words)
    menu(page).get_by_role("button", name="Copy with source").click()
    expect(menu(page)).to_contain_text("Copied")
    plain = pasted(page)[1]
    assert plain.startswith(words) and f"\n\n— {who}, “Should we move our billing?”" in plain
    assert plain.endswith(f"{leads}\n") and "/compare" not in plain

    select(page, where, words)
    menu(page).get_by_role("button", name="Ask about this").click()
    # Its address is not waited for: the page may have given itself another by then.
    expect(box(page)).to_be_focused()
    page.keyboard.type("Why?")
    assert box(page).input_value() == f"{who}:\n> {words}\n\nWhy?"
    assert box(page).evaluate("e => e.getBoundingClientRect().bottom <= innerHeight")


def test_what_was_written_under_the_run_stays_above_what_is_asked_about_in_a_comparison(
    show: Show, pages: dict[str, str]
) -> None:
    page = beside(show, pages, 1440)
    page.goto(page.locator("[data-key='2']").evaluate("link => link.href"))
    box(page).fill("First this.")
    page.goto(f"{HOST}/compare")
    select(page, "#text-left", SAYS[1])
    menu(page).get_by_role("button", name="Ask about this").click()
    expect(box(page)).to_have_value(f"First this.\n\nB · gpt-5.5:\n> {SAYS[1]}\n\n")


@pytest.mark.parametrize("name", ["compare-live", "compare-shared"])
def test_where_nobody_can_ask_words_of_two_texts_are_only_copied(show: Show, name: str) -> None:
    page = show(name, 1440, 900)
    page.locator("#text-left .reading").evaluate("e => getSelection().selectAllChildren(e)")
    expect(menu(page).get_by_role("button")).to_have_text(["Copy with source"])
