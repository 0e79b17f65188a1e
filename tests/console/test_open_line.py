"""The line that is being written stands where it will be when it is whole."""

from __future__ import annotations

import random
import re

import pytest

from console.markdown import StreamRenderer
from console.markdown.open_line import SLOT
from tests.console.test_markdown_hostile import Forbidden
from tests.console.test_markdown_stream import cuts, random_document


def streamed(text: str, sources: str = "", at_once: int = 1) -> StreamRenderer:
    """Letter by letter, but for what comes `at_once`."""
    renderer = StreamRenderer(sources=sources)
    for end in range(at_once, len(text) + 1):
        renderer.feed(text[:end])
    return renderer


def seen(text: str, sources: str = "", at_once: int = 1) -> str:
    """As the page shows it, the open line between brackets."""
    renderer = streamed(text, sources, at_once)
    shown = "".join(renderer.final) + renderer.shown.replace(SLOT, f"⟦{renderer.line}⟧")
    return re.sub(r">\s+<", "><", shown).strip()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Hello wor", "<p>⟦Hello wor⟧</p>"),
        ("Hello\nwor", "<p>Hello\n⟦wor⟧</p>"),
        ("Hello\n\nwor", "<p>Hello</p><p>⟦wor⟧</p>"),
        ("```py\nx = 1\n    y =", "<pre><code>x = 1\n⟦    y =⟧</code></pre>"),
        ("```\n", "<pre><code></code></pre>"),
        ("```\nf", "<pre><code>⟦f⟧</code></pre>"),
        ("- a\n- b", "<ul><li>a</li><li>⟦b⟧</li></ul>"),
        ("- a\n  b", "<ul><li>a\n⟦b⟧</li></ul>"),
        ("- a\n  - b", "<ul><li>a\n<ul><li>⟦b⟧</li></ul></li></ul>"),
        ("1. a\n2. b", "<ol><li>a</li><li>⟦b⟧</li></ol>"),
        ("> a\n> b", "<blockquote><p>a\n⟦b⟧</p></blockquote>"),
        ("# Hea", "<h1>⟦Hea⟧</h1>"),
        ("a\n## b", "<p>a</p><h2>⟦b⟧</h2>"),
        ("مرحبا", '<p dir="rtl">⟦مرحبا⟧</p>'),
        ("$$\na\n= b", "<p><code>$$\na\n⟦= b⟧</code></p>"),
    ],
)
def test_the_open_line_stands_inside_its_block(text: str, shown: str) -> None:
    assert seen(text) == shown


HEAD = "| a | b |\n|---|---|\n"


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        ("| 1", [["⟦1⟧", ""]]),
        ("| 1 |", [["1", "⟦⟧"]]),
        ("| 1 | 2", [["1", "⟦2⟧"]]),
        ("| 1 | 2 |", [["1", "2"]]),
        ("| 1 | 2 |\n| **3** | fo", [["1", "2"], ["<strong>3</strong>", "⟦fo⟧"]]),
        ("| x \\| y | z", [["x | y", "⟦z⟧"]]),
    ],
)
def test_a_row_is_a_row_from_its_first_cell(rows: str, shown: list[list[str]]) -> None:
    html = seen(HEAD + rows)
    body = html[html.index("<tbody>") :]
    found = [re.findall(r"<td>(.*?)</td>", row) for row in body.split("<tr>")[1:]]
    assert found == shown and html.count("<table>") == 1


LONG = "".join(f"| {n} | a cell of some length |\n" for n in range(150))


@pytest.mark.parametrize("rows", ["", "| 1 | 2 |\n", LONG])
@pytest.mark.parametrize(
    ("after", "behind"),
    [
        ("\nSome words", "<p>⟦Some words⟧</p>"),
        (" \t\n\nSome | words", "<p>⟦Some | words⟧</p>"),
        ("\n| x", "<p>⟦| x⟧</p>"),
        ("\n**Ma", "<p>⟦**Ma⟧</p>"),
        ("\n- one", "<ul><li>⟦one⟧</li></ul>"),
    ],
)
def test_what_follows_a_table_is_no_row_of_it(rows: str, after: str, behind: str) -> None:
    at_once = len(HEAD + rows[:-80])
    assert seen(HEAD + rows + after, at_once=at_once).endswith(f"</table>{behind}")


