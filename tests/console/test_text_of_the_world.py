"""Text as people of every script write it: emphasis without spaces, three tags, bare addresses."""

from __future__ import annotations

import random

import pytest
from markdown_it import MarkdownIt

from console.markdown import render
from console.markdown.emphasis import add_emphasis
from tests.growth import BOUND, growth

REL = ' rel="noopener noreferrer nofollow"'


def link(address: str, href: str = "") -> str:
    return f'<a href="{href or address}"{REL}>{address}</a>'


# ---- emphasis ----


@pytest.mark.parametrize(
    ("text", "strong"),
    [
        ("**重要：**这是测试。后面的**「文字」**不应加粗。", ["重要：", "「文字」"]),
        ("这是**“文字”**不", ["“文字”"]),
        ("**「日本語」**です。次は**注意。**です", ["「日本語」", "注意。"]),
        ("**테스트(test)**는 **‘인용’**이다", ["테스트(test)", "‘인용’"]),
        ("**重要**：这 **a** **b**", ["重要", "a", "b"]),
        ("**（1）**第一", ["（1）"]),
        ("**全角！**ｶﾅ", ["全角！"]),
        ("a **b** c, d**e**f", ["b", "e"]),
    ],
)
def test_emphasis_is_found_where_no_spaces_are_set(text: str, strong: list[str]) -> None:
    html = render(text)
    assert [part.split("</strong>")[0] for part in html.split("<strong>")[1:]] == strong
    assert "**" not in html


@pytest.mark.parametrize("text", ["a **x.**y", "2 ** 3 ** 4", "** 重要 **这", "\U0001f44d**a.**b"])
def test_what_is_no_emphasis_elsewhere_is_none_still(text: str) -> None:
    assert "<strong>" not in render(text)


def test_struck_and_slanted_text_follow_the_same_rule() -> None:
    assert render("*重要：*这 ~~删除：~~是 snake_case_x") == (
        "<p><em>重要：</em>这 <s>删除：</s>是 snake_case_x</p>\n"
    )


def test_text_with_spaces_is_emphasised_as_commonmark_says() -> None:
    ours = MarkdownIt("commonmark").enable("strikethrough")
    theirs = MarkdownIt("commonmark").enable("strikethrough")
    add_emphasis(ours)
    for seed in range(3_000):
        rng = random.Random(seed)
        text = "".join(rng.choices(["*", "_", "~", "~~", "**", "a", " ", ".", "é", "“", "€"], k=14))
        assert ours.renderInline(text) == theirs.renderInline(text), text


# ---- tags ----


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("one<br>two<br/>three<BR />four", "one<br>\ntwo<br>\nthree<br>\nfour"),
        ("H<sub>2</sub>O, x<sup>*n*</sup>", "H<sub>2</sub>O, x<sup><em>n</em></sup>"),
        (
            "<sup>[a.test](https://a.test)</sup>",
            f'<sup><a href="https://a.test"{REL}>a.test</a></sup>',
        ),
        ("`<br> <sub>2</sub>`", "<code>&lt;br&gt; &lt;sub&gt;2&lt;/sub&gt;</code>"),
        ("<sub class=k>2</sub>", "&lt;sub class=k&gt;2&lt;/sub&gt;"),
        ("<sub>2 <sub></sub>", "&lt;sub&gt;2 &lt;sub&gt;&lt;/sub&gt;"),
        ("<sub>2</sup> <br x>", "&lt;sub&gt;2&lt;/sup&gt; &lt;br x&gt;"),
        ("<b>2</b> <u>x</u>", "&lt;b&gt;2&lt;/b&gt; &lt;u&gt;x&lt;/u&gt;"),
    ],
)
def test_three_tags_do_what_they_say_and_every_other_stays_text(
    text: str, html: str | None
) -> None:
    expected = (
        html or f'<sup><a href="https://a.test"{REL}>1 <span class="host">(a.test)</span></a></sup>'
    )
    assert render(text) == f"<p>{expected}</p>\n"


def test_a_cell_of_a_table_may_hold_lines() -> None:
    html = render("| a | b |\n|---|---|\n| one<br>two | H<sub>2</sub>O |\n")
    assert "<td>one<br>\ntwo</td>" in html and "<td>H<sub>2</sub>O</td>" in html


# ---- addresses ----


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("See https://a.example/x.", f"See {link('https://a.example/x')}."),
        ("(https://a.example/x)", f"({link('https://a.example/x')})"),
        ("https://a.example/A_(b)_(c), d", f"{link('https://a.example/A_(b)_(c)')}, d"),
        ("見よhttps://a.example/x。次", None),
        ("见 https://a.example/x，后", f"见 {link('https://a.example/x')}，后"),
        ("（https://a.example/x）」", f"（{link('https://a.example/x')}）」"),
        ("**https://a.example/a_b_c**", f"<strong>{link('https://a.example/a_b_c')}</strong>"),
        ("“https://a.example/x”!", f"“{link('https://a.example/x')}”!"),
        ("HTTP://localhost:8000/?a=1;", f"{link('HTTP://localhost:8000/?a=1')};"),
        (
            "https://a.example/?a=1&b=2#c",
            link("https://a.example/?a=1&amp;b=2#c"),
        ),
        (
            "https://a.example/重要",
            link("https://a.example/重要", "https://a.example/%E9%87%8D%E8%A6%81"),
        ),
        ("https://a.example/x[^1]", f"{link('https://a.example/x')}[^1]"),
        (
            "https://bank.test@evil.test/",
            f'<a href="https://bank.test@evil.test/"{REL}>https://bank.test@evil.test/'
            ' <span class="host">(evil.test)</span></a>',
        ),
    ],
)
def test_a_bare_address_is_a_link_to_exactly_itself(text: str, html: str | None) -> None:
    expected = html or f"見よ{link('https://a.example/x')}。次"
    assert render(text) == f"<p>{expected}</p>\n"


@pytest.mark.parametrize(
    "text",
    [
        *("`https://a.example`", "    https://a.example", "```\nhttps://a.example\n```"),
        *("https://", "https:///x", "xhttps://a.example", "javascript://a.example", "a@b.example"),
        *("www.a.example", "http\\://a.example", "ftp://a.example", "http://.", "svn+http://a.b"),
    ],
)
def test_what_is_no_address_or_is_code_is_no_link(text: str) -> None:
    assert "<a" not in render(text)


def test_an_address_within_a_link_is_its_label() -> None:
    assert render("[see https://a.example](https://b.example)").count("<a ") == 1


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "http://a.b ",
            "http:///",
            "http://x@",
            "://",
            "http://a.b/(",
            "http://a.b/.",
            "http://&amp;",
        ),
        *("<sub>", "<sub>a</sub>", "<br>", "**重", "重：**", "~~重"),
    ],
)
def test_floods_of_them_cost_no_more_than_their_length(unit: str) -> None:
    def prepare(size: int):  # type: ignore[no-untyped-def]
        text = unit * (size // len(unit))
        return lambda: render(text)

    assert growth(prepare, 4_000) < BOUND + 1
    assert render("http://a.b/" + unit * (100_000 // len(unit)))
