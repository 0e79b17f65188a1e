"""What is copied from a run's page, as other programs are given it: rich text with its plain text,
or Markdown alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.layout.conftest import Render, Show
from tests.layout.rich import TABLE, panel, rich
from tests.stack import until

pytestmark = pytest.mark.browser

TEXTS = [
    "# A heading\n\n**Bold** and *bent*, with `code`.\nA second line.\n\n- one\n- two\n",
    r"The loss is \( C = 40\,000 \) a year:" + "\n\n$$\n\\frac{a}{b}\n$$\n\nSo it goes.",
    "**重要：**这是测试。\n\nالخلاصة: نعم.\n\n1. أولا\n2. ثانيا\n",
    "See [the page](https://a.example/x) and ~~not~~ this.\n\n"
    r"| a \| b | $x$ |" + "\n|---|---:|\n| H<sub>2</sub>O | 1<br>2 |\n",
    "```python\ndef f(x):\n    return x < 2\n```\n\n> Quoted, too.\n",
]


@pytest.fixture(scope="module")
def pages(render: Render) -> dict[str, str]:
    texts = panel(len(TEXTS))
    for seat, text in enumerate(TEXTS):
        texts.answer(seat, text)
    texts.judge().analyse().synthesise("So.").complete()
    return render("?look=result", rich=rich()) | render("?look=answers", texts=texts)


def pasted(page: Page) -> tuple[str, str]:
    """HTML and plain text, as whoever is pasted into is given them."""
    page.evaluate(
        """() => {
          window.given = null;
          addEventListener("paste", ({ clipboardData }) => {
            window.given = ["text/html", "text/plain"].map((kind) => clipboardData.getData(kind));
          }, { once: true });
          document.body.append(document.createElement("textarea"));
        }"""
    )
    page.locator("body > textarea").last.focus()
    page.keyboard.press("Control+V")
    until(lambda: page.evaluate("window.given"))
    html, plain = page.evaluate("window.given")
    page.locator("body > textarea").last.evaluate("field => field.remove()")
    return html, plain


def copied(page: Page, button: Locator) -> tuple[str, str]:
    button.click()
    expect(button).to_contain_text("Copied")
    return pasted(page)


def seat(page: Page, number: int) -> Locator:
    return page.locator(f"#seat-{number} .seat-title .copy")


def test_there_are_pages(pages: dict[str, str]) -> None:
    assert {"rich", "texts"} == pages.keys()


# Of each text what is found in it as rich text.
RICH = (
    [
        *("<h1>A heading</h1>", "<strong>Bold</strong>", "<em>bent</em>", "<code>code</code>"),
        *(".<br>A second line.", "<li>one</li>"),
    ],
    [r"C = 40\,000", r"\frac{a}{b}", "<p>So it goes.</p>"],
    ["<strong>重要：</strong>这是测试。", 'dir="rtl"', "<li"],
    [
        *('<a href="https://a.example/x">the page</a>', "<s>not</s>", "<table", "<sub>2</sub>"),
        *('<th align="right">', "1<br>2", "<tbody>"),
    ],
    ["<pre><code>def f(x):\n    return x &lt; 2\n</code></pre>", "<blockquote>"],
)


def test_an_answer_is_rich_text_that_is_clean_beside_the_text_as_it_was_written(show: Show) -> None:
    page = show("texts", 1440, 900)
    for number, (text, has) in enumerate(zip(TEXTS, RICH, strict=True)):
        html, plain = copied(page, seat(page, number))
        assert plain == text
        assert [piece for piece in has if piece not in html] == []
        assert re.findall(r"class=|data-|<span|<div|<math|<button|style=", html) == []


def test_markdown_is_copied_alone_and_the_choice_is_remembered(show: Show) -> None:
    page = show("texts", 1440, 900)
    seat(page, 0).press("ArrowDown")
    menu = page.get_by_role("dialog", name="Copy as")
    expect(menu.get_by_role("button", name="Rich text")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(menu).to_be_hidden()
    expect(seat(page, 0)).to_be_focused()
    expect(seat(page, 0)).to_contain_text("Copied")
    assert pasted(page) == ("", TEXTS[0])
    page.reload()
    for number, text in enumerate(TEXTS):
        assert copied(page, seat(page, number)) == ("", text)
    for number, text in enumerate(TEXTS):
        page.locator(f"#seat-{number} .copy-as").click()
        menu.get_by_role("button", name="Rich text").click()
        html, plain = pasted(page)
        assert html and plain == text


def test_marks_of_source_come_along_where_they_are_wished_for(show: Show) -> None:
    page = show("rich", 1440, 900)
    button = page.locator("#fused-head .copy")
    html, plain = copied(page, button)
    assert "before the summer." in html and "[A]" not in html
    assert "[^" not in plain
    page.locator("#fused-head .copy-as").click()
    page.get_by_label("with marks of source").check()
    page.keyboard.press("Escape")
    page.reload()
    html, plain = copied(page, button)
    assert "<strong>" in html and "[A]" in html and "class=" not in html
    assert "[^A,C]" in plain and "[^own]" in plain
    # Of an answer, which has none, nothing of the kind is offered.
    page.keyboard.press("1")
    page.locator("#seat-0 .copy-as").click()
    expect(page.get_by_role("dialog", name="Copy as")).to_be_visible()
    expect(page.get_by_label("with marks of source")).to_be_hidden()


def test_a_table_is_copied_as_a_table_and_as_markdown(show: Show) -> None:
    page = show("rich", 1440, 900)
    html, plain = copied(page, page.locator(".fused .tabled > .copy").first)
    assert html.count("<tr>") == 4 and '<td align="right">1,885</td>' in html
    rows = [[cell.strip(" -") for cell in line.split("|")] for line in plain.splitlines()]
    meant = [[cell.strip(" -") for cell in line.split("|")] for line in TABLE.splitlines()]
    assert rows == meant


def test_cells_keep_their_bars_breaks_and_formulas(show: Show) -> None:
    page = show("texts", 1440, 900)
    _, plain = copied(page, page.locator("#seat-3 .tabled > .copy"))
    assert plain == "| a \\| b | \\( x \\) |\n| --- | ---: |\n| H2O | 1<br>2 |\n"


CLAIMS = {
    "The rack has to be changed": ["(A, B, C, D)", "- A: “Replace it, but never"],
    "What to do now": ["- A, C: Replace with CO2 now.", "(quote not found)"],
    "Eleven of sixteen": ["(D)", "- D: “prices of racks"],
}


def test_a_claim_is_copied_with_who_says_it_and_their_words(show: Show) -> None:
    page = show("rich", 1440, 900)
    for claim, has in CLAIMS.items():
        details = page.locator("#analysis .claim", has_text=claim)
        if details.locator("summary").count():
            details.locator("summary").click()
        html, plain = copied(page, details.locator(".copy"))
        assert plain.startswith(f"**{claim}") and html.count("<strong>") == 1
        assert [piece for piece in has if piece not in plain] == []
        assert "supported" not in html and "class=" not in html


def test_where_nothing_can_be_copied_a_sentence_says_so_and_the_text_is_selected(
    show: Show,
) -> None:
    page = show("rich", 1440, 900)
    page.evaluate("document.execCommand = () => false")
    page.locator("#fused-head .copy").click()
    expect(page.get_by_role("status").last).to_contain_text("press Ctrl C")
    assert "before the summer" in page.evaluate("String(getSelection())")
