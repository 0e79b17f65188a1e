"""Blocks run as their text does: from right to left where its first letter does.

Said on the server and only where it differs from what is around a block, so that lists, quotes
and tables turn as a whole, with their markers and their columns.
"""

import re
import unicodedata
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

# Hebrew, Arabic and their neighbours: without any of them there is nothing to be done.
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001eeff]"
)
_DIRECTIONS = {"L": "ltr", "R": "rtl", "AL": "rtl"}
BLOCKS = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "blockquote", "table", "th", "td")


def add_directions(parser: MarkdownIt) -> None:
    parser.core.ruler.push("directions", _directions)


def _directions(state: StateCore) -> None:
    if not _RIGHT_TO_LEFT.search(state.src):
        return
    around = ["ltr"]
    for index, token in enumerate(state.tokens):
        if token.nesting > 0:
            own = ""
            if token.tag in BLOCKS and not token.hidden:
                own = _first_strong(state.tokens, index)
                if own and own != around[-1]:
                    token.attrs = {**token.attrs, "dir": own}
            around.append(own or around[-1])
        elif token.nesting < 0:
            around.pop()


def _first_strong(tokens: Sequence[Token], opening: int) -> str:
    """Of the text of a block; what is code says nothing, since it always runs one way."""
    level = tokens[opening].level
    for token in tokens[opening + 1 :]:
        if token.level <= level:
            break
        for child in token.children or ():
            if child.type != "text":
                continue
            for character in child.content:
                if direction := _DIRECTIONS.get(unicodedata.bidirectional(character)):
                    return direction
    return ""
