"""What is told of a run's sources to whoever answers, compares and writes, within its context."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..calls.context import Context
from ..calls.window import USED, tokens_in, window_of
from ..content import Content, text_of
from ..findings.cited import cited
from ..findings.extracts import Library
from ..pool import read
from ..provider import Finish, Message
from ..spec import Panelist
from .material import between_plain_lines, fence_of, fenced, prompt_text
from .prompts import fill, small_sources

MOST = 6_000  # tokens of extracts, however much there is room for
SHARE = 0.3  # of a window, beside what else has to fit there


def with_sources(context: Context, seat: Panelist, messages: list[Message]) -> list[Message]:
    """The question of a seat with the extracts behind it, and how they are to be used."""
    if context.library is None or not messages:
        return messages
    asked = sum(tokens_in(text_of(message.get("content"))) for message in messages)
    blocks = context.library.blocks(room(seat, asked), tokens_in)
    if not blocks:
        return messages
    told, system = _told(context, seat, blocks, [prompt_text(messages)])
    *before, last = messages
    last = last | {"content": _and(last["content"], told)}
    if before and before[0]["role"] == "system":
        first = before[0] | {"content": _and(before[0]["content"], system)}
        return [first, *before[1:], last]
    return [{"role": "system", "content": system}, *before, last]


def _and(content: Content, told: str) -> Content:
    """Files stay where they are."""
    if isinstance(content, str):
        return f"{content}\n\n{told}"
    return [*content, {"type": "text", "text": told}]


def beside_answers(
    library: Library | None, reader: Panelist, fence: str, prompt: str
) -> tuple[str, str]:
    """(blocks, what is said of them in the system prompt) for a judge or a writer."""
    blocks = library.blocks(room(reader, 0), tokens_in) if library else {}
    if not blocks:
        return "", ""
    parts = [fenced(fence, f"SOURCE {number}", text) for number, text in blocks.items()]
    return "\n\n".join(parts), f"\n\n{fill(prompt, fence=fence)}"


def in_plain_words(library: Library | None, reader: Panelist) -> tuple[str, str]:
    """The same for a small model."""
    blocks = library.blocks(room(reader, 0), tokens_in) if library else {}
    if not blocks:
        return "", ""
    named = {f"Page [{number}]": text for number, text in blocks.items()}
    return between_plain_lines(named), f"\n\n{small_sources()}"


def with_cited(
    context: Context, text: str, finish: Finish, library: Library | None = None
) -> Finish:
    """Only what was read can be cited: the pages of the pool that the text names, or of a
    `library` of what there is by now. What the provider says beside goes by no number, since the
    numbers are the pool's."""
    library = library or context.library
    if library is None:
        return finish
    ours = cited(text, library)
    known = {one["url"] for one in ours}
    taken = [source["number"] for source in read(context.state.research)]
    behind = max(taken, default=0) + 1
    theirs = [one for one in finish.citations if one["url"] not in known]
    numbered = [one | {"number": str(behind + n)} for n, one in enumerate(theirs)]
    return replace(finish, citations=(*ours, *numbered))


def _told(
    context: Context, seat: Panelist, blocks: dict[int, str], beside: Sequence[str]
) -> tuple[str, str]:
    if seat.is_small or not seat.can_judge:
        named = {f"Page [{number}]": text for number, text in blocks.items()}
        return between_plain_lines(named), small_sources()
    fence = fence_of(context.spec.shuffle_seed, [*beside, *blocks.values()])
    parts = [fenced(fence, f"SOURCE {number}", text) for number, text in blocks.items()]
    return "\n\n".join(parts), fill(context.spec.prompts.sources, fence=fence)


def room(reader: Panelist, asked: int) -> int:
    """Tokens of extracts that it is given at most, beside `asked` that it reads."""
    window = window_of(reader)
    if window is None:
        return MOST
    output = min(reader.max_output_tokens or window, window // 4)
    free = int(window * USED) - asked - output - 400  # and what is said of them
    return max(0, min(MOST, int(window * SHARE), free))
