"""Where the line that is being written stands: inside its block, in a slot.

Shown below its block, an open line of code would be set in prose, and a row of a table would be
marks until it ends; both jump. So the slot is put where the line will be when it is whole, and
what stands in it is text: only when the line begins something else is there anything to render.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.safestring import SafeString, mark_safe
from markdown_it.token import Token

SLOT = '<span data-line dir="auto"></span>'
# In its place while a block is rendered: letters that no text has by chance, and that run neither
# way. What stands before it makes its block run from right to left.
_HERE = "\uf4c1\ue93a\uf07d\ue6b2\uf2e8\ue158"
_RIGHT_TO_LEFT = "\u05d0"

# What a line begins with that makes it more than words: indents, quotes, items, headings.
_MARKS = re.compile(r"[ \t]*(?:>[ ]?|[-*+][ ]+(?:\[[ xX]\][ ]+)?|\d{1,9}[.)][ ]+|#{1,6}[ ]+)*")
# Nobody can say yet what it becomes: an item, a rule, a fence, a line under a heading. Within a
# list a number is its next item's rather than a line's only word; elsewhere it may be the answer.
_UNDECIDED = re.compile(r"[-*+>|`~=:#_\s]*$")
_UNDECIDED_IN_LIST = re.compile(r"(?:[-*+>|`~=:#_\s]|\d{1,9}(?:[.)]\s*)?$)*$")
_LOOKED_AT = 1000  # characters of a line that may not end
_FENCE = re.compile(r"\s*(?:`+|~+|\$\$?|\\\]?)\s*$")
# Of a table's next line: a fence, or what may become one, an item or a heading.
_NO_ROW = re.compile(r" {0,3}(?:`{3}|~{3}|[-*+>`~=:#_\s]+$)")
_CLOSING = re.compile(r"(?:</[a-z0-9]+>\s*)+$")
_CELL = re.compile(r"(?:[^|\\]|\\.)*\|", re.DOTALL)
_BODY = re.compile(r"<tbody>\n?(.*)</tbody>", re.DOTALL)


@dataclass(frozen=True)
class OpenBlock:
    """`kind` is what a further line would meet: code, table, paragraph, container, other; or long,
    if no more of the block is formatted."""

    kind: str = ""
    head: str = ""  # of a table, the two lines above its rows
    has_list: bool = False


def open_block(tokens: Sequence[Token], text: str) -> OpenBlock:
    """Of the last top-level block of `text`, which begins with it."""
    if not tokens:
        return OpenBlock()
    if tokens[0].type == "table_open":
        head = "".join(text.splitlines(keepends=True)[:2])
        return OpenBlock("other") if ends_blank(text) else OpenBlock("table", head)
    last = next((t for t in reversed(tokens) if t.nesting == 0), None)
    if last and last.type == "fence":
        first, after = last.map or (0, 0)
        is_open = after - first < last.content.count("\n") + 2
        return OpenBlock("code" if is_open else _outer(tokens))
    if last and last.type == "inline" and tokens[tokens.index(last) - 1].type == "paragraph_open":
        kind = "paragraph" if not text.endswith("\n\n") else _outer(tokens)
        return OpenBlock(kind, has_list=any(t.type.endswith("_list_open") for t in tokens))
    return OpenBlock(_outer(tokens), has_list=tokens[0].type.endswith("_list_open"))


def ends_blank(text: str) -> bool:
    """Whether its last line is an empty one."""
    return text[len(text.rstrip()) :].count("\n") > 1


def _outer(tokens: Sequence[Token]) -> str:
    containers = ("bullet_list_open", "ordered_list_open", "blockquote_open")
    return "container" if tokens[0].type in containers else "other"


class LinePlace(NamedTuple):
    """What decides how the open block is shown; while it is the same, only the line's text grows.

    `context` says where the slot is to be put: inside the block, in a row of it, behind it, plain
    behind it, or nowhere yet.
    """

    context: str
    before: str = ""  # what of the line is rendered before the slot
    runs_left: bool = False


def place_of(block: OpenBlock, pending: str, line: str) -> tuple[LinePlace, str]:
    """And the text in the slot. `pending` are whole lines that the block does not show yet."""
    if not (pending or line):
        return LinePlace(""), ""
    if block.kind == "code":
        return LinePlace("inside"), pending + ("" if _FENCE.match(line) else line)
    if block.kind == "long":
        return LinePlace("plain"), pending + line
    if block.kind == "table" and (pending or not _marks(line[:_LOOKED_AT]).strip()):
        if not pending and _NO_ROW.match(line):
            return LinePlace(""), ""
        cells = "".join(_CELL.findall(line))
        return LinePlace("row", cells), line[len(cells) :].strip()
    undecided = _UNDECIDED_IN_LIST if block.has_list else _UNDECIDED
    if undecided.match(line[:_LOOKED_AT]):
        return LinePlace("behind" if pending else ""), ""
    marks = _marks(line)
    text = line[len(marks) :]
    runs_left = _runs_left(text)
    if block.kind == "paragraph" and not marks.strip() and not pending:
        return LinePlace("continued", runs_left=runs_left), text
    return LinePlace("behind", marks, runs_left), text


def _marks(line: str) -> str:
    """Of quotes, items and headings, before its text."""
    match = _MARKS.match(line)
    return match[0] if match else ""


def with_slot(
    html: SafeString,
    block: OpenBlock,
    place: LinePlace,
    pending: str,
    *,
    whole: str,
    render: Callable[[str], str],
) -> SafeString:
    """The open block's HTML with the slot in it, or without where there is none yet.

    `whole` is the block's text where it is short enough to be rendered once more, else "".
    """
    if place.context in ("inside", "continued"):
        end = _CLOSING.search(html)
        if end is None:
            return html
        before, after = html[: end.start()], html[end.start() :]
        gap = "" if before.endswith(("\n", ">")) and place.context == "inside" else "\n"
        return mark_safe(before + gap + SLOT + after)
    if place.context == "plain":
        return mark_safe(f'{html}<pre class="plain"><code>{SLOT}</code></pre>\n')
    if not place.context:
        return html
    here = (_RIGHT_TO_LEFT if place.runs_left else "") + _HERE
    if place.context == "row":
        rows = _BODY.search(render(f"{block.head}{pending}{place.before} {here}"))
        return _with_rows(html, _slotted(rows[1])) if rows else html
    is_continued = block.kind in ("container", "paragraph") and whole
    before = whole if is_continued else ""
    rendered = _slotted(render(f"{before}{pending}{place.before}{here}"))
    return mark_safe(rendered if is_continued else html + rendered)


def _with_rows(html: str, rows: str) -> SafeString:
    if "<tbody>" in html:
        before, _, after = html.rpartition("</tbody>")
        return mark_safe(f"{before}{rows}</tbody>{after}")
    before, _, after = html.rpartition("</table>")
    return mark_safe(f"{before}<tbody>{rows}</tbody></table>{after}")


def _slotted(html: str) -> str:
    """Rendered and sanitised before; the slot is ours."""
    return html.replace(_HERE, SLOT, 1).replace(_HERE, "").replace(_RIGHT_TO_LEFT + SLOT, SLOT)


def _runs_left(text: str) -> bool:
    for character in text[:200]:
        if (way := unicodedata.bidirectional(character)) in ("L", "R", "AL"):
            return way != "L"
    return False
