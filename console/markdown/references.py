"""Numbers in brackets lead to the web pages that the answer cites: `[1]`, `[2, 3]`.

Only where the answer has such pages, and only the numbers that they have.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

_NUMBERS = re.compile(r"\[ ?[1-9]\d{0,2}(?: ?[,;] ?[1-9]\d{0,2}){0,9} ?\]")
_NUMBER = re.compile(r"\d+")


def add_references(parser: MarkdownIt) -> None:
    parser.inline.ruler.after("link", "reference_number", _numbers)


def _numbers(state: StateInline, silent: bool) -> bool:
    cited: dict[int, str] = state.env.get("cited", {})
    if silent:  # within the label of a link: that link leads further than a number does
        return False
    match = _NUMBERS.match(state.src, state.pos, state.posMax) if cited else None
    if match is None or state.linkLevel or not any(int(n) in cited for n in _of(match[0])):
        return False
    numbers = _of(match[0])
    if len(numbers) == 1:
        _push(state, match[0], cited[int(numbers[0])])
    else:
        _push_each(state, match[0], cited)
    state.pos = match.end()
    return True


def has_numbers(text: str) -> bool:
    return bool(_NUMBERS.search(text))


def _of(text: str) -> list[str]:
    return _NUMBER.findall(text)


def _push_each(state: StateInline, text: str, cited: dict[int, str]) -> None:
    at = 0
    for number in _NUMBER.finditer(text):
        state.append_pending(text[at : number.start()])
        if url := cited.get(int(number[0])):
            _push(state, number[0], url)
        else:
            state.append_pending(number[0])
        at = number.end()
    state.append_pending(text[at:])


def _push(state: StateInline, label: str, url: str) -> None:
    href = state.md.normalizeLink(url)
    if not state.md.validateLink(href):
        state.append_pending(label)
        return
    link = state.push("link_open", "a", 1)
    # Where it leads stands in the list under the answer; here it would bury the sentence.
    link.attrs, link.info = {"href": href}, "auto"
    state.push("text", "", 0).content = label
    state.push("link_close", "a", -1)
