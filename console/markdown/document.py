"""From a document to HTML: CommonMark with tables and strikethrough, HTML switched off."""

import re
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from html import escape
from typing import Any
from urllib.parse import urlsplit

from django.utils.html import format_html
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from console.engine.findings.provenance import (
    ALL,
    MARKER,
    OWN,
    YOU,
    is_footnote,
    is_yours,
    names_of,
)
from console.engine.findings.provenance import plain as without_marks
from console.markdown.addresses import add_addresses
from console.markdown.directions import add_directions
from console.markdown.emphasis import add_emphasis
from console.markdown.formula_syntax import Kept, add_formulas
from console.markdown.highlighting import coloured, language_of
from console.markdown.references import add_references
from console.markdown.sanitiser import SCHEMES, sanitise
from console.markdown.tags import add_tags

# What markdown-it keeps between the blocks of a document: link reference definitions.
Env = MutableMapping[str, Any]

MAX_CHARS = 200_000
# Roughly what each of these costs the parser, in microseconds; everything else is cheap. A
# document of 200 KB takes seconds if it is made of "[" or of nested lists, and about a tenth
# of one if it is made of words.
COSTS = dict.fromkeys(("&", "<", "\\"), 8)
COSTS |= dict.fromkeys(("`", "~", "_", "$"), 20)
COSTS |= dict.fromkeys(("*", ". ", ".\t", ") ", ")\t"), 30)
COSTS |= dict.fromkeys(("\n", "[", ">", "- ", "-\t", "+ ", "+\t"), 50)
COSTS |= dict.fromkeys(("![", "][", "://"), 80)
COSTS |= dict.fromkeys(("\\(", "\\["), 100)
MAX_COST = 800_000

# markdown-it leaves out, without a word, what is nested deeper than this.
MAX_NESTING = 32

# Addresses must be whole: a path alone would lead into our own site.
_ADDRESS = re.compile(r"(?:https?://[^/?#\\]|mailto:.)", re.IGNORECASE)


def render(text: str, *, sources: str = "", cited: Mapping[int, str] | None = None) -> SafeString:
    """Any text to sanitised HTML. Text too large or too costly to format is shown plain.

    `sources` are the letters whose marks of provenance are shown as such, `cited` the web pages
    that its numbers in brackets lead to.
    """
    whole, text = text, complete_lines(text)
    if too_costly(text):
        # Without its last line feed others have it without marks already.
        bare = text if "\r" in whole else whole
        return plain(complete_lines(without_marks(bare)) if sources else text)
    env = new_env(sources, cited)
    return blocks_to_html(parse(text, env), text, env)


def new_env(sources: str, cited: Mapping[int, str] | None = None) -> Env:
    return {"sources": sources, "cited": cited or {}}


def complete_lines(text: str) -> str:
    """Every line ends in one line feed: the only line end the parser and we count by."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if not text or text.endswith("\n") else text + "\n"


def too_costly(text: str) -> bool:
    return len(text) > MAX_CHARS or cost_of(text) > MAX_COST


def cost_of(text: str, start: int = 0) -> int:
    """Of what ends behind `start`: parts of a text add up to the whole."""
    return sum(
        text.count(mark, max(0, start + 1 - len(mark))) * cost for mark, cost in COSTS.items()
    )


def plain(text: str) -> SafeString:
    # Escaping is enough and far cheaper than the sanitiser, which needs seconds for 1 MB of
    # "&". The text is in `code` because HTML drops a line feed that comes right after `pre`.
    return format_html('<pre class="plain"><code>{}</code></pre>\n', text)


def parse(text: str, env: Env) -> list[Token]:
    return _parser.parse(text, env)


def top_level_blocks(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    start = 0
    for index, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0:
            yield tokens[start : index + 1]
            start = index + 1


def blocks_to_html(tokens: Sequence[Token], text: str, env: Env) -> SafeString:
    """`text` is what the tokens' line numbers refer to."""
    lines: list[str] | None = None
    pieces = []
    env["kept"] = kept = Kept()
    for block in top_level_blocks(tokens):
        if max(token.level for token in block) < MAX_NESTING - 1:
            pieces.append(_parser.renderer.render(block, _parser.options, env))
            continue
        if lines is None:
            lines = text.split("\n")
        first, after = block[0].map or (0, 0)
        pieces.append(plain("\n".join([*lines[first:after], ""])))
    return sanitise("".join(pieces), kept.put_in)


def _is_allowed_address(url: str) -> bool:
    if not _ADDRESS.match(url):
        return False
    try:
        return urlsplit(url).scheme in SCHEMES and bool(_host_of(url))
    except ValueError:  # such as an unclosed bracket of an IPv6 address
        return False


def _host_of(url: str) -> str:
    """Where a link really leads, whatever its label says."""
    parts = urlsplit(url)
    return parts.hostname or parts.path