@pytest.mark.parametrize(
    ("line", "behind"),
    [
        ("# Hea", "<h1>⟦Hea⟧</h1>"),
        ("> say", "<blockquote><p>⟦say⟧</p></blockquote>"),
        ("- one", "<ul><li>⟦one⟧</li></ul>"),
        ("2. two", '<ol start="2"><li>⟦two⟧</li></ol>'),
        ("-", ""),
        ("##", ""),
        ("```py", ""),
    ],
)
def test_what_ends_a_table_without_an_empty_line_is_no_row(line: str, behind: str) -> None:
    assert seen(HEAD + "| 1 | 2 |\n" + line).endswith(f"</table>{behind}")


@pytest.mark.parametrize("line", ["Some words", "*bold* | x", "-5 | x", "#1 | x", "1.5 | x"])
def test_words_right_below_a_row_are_one_as_they_will_be(line: str) -> None:
    html = seen(HEAD + "| 1 | 2 |\n" + line)
    assert html.endswith("</tbody></table>") and html.count("<tr>") == 3


@pytest.mark.parametrize(("text", "line"), [("2 ", "2 "), ("1984 was", "1984 was"), ("2) b", "b")])
def test_a_number_that_is_no_item_is_shown(text: str, line: str) -> None:
    assert streamed(text).line == line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("42", "<p>⟦42⟧</p>"),
        ("42.", "<p>⟦42.⟧</p>"),
        ("So:\n\n7)", "<p>So:</p><p>⟦7)⟧</p>"),
        ("So:\n7", "<p>So:\n⟦7⟧</p>"),
        ("> 42", "<blockquote><p>⟦42⟧</p></blockquote>"),
        ("# 2", "<h1>⟦2⟧</h1>"),
        ("- 1", "<ul><li>⟦1⟧</li></ul>"),
        ("1. ", "<ol><li>⟦⟧</li></ol>"),
        ("> a\n\n42", "<blockquote><p>a</p></blockquote><p>⟦42⟧</p>"),
        ("1. a\n2", "<ol><li>a</li></ol>"),
        ("> 1. a\n> 2", "<blockquote><ol><li>a</li></ol></blockquote>"),
        ("1. a\n2.", "<ol><li>a</li></ol>"),
        ("1. a\n\n2. ", "<ol><li>a</li></ol>"),
    ],
)
def test_a_number_alone_is_shown_unless_a_list_may_go_on_with_it(text: str, shown: str) -> None:
    assert seen(text) == shown


@pytest.mark.parametrize(
    "text", ["a\n--", "2. ", "a\n#", "- a\n-", "1. a\n2", "```\nx\n``", "a\n|", "***"]
)
def test_what_nobody_can_tell_yet_is_not_shown(text: str) -> None:
    assert streamed(text).line == ""


def test_marks_of_provenance_are_not_shown_half(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "[^" not in seen("It is so [^A", "AB") and "It is so" in seen("It is so [^A", "AB")


def test_in_any_text_there_is_one_slot_at_most_and_only_what_may_stand_there() -> None:
    for seed in range(300):
        rng = random.Random(seed)
        text, renderer = random_document(rng), StreamRenderer()
        for end in cuts(rng, text):
            renderer.feed(text[:end])
            assert renderer.shown.count(SLOT) <= 1, text[:end]
            assert not re.search("[\ue000-\uf8ff]", renderer.shown), text[:end]
            assert Forbidden(renderer.shown.replace(SLOT, "")).found == []
        renderer.finish()
        assert SLOT not in renderer.shown and renderer.shown == renderer.block


def test_a_long_table_and_long_code_are_shown_up_to_their_last_line() -> None:
    table = HEAD + "".join(f"| cell {n} | is {n} |\n" for n in range(400))
    code = "```\n" + "".join(f"line {n}\n" for n in range(1000))
    for text, word in ((table, "cell"), (code, "line")):
        renderer, some = StreamRenderer(), 0
        for at in range(0, len(text), 97):
            renderer.feed(text[:at])
            visible = "".join(renderer.final) + renderer.shown.replace(SLOT, renderer.line)
            some = text[:at].count(word)
            assert visible.count(word) == some, text[at - 40 : at]
        assert some
