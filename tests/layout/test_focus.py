"""The focus is never lost: parts of a page are replaced and go while somebody has it in them; and
what has come is told once, in one place, to whoever listens."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect
from pytest_django.plugin import DjangoDbBlocker

from tests.layout.conftest import Show
from tests.layout.moments import moments

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> dict[str, str]:
    with django_db_blocker.unblock():
        return moments("alice-of-focus", seats=4)


def test_there_are_pages_to_look_at(pages: dict[str, str]) -> None:
    assert "run-status" in pages["streaming"] and "run-status" in pages["finished"]


# A fragment as frames bring it: what stands there, with some words changed.
FRAME = """async ([id, changes]) => {
  const { apply } = await import("console/run/frames");
  let html = document.getElementById(id).innerHTML;
  for (const [was, is] of Object.entries(changes)) html = html.replaceAll(was, is);
  apply({ fragments: { [id]: html } });
  await new Promise(requestAnimationFrame);
}"""
END = """async () => {
  const { apply } = await import("console/run/frames");
  const { end } = await import("console/run/ending");
  apply({ status: "completed" });
  end();
  await new Promise(requestAnimationFrame);
}"""
BARE = {"claim-says": "gone", "<tr": "<p", "<button": "<p", "<input": "<p", "<summary": "<p"}
BARE |= {"<a ": "<p ", "<select": "<p", "tabindex": "data-was"}
STOPPED = {f'data-state="{state}"': 'data-state="stopped"' for state in ("writing", "thinking")}


@pytest.mark.parametrize(
    ("moment", "had", "replaced", "changes", "has"),
    [
        ("finished", "#seat-0-head [data-copy]", "seat-0-head", {"done": "so far"}, "the same"),
        ("finished", "#fused-head [data-copy]", "fused-head", {"written": "put"}, "the same"),
        (
            "finished",
            "#analysis [data-claim=consensus-2] .claim-says",
            "analysis",
            {"has no future": "has some future"},
            "the same",
        ),
        (
            "finished",
            "#analysis [data-claim=contradictions-1] [value=stance-2]",
            "analysis",
            {"Retrofit": "Refit"},
            "the same",
        ),
        (
            "finished",
            "#analysis .claim-quotes summary",
            "analysis",
            {"refills": "fills"},
            "the same",
        ),
        ("finished", "#analysis .claim-says >> nth=1", "analysis", BARE, ".aside"),
        ("finished", "#fused-head [data-copy]", "fused-head", BARE, "#fused-answer"),
        ("finished", "#seat-0-head [data-copy]", "seat-0-head", BARE, "#seat-0 .seat-body"),
        ("streaming", "#seat-2 .seat-body", "seat-2-note", {}, "the same"),
        ("streaming", "#seat-2 .seat-end button", "seat-2-head", STOPPED, "#seat-2 .seat-body"),
    ],
)
def test_who_has_the_focus_in_what_is_replaced_has_it_in_what_came(
    show: Show, moment: str, had: str, replaced: str, changes: dict[str, str], has: str
) -> None:
    page = show(moment, 1440, 900)
    if "seat" in had:
        page.keyboard.press("1")
    stop = page.locator(had).first
    stop.focus()
    expect(stop).to_be_focused()
    page.evaluate(FRAME, [replaced, changes])
    expect(page.locator(had if has == "the same" else has).first).to_be_focused()


@pytest.mark.parametrize(
    ("had", "has"),
    [
        (".while-running .button-danger", "#run"),
        ("#seat-2 .seat-end button", "#seat-2 .seat-body"),
        ("#seat-2 .seat-body", "#seat-2 .seat-body"),
        (".rail a >> nth=1", ".rail a >> nth=1"),
    ],
)
def test_what_goes_with_the_end_of_a_run_leaves_nobody_nowhere(
    show: Show, had: str, has: str
) -> None:
    page = show("streaming", 1440, 900)
    page.locator(had).first.focus()
    page.evaluate(END)
    expect(page.locator(has).first).to_be_focused()


def test_whoever_let_go_of_the_focus_is_not_given_it_back(show: Show) -> None:
    page = show("finished", 1440, 900)
    page.locator("#fused-head [data-copy]").focus()
    page.locator(".run-meta").click(position={"x": 2, "y": 2})
    page.evaluate("document.activeElement.blur()")
    page.evaluate(FRAME, ["fused-head", {"written": "put"}])
    assert page.evaluate("document.activeElement.id") in ("", "run")


def test_after_the_list_of_keys_one_is_where_one_was(show: Show) -> None:
    page = show("finished", 1440, 900)
    for had in ("#fused-answer", ".aside", ".map-filters input", ".rail-keys"):
        page.locator(had).first.focus()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(had).first).to_be_focused()


def test_a_passage_whose_claim_came_anew_leads_back_to_it(show: Show) -> None:
    page = show("finished", 1440, 900)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#passage")).to_be_focused()
    page.evaluate(FRAME, ["analysis", {"by about 2031": "before 2031"}])
    page.keyboard.press("Escape")
    expect(page.locator("#passage")).to_be_hidden()
    expect(page.locator("#analysis .claim-says").first).to_be_focused()


# ---- told ----

LISTEN = """() => {
  window.told = [];
  const live = "[role=status], [role=alert], [aria-live]:not([aria-live=off])";
  new MutationObserver((changes) => {
    const regions = new Set(changes.map(({ target }) =>
      (target.closest ? target : target.parentElement)?.closest(live)).filter(Boolean));
    for (const region of regions) window.told.push(region.textContent.trim());
  }).observe(document.body, { childList: true, characterData: true, subtree: true });
}"""
WORDS = """async () => {
  const { apply } = await import("console/run/frames");
  apply({ places: { "seat-2": "t2" } });
  for (let n = 0; n < 200; n += 1) {
    apply({ texts: [{ id: "t2", tail: `word ${n} ` }], figures: { "seat-2-tokens": String(n) } });
  }
  await new Promise(requestAnimationFrame);
}"""


def test_what_has_come_is_told_once_and_not_with_each_word(show: Show) -> None:
    page = show("streaming", 1440, 900)
    page.evaluate(LISTEN)
    page.evaluate(WORDS)
    assert page.evaluate("told") == []
    page.evaluate(FRAME, ["seat-2-head", {'data-state="writing"': 'data-state="done"'}])
    page.evaluate(FRAME, ["seat-2-head", {"writing": "done"}])  # only its figures
    page.evaluate(FRAME, ["seat-3-head", {"data-state=": 'data-state="failed" data-was='}])
    page.evaluate(FRAME, ["analysis", {"data-state=": 'data-state="done" data-was='}])
    page.evaluate(WORDS)
    page.evaluate(FRAME, ["fused-head", {"data-state=": 'data-state="done" data-was='}])
    page.evaluate(END)
    assert page.evaluate("told") == [
        "Answer of C is there.",
        "Answer of D failed.",
        "The analysis is there.",
        "The fused answer is ready.",
    ]


def test_what_came_together_is_told_in_one_breath(show: Show) -> None:
    page = show("streaming", 1440, 900)
    page.evaluate(LISTEN)
    page.evaluate(
        """async () => {
          const { apply } = await import("console/run/frames");
          const done = (id) => document.getElementById(id).innerHTML
            .replace("data-state=", 'data-state="done" data-was=');
          const parts = ["seat-2-head", "analysis"].map((id) => [id, done(id)]);
          apply({ fragments: Object.fromEntries(parts) });
          await new Promise(requestAnimationFrame);
        }"""
    )
    assert page.evaluate("told") == ["Answer of C is there. The analysis is there."]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("cancelled", "The run was stopped."),
        ("failed", "The run failed."),
        ("completed", "The run has ended."),
    ],
)
def test_an_end_without_a_fused_answer_is_told(show: Show, status: str, told: str) -> None:
    page = show("streaming", 1440, 900)
    page.evaluate(LISTEN)
    page.evaluate(
        """async (status) => {
          const { apply } = await import("console/run/frames");
          apply({ status });
          await new Promise(requestAnimationFrame);
        }""",
        status,
    )
    assert page.evaluate("told") == [told]


def told(page: Page) -> str:
    return page.locator("#run-told").text_content() or ""


def test_a_pin_is_told(show: Show) -> None:
    page = show("finished", 1440, 900)
    page.keyboard.press("a")
    page.keyboard.press("p")
    page.keyboard.press("0")
    page.keyboard.press("p")
    assert told(page) == "Pinned: A and fused-1."
    page.keyboard.press("p")
    page.keyboard.press("a")
    page.keyboard.press("p")
    assert told(page) == "Nothing is pinned."
