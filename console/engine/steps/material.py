"""The answers as judge and synthesizer see them: by letter, shuffled, fenced.

Order and fence come from the run's stored seed, so a run can be read again
exactly as it was judged. The fence carries 96 bits that no panelist can know,
and never stands in the material itself: an answer cannot close it. How long an
answer is, is said in its title, so that nobody has to be impressed by it.

What a program's system and developer messages say is part of the prompt for the judge, who
compares answers to the whole of it. Whoever writes is told it as instructions, and finds within
the fence only the rest.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace
from itertools import count

from ..attachments import beside
from ..content import text_of
from ..findings.extracts import Library
from ..provider import Message
from ..spec import Spec, letter
from ..state import CallState

_LONG_LINE = "- " * 40


@dataclass(frozen=True)
class Material:
    """Usable answers of a panel, in the order they are shown."""

    answers: Mapping[int, CallState]  # seat -> call
    fence: str
    order: tuple[int, ...]
    prompt: str
    # The prompt in two: what the writer is to follow, and what it is to answer.
    instructions: str
    task: str
    # What stands in the place of an answer that was too long; cut: at the output limit.
    condensed: Mapping[int, str] = field(default_factory=dict)
    # What was read for the run.
    library: Library | None = None
    cut: Set[int] = frozenset()
    # What pages say of what is doubtful in the analysis; and the same material without it, nor
    # what was read for it, for a writer that has no room for more.
    looked_up: str = ""
    without: Material | None = None

    @property
    def size(self) -> int:
        """In characters, whatever was condensed."""
        return len(self.prompt) + sum(len(call.text) for call in self.answers.values())

    @property
    def texts(self) -> list[str]:
        """Whatever may be repeated without being an echo of ours."""
        pages = self.library.texts.values() if self.library else ()
        return [self.prompt, *(call.text for call in self.answers.values()), *pages]

    @property
    def seats(self) -> list[int]:
        return sorted(self.order)

    @property
    def letters(self) -> list[str]:
        return [letter(seat) for seat in self.seats]

    def condensed_to(
        self, texts: Mapping[int, str], *, cut: Set[int], left_out: Set[int]
    ) -> Material:
        """`left_out` are seats that are not shown at all; `answers` stay whole and complete."""
        order = tuple(seat for seat in self.order if seat not in left_out)
        shown = replace(self, order=order, condensed=texts, cut=cut)
        while any(shown.fence in text for text in texts.values()):
            shown = shown.with_another_fence()
        return shown

    def with_looked_up(self, text: str, library: Library | None) -> Material:
        more = replace(self, looked_up=text, library=library, without=self)
        texts = [text, *(library.texts.values() if library else ())]
        while any(more.fence in one for one in texts):
            more = more.with_another_fence()
        return more

    def with_another_fence(self) -> Material:
        return replace(self, fence=hashlib.sha256(self.fence.encode()).hexdigest()[:24])

    @property
    def note(self) -> str:
        """For the system prompt: beside an answer a small model takes it for content."""
        cut = [s for s in self.seats if self.answers[s].finish_reason == "length" or s in self.cut]
        said = f"\n\nCut off at the length limit: {_letters(cut)}." if cut else ""
        if condensed := [s for s in self.seats if s in self.condensed]:
            said += f"\n\nCondensed from longer answers: {_letters(condensed)}."
        return said

    def text(self, prompt: str) -> str:
        """The whole `prompt`, or the `task` alone, before the answers."""
        blocks = [self.fenced("PROMPT", prompt)]
        for seat in self.order:
            blocks.append(self.answer(seat))
        return "\n\n".join(blocks)

    def answer(self, seat: int) -> str:
        text = self._shown(seat)
        words = len(text.split())
        length = "1 word" if words == 1 else f"{words:,} words"
        return self.fenced(f"ANSWER {letter(seat)} ({length})", text)

    def in_plain_words(self, prompt: str) -> str:
        """For a model that a mark of digits only confuses: between lines that stand in none of
        the texts, as far as there are such lines."""
        texts = {letter(seat): self._shown(seat) for seat in self.order}
        blocks = {"Question": prompt, **{f"Answer {name}": text for name, text in texts.items()}}
        return between_plain_lines(blocks)

    def _shown(self, seat: int) -> str:
        text = self.condensed.get(seat, self.answers[seat].text)
        return beside(text, self.answers[seat].attachments)

    def fenced(self, title: str, text: str) -> str:
        return fenced(self.fence, title, text)


def fenced(fence: str, title: str, text: str) -> str:
    return f"=== {fence} {title} ===\n{text.strip()}\n=== {fence} END ==="


def between_plain_lines(blocks: Mapping[str, str]) -> str:
    lines = (mark * length for length in (5, 10, 20, 40) for mark in "-~*")
    line = next(
        (line for line in lines if not any(line in text for text in blocks.values())),
        _LONG_LINE,
    )
    return "\n\n".join(
        f"{title}:\n{line}\n{text.strip()}\n{line}" for title, text in blocks.items()
    )


def make_material(
    spec: Spec,
    messages: list[Message],
    answers: Mapping[int, CallState],
    library: Library | None = None,
) -> Material:
    order = sorted(answers)
    random.Random(spec.shuffle_seed).shuffle(order)
    prompt = prompt_text(messages)
    task = prompt_text([m for m in messages if m["role"] != "system"])
    pages = [*library.texts.values()] if library else []
    texts = [prompt, *(call.text for call in answers.values()), *pages]
    fence = fence_of(spec.shuffle_seed, texts)
    instructions = _instructions(messages)
    return Material(answers, fence, tuple(order), prompt, instructions, task, library=library)


def _instructions(messages: list[Message]) -> str:
    texts = (text_of(m["content"]).strip() for m in messages if m["role"] == "system")
    return "\n\n".join(filter(None, texts))


def _letters(seats: list[int]) -> str:
    return ", ".join(map(letter, seats))


def fence_of(seed: int, texts: list[str]) -> str:
    marks = (
        hashlib.sha256(f"fence:{seed}{':' * again}".encode()).hexdigest()[:24] for again in count()
    )
    return next(mark for mark in marks if not any(mark in text for text in texts))


def prompt_text(messages: list[Message]) -> str:
    """The conversation as one text; a single user message is just its content."""
    if len(messages) == 1:
        return text_of(messages[0]["content"])
    return "\n\n".join(f"[{m['role']}]\n{text_of(m['content'])}" for m in messages)
