"""A fused answer without a writer: the best answer, and up to two sentences of the others.

Whatever stands in it was written by a panelist. The best answer is ended where its last
sentence is whole, and rows that say the same again are left out; sentences are added to prose
alone, never to code, lists, verse or sums. Marks of provenance stand behind the sentences, as a
writer sets them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from statistics import median

from ..spec import letter
from ..state import CallState
from .by_words import REFUSAL, difference, seats_alike
from .degenerate import find
from .provenance import plain
from .repeated_rows import without_repeated_rows
from .whole_sentences import (
    FENCE,
    Block,
    Sentence,
    blocks,
    content_of,
    ends_in,
    in_common,
    sentences,
    words_of,
)

MOST_ADDED = 2
LEAST_PROSE = 12  # words of an answer to which sentences may be added
WORDS = (6, 40)  # of a sentence that is added
LOOSE_WORDS = 6  # behind the last full stop; more are a sentence that broke off by itself
TOLD = 0.5  # of its words may not stand in a sentence that is there
_LINES_OF_VERSE, _LENGTH_OF_VERSE = 4, 60
_SUM = re.compile(r"\d[\s$€£]*[-+*×/÷=]\s*[$€£]?\d|=\s*\d")
# What hangs on a sentence before it, in the languages that most answers are in.
_HANGS = re.compile(
    r"\W*(?:but|so|this|that|these|those|it|its|they|their|he|she|his|her|however|and|or|also|"
    r"then|thus|therefore|hence|additionally|moreover|furthermore|finally|instead|otherwise|"
    r"for (?:example|instance)|in (?:addition|other words|contrast)|here|i|i'm|we|you're welcome|"
    r"aber|doch|das|dies|diese|dieser|dieses|es|sie|er|deshalb|daher|also|außerdem|"
    r"mais|cela|ce|cette|ces|il|elle|ils|elles|donc|pero|esto|esta|este|ello|por eso|"
    r"però|questo|questa|mas|isso|maar|dit|dat)\b|[但所因而这那它他她]",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"^[ \t]*(?:def |class |function |import |from \S+ import|#include|const |let |var |public |"
    r"SELECT |<\w+|return\b)|[{;][ \t]*$",
    re.MULTILINE,
)


def put_together(answers: Mapping[int, CallState], prompt: str, best: int) -> str:
    """With marks, where there are several answers. Never empty, as no usable answer is."""
    texts = {
        seat: without_repeated_rows(
            trimmed(plain(call.text), is_cut=call.finish_reason == "length")
        )
        for seat, call in sorted(answers.items())
    }
    first = texts[best]
    others = {seat: sentences(text) for seat, text in texts.items() if seat != best}
    added = _added(first, others, prompt) if is_prose(first) else []
    whole = "\n\n".join([first, " ".join(one.text for _, one in added)]) if added else first
    if added and find(whole):
        added, whole = [], first
    if not others:
        return whole
    marked = _marked(first, best, others)
    if added:
        marked += "\n\n" + " ".join(f"{one.text}[^{letter(seat)}]" for seat, one in added)
    # A mark that would not come out again, as within what turns out to be code, is none.
    return marked if plain(marked) == whole else whole


def trimmed(text: str, *, is_cut: bool) -> str:
    """Up to where its last sentence is whole, its code closed. A text that ended by itself
    keeps its last line, unless that only announces what never came."""
    text = _with_first_fence(text).rstrip()
    found = blocks(text)
    for number, block in reversed(list(enumerate(found))):
        is_last = number == len(found) - 1
        end = _whole_until(text, block, is_cut=is_cut and is_last, is_first=not number)
        if end:
            return _closed(text[:end].rstrip(), block)
    # Not one sentence is whole: then all of its words, and that it breaks off.
    return f"{text.rsplit(None, 1)[0] if ' ' in text else text}…" if is_cut else text


def is_prose(text: str) -> bool:
    found = blocks(text)
    if len(words_of(text)) < LEAST_PROSE or any(block.kind != "prose" for block in found):
        return False
    lines = [line for line in text.splitlines() if line.strip()]
    is_verse = len(lines) >= _LINES_OF_VERSE and median(map(len, lines)) < _LENGTH_OF_VERSE
    return not (is_verse or _SUM.search(text))


def _whole_until(text: str, block: Block, *, is_cut: bool, is_first: bool) -> int:
    """Where the text may end within this block, the last of what is left; 0: not there at all."""
    said, ends = text[block.start : block.end].rstrip(), list(ends_in(text, block))
    if block.kind == "code":
        return _code_until(text, block) if is_cut and block.is_open else block.end
    if block.kind == "heading" or said.rstrip("*_ ").endswith((":", "：")):
        # Unless there is nothing else, what it announces has to follow.
        alone = block.end if is_first and not is_cut else 0
        return ends[-1] if ends and block.kind != "heading" else alone
    if not is_cut:
        loose = text[ends[-1] : block.end] if ends and "\n" not in said else ""
        breaks_off = block.kind == "prose" and len(words_of(loose)) > LOOSE_WORDS
        return ends[-1] if breaks_off else block.end
    if block.kind == "row":
        return block.end if said.endswith("|") else 0
    if not ends and said.count("\n") >= _LINES_OF_VERSE - 1:  # verse ends with its lines
        return block.start + said.rfind("\n")
    return ends[-1] if ends else 0


def _code_until(text: str, block: Block) -> int:
    """Whole lines of it; one line that is not whole is nothing."""
    lines = text[block.start :].splitlines()
    return block.start + sum(len(line) + 1 for line in lines[:-1]) - 1 if len(lines) > 2 else 0


def _closed(text: str, last: Block) -> str:
    if not last.is_open:
        return text
    fence = FENCE.match(text, last.start)
    return f"{text}\n{fence[1] if fence else '```'}"


def _with_first_fence(text: str) -> str:
    """Where that of its first code is missing: else its last would open code to the text's end."""
    fences = list(FENCE.finditer(text))
    if len(fences) % 2 and not fences[0][2] and _CODE.search(text, 0, fences[0].start()):
        return f"{fences[0][1]}\n{text}"
    return text


