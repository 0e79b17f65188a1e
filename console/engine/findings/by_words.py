"""An analysis without a judge: what answers have in common by their words, and what not.

    consensus         sentences of two answers or more that share at least half of the shorter's
                      words, and `ALIKE` of all words that they have; of `FEW_WORDS` words or
                      fewer all
    contradictions    the same sentence but for a word, a figure or a "not"
    partial_coverage  as consensus, where fewer than half of the answers say so
    unique_insights   sentences that have less than `APART` of their words in common with any
                      of another answer
    best              the seat whose answer has the most in common with the others; none that
                      says nothing, stutters or repeats its rows, where there is another

Words alone know no meaning: whoever says the same in other words is not found. Every quote is
a sentence of its answer, character for character, so all of them are found there.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from ..state import CallState
from .analysis import PARTS
from .degenerate import find, is_alphabet, stutters
from .evidence import SUPPORTED, verify
from .repeated_rows import repeats_rows
from .whole_sentences import Sentence, content_of, in_common, is_unspaced, sentences, words_of

WORDS = "words"  # `FusionState.analysis_by`
ALIKE, SHARED, APART = 0.3, 0.5, 0.25
SAME = 0.6  # what sentences that differ by a figure or a "not" have in common besides
MAX_ITEMS, MAX_INSIGHTS = 8, 2  # of a part; of a seat
MAX_SENTENCES = 150  # of an answer
LONGEST_QUOTE, LONGEST_CLAIM = 400, 300
FEW_WORDS = 3  # an answer in so few words is compared whole
_LONGEST_GAP, _LONGEST_NAME, _LEAST_AROUND = 3, 8, 4  # words, characters, words
_LONGEST = 200  # words; what is no sentence any more is not compared word by word
_EVERYWHERE = 60  # sentences; a word of more says nothing of which two are alike
_EMPHASIS = re.compile(r"\*\*|__|`|<br ?/?>")
# What is no statement of the subject, whatever its words.
_FILLER = re.compile(
    r"\W*(?:sure|certainly|of course|hello|hi|great question|i hope|let me know|feel free|"
    r"i'?m sorry|i am sorry|as an ai|would you like|here (?:is|are|'s)|thank you)\b",
    re.IGNORECASE,
)
REFUSAL = re.compile(
    r"\b(?:i['’]?m (?:so )?sorry|i am sorry|as an ai\b|feel free to ask|i can(?:not|['’]t) help)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Said:
    """A sentence, and whose it is."""

    seat: int
    sentence: Sentence

    @property
    def evidence(self) -> dict[str, Any]:
        return {"seat": self.seat, "quote": _shortened(self.sentence.text, LONGEST_QUOTE)}

    @property
    def claim(self) -> str:
        """As a table of claims shows it."""
        text = self.sentence.text
        if self.sentence.kind == "row":
            text = " · ".join(filter(None, map(str.strip, text.split("|"))))
        text = " ".join(_EMPHASIS.sub("", text).split())
        short = _shortened(text, LONGEST_CLAIM)
        return text if short == text else f"{short} …"


def compare(answers: Mapping[int, CallState], prompt: str) -> dict[str, Any]:
    """An analysis of these answers, its quotes looked up."""
    texts = {seat: call.text for seat, call in sorted(answers.items())}
    best = best_seat(answers, prompt)
    analysis: dict[str, Any] = {part: [] for part in PARTS}
    if all(len(words_of(text)) <= FEW_WORDS for text in texts.values()):
        analysis |= _of_few_words(texts, prompt)
    else:
        analysis |= _Comparison(texts, best, prompt).parts()
    return _found(verify(analysis | {"best": best}, texts))


def _found(analysis: dict[str, Any]) -> dict[str, Any]:
    """Without what no quote bears out: a word that says nothing by itself is none."""
    for part in ("consensus", "partial_coverage", "unique_insights"):
        analysis[part] = [item for item in analysis[part] if item["standing"] == SUPPORTED]
    analysis["contradictions"] = [
        item
        for item in analysis["contradictions"]
        if all(stance["standing"] == SUPPORTED for stance in item["stances"])
    ]
    return analysis


def best_seat(answers: Mapping[int, CallState], prompt: str) -> int:
    """Whose answer has the most in common with the others, and with what was asked."""
    asked = content_of(words_of(prompt))
    words = {seat: content_of(words_of(call.text)) for seat, call in answers.items()}

    def worth(seat: int) -> tuple[bool, bool, bool, float, int]:
        text, own = answers[seat].text, words[seat]
        shared = sum(in_common(own, words[other]) for other in words if other != seat)
        related = len(own & asked) / len(asked) if asked else 0
        ended = answers[seat].finish_reason != "length"
        says_something = bool(own) and find(text) is None
        refuses = bool(REFUSAL.search(text))
        return (
            says_something,
            not stutters(text),
            not repeats_rows(text),  # which can be left out
            shared + 0.08 * ended + 0.2 * related - 0.4 * refuses,
            -seat,
        )

    return max(answers, key=worth)


def are_alike(one: Sentence, other: Sentence) -> bool:
    """By their words they say the same, and by no word or figure something else."""
    shared = len(one.content & other.content)
    least = min(len(one.content), len(other.content))
    if shared < min(2, least) or shared < SHARED * least:
        return False
    if least <= FEW_WORDS and one.content - other.content and other.content - one.content:
        return False  # of so few words each is what is said
    if in_common(one.content, other.content) < ALIKE or one.is_denied != other.is_denied:
        return False
    has_other_figures = one.numbers - other.numbers and other.numbers - one.numbers
    return not has_other_figures and difference(one, other) is None


def difference(one: Sentence, other: Sentence) -> str | None:
    """What both say around a word, a figure or a "not" by which they differ, with a gap there;
    None where they do not differ by so little."""
    if one.words == other.words or max(len(one.words), len(other.words)) > _LONGEST:
        return None
    if len(one.core & other.core) >= 2 and in_common(one.core, other.core) >= SAME:
        if one.is_denied != other.is_denied:
            return one.text
        mine, others = one.numbers - other.numbers, other.numbers - one.numbers
        if len(mine) == len(others) == 1:
            return _with_gap(one.text, next(iter(mine)))
    return _but_for_a_word(one, other)


def _but_for_a_word(one: Sentence, other: Sentence) -> str | None:
    least = max(_LEAST_AROUND, SAME * max(len(one.words), len(other.words)))
    if len(one.any_words & other.any_words) < 0.5 * least:  # a word may stand there twice
        return None
    matched = SequenceMatcher(None, one.words, other.words, autojunk=False)
    changes = [op for op in matched.get_opcodes() if op[0] != "equal"]
    if len(changes) != 1 or changes[0][0] != "replace":
        return None
    _, a, b, c, d = changes[0]
    gap = max(b - a, d - c)
    if (
        gap > (_LONGEST_NAME if is_unspaced(one.words[a]) else _LONGEST_GAP)
        or len(one.words) - (b - a) < least
    ):
        return None
    mine, others = one.words[a:b], other.words[c:d]
    says_something = content_of(mine) & one.content and content_of(others) & other.content
    if not says_something or _are_forms(" ".join(mine), " ".join(others)):
        return None
    return _with_gap(one.text, *mine)


def _are_forms(one: str, other: str) -> bool:
    """Of one word: boil and boils, colour and colours, a shop and the shops."""
    one, other = sorted((one, other), key=len)
    same = next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    return same >= 3 and same >= 0.6 * len(other)


def _with_gap(text: str, *words: str) -> str:
    """Where the words cannot be found as they were counted, the sentence as it is."""
    pattern = r"\W*".join(re.escape(word) for word in words)
    gap = re.search(rf"(?<!\w){pattern}(?!\w)|{pattern}", text, re.IGNORECASE)
    return f"{text[: gap.start()]}…{text[gap.end() :]}" if gap else text


class _Comparison:
    def __init__(self, texts: Mapping[int, str], best: int, prompt: str) -> None:
        self._seats, self._best = list(texts), best
        self._asked = content_of(words_of(prompt))
        self._all = [
            Said(seat, sentence)
            for seat, text in texts.items()
            for sentence in sentences(text)[:MAX_SENTENCES]
            if sentence.kind != "heading" and _is_statement(sentence)
        ]
        self._with_word: defaultdict[str, list[int]] = defaultdict(list)
        for number, said in enumerate(self._all):
            for word in said.sentence.content:
                self._with_word[word].append(number)
        self._told: set[int] = set()

    def parts(self) -> dict[str, Any]:
        # The best answer's words first: its sentences stand for what others say alike.
        order = sorted(range(len(self._all)), key=lambda n: self._all[n].seat != self._best)
        contradictions = [c for n in order if (c := self._contradiction(n))]
        shared = [claim for n in order if (claim := self._shared(n))]
        by_most = [c for c in shared if 2 * len(c["seats"]) >= len(self._seats)]
        by_some = [c for c in shared if 2 * len(c["seats"]) < len(self._seats)]
        by_most.sort(key=lambda claim: -len(claim["seats"]))
        return {
            "consensus": by_most[:MAX_ITEMS],
            "contradictions": contradictions[:MAX_ITEMS],
            "partial_coverage": [
                {"point": c["claim"], "seats": c["seats"], "evidence": c["evidence"]}
                for c in by_some[:MAX_ITEMS]
            ],
            "unique_insights": list(self._insights()),
        }

    def _contradiction(self, number: int) -> dict[str, Any] | None:
        said = self._all[number]
        if number in self._told:
            return None
        against = self._nearest(number, lambda other: difference(said.sentence, other) is not None)
        if not against:
            return None
        alike = self._nearest(number, lambda other: are_alike(said.sentence, other))
        stances: list[list[int]] = [[number, *(n for s, n in alike.items() if s not in against)]]
        for other in against.values():
            for stance in stances[1:]:
                if are_alike(self._all[stance[0]].sentence, self._all[other].sentence):
                    stance.append(other)
                    break
            else:
                stances.append([other])
        self._told.update(n for stance in stances for n in stance)
        first = self._all[stances[1][0]].sentence
        topic = difference(said.sentence, first) or said.sentence.text
        return {
            "topic": _shortened(" ".join(_EMPHASIS.sub("", topic).split()), LONGEST_CLAIM),
            "stances": [
                {"stance": self._all[stance[0]].claim, **self._by(stance)} for stance in stances
            ],
        }

    def _shared(self, number: int) -> dict[str, Any] | None:
        said = self._all[number]
        if number in self._told:
            return None
        alike = self._nearest(number, lambda other: are_alike(said.sentence, other))
        if not alike:
            return None
        together = [number, *alike.values()]
        self._told.update(together)
        return {"claim": said.claim, **self._by(together)}

    def _insights(self) -> Iterator[dict[str, Any]]:
        for seat in self._seats:
            own = [
                (n, said)
                for n, said in enumerate(self._all)
                if said.seat == seat and n not in self._told and self._is_alone(n)
            ]
            own.sort(key=lambda of: -self._interest(of[1].sentence))
            for _, said in sorted(own[:MAX_INSIGHTS], key=lambda of: of[0]):
                yield {"insight": said.claim, "seat": seat, "evidence": [said.evidence]}

    def _is_alone(self, number: int) -> bool:
        own = self._all[number].sentence
        if not own.is_whole or own.is_question or len(own.content) < FEW_WORDS:
            return False
        others = (self._all[n].sentence.content for n in self._candidates(number))
        return all(len(own.content & other) < APART * len(own.content) for other in others)

    def _interest(self, sentence: Sentence) -> float:
        related = len(sentence.content & self._asked) / (len(self._asked) or 1)
        return related + min(len(sentence.content), 20) / 20

    def _nearest(self, number: int, fits: Any) -> dict[int, int]:
        """Seat -> its sentence that fits and has most in common, of those not told yet."""
        own = self._all[number]
        found: dict[int, int] = {}
        for other in self._candidates(number):
            if other in self._told or not fits(self._all[other].sentence):
                continue
            seat = self._all[other].seat
            if seat not in found or self._common(number, other) > self._common(number, found[seat]):
                found[seat] = other
        return {seat: found[seat] for seat in sorted(found) if seat != own.seat}

    def _common(self, one: int, other: int) -> float:
        return in_common(self._all[one].sentence.content, self._all[other].sentence.content)

    def _candidates(self, number: int) -> list[int]:
        """Sentences of other answers with a word of this one's."""
        own = self._all[number]
        shared: Counter[int] = Counter()
        for word in own.sentence.content:
            if len(self._with_word[word]) <= _EVERYWHERE:
                shared.update(self._with_word[word])
        return sorted(n for n in shared if self._all[n].seat != own.seat)

    def _by(self, numbers: Iterable[int]) -> dict[str, Any]:
        said = sorted((self._all[n] for n in numbers), key=lambda one: one.seat)
        return {"seats": [one.seat for one in said], "evidence": [one.evidence for one in said]}


