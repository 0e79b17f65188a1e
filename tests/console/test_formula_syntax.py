"""Where formulas stand in a document, and where a dollar is a dollar."""

from __future__ import annotations

import random
import re

import pytest

from console.markdown import StreamRenderer, render
from console.markdown.formula_syntax import MAX_TYPESET
from tests.console.test_markdown_stream import TRAPS
from tests.growth import BOUND, growth

MATH = re.compile(r'<math( display="block")?>.*?</math>', re.DOTALL)


def seen(html: str) -> str:
    """Formulas in braces, displays in double ones."""
    html = re.sub(r"<annotation.*?</annotation>", "", html, flags=re.DOTALL)

    def bare(formula: re.Match[str]) -> str:
        text = re.sub("<[^>]*>", "", formula[0])
        return f"⦃⦃{text}⦄⦄" if formula[1] else f"⦃{text}⦄"

    return MATH.sub(bare, html)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (
            r"So \[ E = mc^2 \] and \( x_1 \neq \{a,b\} \).",
            "<p>So ⦃⦃E=mc2⦄⦄and ⦃x1≠{a,b}⦄.</p>\n",
        ),
        ("$$\na\n= b\n- c\n$$", "<p>⦃⦃a=b−c⦄⦄</p>\n"),
        ("$$ a\n= b $$", "<p>⦃⦃a=b⦄⦄</p>\n"),
        ("\\[\na\n=\nb\n\\]", "<p>⦃⦃a=b⦄⦄</p>\n"),
        ("We have\n$$\na\n=\nb\n$$\nthen", "<p>We have</p>\n<p>⦃⦃a=b⦄⦄</p>\n<p>then</p>\n"),
        ("So \\[ E\n=\nmc^2\n- x \\] and", "<p>So ⦃⦃E=mc2−x⦄⦄and</p>\n"),
        ("So $$\nE\n= F\n# x\n$$ and", "<p>So ⦃⦃E=F#x⦄⦄and</p>\n"),
        ("So $$\nE\n- F\n$$ and", "<p>So ⦃⦃E−F⦄⦄and</p>\n"),
        ("> $$\n> a\n> = b\n> $$", "<blockquote>\n<p>⦃⦃a=b⦄⦄</p>\n</blockquote>\n"),
        (
            "1. one\n   $$\n   - a\n   $$\n2. two",
            "<ol>\n<li>one<p>⦃⦃−a⦄⦄</p>\n</li>\n<li>two</li>\n</ol>\n",
        ),
        ("$$\na\n\n+ b\n$$", "<p>⦃⦃a+b⦄⦄</p>\n"),
        ("\\begin{align}\na &= b \\\\\n&= c\n\\end{align}", "<p>⦃⦃a=b=c⦄⦄</p>\n"),
        ("$x$, $n - 1$, $f(x)$, $O(n \\log n)$", "<p>⦃x⦄, ⦃n−1⦄, ⦃f(x)⦄, ⦃O(nlogn)⦄</p>\n"),
        ("($x$) $x$-axis $2n$: $\\$5$", "<p>(⦃x⦄) ⦃x⦄-axis ⦃2n⦄: ⦃$5⦄</p>\n"),
        (r"**\(x_1\)** and *$y_1$*", "<p><strong>⦃x1⦄</strong> and <em>⦃y1⦄</em></p>\n"),
        ("$ABC = x$ $$AB$$", "<p>⦃ABC=x⦄ ⦃⦃AB⦄⦄</p>\n"),
        ("# On $x^2$", "<h1>On ⦃x2⦄</h1>\n"),
    ],
)
def test_a_formula_is_typeset_where_models_write_one(text: str, html: str) -> None:
    assert seen(render(text)) == html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("$5 and $10", "$5 and $10"),
        ("US$5 and US$10", "US$5 and US$10"),
        ("costs $5, or 5$ more", "costs $5, or 5$ more"),
        ("$10-$20, $30/$40, ($5) or ($6)", "$10-$20, $30/$40, ($5) or ($6)"),
        ("$1M → $2M (×2), $3 = 3 dollars", "$1M → $2M (×2), $3 = 3 dollars"),
        ("**$5** or **$6**", "<strong>$5</strong> or <strong>$6</strong>"),
        ("$PATH and $HOME, $HOME/$USER", "$PATH and $HOME, $HOME/$USER"),
        (r"\$5 and \$6", "$5 and $6"),
        ("`$x$` and `\\(x\\)`", "<code>$x$</code> and <code>\\(x\\)</code>"),
        ("from $$ to $$$, ($$)", "from $$ to $$$, ($$)"),
        (r"\[1\], \[see note\] \(see below\)", "[1], [see note] (see below)"),
    ],
)
def test_what_is_no_formula_is_text_as_ever(text: str, html: str) -> None:
    assert render(text) == f"<p>{html}</p>\n"


