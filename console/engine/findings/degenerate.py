"""Text that says nothing more: noticed while it is written, whoever writes it.

A token is a word or a single mark, in lower case; of scripts that write no words apart a
character. Numbers of list items are left out. A text is degenerate when one of these holds:

    period       the last p tokens have stood there so many times running: `PERIODS`, in all
                 `LEAST_TOKENS` or more, a letter among them
    few words    of the last `WINDOW` words' runs of four, less than `DIFFERENT` are different,
                 and of the last `WINDOW` tokens at least `SHARE_OF_WORDS` have a letter
    instruction  `INSTRUCTION` words running are those of our own prompts, and stand neither in
                 the reader's prompt nor in an answer
    mark         `OF_A_MARK` characters of the fence's mark, or what only our material has

A block of code is a word of the prose around it, another one where its code is another. Within
fences of code and in rows of tables only a much longer period counts (`IN_DATA`), as of a period
of up to `LONG_PERIOD` tokens that has fewer words than marks (`SHARE_OF_WORDS`), and of what
stands in the reader's prompt, who may have asked for it. The first two mean that a text
repeats itself, the others that it repeats what its writer was told.

docs/judging.md says on what this was measured: `python -m tests.degenerate`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from functools import cached_property, lru_cache
from zlib import crc32

# (longest period in tokens, times running)
PERIODS = ((3, 12), (7, 6), (48, 4), (300, 3))
LEAST_TOKENS = 24
SHARE_OF_WORDS, LONG_PERIOD = 0.5, 24
IN_DATA = (40, 200)  # times running, tokens
WINDOW, DIFFERENT = 60, 0.32
INSTRUCTION = 8
LONGEST_PIECE = 10_000  # characters
OF_A_MARK = 12

_EVERY = 8  # tokens between two looks
_SUFFIX = 8  # tokens; every period that counts has stood there for longer than that
_KEPT = 120 * IN_DATA[0]
_BATCH = 48  # characters looked at together
_LONGEST_WORD = 200
_CHARACTERS = (0x110000 - 0x800) // 2  # of Unicode but surrogates, by twos
_HEAD = 12  # characters of a line that tell what kind it is

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_ASCII_TOKEN = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*|[^\sa-z0-9]")
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+(?:['’][^\W_{_UNSPACED}]+)*|[^\w\s]|_")
_SAFE_END = re.compile(rf".*(?:\W|[{_UNSPACED}])", re.DOTALL)
_REST_OF_WORD = re.compile(rf"[^\W{_UNSPACED}]+")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_LIST_NUMBER = re.compile(r"\s*\d{1,4}[.)]\s")
_FENCE = re.compile(r"[ \t>]*(`{3,}|~{3,})")
_FENCES = re.compile(rf"^{_FENCE.pattern}", re.MULTILINE)
# What only our material has: a fence line, and how a title and an analysis name an answer.
_OURS = re.compile(
    r"={3,} ?[0-9a-f]{16,}|\b[A-H] \([\d,]+ words?\)"
    r"|\([A-H](?:, [A-H])*; not found in their words\)"
)
# A fused answer that speaks of its prompt instead of answering it.
_ABOUT_THE_PROMPT = re.compile(r"\W*the (?:answer to the prompt|prompt asks)\b", re.IGNORECASE)
_STUTTER = re.compile(
    r"\b([^\W\d_]{4,40})(?:[ ]\1){2}\b"
    # xxxxxxxx stands in for something else.
    r"|\b(?!([^\W\d_])\2{3})([^\W\d_]{4,40}?)\3{2,}\b",
    re.IGNORECASE,
)
_SHARE_OF_LETTERS, _LEAST_LETTERS = 0.7, 8


class Degeneracy(StrEnum):
    REPEATS = "repeats"  # itself
    ECHOES = "echoes"  # what its writer was told


class Detector:
    """Feed it a text as it comes; it says what is wrong, or None. One finding is enough.

    `prompts` are ours, with places to be filled in, and `sources` gives the reader's prompt and
    the answers. `is_data`: JSON and the like, in which few words say much.
    """

    def __init__(
        self,
        *,
        mark: str = "",
        prompts: Iterable[str] = (),
        sources: Callable[[], Iterable[str]] = tuple,
        asked: str = "",
        is_data: bool = False,
    ) -> None:
        self._instructions = _instructions_of(tuple(prompts))
        self._sources, self._asked = sources, asked
        self._is_data = is_data
        self._parts = {mark[i : i + OF_A_MARK] for i in range(len(mark) - OF_A_MARK + 1)}
        self._said_by_others: list[str] | None = None
        self.begin()

    def begin(self) -> None:
        self._pending = self._tail = self._run = ""
        self._within_word = False
        self._begins_line, self._fence, self._is_row = True, "", False
        self._prose, self._data, self._words = _Tokens(), _Tokens(), _Tokens()
        self._code = 0  # of the block that is open, what it says

    def find_in(self, text: str) -> Degeneracy | None:
        """Of a text by itself, whole."""
        self.begin()
        return self.feed(text) or self.end()

    def feed(self, text: str) -> Degeneracy | None:
        self._pending += text
        if len(self._pending) < _BATCH:
            return None
        return self._look(is_end=False)

    def end(self) -> Degeneracy | None:
        return self._look(is_end=True)

    def _look(self, *, is_end: bool) -> Degeneracy | None:
        text = self._ready(is_end)
        if not text:
            return None
        seen = self._tail + text
        self._tail = seen[-_BATCH:]
        if any(part in seen for part in self._parts) or (self._parts and _OURS.search(seen)):
            return Degeneracy.ECHOES
        # What comes in one piece so long is no stream, and the loop of all runs waits for this:
        # only its end is looked at, where whoever repeats himself still does.
        skipped, text = text[:-LONGEST_PIECE], text[-LONGEST_PIECE:]
        for fence in _FENCES.finditer(skipped):
            self._toggle(fence[1][0])
        self._begins_line = skipped.endswith("\n") if skipped else self._begins_line
        for line in _LINE.findall(text):
            if found := self._take(line):
                return found
        return self._repeats() if is_end else None

    def _ready(self, is_end: bool) -> str:
        """What is pending up to the last whole token; of a word too long for one its beginning."""
        text = self._pending
        if self._within_word:
            rest = _REST_OF_WORD.match(text)
            text = text[rest.end() :] if rest else text
            self._within_word = not text
        if not is_end:
            safe = _SAFE_END.match(text)
            end = safe.end() if safe else 0
            line = text.rfind("\n", 0, end) + 1
            if line and end - line < _HEAD:
                end = line  # what kind of line it is, is not certain yet
            if len(text) - end > _LONGEST_WORD:
                self._within_word = True
                self._pending = ""
                return text[: end + _LONGEST_WORD]
            self._pending = text[end:]
            return text[:end]
        self._pending = ""
        return text

    def _take(self, line: str) -> Degeneracy | None:
        if self._begins_line:
            if fence := _FENCE.match(line):
                self._toggle(fence[1][0])
                self._take_code_for_a_word()
            self._is_row = line.lstrip().startswith("|")
            number = _LIST_NUMBER.match(line)
            line = line[number.end() :] if number else line
        self._begins_line = line.endswith("\n")
        tokens = self._data if self._fence or self._is_row else self._prose
        for token, is_word in _tokens(line):
            tokens.add(token)
            if self._fence:
                self._code = hash((self._code, token))
            if is_word and tokens is self._prose:
                self._words.add(token)
                if self._instructions and self._is_instruction(token):
                    return Degeneracy.ECHOES
            if tokens.fresh >= _EVERY and (found := self._repeats()):
                return found
        return None

    def _take_code_for_a_word(self) -> None:
        """A closed block of it, where it is not the same again: what is said before each of
        several is no repetition."""
        if not self._fence:
            token = next(_tokens(f"code{self._code & 0xFFFFFFFF:x}"))[0]
            self._prose.add(token)
            self._words.add(token)
        self._code = 0

    def _toggle(self, mark: str) -> None:
        self._fence = "" if self._fence == mark else self._fence or mark

    def _repeats(self) -> Degeneracy | None:
        for tokens in (self._prose, self._data):
            if tokens.fresh:
                tokens.fresh = 0
                if (period := tokens.period(tokens is self._data)) and self._counts(tokens, period):
                    return Degeneracy.REPEATS
        if not self._is_data and self._words.fresh >= _EVERY:
            self._words.fresh = 0
            if self._words.are_few() and self._is_prose(self._prose.text[-WINDOW:]):
                return None if self._are_asked_for() else Degeneracy.REPEATS
        return None

    def _counts(self, tokens: _Tokens, period: str) -> bool:
        if not any(map(_has_letter, period)):
            return False
        is_long = len(period) > LONG_PERIOD
        if (is_long or self._is_prose(period)) and not self._is_asked_for(period):
            return True
        return tokens is self._data or bool(tokens.period(True))

    def _is_asked_for(self, period: str) -> bool:
        """Wherever it is taken to begin."""
        twice = period + period
        return any(twice[at : at + len(period)] in self._asked_tokens for at in range(len(period)))

    def _are_asked_for(self) -> bool:
        runs = self._words.runs()
        return 3 * sum(run in self._asked_words for run in runs) >= len(runs)

    @cached_property
    def _asked_tokens(self) -> str:
        return _string_of(self._asked)

    @cached_property
    def _asked_words(self) -> str:
        return _words_of(self._asked)

    def _is_prose(self, tokens: str) -> bool:
        return sum(map(_has_letter, tokens)) >= SHARE_OF_WORDS * len(tokens)

    def _is_instruction(self, word: str) -> bool:
        self._run = run = (self._run + word)[-INSTRUCTION:]
        if run not in self._instructions:
            return False
        if self._said_by_others is None:
            self._said_by_others = [_words_of(text) for text in self._sources()]
        return not any(run in words for words in self._said_by_others)


def _string_of(text: str) -> str:
    """Without list numbers, as what it is compared with."""
    lines = (_LIST_NUMBER.sub("", line) for line in _LINE.findall(text))
    return "".join(token for line in lines for token, _ in _tokens(line))


def _words_of(text: str) -> str:
    return "".join(token for token, is_word in _tokens(text) if is_word)


def _tokens(text: str) -> Iterator[tuple[str, bool]]:
    """(a character for the token, whether it is a word)."""
    text = text.lower()
    pattern = _ASCII_TOKEN if text.isascii() else _TOKEN
    for word in pattern.findall(text):
        yield _character_for(word), word[0].isalnum()


def _character_for(word: str) -> str:
    """The same for all texts, without a list of their words, which would be the largest part of
    what a run keeps in memory. Two words have the same one once in half a million. An even one
    has a letter."""
    number = 2 * (crc32(word.encode("utf-8", "surrogatepass")) % _CHARACTERS)
    if not (word.isalpha() or any(map(str.isalpha, word))):
        number += 1
    return chr(number if number < 0xD800 else number + 0x800)


def _has_letter(token: str) -> bool:
    return ord(token) % 2 == 0


@lru_cache(maxsize=32)
def _instructions_of(prompts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(
        words[i : i + INSTRUCTION]
        for prompt in prompts
        for part in re.split(r"\{\w+\}", prompt)
        for words in [_words_of(part)]
        for i in range(len(words) - INSTRUCTION + 1)
    )


class _Tokens:
    """The last tokens of a text, each as one character."""

    def __init__(self) -> None:
        self._text = ""
        self._new: list[str] = []
        self.fresh = 0

    def add(self, token: str) -> None:
        self._new.append(token)
        self.fresh += 1

    @property
    def text(self) -> str:
        if self._new:
            self._text = (self._text + "".join(self._new))[-_KEPT:]
            self._new.clear()
        return self._text

    def period(self, is_data: bool) -> str:
        """What stands at the end so often that it counts; nothing where it does not."""
        text, end = self.text, len(self.text)
        if end < LEAST_TOKENS:
            return ""
        # Where the last few tokens stood before: one alone stands everywhere.
        last, at = text[-_SUFFIX:], end - _SUFFIX
        first = max(0, at - PERIODS[-1][0])
        while (at := text.rfind(last, first, at + _SUFFIX - 1)) >= 0:
            length = end - _SUFFIX - at
            if is_data:
                total = max(IN_DATA[0] * length, IN_DATA[1])
            else:
                times = next(times for longest, times in PERIODS if length <= longest)
                total = max(times * length, LEAST_TOKENS)
            if total <= end and text[end - total : end - length] == text[end - total + length :]:
                return text[-length:]
        return ""

    def are_few(self) -> bool:
        if len(self.text) < WINDOW:
            return False
        return len(self.runs()) < DIFFERENT * (WINDOW - 3)

    def runs(self) -> set[str]:
        words = self.text[-WINDOW:]
        return {words[i : i + 4] for i in range(WINDOW - 3)}


def find(text: str, **known: object) -> Degeneracy | None:
    """The same of a whole text."""
    return Detector(**known).find_in(text)  # type: ignore[arg-type]


def speaks_of_prompt(text: str, prompt: str) -> bool:
    """A fused answer that begins with what the prompt is, unless that is about a prompt."""
    return bool(_ABOUT_THE_PROMPT.match(text)) and "prompt" not in prompt.lower()


def stutters(text: str) -> bool:
    """A word three times running without so much as a comma, or one that is made of itself."""
    return bool(_STUTTER.search(text))


def is_alphabet(text: str) -> bool:
    """Letters in place of words. Nobody claims the alphabet; a reader may ask for it."""
    words = re.findall(r"\w+", text)
    letters = sum(len(word) == 1 and word.isalpha() and word.isascii() for word in words)
    return len(words) >= _LEAST_LETTERS and letters >= _SHARE_OF_LETTERS * len(words)


def without_mark(text: str, mark: str) -> str:
    """Without the lines of a fence, and without what of its mark stands elsewhere."""
    if first_piece(text, mark) is None:
        return text
    text = re.sub(rf"^[ \t]*={{2,}}[ \t]*{mark}[^\n]*\n?", "", text, flags=re.MULTILINE)
    return _pieces_of(mark).sub("…", text)


def held_back(text: str, mark: str) -> int:
    """How many characters at the end of a text may be the beginning of the mark."""
    ends = range(min(len(text), OF_A_MARK - 1), OF_A_MARK // 2 - 1, -1)
    return next((n for n in ends if text[-n:] in mark), 0)


def first_piece(text: str, mark: str) -> int | None:
    """Where a part of the mark begins that is long enough."""
    if len(text) < OF_A_MARK:
        return None
    parts = (mark[at : at + OF_A_MARK] for at in range(len(mark) - OF_A_MARK + 1))
    return min((at for part in parts if (at := text.find(part)) >= 0), default=None)


@lru_cache(maxsize=16)
def _pieces_of(mark: str) -> re.Pattern[str]:
    """Any part of it that is long enough, the longest first. Every run has a mark of its own, and
    hardly any text has it: it takes as long to make as a run's rows."""
    lengths = range(len(mark), OF_A_MARK - 1, -1)
    pieces = (mark[at : at + n] for n in lengths for at in range(len(mark) - n + 1))
    return re.compile("|".join(map(re.escape, pieces)))
