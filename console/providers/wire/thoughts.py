"""Thoughts that a model writes into its answer, told apart from it while they stream.

Servers without a parser for a model's thoughts pass them on as text, fenced in by marks
(thought_marks.py). Where the opening one stands in the chat template already, all that comes
before the closing one were thoughts after all: `Moved` says so, and `learned` how the model's
next answer is to be read. What is cut anyhow gives the same; at most some hundred characters are
held back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from console.engine.provider import ReasoningDelta, TextDelta

from . import harmony
from .growing import Growing
from .thought_marks import (
    AROUND,
    BY_NAME,
    CLOSINGS,
    FIRST_OF_CLOSINGS,
    LONGEST,
    LONGEST_CLOSING,
    MARKS,
    QUOTES,
    TAGS_CLOSING,
    WORDS,
    Mark,
    begins,
    closes,
    in_lower_case,
    partial,
)

MOST_SPACE = 4096  # of white space held back
LOOKS = 16  # closing marks looked at closely in one answer, so that no text makes it slow


@dataclass(frozen=True)
class Moved:
    """The text so far is taken back: it was `thoughts`. Or the other way about: `text` it was."""

    thoughts: str = ""
    text: str = ""


Piece = TextDelta | ReasoningDelta | Moved


class Thoughts:
    """`known` is what an earlier answer of the model taught (`learned`)."""

    def __init__(self, known: str = "") -> None:
        self.learned: str | None = None  # None: nothing new; "": what was known holds no more
        self.asked_for_tools = False
        self._known = known
        self._state = self._beginning
        self._held = ""
        self._mark: Mark | None = None
        self._block = _Block()
        self._has_thought = False
        self._is_assumed = False  # that these are thoughts: nothing opened them
        self._assumed = Growing()
        self._around = ""  # what closes the answer
        self._text = Growing()
        self._tail = ""  # of the text, in which a closing mark may have begun
        self._lead = ""  # of the text, as long as it may begin with words of a mark
        self._begins_with_words = False
        self._looks = LOOKS
        self._looked_at = 0
        self._is_looking = False
        self._channels: harmony.Channels | None = None

    def none_are_assumed(self) -> None:
        """Thoughts come elsewhere: those in the text are opened, or none."""
        self._known = ""

    def take(self, text: str) -> Iterator[Piece]:
        self._held += text
        while self._held:
            before = self._held, self._state
            yield from self._state()
            if (self._held, self._state) == before:
                return

    def has_none_in(self, text: str) -> bool:
        """Whether it goes on with the answer as it was, and no mark may end in it: then it counts
        as taken."""
        if self._held or not self._text or self._state != self._writing:
            return False
        if self._looks:
            window = self._tail + text
            if self._is_looking or self._begins_with_words or FIRST_OF_CLOSINGS.search(window):
                return False
            self._text.add(text)
            self._tail = window[-LONGEST_CLOSING:]
        return True

    def end(self, *, finished: bool, cut: bool) -> Iterator[Piece]:
        """`finished`: the server says it is all; `cut`: at the limit of its output."""
        if self._state == self._writing and self._is_looking and self._looks:
            yield from self._look(at_end=True)
            yield from self.take("")
        held, self._held = self._held, ""
        if self._channels:
            yield from self._of_channels(self._channels.end())
        elif self._state == self._thinking:
            # Without a closing mark that was held back for what might follow it.
            text, closed = self._until_closed(held, at_end=True)
            yield from self._thought(text)
            self._is_assumed &= not closed
        elif self._state == self._wrapped:
            yield from _written(_without(held, self._around))
        else:
            yield from _written(held.lstrip() if self._has_thought else held)
        if self._is_assumed and finished and not cut:
            # Whoever was taken to think aloud has answered at once.
            self.learned = ""
            yield Moved(text=str(self._assumed).strip())

    # where nothing is decided yet

    def _beginning(self) -> Iterator[Piece]:
        space, lead = _split_space(self._held)
        if not lead and len(space) <= MOST_SPACE:
            return
        if begins(lead, *harmony.BEGINNINGS):
            self._held, self._channels = lead, harmony.Channels()
            self._state = self._in_channels
        elif opening := begins(lead, *self._openings()):
            self._open(BY_NAME[opening], lead[len(opening) :])
        elif closing := begins(lead, *TAGS_CLOSING):
            # Of thoughts that the server has put elsewhere, or of none at all.
            self._held, self._has_thought = lead[len(closing) :], True
        elif self._has_thought and (before := begins(lead, *AROUND)):
            self._held, self._around = lead[len(before) :], AROUND[before]
            self._state = self._wrapped
        elif not lead or not self._may_begin(lead):
            self._begin(lead)
        yield from ()

    def _begin(self, lead: str) -> None:
        """With what opens nothing: the answer, or the thoughts of a model known to open none."""
        # A grammar that makes JSON of an answer leaves no room for thoughts.
        is_assumed = bool(self._known) and not self._has_thought and lead[:1] not in ("{", "[")
        if is_assumed and self._known == harmony.NAME:
            self._is_assumed, self._held = True, lead
            self._channels, self._state = harmony.Channels(begins_thinking=True), self._in_channels
        elif is_assumed and self._known in BY_NAME and not BY_NAME[self._known].words:
            self._open(BY_NAME[self._known], lead)
            self._is_assumed = True
        else:
            self._held = lead if self._has_thought else self._held
            self._state = self._wrapped if self._around else self._writing

    def _openings(self) -> Iterator[str]:
        known = "" if self._has_thought else self._known
        return (mark.opening for mark in MARKS if not mark.words or mark.opening == known)

    def _may_begin(self, lead: str) -> bool:
        marks = [*harmony.BEGINNINGS, *self._openings(), *TAGS_CLOSING]
        marks += AROUND if self._has_thought else ()
        lower = in_lower_case(lead[:LONGEST])
        return len(lead) < LONGEST and any(mark.lower().startswith(lower) for mark in marks)

    # within thoughts

    def _open(self, mark: Mark, rest: str) -> None:
        self._mark, self._state, self._held = mark, self._thinking, rest
        self._block = _Block()
        if mark.words:  # given back where no closing ones come
            self._is_assumed, self._assumed = True, Growing(mark.opening)

    def _thinking(self) -> Iterator[Piece]:
        text, closed = self._until_closed(self._held, at_end=False)
        yield from self._thought(text)
        if closed:
            assert self._mark
            self._has_thought, self._state = True, self._beginning
            if self._is_assumed:
                self._is_assumed, self.learned = False, self._mark.name
            if self._mark.answer and not self._mark.answer[0]:
                self._around = self._mark.answer[1]

    def _until_closed(self, held: str, *, at_end: bool) -> tuple[str, bool]:
        """(thoughts, whether the closing mark stands behind them); the rest is held."""
        assert self._mark
        closing, lower, start = self._mark.closing.lower(), in_lower_case(held), 0
        while (at := lower.find(closing, start)) >= 0:
            end = at + len(closing)
            before, after = held[at - 1 : at] if at else "", held[end : end + 1]
            if before and before in QUOTES and not after and not at_end:
                self._held = held[at - 1 :]
                return held[: at - 1], False
            if before and before in QUOTES and after and after in QUOTES:
                start = end  # quoted
                continue
            self._held = held[end:]
            return held[:at], True
        cut = len(held) if at_end else max(start, len(held) - partial(lower, closing))
        if not at_end and cut and held[cut - 1] in QUOTES:
            cut -= 1  # it tells whether the mark is quoted
        self._held = held[cut:]
        return held[:cut], False

    def _thought(self, text: str) -> Iterator[Piece]:
        if text := self._block.take(text):
            if self._has_thought and not self._block.has_told:
                text = "\n\n" + text
            self._block.has_told = True
            if self._is_assumed:
                self._assumed.add(text)
            yield ReasoningDelta(text)

    # within the answer

    def _writing(self) -> Iterator[Piece]:
        piece, self._held = self._held, ""
        if not self._text:
            self._lead = ""
        if len(self._lead) < LONGEST:
            self._lead = (self._lead + piece).lstrip()[:LONGEST]
            self._begins_with_words = any(
                words.startswith(self._lead) or self._lead.startswith(words) for words in WORDS
            )
        if self._looks:
            self._text.add(piece)
            window = self._tail + piece
            self._tail = window[-LONGEST_CLOSING:]
            # Looked for first: most pieces hold nothing of the kind.
            may_close = self._begins_with_words or FIRST_OF_CLOSINGS.search(window)
            if self._is_looking or (may_close and CLOSINGS.search(window)):
                moved = list(self._look(at_end=False))
                if moved:
                    yield from moved
                    return
        yield TextDelta(piece)

    def _look(self, *, at_end: bool) -> Iterator[Piece]:
        """Whether what was written so far were thoughts, whose closing mark has just come."""
        text = str(self._text)
        self._is_looking = False
        for match in CLOSINGS.finditer(text, self._looked_at):
            if not self._looks:
                return
            self._looks -= 1
            if not at_end and not text[match.end() :].strip(" \t"):
                self._is_looking = True  # what it means depends on what follows
                return
            self._looked_at = match.end()
            if name := closes(text, match):
                self._close_written(text, name, match)
                mark = BY_NAME.get(name)
                opening = mark.opening if mark and mark.words else ""
                thoughts = text[: match.start()].strip().removeprefix(opening)
                yield Moved(thoughts=thoughts.strip())
                return

    def _close_written(self, text: str, name: str, match: re.Match[str]) -> None:
        if not self._has_thought:
            self.learned = name
        self._text, self._tail, self._looked_at, self._has_thought = Growing(), "", 0, True
        if name == harmony.NAME:
            self._held, self._channels = match[0] + text[match.end() :], harmony.Channels()
            self._state = self._in_channels
            return
        self._held, self._state = text[match.end() :], self._beginning
        if (answer := BY_NAME[name].answer) and not answer[0]:
            self._around = answer[1]

    def _wrapped(self) -> Iterator[Piece]:
        """An answer with a mark behind it, which is no part of it."""
        if not self._text:
            self._held = self._held.lstrip()
        core = _without(self._held, self._around)
        if keep := partial(in_lower_case(core), self._around.lower()):
            core = core[:-keep].rstrip()
        if len(self._held) - len(core) > MOST_SPACE:
            core = self._held
        self._held = self._held[len(core) :]
        if core:
            self._text.add(core)
        yield from _written(core)

    def _in_channels(self) -> Iterator[Piece]:
        assert self._channels
        held, self._held = self._held, ""
        yield from self._of_channels(self._channels.take(held))

    def _of_channels(self, pieces: list[tuple[bool, str]]) -> Iterator[Piece]:
        assert self._channels
        for is_thought, text in pieces:
            yield ReasoningDelta(text) if is_thought else TextDelta(text)
            if self._is_assumed and is_thought:
                self._assumed.add(text)
        self.asked_for_tools |= self._channels.asked_for_tools
        if self._is_assumed and self._channels.has_begun:
            self._is_assumed, self.learned = False, harmony.NAME


class _Block:
    """A block of thoughts, without the white space around it."""

    def __init__(self) -> None:
        self.has_told = False
        self._space = ""

    def take(self, text: str) -> str:
        text = self._space + text if self.has_told else text.lstrip()
        told = text.rstrip()
        if len(text) - len(told) > MOST_SPACE:
            told = text
        self._space = text[len(told) :] if told or self.has_told else ""
        return told


def _without(text: str, around: str) -> str:
    text = text.rstrip() if around else text
    is_closed = around and in_lower_case(text[-len(around) :]) == around.lower()
    return text[: -len(around)].rstrip() if is_closed else text


def _written(text: str) -> Iterator[Piece]:
    if text:
        yield TextDelta(text)


def _split_space(text: str) -> tuple[str, str]:
    lead = text.lstrip()
    return text[: len(text) - len(lead)], lead
