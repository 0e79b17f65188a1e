r"""Where formulas stand in a document: `\( … \)`, `\[ … \]`, `$$ … $$`, and `$ … $` with care.

A *display* is a formula on lines of its own. One that begins a line is a block; one that begins
within a line, and goes on over others, keeps them: what begins with "=" or "-" there is neither
heading nor list. A formula that is not typeset, or still open, is shown as it was written.
"""

import re
import secrets
from collections.abc import Iterator, Sequence
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from console.markdown.formulas import MAX_CHARS, typeset

# Beyond so many characters none was meant: something is left open.
MAX_OPEN = 8_000
# So much is typeset in one document, at some 10 µs a character; the rest stays source.
MAX_TYPESET = 40_000

_CLOSER = {r"\(": r"\)", r"\[": r"\]", "$$": "$$"}
_FAR = 1_000  # an indent that no block but a paragraph's next line has


class Kept:
    """Formulas of one rendering. They wait beside the text while that passes the sanitiser, under
    marks that nobody who wrote the text can know."""

    def __init__(self) -> None:
        self._mark = secrets.token_hex(16)
        self._mathml: list[str] = []

    def keep(self, mathml: str) -> str:
        self._mathml.append(mathml)
        return f"{self._mark}{len(self._mathml) - 1}."

    def put_in(self, html: str) -> str:
        if not self._mathml:
            return html
        return re.sub(rf"{self._mark}(\d+)\.", lambda mark: self._mathml[int(mark[1])], html)


def add_formulas(parser: MarkdownIt) -> None:
    enders: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    parser.block.ruler.before("table", "formula", _display_block, enders)
    parser.block.ruler.before("formula", "lines_of_formulas", _keep_lines_together)
    parser.inline.ruler.before("escape", "formula", _formula)
    parser.add_render_rule("formula", _render)


