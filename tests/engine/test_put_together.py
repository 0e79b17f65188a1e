"""Where no model writes, the fused answer is put together from sentences of the answers."""

from __future__ import annotations

import pytest

from console.engine.findings.provenance import plain
from console.engine.findings.put_together import put_together, trimmed
from console.engine.findings.whole_sentences import sentences
from tests.engine.test_by_words import answers

ROWS = "| a | b |\n|---|---|\n| 1 | 2 |"
VERSE = "The sea, the sea\nso wide, so blue\nand I am free"
CUT = {
    "a sentence": ("It is warm. It is also very", "It is warm."),
    "an item": ("Two ways:\n\n1. Walk to it.\n2. Take the", "Two ways:\n\n1. Walk to it."),
    "all items": ("It is so.\n\n1. Take the", "It is so."),
    "what was announced": ("It is so. Here is why:", "It is so."),
    "after a heading": ("It is so.\n\n## Why it", "It is so."),
    "code": (
        "So:\n```python\na = 1\nb = 2\nprint(a +",
        "So:\n```python\na = 1\nb = 2\n```",
    ),
    "code without a line": ("It is so.\n```python\npri", "It is so."),
    "a row": (
        "It is so.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n| 3",
        "It is so.\n\n| a | b |\n|---|---|\n| 1 | 2 |",
    ),
    "verse": (
        "The sea, the sea\nso wide, so blue\nand I am free\nand so are",
        "The sea, the sea\nso wide, so blue\nand I am free",
    ),
    "nothing whole": ("The capital of the country is", "The capital of the country…"),
    "Chinese": ("水是湿的。冰也", "水是湿的。"),
    "an abbreviation": ("It is so. Use e.g. Dr. Oetker's", "It is so."),
    "nothing at all": ("It is warm.", "It is warm."),
}


@pytest.mark.parametrize(("text", "kept"), CUT.values(), ids=CUT)
def test_an_answer_that_was_cut_off_ends_where_a_sentence_does(text: str, kept: str) -> None:
    assert trimmed(text, is_cut=True) == kept


WHOLE = (
    "Paris",
    "- Bread\n- Butter",
    "Roses are red\nviolets are blue",
    "So:\n\n```\nx = 1\n```",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "Only a heading:",
    "12 * 3 = 36",
)


@pytest.mark.parametrize("text", WHOLE)
def test_an_answer_that_ended_by_itself_keeps_its_last_line(text: str) -> None:
    assert trimmed(text, is_cut=False) == text


def test_a_sentence_that_breaks_off_by_itself_is_left_out() -> None:
    loose = "Water is wet. And so it came that every sailor of the northern seas was"
    assert trimmed(loose, is_cut=False) == "Water is wet."
    assert trimmed("Enjoy! Yours, the cook 😊", is_cut=False) == "Enjoy! Yours, the cook 😊"


FENCES = {
    "its first is missing": (
        "def f(s):\n    return s\n```\n\nUse:\n```python\nf(1)\n```",
        "```\ndef f(s):\n    return s\n```\n\nUse:\n```python\nf(1)\n```",
    ),
    "its last is missing": ("So:\n```python\nf(1)", "So:\n```python\nf(1)\n```"),
    "tildes": ("So:\n~~~\nf(1)", "So:\n~~~\nf(1)\n~~~"),
}


@pytest.mark.parametrize(("text", "closed"), FENCES.values(), ids=FENCES)
def test_a_fence_that_is_missing_is_set(text: str, closed: str) -> None:
    assert trimmed(text, is_cut=False) == closed


BLUE = (
    "The sky is blue because air scatters blue light more than red light. Sunlight holds every "
    "colour of the rainbow at once."
)
MORE = "Short wavelengths of the blue end bounce between molecules of nitrogen and oxygen."


def test_two_sentences_of_others_at_most_are_added_to_prose() -> None:
    third = (
        f"{MORE} At sunset the sunlight passes through much more air. Oceans mirror the sky above."
    )
    given = answers(BLUE, f"{MORE} {BLUE}", third)
    text = put_together(given, "Why is the sky blue?", 0)
    first, added = plain(text).split("\n\n")
    assert first == BLUE and MORE in added and len(sentences(added)) <= 2
    assert "[^A,B]" in text and "[^B]" in text


NEVER_ADDED = {
    "hangs on another": "But the blue light of the sky is scattered by molecules of the air.",
    "a question": "Would the sky of another planet be of some other colour at noon?",
    "too short": "Skies scatter widely.",
    "another subject": "Every tenant shall pay rent before Monday noon without delay.",
    "is told already": "Air scatters blue light more than red light, so the sky is blue.",
    "contradicts": "The sky is green because air scatters blue light more than red light.",
    "refuses": "I'm sorry, the blue of the sky is beyond what I know of light.",
    "a sum": "The sky has 3 + 4 = 7 colours of light in its rainbow today.",
    "in the middle": "Blue light of the sky has a wavelength which is much shorter than",
}


@pytest.mark.parametrize("sentence", NEVER_ADDED.values(), ids=NEVER_ADDED)
def test_what_does_not_stand_by_itself_is_not_added(sentence: str) -> None:
    text = put_together(answers(BLUE, sentence), "Why is the sky blue?", 0)
    assert plain(text) == BLUE


NOT_PROSE = (
    "```python\nprint('The sky is blue because air scatters blue light more than red.')\n```",
    "- The sky is blue because of the air\n- Blue light is scattered more than red light is",
    "The sky is blue\nthe sea is too\nI think of you\nwhatever I do\nwith all that I knew",
    "First, 12 pens cost 12 * 3 = 36 euros, so that all the twelve pens cost 36 euros.",
    "The sky is blue.",
)


@pytest.mark.parametrize("text", NOT_PROSE)
def test_nothing_is_added_to_code_lists_verse_sums_and_short_answers(text: str) -> None:
    assert plain(put_together(answers(text, MORE), "Why is the sky blue?", 0)) == text


def test_marks_come_out_again_and_one_answer_has_none() -> None:
    odd = "Use `a. B` and [^A] here. Say [^1] too.\n\n1. One. Two.\n2. Three\n\n> A quote. Its end."
    text = put_together(answers(odd, MORE), "How?", 0)
    assert "[^A]" in text and plain(text) == plain(odd)
    assert put_together(answers(BLUE), "Why?", 0) == BLUE