def _of_few_words(texts: Mapping[int, str], prompt: str) -> dict[str, Any]:
    """Answers of a word or two, each compared whole."""
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for seat, text in texts.items():
        groups[tuple(words_of(text))].append(seat)
    stances = [
        {
            "stance": texts[seats[0]].strip(),
            "seats": seats,
            "evidence": [{"seat": seat, "quote": texts[seat].strip()} for seat in seats],
        }
        for seats in groups.values()
    ]
    if len(stances) == 1:
        stance = stances[0]
        claim = {"claim": stance["stance"], "seats": stance["seats"]}
        return {"consensus": [claim | {"evidence": stance["evidence"]}]}
    topic = _shortened(" ".join(prompt.split()), LONGEST_CLAIM)
    return {"contradictions": [{"topic": topic, "stances": stances}]}


def _is_statement(sentence: Sentence) -> bool:
    text = sentence.text
    return not (
        _FILLER.match(text)
        or REFUSAL.search(text)
        or text.rstrip("*_ ").endswith((":", "："))
        or is_alphabet(text)
        or find(text)
    )


def _shortened(text: str, longest: int) -> str:
    """From its beginning, up to the end of a word."""
    if len(text) <= longest:
        return text
    end = text.rfind(" ", longest // 2, longest)
    return text[: end if end > 0 else longest].rstrip()


def seats_alike(sentence: Sentence, others: Mapping[int, Sequence[Sentence]]) -> list[int]:
    """Whose answers have a sentence like it."""
    return [seat for seat, said in others.items() if any(are_alike(sentence, one) for one in said)]
