"""The three HTML tags that models write where Markdown has no sign: `<br>`, `<sub>`, `<sup>`.

Only exactly these, without attributes; every other tag stays the text it is.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)
_RAISED = re.compile(r"<(sub|sup)>([^<>\n]{1,200})</\1>", re.IGNORECASE)


def add_tags(parser: MarkdownIt) -> None:
    parser.inline.ruler.before("autolink", "exact_tags", _exact_tags)


def _exact_tags(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "<":
        return False
    if match := _BREAK.match(state.src, state.pos, state.posMax):
        if not silent:
            state.push("hardbreak", "br", 0)
    elif match := _RAISED.match(state.src, state.pos, state.posMax):
        if not silent:
            _push_raised(state, match)
    else:
        return False
    state.pos = match.end()
    return True


def _push_raised(state: StateInline, match: re.Match[str]) -> None:
    tag, end = match[1].lower(), state.posMax
    state.push(f"{tag}_open", tag, 1)
    state.pos, state.posMax = match.span(2)
    state.md.inline.tokenize(state)
    state.push(f"{tag}_close", tag, -1)
    state.posMax = end
