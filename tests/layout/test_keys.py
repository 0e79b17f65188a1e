"""Keys: what each shows in each look, that none acts where it should not, and the list of them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from pytest_django.plugin import DjangoDbBlocker

from tests.layout.conftest import Show
from tests.layout.moments import moments
from tests.stack import until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> dict[str, str]:
    with django_db_blocker.unblock():
        return moments("alice-of-keys")


def test_every_page_has_the_list_of_its_keys(pages: dict[str, str]) -> None:
    assert all(html.count('<dialog id="keys"') == 1 for html in pages.values())


# key -> the look and what has the focus, wherever one was
LEADS = {
    "1": ("answers", ".seat-body"),
    "2": ("result", ".outcome *"),
    "0": ("result", "#fused-answer"),
    "m": ("result", ".aside"),
    "r": ("result", ".aside"),
    "a": ("answers", "#seat-0 .seat-body"),
    "e": ("answers", "#seat-4 .seat-body"),
    "f": None,  # no such seat
    "s": None,  # no sources
    "x": None,  # of two texts side by side
}


@pytest.mark.parametrize("look", ["answers", "result"])
@pytest.mark.parametrize("moment", ["finished", "streaming", "shared"])
def test_each_key_leads_to_its_place_from_either_look(show: Show, moment: str, look: str) -> None:
    page = show(moment, 1440, 900)
    for key, place in LEADS.items():
        page.keyboard.press("1" if look == "answers" else "2")
        expect(page.locator("#run")).to_have_attribute("data-look", look)
        if key == "r" and moment == "shared":
            place = None  # what it cost is its owner's
        page.keyboard.press(key)
        shown, focused = place or (look, "*")
        expect(page.locator("#run")).to_have_attribute("data-look", shown)
        assert page.evaluate("place => document.activeElement.matches(place)", focused), key
        assert page.evaluate("document.activeElement !== document.body"), key


@pytest.mark.parametrize(
    ("moment", "key", "leads"),
    [
        ("finished", "n", r"/fusion$"),
        ("finished", "/", r"/fusion/runs#search-box$"),
        ("finished", "3", r"/compare"),
        ("streaming", "n", r"/fusion$"),
        ("history", "n", r"/fusion$"),
        ("compose", "/", r"/fusion/runs#search-box$"),
        ("compare", "n", r"/fusion$"),
        ("compare", "1", r"look=answers$"),
        ("compare", "2", r"look=result$"),
        ("compare", "c", r"look=answers&part=seat-2$"),
        ("compare", "0", r"look=result&part=fused-answer$"),
        ("compare", "m", r"look=result&part=analysis$"),
        ("compare", "Escape", r"look=result$"),
        ("shared", "3", r"/compare"),
    ],
)
def test_keys_lead_from_page_to_page(show: Show, moment: str, key: str, leads: str) -> None:
    page = show(moment, 1440, 900, query="/here")
    if moment == "compose":
        page.locator("h1").click(force=True)  # out of the prompt
        page.evaluate("document.activeElement.blur()")
    page.keyboard.press(key)
    page.wait_for_url(re.compile(leads))


def test_a_stranger_with_a_link_has_no_list_of_questions(show: Show) -> None:
    page = show("shared", 1440, 900, query="/here")
    for key in ("n", "/"):
        page.keyboard.press(key)
    assert page.url.endswith("/here")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).not_to_contain_text("search the questions")


def test_on_the_page_of_a_new_question_n_leads_to_its_field(show: Show) -> None:
    page = show("compose", 1440, 900)
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("n")
    expect(page.locator("#prompt")).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator("#prompt")).to_have_value("n")


@pytest.mark.parametrize("key", ["x", "l"])
def test_two_texts_have_switches_with_keys(show: Show, key: str) -> None:
    page = show("compare", 1440, 900)
    box = page.get_by_label("Only what differs" if key == "x" else "Scroll together")
    before = box.is_checked()
    page.keyboard.press(key)
    assert box.is_checked() is not before
    page.keyboard.press(key)
    assert box.is_checked() is before


# ---- where none acts ----

HELD = "Control", "Alt", "Meta", "Shift"


def test_no_letter_acts_with_a_modifier(show: Show) -> None:
    page = show("finished", 1440, 900)
    for held in HELD:
        for key in ("a", "p", "j"):
            page.keyboard.press(f"{held}+{key.upper()}" if held == "Shift" else f"{held}+{key}")
        expect(page.locator("#run")).to_have_attribute("data-look", "result")
        expect(page.locator(".is-pinned")).to_have_count(0)
        expect(page.locator("#analysis .claim-says:focus")).to_have_count(0)


PRESS = """([key, more, on]) => (document.querySelector(on) ?? document.body).dispatchEvent(
  new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }))"""
SHOWN = """() => document.querySelector("#keys[open]") ? "list"
  : document.querySelector("#run").dataset.look"""


WROTE: list[tuple[str, dict[str, object], str]] = [
    # What was written counts, not where the key lies: other keyboards, and capitals for good.
    ("1", {"code": "Numpad1"}, "answers"),
    ("1", {"code": "Digit1", "shiftKey": True}, "answers"),  # French
    ("a", {"code": "KeyQ"}, "answers"),
    ("A", {"code": "KeyA"}, "answers"),
    ("?", {"code": "Minus", "shiftKey": True}, "list"),  # German
    ("?", {"code": "Slash", "shiftKey": True}, "list"),
    ("?", {"ctrlKey": True, "altKey": True, "modifierAltGraph": True}, "list"),
    # A sign that is composed, a command of the browser, a letter of another alphabet.
    ("1", {"isComposing": True}, "result"),
    ("Process", {"code": "Digit1", "keyCode": 229}, "result"),
    ("Dead", {"code": "Digit1"}, "result"),
    ("1", {"ctrlKey": True}, "result"),
    ("1", {"metaKey": True}, "result"),
    ("1", {"altKey": True}, "result"),
    ("1", {"ctrlKey": True, "altKey": True, "modifierAltGraph": True}, "result"),
    ("?", {"altKey": True}, "result"),
    ("\u0430", {"code": "KeyF"}, "result"),
    ("1", {"repeat": True}, "result"),
]


def test_what_a_key_wrote_counts_on_every_keyboard(show: Show) -> None:
    page = show("finished", 1440, 900)
    for key, more, shown in WROTE:
        page.evaluate(PRESS, [key, more, "body"])
        assert page.evaluate(SHOWN) == shown, (key, more)
        page.keyboard.press("Escape" if shown == "list" else "2")
        assert page.evaluate(SHOWN) == "result"


WHERE = {
    "#follow-prompt": False,
    "#follow-from": False,
    "#again-fact": False,
    ".ruling-note": False,
    "#again-judge": False,
    "#keys-on": False,  # in a dialog
    "#share-save": False,  # in an open menu
    "[data-copy-form]": False,  # in what lies before the page
    # Nobody writes in these.
    ".ruling-pen": True,
    ".map-filters input": True,
    ".seat-body": True,
    "#fused-answer": True,
}


def test_no_key_acts_in_a_field_a_menu_or_a_dialog(show: Show) -> None:
    page = show("finished", 1440, 900)
    for where, acts in WHERE.items():
        opened = True
        if where == "#keys-on":
            page.keyboard.press("?")
        elif where == "#share-save":
            page.locator(".share > summary").click()
        elif where == "[data-copy-form]":
            page.locator("#fused-head [data-copy-as]").click()
        else:
            opened = False
        page.evaluate(PRESS, ["1", {}, where])
        look = "answers" if acts else "result"
        assert page.evaluate("document.querySelector('#run').dataset.look") == look, where
        page.keyboard.press("Escape" if opened else "2")
        assert page.evaluate(SHOWN) == "result", where


def test_esc_closes_a_menu_first_and_then_leads_back(show: Show) -> None:
    page = show("finished", 1440, 900)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#passage")).to_be_visible()
    page.locator(".share > summary").click()
    page.keyboard.press("Escape")
    expect(page.locator(".share")).not_to_have_attribute("open", re.compile(".*"))
    expect(page.locator("#passage")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#passage")).to_be_hidden()


@pytest.mark.parametrize("look", ["1", "2"])
def test_esc_leads_from_the_receipt_to_where_one_was(show: Show, look: str) -> None:
    page = show("finished", 1440, 900)
    page.keyboard.press(look)
    page.keyboard.press("c" if look == "1" else "m")
    here = page.evaluate_handle("document.activeElement")
    down = page.evaluate("document.querySelector('.aside').scrollTop = 40")
    page.keyboard.press("r")
    expect(page.locator("#receipt")).to_be_in_viewport()
    page.keyboard.press("Escape")
    assert page.evaluate("here => document.activeElement === here", here)
    assert page.evaluate("document.querySelector('.aside').scrollTop") == down


# ---- switched off ----


def pressed(page: Page) -> str:
    page.keyboard.press("1")
    return str(page.evaluate(SHOWN))


def test_keys_that_were_switched_off_stay_off_and_esc_leads_back_all_the_same(show: Show) -> None:
    page = show("finished", 1440, 900)
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keys").get_by_role("checkbox").uncheck()
    page.keyboard.press("Escape")
    assert pressed(page) == "result"
    page.reload()
    assert pressed(page) == "result"
    page.locator("#analysis .claim-says").first.click()
    expect(page.locator("#passage")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#passage")).to_be_hidden()
    # The list is still reached by its button, and that is where they are switched on.
    page.locator(".rail-keys").click()
    page.get_by_role("dialog", name="Keys").get_by_role("checkbox").check()
    page.get_by_role("button", name="Close").click()
    expect(page.locator(".rail-keys")).to_be_focused()
    assert pressed(page) == "answers"


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("moment", ["finished", "streaming", "compose", "compare", "history"])
def test_the_list_of_keys_is_reached_by_a_button_on_every_page_and_a_phone(
    show: Show, moment: str, width: int
) -> None:
    page = show(moment, width, 780)
    account = page.locator(".site-header details.menu > summary")
    account.click()
    page.get_by_role("button", name="Keyboard").click()
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Keyboard")).to_be_hidden()
    expect(account).to_be_focused()


# ---- what is explained ----


def test_explanations_show_three_times_and_then_among_the_keys(show: Show) -> None:
    page = show("finished", 1440, 900)
    margin = page.get_by_role("note", name="Explained")
    for _ in range(3):
        expect(margin).to_contain_text("Letters say whose answer a sentence rests on.")
        expect(margin).to_contain_text("nobody on the panel said so")
        until(
            lambda: page.evaluate("JSON.parse(localStorage.getItem('fusion.explained')).marks > 0")
        )
        page.reload()
    expect(page.locator("#run")).to_be_visible()
    expect(margin).to_be_hidden()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("Letters say whose answer a sentence rests on.")


@pytest.mark.parametrize(("width", "moment"), [(1100, "finished"), (360, "finished")])
def test_where_there_is_no_margin_nothing_is_explained_or_counted(
    show: Show, width: int, moment: str
) -> None:
    page = show(moment, width, 900)
    expect(page.get_by_role("note", name="Explained")).to_be_hidden()
    assert page.evaluate("localStorage.getItem('fusion.explained')") is None


def test_of_a_run_under_way_nothing_is_explained(show: Show) -> None:
    page = show("streaming", 1440, 900)
    expect(page.get_by_role("note", name="Explained")).to_be_hidden()
