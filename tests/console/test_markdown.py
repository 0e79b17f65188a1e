"""What formatted text looks like, and what happens to text that cannot be formatted."""

import re
from pathlib import Path

import pytest

from console.markdown import render
from console.markdown.highlighting import LANGUAGES, TOKEN_CLASSES, coloured
from console.markdown.sanitiser import sanitise
from tests.console.test_markdown_hostile import Forbidden
from tests.hostile_markdown import RAW

CODE_CSS = Path("static/console/run/code.css").read_text()
REL = 'rel="noopener noreferrer nofollow"'


def test_the_usual_markdown_is_formatted():
    html = render(
        "# Head\n\n**bold** *it* ~~out~~ `code`\n\n3. three\n   - in\n\n> q\n\n---\n\na\\\nb"
    )
    for part in (
        *("<h1>Head</h1>", "<strong>bold</strong>", "<em>it</em>", "<s>out</s>"),
        *("<code>code</code>", '<ol start="3">', "<ul>", "<blockquote>", "<hr>", "a<br>"),
    ):
        assert part in html


def test_a_table_keeps_its_alignment_without_style():
    html = render("| a | b | c |\n|:-:|--:|---|\n| 1 | 2 | 3 |\n")
    assert '<td align="center">1</td>' in html
    assert '<td align="right">2</td>' in html
    assert "<td>3</td>" in html


def test_a_link_says_where_it_leads():
    html = render("[my bank](https://evil.test/login)")
    assert html == (
        f'<p><a href="https://evil.test/login" {REL}>my bank'
        ' <span class="host">(evil.test)</span></a></p>\n'
    )


def test_a_label_cannot_hide_the_host_behind_another():
    assert "(evil.test)" in render("[bank.test](https://bank.test@evil.test/)")
    assert "(evil.test)" in render("[https://bank.test](https://evil.test)")
    assert "(evil.test)" in render("[**bank**`.test`](https://evil.test)")


@pytest.mark.parametrize("text", ["<https://a.test/x>", "[a.test](https://a.test/x)"])
def test_a_link_that_shows_its_host_does_not_repeat_it(text):
    assert "host" not in render(text)


def test_a_mail_address_is_a_link():
    assert f'<a href="mailto:x@a.test" {REL}>x@a.test</a>' in render("<x@a.test>")


def test_an_image_is_a_link_with_its_description_and_host():
    assert render("![a *red* cat](https://pics.test/c.png)") == (
        f'<p><a href="https://pics.test/c.png" {REL}>Image: a red cat'
        ' <span class="host">(pics.test)</span></a></p>\n'
    )
    assert "Image: without description" in render("![](https://pics.test/c.png)")


def test_an_image_inside_a_link_is_part_of_its_label():
    html = render("[![logo](https://pics.test/l.png)](https://a.test)")
    assert html.count("<a ") == 1
    assert "pics.test" not in html
    assert "Image: logo" in html and "(a.test)" in html


def test_a_path_into_our_own_site_is_no_link():
    assert "<a" not in render("[x](/fusion/runs) [y](#top) [z](//a.test)")


def test_finished_code_is_coloured():
    html = render("```py\ndef f(): pass\n```\n")
    assert '<code class="language-python"><span class="k">def</span>' in html


def test_colouring_changes_no_character():
    code = "\n\n  def f(x):\n\treturn 'é' < \"&\"  # no\n\n"
    html = render(f"```python\n{code}```\n")
    text = re.sub("<[^>]+>", "", html).replace("&lt;", "<").replace("&amp;", "&")
    assert text == code + "\n"


@pytest.mark.parametrize(
    "text",
    [
        "```py\ndef f(): pass\n",
        "```nosuchlanguage\ndef f(): pass\n```\n",
        "```\ndef f(): pass\n```\n",
        "    def f(): pass\n",
    ],
    ids=["unfinished", "unknown", "unnamed", "indented"],
)
def test_other_code_is_plain(text):
    assert render(text) == "<pre><code>def f(): pass\n</code></pre>\n"


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_language_is_known_to_pygments(language):
    assert coloured("x", language).strip()


@pytest.mark.parametrize("code", ["x = 1\n" * 4_000, "x = '" + "a" * 400 + "'", "x\n" + "\n" * 30])
def test_code_that_would_be_slow_to_colour_is_not_coloured(code):
    assert "<span" not in coloured(code, "python")


def test_text_too_large_to_format_is_shown_as_it_is():
    text = "**a** <b> & " * 20_000
    html = render(text)
    assert html.startswith('<pre class="plain"><code>**a** &lt;b&gt; &amp; **a**')
    assert html.count("<") == 4


def test_blocks_nested_too_deep_are_shown_as_they_are_and_the_others_formatted():
    html = render("**a**\n\n" + "> " * 100 + "deep\n\n**b**\n")
    assert "<strong>a</strong>" in html and "<strong>b</strong>" in html
    assert '<pre class="plain"><code>&gt; &gt;' in html and "deep" in html


def test_no_word_is_lost_at_any_depth():
    for depth in range(1, 60):
        for text in ("> " * depth + "deep", "- " * depth + "deep", "1. " * depth + "deep"):
            assert "deep" in render(text)


@pytest.mark.parametrize(
    "unit",
    [
        *[
            "[",
            "![",
            "*",
            "_",
            "`",
            "<",
            "|",
            ">",
            "> ",
            "- ",
            "1. ",
            "~",
            "\\",
            "&",
            "(",
            "[a](",
            "[](",
        ],
        *[
            "a\n",
            "- a\n",
            "> - a\n",
            "- - - - - - a\n",
            "|a|b|\n",
            "*a",
            "`a",
            "\n",
            "\r",
            "\t",
            "a",
        ],
        *[
            "![a](b",
            "[a][",
            "[a]: b\n",
            "```\n",
            "<a",
            "http://a.b ",
            "<http://a.b>",
            "x\n==\n",
            "\0",
        ],
        *["e\u0301\u0302", "\u202e", "\x1b[31m", "&#x41;"],
    ],
)
@pytest.mark.parametrize("size", [16_000, 190_000, 1_000_000])
def test_a_flood_of_one_mark_returns(unit, size):
    assert render(unit * (size // len(unit))) is not None


def test_wide_tables_and_many_links_return():
    assert render("|".join(["a"] * 1_000) + "\n" + "|".join(["-"] * 1_000) + "\n" + "a|" * 50_000)
    assert render("[a](https://a.test) " * 10_000)


def test_the_sanitiser_alone_lets_nothing_through():
    for payload in RAW:
        assert Forbidden(sanitise(payload)).found == []


def test_only_known_classes_pass():
    assert sanitise('<span class="k hidden host">x</span>') == '<span class="k host">x</span>'
    assert sanitise('<p class="k">x</p>') == "<p>x</p>"


def test_the_stylesheet_names_only_classes_that_pass():
    css = re.sub(r"/\*.*?\*/", "", CODE_CSS, flags=re.S)
    classes = set(re.findall(r"\.([a-z]\w*)", css))
    assert classes <= TOKEN_CLASSES | {"host"}
    assert not re.search(r"#[a-z-]+\s*[{,]|url|@import", css)


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


def test_every_colour_of_code_is_readable_on_light_and_on_dark_paper():
    light, dark = CODE_CSS.split("@media")
    for part, papers in ((light, ["#ffffff", "#f2f2ef"]), (dark, ["#0b0c0e", "#22242a"])):
        colours = re.findall(r"#[0-9a-f]{6}", part)
        assert len(colours) == 8
        for colour in colours:
            assert min(contrast(colour, paper) for paper in papers) >= 5
