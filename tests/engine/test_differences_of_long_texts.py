"""What a comparison of two texts costs: it grows with them, and the worst of texts is bounded."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from console.engine.findings import pairing, word_differences
from console.engine.findings.differences import differences
from console.engine.findings.linked import ComparedText
from console.engine.findings.passages import PassageKind, ReadPassage

from ..growth import BOUND, growth

_LETTERS = "abcdefghij"
_WORDS = ["".join(_LETTERS[int(digit)] for digit in f"{n:04}") + "rel" for n in range(4000)]


def texts(many: int, seed: int = 7) -> tuple[list[ReadPassage], list[ReadPassage]]:
    """So many sentences; a part of them the same, a part with other words, all in another order."""
    chance = random.Random(seed)

    def sentence() -> list[str]:
        return [chance.choice(_WORDS) for _ in range(14)]

    left = [sentence() for _ in range(many)]
    right = [list(words) for words in left]
    for number, words in enumerate(right):
        if number % 3 == 1:
            words[3], words[9] = chance.choice(_WORDS), chance.choice(_WORDS)
        elif number % 3 == 2:
            right[number] = sentence()
    chance.shuffle(right)
    return prose(left), prose(right)


def prose(sentences: list[list[str]]) -> list[ReadPassage]:
    said = [" ".join(words).capitalize() + "." for words in sentences]
    return [ReadPassage("prose", " ".join(said[n : n + 4])) for n in range(0, len(said), 4)]


def compared(many: int) -> Callable[[], object]:
    left, right = texts(many)
    return lambda: differences(ComparedText(left), ComparedText(right))


@pytest.mark.parametrize("many", [100, 400])
def test_twice_the_text_costs_about_twice_as_much(many: int) -> None:
    assert growth(compared, many) < BOUND


def test_of_long_texts_the_pairs_are_right() -> None:
    left, right = texts(300)
    found = differences(ComparedText(left), ComparedText(right))
    assert found.is_whole
    assert dict(found.counts) == {"same": 100, "words": 100, "left": 100, "right": 100}


def many_of(text: str, times: int, kind: PassageKind) -> ComparedText:
    return ComparedText([ReadPassage(kind, text)] * times)


def test_ten_thousand_equal_lines_are_the_same_one_for_one() -> None:
    left, right = many_of("x = 1", 10_000, "code"), many_of("x = 1", 9_000, "code")
    assert dict(differences(left, right).counts) == {"same": 9_000, "left": 1_000, "right": 0}


def test_lines_that_all_share_their_words_are_not_each_held_against_each_other() -> None:
    left, right = many_of("a = b + c", 10_000, "code"), many_of("a = b - c", 10_000, "code")
    counts = dict(differences(left, right).counts)
    assert counts == {"left": 10_000, "right": 10_000}


@pytest.mark.parametrize("words", [["word"], [f"w{n}x" for n in range(500)]])
def test_of_a_sentence_of_a_hundred_thousand_words_no_word_is_marked(words: list[str]) -> None:
    said = [words[n % len(words)] for n in range(100_000)]
    left = ComparedText([ReadPassage("prose", " ".join(said) + ".")])
    right = ComparedText([ReadPassage("prose", " ".join(said[:-9] + ["end"]) + ".")])
    (pair,) = differences(left, right).pairs
    assert (pair.kind, pair.left_words, pair.right_words) == ("reworded", (), ())


def test_what_is_too_long_is_paired_only_where_it_is_the_same_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pairing, "MOST_STEPS", 50)
    left, right = texts(60)
    found = differences(ComparedText(left), ComparedText(right))
    assert not found.is_whole
    assert found.counts["same"] == 20
    assert found.counts.get("words", 0) < 20


def test_all_pairs_together_have_a_bound_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_differences, "MOST_LOOKS_IN_ALL", 200)
    left, right = texts(60)
    counts = differences(ComparedText(left), ComparedText(right)).counts
    assert 0 < counts["words"] < 20 and counts["words"] + counts["reworded"] == 20
