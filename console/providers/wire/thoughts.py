"""Thoughts that a model writes into its answer, told apart from it while they stream.

Servers without a parser for a model's thoughts pass them on as text. A *mark* is how one
family of models fences them in; `MARKS` lists them with where each is written down. Only at
the beginning of an answer does an opening mark mean anything: quoted later, it is text.
Where the opening one stands in the chat template already, all that comes before the closing
one were thoughts after all: `Moved` says so, and `learned` how the model's next answer is to
be read. What is cut anyhow gives the same; at most some hundred characters are held back.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass

from console.engine.provider import ReasoningDelta, TextDelta

from . import harmony
from .growing import Growing


@dataclass(frozen=True)
class Mark:
    """`answer` is what some write around the answer behind the thoughts.

    `words` that anybody might begin an answer with are believed only when the closing ones
    have come, too.
    """

    opening: str
    closing: str
    source: str
    answer: tuple[str, str] | None = None
    words: bool = False

    @property
    def name(self) -> str:
        return self.opening


def _tag(name: str, source: str, answer: str = "") -> Mark:
    around = (f"<{answer}>", f"</{answer}>") if answer else None
    return Mark(f"<{name}>", f"</{name}>", source, around)


MARKS = (
    # DeepSeek R1, Qwen3, QwQ, GLM, MiniMax, Phi, Nemotron, OLMo, LFM2: docs.vllm.ai, "Reasoning
    # Outputs". Hunyuan A13B and models trained like R1-Zero write <answer> behind it.
    _tag("think", "docs.vllm.ai/en/stable/features/reasoning_outputs", "answer"),
    # Granite 3.3 has <response> behind the same tag: see `_AROUND`.
    _tag("thinking", "open-webui, DEFAULT_REASONING_TAGS; models told to think aloud", "answer"),
    _tag("thought", "huggingface.co/LGAI-EXAONE/EXAONE-Deep-32B; open-webui"),
    _tag("thoughts", "models told to think aloud"),
    _tag("reasoning", "huggingface.co/RekaAI/reka-flash-3; open-webui"),
    _tag("reason", "open-webui, DEFAULT_REASONING_TAGS"),
    _tag("reflection", "models told to think aloud, after Reflection 70B"),
    _tag("ant_thinking", "Anthropic's cookbooks, older prompts"),
    _tag("seed:think", "vLLM, seedoss_reasoning_parser (ByteDance Seed-OSS)"),
    _tag("longcat_think", "mlx-lm, tokenizer_utils (LongCat-Flash-Thinking)"),
    _tag("think:opensource", "mlx-lm, tokenizer_utils"),
    Mark('<details type="reasoning"', "</details>", "open-webui, what its chats hold; chat.z.ai"),
    Mark("[THINK]", "[/THINK]", "docs.mistral.ai, reasoning (Magistral, Ministral)"),
    Mark("◁think▷", "◁/think▷", "huggingface.co/moonshotai/Kimi-VL-A3B-Thinking; open-webui"),
    Mark(
        "<|START_THINKING|>",
        "<|END_THINKING|>",
        "vLLM, cohere_command3 (Command A Reasoning, R7B)",
        ("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    ),
    Mark(
        "<|begin_of_thought|>",
        "<|end_of_thought|>",
        "huggingface.co/NovaSky-AI/Sky-T1-32B-Preview, OpenThinker; open-webui",
        ("<|begin_of_solution|>", "<|end_of_solution|>"),
    ),
    Mark("<|inner_prefix|>", "<|inner_suffix|>", "llama.cpp, chat.cpp (Apertus)"),
    Mark("<|channel>thought", "<channel|>", "ai.google.dev/gemma, Gemma 4 prompt formatting"),
    Mark("<unused94>thought", "<unused95>", "huggingface.co/google/medgemma-27b-text-it"),
    Mark(
        "Here is my thought process:",
        "Here is my response:",
        "vLLM, granite_reasoning_parser (Granite 3.2)",
        words=True,
    ),
    Mark(
        "Here are my reasoning steps:",
        "[BEGIN FINAL RESPONSE]",
        "huggingface.co/ServiceNow-AI/Apriel-1.5-15b-Thinker",
        ("", "[END FINAL RESPONSE]"),
        words=True,
    ),
    # Harmony's channels where a server leaves their special tokens out: oobabooga/textgen#7374.
    Mark("analysis", "assistantfinal", "github.com/openai/harmony, tokens stripped", words=True),
)
_AROUND = dict(mark.answer for mark in MARKS if mark.answer and mark.answer[0])
_AROUND["<response>"] = "</response>"  # huggingface.co/ibm-granite/granite-3.3-8b-instruct
_TAGS_CLOSING = [mark.closing for mark in MARKS if not mark.words]
_BY_NAME = {mark.name: mark for mark in MARKS}
_BY_CLOSING = {mark.closing.lower(): mark for mark in MARKS}
_CLOSINGS = re.compile(
    "|".join([harmony.FINAL, *(re.escape(mark.closing) for mark in MARKS)]), re.IGNORECASE
)

LONGEST = max(len(mark.opening) for mark in MARKS) + 1
LONGEST_CLOSING = 80
MOST_SPACE = 4096  # of white space held back
LOOKS = 16  # closing marks looked at closely in one answer, so that no text makes it slow
_FIRST_OF_WORDS = {mark.opening[0] for mark in MARKS if mark.words}
_FIRST_OF_CLOSINGS = re.compile("[" + re.escape("".join({c[0] for c in _TAGS_CLOSING})) + "]")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_ASCII = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
QUOTES = "`\"'“”‘’«»„"


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
            if self._is_looking or self._begins_with_words or _FIRST_OF_CLOSINGS.search(window):
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
        if _begins(lead, *harmony.BEGINNINGS):
            self._held, self._channels = lead, harmony.Channels()
            self._state = self._in_channels
        elif opening := _begins(lead, *self._openings()):
            self._open(_BY_NAME[opening], lead[len(opening) :])
        elif closing := _begins(lead, *_TAGS_CLOSING):
            # Of thoughts that the server has put elsewhere, or of none at all.
            self._held, self._has_thought = lead[len(closing) :], True
        elif self._has_thought and (before := _begins(lead, *_AROUND)):
            self._held, self._around = lead[len(before) :], _AROUND[before]
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
        elif is_assumed and self._known in _BY_NAME and not _BY_NAME[self._known].words:
            self._open(_BY_NAME[self._known], lead)
            self._is_assumed = True
        else:
            self._held = lead if self._has_thought else self._held
            self._state = self._wrapped if self._around else self._writing

    def _openings(self) -> Iterator[str]:
        known = "" if self._has_thought else self._known
        return (mark.opening for mark in MARKS if not mark.words or mark.opening == known)

    def _may_begin(self, lead: str) -> bool:
        marks = [*harmony.BEGINNINGS, *self._openings(), *_TAGS_CLOSING]
        marks += _AROUND if self._has_thought else ()
        lower = _lower(lead[:LONGEST])
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
        closing, lower, start = self._mark.closing.lower(), _lower(held), 0
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
        cut = len(held) if at_end else max(start, len(held) - _partial(lower, closing))
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
            self._begins_with_words = piece.lstrip()[:1] in _FIRST_OF_WORDS
        if self._looks:
            self._text.add(piece)
            window = self._tail + piece
            self._tail = window[-LONGEST_CLOSING:]
            # Looked for first: most pieces hold nothing of the kind.
            may_close = self._begins_with_words or _FIRST_OF_CLOSINGS.search(window)
            if self._is_looking or (may_close and _CLOSINGS.search(window)):
                moved = list(self._look(at_end=False))
                if moved:
                    yield from moved
                    return
        yield TextDelta(piece)

    def _look(self, *, at_end: bool) -> Iterator[Piece]:
        """Whether what was written so far were thoughts, whose closing mark has just come."""
        text = str(self._text)
        self._is_looking = False
        for match in _CLOSINGS.finditer(text, self._looked_at):
            if not self._looks:
                return
            self._looks -= 1
            if not at_end and not text[match.end() :].strip(" \t"):
                self._is_looking = True  # what it means depends on what follows
                return
            self._looked_at = match.end()
            if name := _closes(text, match):
                self._close_written(text, name, match)
                mark = _BY_NAME.get(name)
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
        if (answer := _BY_NAME[name].answer) and not answer[0]:
            self._around = answer[1]

    def _wrapped(self) -> Iterator[Piece]:
        """An answer with a mark behind it, which is no part of it."""
        if not self._text:
            self._held = self._held.lstrip()
        core = _without(self._held, self._around)
        if keep := _partial(_lower(core), self._around.lower()):
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


def _closes(text: str, match: re.Match[str]) -> str:
    """The name of the mark that ends here what were thoughts from the beginning."""
    start, mark = text.lstrip(), _BY_CLOSING.get(match[0].lower())
    if start[:1] in ("{", "["):  # JSON, which quotes it
        return ""
    if mark is None:
        return harmony.NAME
    if mark.words:
        is_one = _begins(start, mark.opening) and match[0] == mark.closing
    else:
        before, after = text[: match.start()], text[match.end() :]
        was_opened = mark.opening.lower() in _lower(before)
        is_one = not was_opened and not _is_in_code(before) and _stands_alone(before, after)
    return mark.name if is_one else ""


def _stands_alone(before: str, after: str) -> bool:
    """At an end of a line or of a sentence, or between two words without a space: who writes
    about the mark puts it into a sentence of its own, or into quotes."""
    last, next_ = before[-1:], after[:1]
    if last and last in QUOTES and next_ and next_ in QUOTES:
        return False
    line, rest = before.rstrip(" \t"), after.lstrip(" \t")
    if line[-1:] in ("", "\n", "\r") or rest[:1] in ("", "\n", "\r"):
        return True
    if line[-1] in ".!?…。！？":
        return True
    return not last.isspace() and last not in QUOTES + "([{:" and not next_.isspace()


def _is_in_code(before: str) -> bool:
    fence = ""
    for match in _FENCE.finditer(before):
        if not fence:
            fence = match[1]
        elif match[1].startswith(fence):
            fence = ""
    return bool(fence) or before.count("`", before.rfind("\n") + 1) % 2 == 1


def _begins(lead: str, *marks: str) -> str:
    """The mark that the text begins with."""
    lower = _lower(lead[:LONGEST])
    for mark in marks:
        if mark[0].isalpha() and not lead.startswith(mark):  # words
            continue
        # One word is no mark unless the next one sticks to it.
        if mark.isalpha() and not lead[len(mark) : len(mark) + 1].strip():
            continue
        if lower.startswith(mark.lower()):
            return mark
    return ""


def _partial(text: str, mark: str) -> int:
    """How many characters at the end of the text the mark may begin with."""
    longest = min(len(text), len(mark) - 1)
    return next((n for n in range(longest, 0, -1) if mark.startswith(text[-n:])), 0)


def _without(text: str, around: str) -> str:
    text = text.rstrip() if around else text
    is_closed = around and _lower(text[-len(around) :]) == around.lower()
    return text[: -len(around)].rstrip() if is_closed else text


def _written(text: str) -> Iterator[Piece]:
    if text:
        yield TextDelta(text)


def _split_space(text: str) -> tuple[str, str]:
    lead = text.lstrip()
    return text[: len(text) - len(lead)], lead


def _lower(text: str) -> str:
    """As long as before, whatever letters there are."""
    lower = text.lower()
    return lower if len(lower) == len(text) else text.translate(_ASCII)