def test_dollars_for_prices_keep_lists_and_tables() -> None:
    assert render("- Osteria ($$)\n- Bistro ($$)").count("<li>") == 2
    assert render("| a | $$ |\n|---|---|\n| b | $$ |").count("$$</t") == 2
    assert render("- `\\[` opens\n- `\\]` closes").count("<li>") == 2
    assert render("```\n$$\nx\n$$\n```") == "<pre><code>$$\nx\n$$\n</code></pre>\n"
    assert "<h1>" in render("$$\n\nSome words follow\n\n# Title")


@pytest.mark.parametrize(
    "source",
    [
        r"\( \frac{0.7\,C",
        r"\[ \{a\,b\} \\ \frac{a",
        r"\(\href{javascript:pwned()}{x}\,\{\)",
        "$$\n\\ce{H2O}\\,\\{\n=\nx\n$$",
        "$$\n\\frac{0.7\\,C",
        "$$\nx + " + r"\{" * 1_200 + "\n=\n$$",
        r"\(" + r"\," * 1_200 + r"x^2\)",
    ],
)
def test_what_is_not_typeset_keeps_every_sign(source: str) -> None:
    assert f"<code>{source}</code>" in render(source + "\n").replace("&amp;", "&")


def test_a_document_has_no_more_typeset_than_is_done_in_a_moment() -> None:
    formula = "x+" * 900 + "x"
    text = f"\\({formula}\\)\n\n" * 40
    html = render(text)
    assert html.count("<math") == MAX_TYPESET // len(formula)
    assert html.count("<code>") == 40 - html.count("<math")
    renderer = StreamRenderer()
    for end in range(0, len(text), 1_999):
        renderer.feed(text[:end])
    renderer.feed(text)
    assert renderer.finish() is None
    assert "".join(renderer.final) + renderer.block == html


FORMULAS = [
    *("$$\na\n= b\n- c\n$$", "\\[\nE\n=\nmc^2\n\\]", "$x^2$ for $5", r"\( a \) b", r"\[ x^2 \]"),
    *("$$\n\na\n\n$$", r"a \[ x \] b", "$$ x $$", r"\(\ce{x}\)", "\\begin{align}\na\n\\end{align}"),
]


def test_streams_with_whole_formulas_add_up_without_being_sent_again() -> None:
    for seed in range(500):
        rng = random.Random(seed)
        blocks = [rng.choice([*FORMULAS, *TRAPS[:20]]) for _ in range(8)]
        text = "\n\n".join(blocks) + "\n"
        renderer = StreamRenderer()
        for end in sorted(rng.sample(range(len(text)), min(12, len(text)))):
            renderer.feed(text[:end])
        renderer.feed(text)
        assert renderer.finish() is None, text
        assert "".join(renderer.final) + renderer.block == render(text)


def test_a_stream_ends_as_the_whole_however_its_formulas_are_broken() -> None:
    pieces = ["$$", "\\[", "\\]", "x^2", "= b", "$$ x^2", "a \\[ x^2", "y \\] b", "\\( x^2", "a $$"]
    for seed in range(500):
        rng = random.Random(seed)
        text = "\n".join(rng.choice([*pieces, *TRAPS]) for _ in range(12))
        renderer = StreamRenderer()
        for end in sorted(rng.sample(range(len(text)), min(12, len(text)))):
            renderer.feed(text[:end])
        renderer.feed(text)
        renderer.finish()
        assert "".join(renderer.final) + renderer.block == render(text)


def test_an_open_formula_is_shown_as_its_source_and_stays_one_block() -> None:
    renderer = StreamRenderer()
    renderer.feed("Now\n\n$$\na\n=\n- b\n")
    assert renderer.final == ["<p>Now</p>\n"]
    assert renderer.block == "<p><code>$$\na\n=\n- b</code></p>\n"
    renderer.feed("Now\n\n$$\na\n=\n- b\n$$\n")
    assert seen(renderer.block) == "<p>⦃⦃a=−b⦄⦄</p>\n"


@pytest.mark.parametrize(
    "unit",
    [
        *(r"\(", r"\[", "\\[\n", "$", "$$", "$$\n", "$a ", "$x$ ", r"\(\\", "\\[\\a\n", "$$ x^2\n"),
        *("\\begin{align}\n", "x \\[ \\a\n", "> $$\n", "- \\[\n", "a $$\n$$ b\n", r"\(\ ", r"\\("),
        *(r"\(" + "x" * 1_990 + r"\)", "$" + "x " * 249 + "$ ", r"\(x" * 30 + "\n\n"),
    ],
)
def test_floods_of_formulas_cost_no_more_than_their_length(unit: str) -> None:
    def prepare(size: int) -> object:
        text = unit * max(1, size // len(unit))
        return lambda: render(text)

    assert growth(prepare, 4_000) < BOUND + 1  # type: ignore[arg-type]
    assert render(unit * (190_000 // len(unit)))
