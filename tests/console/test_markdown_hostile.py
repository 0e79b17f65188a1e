"""Whatever a model writes, a page holds only what the allow-list of this file names.

The list is written out again, rather than imported, so that widening it takes two decisions.
"""

import re
from html.parser import HTMLParser

import pytest

from console.markdown import StreamRenderer, render
from tests.hostile_markdown import FORMULAS, PAYLOADS, RAW

TAGS = set(
    "a blockquote br code em h1 h2 h3 h4 h5 h6 hr li ol p pre s span strong sub sup"  # noqa: SIM905
    " table tbody td th thead tr ul".split()
)
PATTERNS = {
    ("a", "href"): r"(https?://[^/]|mailto:.).*",
    ("a", "rel"): r"noopener noreferrer nofollow",
    ("ol", "start"): r"\d+",
    ("td", "align"): r"left|center|right",
    ("th", "align"): r"left|center|right",
    ("code", "class"): r"(language-[a-z-]+)?",
    ("pre", "class"): r"plain",
    **{
        (tag, "dir"): "ltr|rtl"
        for tag in ("p", "h1", "ul", "ol", "blockquote", "table", "td", "th")
    },
    ("span", "class"): r"(host|[a-z][a-z0-9]{0,2})?",
}
# A formula that was typeset here, whole: elements of MathML, attributes of looks, text.
FORMULA = re.compile(
    r'<math(?: display="block")?><semantics>(?:</?(?:mrow|mi|mn|mo|mtext|mspace|msqrt|mstyle'
    r"|mpadded|mtable|mtr|mtd|mfrac|mroot|msub|msup|msubsup|mover|munder|munderover)"
    r"(?: (?:accent|accentunder|class|columnalign|columnlines|displaystyle|fence|form|linethickness"
    r"|mathvariant|maxsize|minsize|movablelimits|rowlines|scriptlevel|stretchy|width)"
    r'="[a-zA-Z0-9.+ -]+")*>|[^<>])*'
    r'<annotation encoding="application/x-tex">[^<>]*</annotation></semantics></math>'
)


class Forbidden(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(FORMULA.sub("", html))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            pattern = PATTERNS.get((tag, name))
            if pattern is None or not re.fullmatch(pattern, value or ""):
                self.found.append(f"<{tag} {name}={value!r}>")
        if tag == "a" and ("rel", PATTERNS["a", "rel"]) not in attrs:
            self.found.append("a link without rel")

    def handle_comment(self, data: str) -> None:
        self.found.append(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.found.append(f"<!{decl}>")

    handle_pi = unknown_decl = handle_decl


def in_company(payload: str) -> list[str]:
    """The payload in the places where markdown treats text in another way."""
    lines = payload.replace("\n", "\n  ")
    return [
        payload,
        f"text {payload} text",
        f"- {lines}",
        f"> {payload}",
        f"**{payload}**",
        f"[{payload}](https://a.test)",
        f"![{payload}](https://a.test/i.png)",
        f"[x](https://a.test '{payload}')",
        f"| a |\n|---|\n| {payload} |",
        f"```html\n{payload}\n```",
        f"```{payload}\ncode\n```",
        f"# {payload}",
    ]


def test_formulas_are_among_what_is_tried():
    html = render("\n\n".join(FORMULAS))
    assert FORMULA.search(html) and "<code>" in html


def test_the_corpus_is_large_and_without_repetition():
    assert len(PAYLOADS) >= 150
    assert len(set(PAYLOADS)) == len(PAYLOADS)


@pytest.mark.parametrize("payload", PAYLOADS, ids=range(len(PAYLOADS)))
def test_nothing_outside_the_allow_list_comes_through(payload):
    for text in in_company(payload):
        assert Forbidden(render(text)).found == []


def test_nothing_outside_the_allow_list_comes_through_while_it_streams():
    text = "\n\n".join(PAYLOADS)
    renderer = StreamRenderer()
    for end in range(0, len(text), 997):
        renderer.feed(text[:end])
        assert Forbidden(renderer.block).found == []
    renderer.finish()
    assert Forbidden("".join(renderer.final) + renderer.block).found == []


def test_the_check_finds_something_in_raw_markup():
    # The others are not seen as markup by this parser: a browser has the last word on them.
    assert sum(bool(Forbidden(payload).found) for payload in RAW) > 0.95 * len(RAW)


def test_markup_is_shown_as_the_text_it_is():
    assert "&lt;script&gt;pwned()&lt;/script&gt;" in render("<script>pwned()</script>")