def _links_show_their_host(state: StateCore) -> None:
    """Images become links, and every link says where it leads."""
    for token in state.tokens:
        # A table of many cells has many of these and few links.
        if token.children and any(c.type in ("link_open", "image") for c in token.children):
            token.children = list(_with_hosts(token.children))


def _with_hosts(children: Sequence[Token]) -> Iterator[Token]:
    link: Token | None = None  # links do not nest
    label = ""
    for child in children:
        if child.type == "image":
            alt = f"Image: {_alt_text(child.children or []) or 'without description'}"
            if link is None:
                href = str(child.attrs["src"])
                yield Token("link_open", "a", 1, attrs={"href": href})
                yield Token("text", "", 0, content=alt)
                yield from _host_note(href)
                yield Token("link_close", "a", -1)
            else:
                label += alt
                yield Token("text", "", 0, content=alt)
            continue
        if child.type == "link_open":
            link, label = child, ""
        elif child.type == "link_close" and link is not None:
            href = str(link.attrs["href"])
            shows_host = link.info == "auto" or label.strip() in (href, _host_of(href))
            if not shows_host or "@" in urlsplit(href).netloc:
                yield from _host_note(href)
            link = None
        elif link is not None:
            label += child.content
        yield child


def _alt_text(children: Sequence[Token]) -> str:
    return "".join(
        _alt_text(c.children or []) if c.type == "image" else c.content or " " * (c.tag == "br")
        for c in children
    ).strip()


def _host_note(href: str) -> Iterator[Token]:
    yield Token("text", "", 0, content=" ")
    yield Token("span_open", "span", 1, attrs={"class": "host"})
    yield Token("text", "", 0, content=f"({_host_of(href)})")
    yield Token("span_close", "span", -1)


# In the words of the page, what is none of the seats'.
_SHOWN = {OWN: "writer"}


def _source(state: StateInline, silent: bool) -> bool:
    """A mark of provenance becomes a small chip for each seat; see `engine.findings.provenance`."""
    letters = state.env.get("sources")
    if not letters or not state.src.startswith("[^", state.pos):
        return False
    match = MARKER.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    end = match.end() + is_footnote(state.src, match, state.src.rfind("\n", 0, state.pos) + 1)
    if not silent:
        # A chip that is not shown must leave no space behind.
        state.pending = state.pending.rstrip(" ")
        seats, is_own = names_of(match[1], letters)
        others = [*([OWN] if is_own else []), *([YOU] if is_yours(match[1]) else [])]
        for name in [*seats, *others]:
            data = {"class": f"source source-{name}" if name in others else "source"}
            if name not in others:
                data["data-seat"] = str(ALL.index(name))
            state.push("source_open", "span", 1).attrs = dict(data)
            state.push("text", "", 0).content = _SHOWN.get(name, name)
            state.push("source_close", "span", -1)
        if state.src[end : end + 1].isalnum() and not _in_word(state, match):
            state.pending += " "
    state.pos = end
    return True


def _no_footnote(state: StateBlock, line: int, end: int, silent: bool) -> bool:
    """A footnote's text is read; Markdown takes one of a single word for the address of a link."""
    start = state.bMarks[line] + state.tShift[line]
    if state.env.get("sources") and MARKER.match(state.src, start, state.eMarks[line]):
        return False
    return reference(state, line, end, silent)


def _in_word(state: StateInline, match: re.Match[str]) -> bool:
    return bool(match.start()) and state.src[match.start() - 1].isalnum()


def _align_without_style(state: StateCore) -> None:
    """The sanitiser and the content security policy both refuse `style`."""
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and "style" in token.attrs:
            token.attrs = {"align": str(token.attrs["style"]).removeprefix("text-align:")}


def _fence(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: Env
) -> str:
    token = tokens[index]
    first, after = token.map or (0, 0)
    # Opening line, content, closing line: without the last, the code is still being written.
    finished = after - first == token.content.count("\n") + 2
    language = language_of(token.info) if finished else None
    if language is None:
        return f"<pre><code>{escape(token.content)}</code></pre>\n"
    code = coloured(token.content, language)
    return f'<pre><code class="language-{language}">{code}</code></pre>\n'


def _make_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING})
    parser.enable(["table", "strikethrough"])
    parser.validateLink = _is_allowed_address  # type: ignore[method-assign]
    parser.inline.ruler.before("link", "source", _source)
    parser.block.ruler.at("reference", _no_footnote)
    parser.core.ruler.push("links_show_their_host", _links_show_their_host)
    parser.core.ruler.push("align_without_style", _align_without_style)
    parser.add_render_rule("fence", _fence)
    for add in (
        *(add_formulas, add_emphasis, add_tags, add_addresses, add_references, add_directions),
    ):
        add(parser)
    return parser


_parser = _make_parser()