def _render(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    token = tokens[index]
    html = _typeset(token, env) or f"<code>{escape(token.meta['source'])}</code>"
    if token.block:
        return f"<p>{html}</p>\n"
    return f"\n{html}\n" if token.info and html.startswith("<code>") else html


def _typeset(token: Token, env: EnvType) -> str:
    size = env.get("typeset", 0) + len(token.content)
    if not token.meta["closed"] or size > MAX_TYPESET:
        return ""
    env["typeset"] = size
    mathml = typeset(token.content, is_display=bool(token.info))
    return env["kept"].keep(mathml) if mathml else ""


# ---- is it one? ----

_TEX = re.compile(r"\\[a-zA-Z{}|]|[\^_=<>+]")
_TEX_ONLY = re.compile(r"\\[a-zA-Z]|[\^_]")
_COMMAND = re.compile(r"\\[a-zA-Z]+\s*(?:\{[^{}]*\})?")
_WORD = re.compile(r"(?<!\S)[a-zà-ÿ]{3,}(?=[\s,.;:!?]|$)")
_BETWEEN = re.compile(r"\s[a-zà-ÿ]{2,}\s")
_TWO_WORDS = re.compile(r"(?<![^\W\d_])[^\W\d_]{3,}+\s+[^\W\d_]{3}")
_ONLY_WORDS = re.compile(r"[\w\s.,;:'’-]*")


def _is_formula(opener: str, content: str) -> bool:
    if not content.strip():
        return False
    if opener == r"\[" and content == content.strip() and _ONLY_WORDS.fullmatch(content):
        return False  # brackets that were escaped: \[1\], \[see below\]
    if opener == "$":
        return _is_no_price(content)
    if opener == "$$" and (
        "$$" in content or not _TEX.search(content) and _BETWEEN.search(content)
    ):
        return False  # classes of price: from $$ to $$$
    return bool(_TEX.search(content)) or not _TWO_WORDS.search(content)


def _is_no_price(content: str) -> bool:
    is_amount = content[0].isdigit()
    if _TEX.search(content):
        return not _WORD.search(_COMMAND.sub("", content))
    if not re.search(r"\s", content):
        return True
    return not is_amount and not re.search(r"[^\W\d_]{3,}", content)


# ---- blocks ----


_BEGINS_BLOCK = re.compile(
    r"\$\$(?!\$)|\\\[|\\begin\{(?P<environment>(?:equation|align|gather|multline|eqnarray)\*?)\}"
)


def _display_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if state.is_code_block(start):
        return False
    begin, line_end = state.bMarks[start] + state.tShift[start], state.eMarks[start]
    match = _BEGINS_BLOCK.match(state.src, begin, line_end)
    if match is None:
        return False
    opener, environment = match[0], match["environment"]
    is_alone = not state.src[match.end() : line_end].strip() or bool(environment)
    closer = rf"\end{{{environment}}}" if environment else _CLOSER[opener]
    extent = _extent(state, match.end(), start, end, closer, is_alone=is_alone)
    if extent is None:
        return False
    closed, last = extent
    source = state.getLines(start, last + 1, state.blkIndent, False).strip()
    content = source[len(opener) : -len(closer) if closed else None]
    paragraphs = re.split(r"\n[ \t]*\n", content)
    if any(_TWO_WORDS.search(_COMMAND.sub("", p)) for p in paragraphs[1:]):
        return False
    # What stands alone on its line is one from the first moment on, so that nothing changes later.
    is_one = _is_formula(opener, content) if closed else bool(_TEX.search(content))
    if not is_alone and not is_one:
        return False
    if silent:
        return True
    if environment:
        content = source
    state.line = last + 1
    token = state.push("formula", "", 0)
    token.map, token.info, token.content = [start, state.line], "display", content
    token.meta = {"source": source, "closed": closed and is_one}
    return True


def _extent(
    state: StateBlock, after: int, start: int, end: int, closer: str, *, is_alone: bool
) -> tuple[bool, int] | None:
    """Whether the display is closed, and its last line; None where there is no such block."""
    limit = after + MAX_OPEN
    at = _find(state.src, closer, after, min(limit, state.eMarks[end - 1]))
    if at < 0 and state.eMarks[end - 1] > limit:
        return None
    indent = min(state.blkIndent, state.sCount[start])  # less, where it ends a list
    line = start
    while line < end:
        if line > start and state.sCount[line] < indent and not state.isEmpty(line):
            return None
        if line > start and state.isEmpty(line) and not is_alone:
            return False, line - 1
        if 0 <= at < state.eMarks[line]:
            tail = state.src[at + len(closer) : state.eMarks[line]]
            return None if tail.strip() else (True, line)
        line += 1
    while line - 1 > start and state.isEmpty(line - 1):
        line -= 1
    return False, line - 1


def _find(text: str, closer: str, start: int, end: int) -> int:
    """Where it is closed: not by two dollars of three, nor by the second of two backslashes."""
    at = text.find(closer, start, end)
    while at >= 0:
        run = len(text[start:at]) - len(text[start:at].rstrip(closer[0]))
        is_more = closer == "$$" and (run or text.startswith("$", at + 2))
        if not is_more and (closer == "$$" or run % 2 == 0):
            break
        at = text.find(closer, at + 1, end)
    return at


# ---- displays that begin within a line ----

_BEGINS = re.compile(r"(?<!\\)\\[\[(]|(?<!\$)\$\$(?=[ \t]*\n)")
_ENDS_ANYWAY = re.compile(r"\n[ \t]*(?:\n|```|~~~|$)")
_CLOSES_LINE = re.compile(r"\n[ \t]*\$\$(?!\$)")


def _keep_lines_together(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Once a document, before anything else: nothing begins on a line within a formula."""
    if "lines_kept" not in state.env:
        state.env["lines_kept"] = True
        line = 0
        for begin, stop in _open_over_lines(state.src):
            while line < state.lineMax and state.bMarks[line] <= begin:
                line += 1
            while line < state.lineMax and state.bMarks[line] < stop:
                state.sCount[line] += _FAR
                line += 1
    return False


def _open_over_lines(text: str) -> Iterator[tuple[int, int]]:
    done = 0
    for begin in _BEGINS.finditer(text):
        at, opener = begin.end(), begin[0]
        line_start = text.rfind("\n", 0, begin.start()) + 1
        before = text[max(line_start, begin.start() - 1_000) : begin.start()]
        if begin.start() < done or before.count("`") % 2:
            continue
        if opener == "$$":
            closes = _CLOSES_LINE.search(text, at, at + MAX_CHARS) if before.strip() else None
            stop = closes.end() if closes else -1
        else:
            stop = _find(text, _CLOSER[opener], at, at + MAX_CHARS)
        line_end = text.find("\n", at)
        if 0 <= stop <= line_end or line_end < 0:
            continue
        anyway = _ENDS_ANYWAY.search(text, at, at + MAX_CHARS)
        if anyway and (stop < 0 or anyway.start() < stop):
            stop = (
                anyway.start() if opener == r"\[" and _TEX.search(text, at, anyway.start()) else -1
            )
        if stop < 0:
            continue
        done = stop
        yield begin.start(), stop


# ---- within a line ----

_DOLLARS = re.compile(r"\$+")
_DOLLAR = re.compile(r"\$(?!\s)((?:[^\\$`\n]|\\.|\n(?!\s*\n)){1,500})(?<!\s)\$(?![\w$])")


def _formula(state: StateInline, silent: bool) -> bool:
    src, pos = state.src, state.pos
    opener = src[pos : pos + 2]
    if src[pos] == "$":
        run = _DOLLARS.match(src, pos)
        assert run
        if run.end() - pos == 1:
            return _dollar(state, silent)
        if run.end() - pos > 2:
            return _take(state, silent, run.end())
        if src[pos + 2 : pos + 3] in ("", *")].,;:!?*_|"):
            return _take(state, silent, run.end())
    elif opener not in _CLOSER:
        return False
    at = _find(src, _CLOSER[opener], pos + 2, min(state.posMax, pos + 2 + MAX_OPEN))
    if at < 0:
        return _open(state, silent, opener)
    if not _is_formula(opener, src[pos + 2 : at]):
        return opener == "$$" and _take(state, silent, pos + 2)
    return _put(state, silent, pos + 2, at, at + 2, is_display=opener != r"\(")


def _dollar(state: StateInline, silent: bool) -> bool:
    pos = state.pos
    match = _DOLLAR.match(state.src, pos, state.posMax)
    if match and not state.src[pos - 1 : pos].isalnum() and _is_formula("$", match[1]):
        return _put(state, silent, match.start(1), match.end(1), match.end(), is_display=False)
    return False


def _take(state: StateInline, silent: bool, end: int) -> bool:
    if not silent:
        state.append_pending(state.src[state.pos : end])
    state.pos = end
    return True


def _open(state: StateInline, silent: bool, opener: str) -> bool:
    """Not closed: cut off, or too long. No backslash of it is taken for an escape."""
    start = state.pos + 2
    if state.linkLevel or not _TEX_ONLY.search(state.src, start, start + MAX_CHARS):
        return False
    if not silent:
        rest = state.src[start : state.posMax]
        token = state.push("formula", "", 0)
        token.content, token.meta = rest, {"source": opener + rest, "closed": False}
    state.pos = state.posMax
    return True


def _put(
    state: StateInline, silent: bool, start: int, stop: int, end: int, *, is_display: bool
) -> bool:
    src = state.src
    if not silent:
        if is_display:
            _drop_line_break(state)
        token = state.push("formula", "", 0)
        token.content, token.info = src[start:stop], "display" if is_display else ""
        token.meta = {"source": src[state.pos : end], "closed": True}
    if is_display:  # which begins and ends a line of its own
        while end < state.posMax and src[end] in " \t\n":
            end += 1
    state.pos = end
    return True


def _drop_line_break(state: StateInline) -> None:
    if not state.pending.strip() and state.tokens and state.tokens[-1].type == "softbreak":
        state.pending = ""
        state.tokens.pop()
        state.tokens_meta.pop()
