"""A document rendered while it is being written.

What was written so far falls into three parts: `final`, HTML that will not change; `block`, HTML
of the last top-level block, which may still change as a whole (a paragraph becomes a heading, a
tight list loose); `line`, text that is in neither yet. `shown` is the block with a slot in which
the line stands (see `open_line`).

"Everything before the last top-level block is final" holds because only complete lines are
parsed, lines end in a line feed and nothing else, definitions of link references are carried
on, and the last block stays open however complete it looks. What it cannot foresee is a
definition that comes after its use, what an answer cites, and that what looks like the beginning
of a formula never ends; where there is one of these, `finish` renders the whole anew, and else
only what is still open.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.safestring import SafeString
from markdown_it.token import Token

from console.engine.findings.provenance import MARKER, plain_so_far
from console.engine.findings.provenance import plain as without_marks
from console.markdown.document import (
    MAX_CHARS,
    MAX_COST,
    blocks_to_html,
    complete_lines,
    cost_of,
    new_env,
    parse,
    plain,
    render,
    top_level_blocks,
)
from console.markdown.open_line import (
    LinePlace,
    OpenBlock,
    ends_blank,
    open_block,
    place_of,
    with_slot,
)
from console.markdown.references import has_numbers

# What ends the block before it as long as nobody knows that it is none.
_MAY_BE_FORMULA = re.compile(r"\$\$|\\[\[(]")
UNFINISHED_FORMULAS = ("<p><code>$$", "<p><code>\\[")  # as text until they end

# One endless list should cost little more than its length, in work and in bytes sent. So an
# open block beyond so many characters is parsed again only when it has grown by a part of its
# size (a line or two, meanwhile shown as text), or when it is a table that has ended ...
SMALL_OPEN_BLOCK = 4_000
GROWTH = 1 / 20
# ... and of a block beyond so many only its beginning is formatted, with what follows as text
# behind it, or inside where it is code, until the block ends.
MAX_OPEN_BLOCK = 16_000
# A line beyond so many is no longer looked through for code and marks at every step: of what it
# has grown by the marks are taken out, wherever they stand, until the line ends.
LONG_LINE = 4_000
_MARK = re.compile(rf"[ \t]*{MARKER.pattern}")
# What may still become one.
_MARK_BEGUN = re.compile(r"[ \t]*(?:\[(?:\^[A-Hown, ]{0,60})?)?\Z")


class StreamRenderer:
    """Feed it the text so far; send on what changed.

    `final` only grows, so the number of its pieces is a reader's cursor. `shown` (HTML) and
    `line` (text, to stand in the slot of `shown` with its line ends) each replace what was shown
    before; where `shown` has no slot, the line is not to be shown yet. One renderer belongs to
    one text and is used by one thread at a time. A step parses no more than the open block,
    but of a long one that is still work for a thread (`work_of`), and not for every token.
    """

    def __init__(self, *, sources: str = "") -> None:
        self._sources = sources
        self.final: list[SafeString] = []
        self.block = SafeString()
        self.shown = SafeString()
        self.line = ""
        self._text = ""
        self._taken = 0  # how much of the text went into complete lines
        self._open = ""  # the complete lines from the beginning of the open block
        self._parsed = 0  # how much of them was there when they were parsed
        self._shown = 0  # how much of that `block` shows
        self._pending = ""  # and the rest of it, as text
        self._references: dict[str, dict[str, Any]] = {}
        self._may_have_used = False  # whether what is final has brackets at all
        self._defines = False  # whether the open block defines a reference that was not known
        self._used_before = False  # whether one may have been used before it was defined
        self._costed = self._cost = 0  # how much of the text was looked at for what it costs
        self._typeset = 0  # how much of what is final was typeset as formulas
        self._long_at = -1  # where the long line begins
        self._long = 0  # how much of it is in `_long_line`, without its marks
        self._long_line = ""
        self._finished = False
        self._is_plain = False  # for good: the whole document is too costly to format
        self._kind = OpenBlock()
        self._placed: tuple[Any, ...] = ()  # what `shown` was made of

    @property
    def text(self) -> str:
        """What was fed so far."""
        return self._text

    def work_of(self, text: str) -> int:
        """About how many characters `feed` would have to look at: those that are new and, where
        with them a line is complete or has yet to find its place, the open block."""
        line = text[self._taken :]
        if "\n" in line or "\r" in line:
            return len(self._open) + len(line)
        return len(text) - len(self._text) + (0 if self.line else len(self._open))

    def feed(self, text: str) -> None:
        """Takes the whole text so far.

        Raises ValueError if it does not continue the last, or goes on after `finish`, which
        took the last line for complete: then begin again with a new renderer.
        """
        if self._finished and text == self._text:
            return
        if self._finished or not text.startswith(self._text):
            raise ValueError("the text does not continue what was fed before")
        self._text = text
        # A carriage return at the very end may be the first half of a line end.
        end = max(text.rfind("\n"), text.rfind("\r", 0, len(text) - 1)) + 1
        if end > self._taken:
            self._take_lines(end)
        self._show_line(text[self._taken :].removesuffix("\r"))

    def finish(self, *, cited: Mapping[int, str] | None = None) -> SafeString | None:
        """The text is complete: brings the parts up to `render(text)`, with what it cites, which
        nobody knows before.

        Returns that HTML where it is not what the parts already said, and so has to replace
        everything shown; None where the parts add up to it. Costs what the open block does, but
        where what is final may be another thing in the whole.
        """
        self._finished = True
        if self._taken < len(self._text):
            self._take_lines(len(self._text))
        if self._shown < len(self._open):
            self._parse_open_block(is_last=True)
        self._show_line("")
        if not self._may_differ(cited):
            return None
        whole = render(self._text, sources=self._sources, cited=cited)
        if "".join(self.final) + self.block == whole:
            return None
        self.final = [whole]
        self.block = self.shown = SafeString()
        return whole

    def _may_differ(self, cited: Mapping[int, str] | None) -> bool:
        if self._is_plain or self._used_before or (self._defines and self._may_have_used):
            return True
        if (cited and has_numbers(self._text)) or _MAY_BE_FORMULA.search(self._text):
            return True
        whole = complete_lines(self._text)
        cost = cost_of(whole) if "\r" in self._text else self._cost + cost_of(whole, self._costed)
        return len(whole) > MAX_CHARS or cost > MAX_COST

    def _is_too_costly(self) -> bool:
        """`too_costly` of the text so far, looking only at what has come."""
        self._cost += cost_of(self._text, self._costed)
        self._costed = len(self._text)
        return self._costed > MAX_CHARS or self._cost > MAX_COST

    def _take_lines(self, end: int) -> None:
        self._open += complete_lines(self._text[self._taken : end])
        self._taken = end
        self._is_plain = self._is_plain or self._is_too_costly()
        if self._is_plain:
            self.final.append(plain(self._bare(self._open)))
            self._open, self._parsed, self._shown, self._pending = "", 0, 0, ""
            self.block, self._kind = SafeString(), OpenBlock()
        elif (
            len(self._open) <= SMALL_OPEN_BLOCK
            or len(self._open) > self._parsed * (1 + GROWTH)
            or self._parsed <= MAX_OPEN_BLOCK < len(self._open)
            or (self._kind.kind == "table" and ends_blank(self._open))
        ):
            self._parse_open_block()

    def _parse_open_block(self, *, is_last: bool = False) -> None:
        text, env = self._open, self._env()
        references = env["references"]
        *finished, last = list(top_level_blocks(parse(text, env))) or [[]]
        first_line = (last[0].map or [0])[0] if finished else 0
        new = {label for label in references if label not in self._references}
        ended = {label for label in new if references[label]["map"][0] < first_line}
        # Definitions further down belong to the open block, and may still change with it.
        self._defines = new != ended
        if finished:
            self.final.append(blocks_to_html([t for block in finished for t in block], text, env))
            self._typeset = env["typeset"]
            self._open = text.split("\n", first_line)[first_line]
            self._parsed = 0
            self._references |= {label: references[label] for label in ended}
            uses = "[" in text[: len(text) - len(self._open)]
            self._used_before |= (bool(ended) and self._may_have_used) or (self._defines and uses)
            self._may_have_used |= uses
        if len(self._open) <= MAX_OPEN_BLOCK or is_last:
            self._format(last, text, env, self._open)
        elif self._parsed <= MAX_OPEN_BLOCK:
            self._format_beginning()
        self._parsed = len(self._open)
        self._pending = self._bare(self._open[self._shown :])

    def _format_beginning(self) -> None:
        """Of an open block that is too long for more, once."""
        text, env = self._open[: self._open.rfind("\n", 0, MAX_OPEN_BLOCK) + 1], self._env()
        self._format(parse(text, env), text, env, text)
        if self._kind.kind != "code":
            self._kind = OpenBlock("long")

    def _format(self, block: Sequence[Token], text: str, env: dict[str, Any], shown: str) -> None:
        """Shows that much of the open block. `text` is what was parsed."""
        self.block, self._shown = blocks_to_html(block, text, env), len(shown)
        is_formula = self.block.startswith(UNFINISHED_FORMULAS)
        self._kind = OpenBlock("code") if is_formula else open_block(block, shown)

    def _env(self) -> dict[str, Any]:
        references = dict(self._references)
        return {"references": references, "typeset": self._typeset, **new_env(self._sources)}

    def _show_line(self, line: str) -> None:
        if self._sources:
            line = plain_so_far(line) if len(line) <= LONG_LINE else self._bare_long_line(line)
        pending = self._pending + self._bare(self._open[self._parsed :])
        place, self.line = place_of(self._kind, pending, line)
        if self._is_plain:
            place, self.line = LinePlace("plain" if line else ""), line
        made_of = (place, self.block, len(pending))
        if made_of == self._placed:
            return
        self._placed = made_of
        whole = self._open[: self._shown] if self._shown <= SMALL_OPEN_BLOCK else ""
        self.shown = with_slot(
            self.block, self._kind, place, pending, whole=whole, render=self._rendered
        )

    def _bare_long_line(self, line: str) -> str:
        """Costs what the line has grown by."""
        if self._long_at != self._taken:
            self._long_at, self._long, self._long_line = self._taken, 0, ""
        end = _MARK_BEGUN.search(line, max(self._long, len(line) - 100))
        until = end.start() if end else len(line)
        self._long_line += _MARK.sub("", line[self._long : until])
        self._long = until
        return self._long_line

    def _rendered(self, text: str) -> str:
        text = complete_lines(text)
        env = {"references": dict(self._references), **new_env(self._sources)}
        return blocks_to_html(parse(text, env), text, env)

    def _bare(self, text: str) -> str:
        return without_marks(text) if self._sources else text