def _added(
    first: str, others: Mapping[int, Sequence[Sentence]], prompt: str
) -> list[tuple[int, Sentence]]:
    """(seat, sentence) of the best that the best answer does not say."""
    asked, subject = content_of(words_of(prompt)), content_of(words_of(first))
    taken, chosen = sentences(first), []
    found = [
        (_worth(seat, one, others, asked, subject), -seat, -n, one)
        for seat, said in others.items()
        for n, one in enumerate(said)
        if _may_be_added(one)
    ]
    for worth, seat, _, one in sorted(found, key=lambda f: f[:3], reverse=True):
        if worth <= 0 or any(_is_told(one, other) for other in taken):
            continue
        chosen.append((-seat, one))
        taken.append(one)
        if len(chosen) == MOST_ADDED:
            break
    return chosen


def _may_be_added(sentence: Sentence) -> bool:
    return (
        sentence.kind == "prose"
        and sentence.is_whole
        and WORDS[0] <= len(sentence.words) <= WORDS[1]
        and not sentence.is_question
        and not _HANGS.match(sentence.text)
        and not REFUSAL.search(sentence.text)
        and not _SUM.search(sentence.text)
    )


def _is_told(sentence: Sentence, taken: Sentence) -> bool:
    """Or said otherwise: what differs by a word would contradict it."""
    shared = len(sentence.content & taken.content)
    return shared >= TOLD * len(sentence.content) or difference(sentence, taken) is not None


def _worth(
    seat: int,
    sentence: Sentence,
    others: Mapping[int, Sequence[Sentence]],
    asked: frozenset[str],
    subject: frozenset[str],
) -> float:
    """By what a third answer says alike, and by what was asked; of another subject, nothing."""
    if not sentence.content & (asked | subject):
        return 0
    support = max(
        (
            in_common(sentence.content, one.content)
            for other, said in others.items()
            if other != seat
            for one in said
        ),
        default=0.0,
    )
    return support + (len(sentence.content & asked) / len(asked) if asked else 0)


def _marked(text: str, seat: int, others: Mapping[int, Sequence[Sentence]]) -> str:
    pieces, at = [], 0
    for sentence in sentences(text):
        if sentence.kind in ("row", "heading") or sentence.text.endswith((":", "：")):
            continue
        seats = sorted([seat, *seats_alike(sentence, others)])
        pieces += [text[at : sentence.end], f"[^{','.join(map(letter, seats))}]"]
        at = sentence.end
    return "".join([*pieces, text[at:]])
