"""Bare web addresses are links to exactly what is written.

An address ends where a sentence goes on: before white space, quotes, brackets of Markdown and
full-width punctuation; marks at its end belong to the sentence, and so does a parenthesis that
was not opened within it. `www.` without a scheme and mail addresses stay text: whether they are
meant as addresses, and by which scheme, would be guessed.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

_SCHEME = re.compile(r"(?<![a-zA-Z0-9.+-])https?\Z", re.IGNORECASE)
# Whatever is no address even in the generous sense of browsers.
_REST = re.compile(
    r"://(?=[^/?#:@.-])[^\s<>\"`{}|\\^\[\]\x00-\x20\x7f"
    r"，。、；：！？（）「」『』【】《》〈〉〔〕〖〗“”‘’«»…‥・～￥\u3000\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+"
)
_SENTENCE = ".,;:!?'*_~&"
_ENTITY = re.compile(r"&[a-zA-Z]{1,10};")


def add_addresses(parser: MarkdownIt) -> None:
    parser.inline.ruler.push("bare_address", _bare_address)


def _bare_address(state: StateInline, silent: bool) -> bool:
    if state.linkLevel or not state.src.startswith("://", state.pos):
        return False
    scheme = _SCHEME.search(state.src[max(0, state.pos - 6) : state.pos])
    rest = _REST.match(state.src, state.pos, state.posMax)
    if not scheme or not rest or not state.pending.endswith(scheme[0]):
        return False
    end = state.pos + len(_without_the_sentence(rest[0]))
    address = (scheme[0] + state.src[state.pos : end]).replace("&amp;", "&")
    href = state.md.normalizeLink(address)
    if not state.md.validateLink(href):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[0])]
        link = state.push("link_open", "a", 1)
        link.attrs, link.info = {"href": href}, "auto"
        state.push("text", "", 0).content = address
        state.push("link_close", "a", -1)
    state.pos = end
    return True


def _without_the_sentence(rest: str) -> str:
    if "**" in rest:
        rest = rest[: rest.index("**")]
    depth = 0
    for at, sign in enumerate(rest):
        depth += (sign == "(") - (sign == ")")
        if depth < 0:
            rest = rest[:at]
            break
    end = len(rest)
    while end and rest[end - 1] in _SENTENCE:
        entity = rest.rfind("&", max(0, end - 12), end)
        is_entity = entity >= 0 and _ENTITY.fullmatch(rest, entity, end)
        end = entity if is_entity else end - 1
    return rest[:end]
