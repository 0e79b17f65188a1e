"""From LaTeX as models write it to MathML of ours: what is taken, what is shown as it is."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

import pytest

from console.markdown.formulas import MAX_CHARS, MAX_DEPTH, typeset


def shown(mathml: str | None) -> str:
    """What a reader sees of it, one line."""
    assert mathml is not None
    body = re.sub(r"<annotation.*?</annotation>", "", mathml, flags=re.DOTALL)
    return re.sub(r"\s+", "", unescape(re.sub(r"<[^>]*>", "", body)))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"E = mc^2", "E=mc2"),
        (r"x_1 \neq \{a,b\}", "x1≠{a,b}"),
        (r"C = 40\,000", "C=40000"),
        (r"n^{*} = \frac{0.7\,C}{2}", "n*=0.7C2"),
        (r"\boxed{42}", "42"),
        (r"\text{50 % of} x", "50%ofx"),
        (r"50% + 5\%", "50%+5%"),
        ("x\n= y\n- z", "x=y−z"),
        (r"a = b \\[5pt] c = d", "a=bc=d"),
        (r"\begin{aligned} a &= b \\ &= c \end{aligned}", "a=b=c"),
        (r"\begin{align} a &= b \\ &= c \end{align}", "a=b=c"),
        (r"\begin{gather*} a \\ b \end{gather*}", "ab"),
        (r"\begin{equation}\begin{split} a &= b \end{split}\end{equation}", "a=b"),
        (r"f = \begin{cases} 1 & x > 0 \\ 0 & \text{else} \end{cases}", "f={1x>00else"),
        (r"\begin{array}{c|c} a & b \\ \hline c & d \end{array}", "abcd"),
        (r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}", "(abcd)"),
        (r"\left. f' \right|_0^1", "f′|01"),
        (r"\sqrt[3]{x}", "x3"),
        (r"\operatorname*{arg\,max}_x g", "argmaxxg"),
        (r"\not= \not\in", "≠∉"),
        (r"\text{速度} = v", "速度=v"),
        (r"\mathbb{E}[X]", "𝔼[X]"),
        (r"\text{if <b> & x}", "if<b>&x"),
        (r"α + β ≤ γ", "α+β≤γ"),
    ],
)
def test_what_models_write_is_typeset_with_every_sign(source: str, text: str) -> None:
    assert shown(typeset(source, is_display=True)) == text
    assert shown(typeset(source, is_display=False)) == text


@pytest.mark.parametrize(
    "source",
    [
        "",
        " ",
        r"\href{javascript:pwned()}{x}",
        r"\style{position:fixed}{x}",
        r"\class{menu}{x}",
        r"\color{red} x",
        r"\unicode{x41}",
        r"\def\x{\x\x}\x",
        r"\newcommand{\x}{y}\x",
        r"\verb|x|",
        r"\hspace{9999em} x",
        r"\rule{9999em}{9999em}",
        r"\phantom{x}",
        r"\ce{H2O}",
        r"\begin{tikzpicture} x \end{tikzpicture}",
        r"\begin{matrix} x \end{pmatrix}",
        r"\begin {x",
        r"x^{2",
        r"x}2{",
        r"\left( x",
        r"\frac{a}",
        r"a_b_c",
        r"\text{a {b} c}",
        "x" * (MAX_CHARS + 1),
        "{" * (MAX_DEPTH + 1) + "x" + "}" * (MAX_DEPTH + 1),
        r"\sqrt" * (MAX_DEPTH + 2) + "x",
        "^" * 1_000,
        r"\left(" * 60 + r"\right)" * 60,
    ],
)
def test_what_is_not_allowed_or_not_whole_is_left_to_its_source(source: str) -> None:
    assert typeset(source, is_display=False) is None


def test_a_formula_as_large_and_as_deep_as_may_be_is_typeset() -> None:
    assert shown(typeset("x" * MAX_CHARS, is_display=True)) == "x" * MAX_CHARS
    assert shown(typeset("{" * MAX_DEPTH + "x" + "}" * MAX_DEPTH, is_display=True)) == "x"


class Elements(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {(tag, ""), *((tag, name) for name, _ in attrs)}


@pytest.mark.parametrize(
    "markup",
    [
        "<script>pwned()</script>",
        "<img src=x onerror=pwned()>",
        "</mtext></math><img src=x onerror=pwned()>",
        "&lt;script&gt;",
        "&#x3C;script&#x3E;pwned()",
        '" onclick="pwned()',
        "</annotation></semantics></math><script>",
    ],
)
@pytest.mark.parametrize("around", [r"\text{%s}", r"%s", r"\operatorname{%s}", r"\tag{%s}"])
def test_markup_within_a_formula_is_text_or_its_source(markup: str, around: str) -> None:
    mathml = typeset(around % markup, is_display=False) or ""
    tags = {tag for tag, _ in Elements(mathml).found}
    assert tags <= {"math", "semantics", "annotation"} | {t for t in tags if t.startswith("m")}
    assert not tags & {"script", "img", "meta", "menu", "main", "marquee", "map", "mark"}
    assert not {a for _, a in Elements(mathml).found if a.startswith("on")}


def test_the_source_goes_along_for_those_who_look_for_it() -> None:
    mathml = typeset(r"a < \frac{b}{c}", is_display=True)
    assert mathml and mathml.startswith('<math display="block"><semantics><mrow>')
    assert r'<annotation encoding="application/x-tex">a &lt; \frac{b}{c}</annotation>' in mathml
