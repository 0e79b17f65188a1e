"""Emphasis in scripts that set no spaces between words.

CommonMark decides by the signs around a run of marks whether it opens or closes, and takes for
granted that punctuation stands before a space: `**重要：**这` stays as it is. Here a character of
such a script beside the run counts like a space, and its full-width punctuation like a letter.
"""

import unicodedata

from markdown_it import MarkdownIt
from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter


def add_emphasis(parser: MarkdownIt) -> None:
    parser.inline.ruler.at("emphasis", _marks)
    parser.inline.ruler.at("strikethrough", _marks)


def _marks(state: StateInline, silent: bool) -> bool:
    """Each mark becomes text of its own; what pairs them up comes later and is the library's."""
    start, mark = state.pos, state.src[state.pos]
    if silent or mark not in "*_~":
        return False
    end = start
    while end < state.posMax and state.src[end] == mark:
        end += 1
    length = end - start
    if mark == "~" and length < 2:
        return False
    opens, closes = _flanks(state.src[start - 1 : start], state.src[end : end + 1], mark)
    if mark == "~" and length % 2:
        state.push("text", "", 0).content = mark
    unit = 2 if mark == "~" else 1
    for _ in range(length // unit):
        state.push("text", "", 0).content = mark * unit
        counted = 0 if mark == "~" else length
        token = len(state.tokens) - 1
        state.delimiters.append(Delimiter(ord(mark), counted, token, -1, opens, closes))
    state.pos = end
    return True


def _flanks(before: str, after: str, mark: str) -> tuple[bool, bool]:
    """Whether the run may open, and whether it may close."""
    before, after = before or " ", after or " "
    dense_before, dense_after = _is_dense(before), _is_dense(after)
    punct_before = _is_punctuation(before) and not dense_before
    punct_after = _is_punctuation(after) and not dense_after
    space_before, space_after = isWhiteSpace(ord(before)), isWhiteSpace(ord(after))
    left = not space_after and (
        not punct_after or space_before or _is_punctuation(before) or dense_before
    )
    right = not space_before and (
        not punct_before or space_after or _is_punctuation(after) or dense_after
    )
    if mark != "_":
        return left, right
    # Within a word an underscore is part of it.
    return left and (not right or _is_punctuation(before)), right and (
        not left or _is_punctuation(after)
    )


def _is_dense(character: str) -> bool:
    """Of a script without spaces: Chinese, Japanese, Korean, and their punctuation. No emoji."""
    return (
        unicodedata.east_asian_width(character) in "WFH"
        and unicodedata.category(character)[0] in "LNPM"
    )


def _is_punctuation(character: str) -> bool:
    return isMdAsciiPunct(ord(character)) or isPunctChar(character)
