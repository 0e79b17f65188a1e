"""Where no judge compares the answers, their words are compared; where no writer writes, the
fused answer is made of their sentences."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import pytest

from console.engine.findings.analysis import PARTS, claims
from console.engine.findings.by_words import best_seat, compare
from console.engine.findings.put_together import put_together
from console.engine.spec import Panelist
from console.engine.state import CallState, CallStatus, Step
from tests.growth import BOUND, growth
from tests.prose import words

TINY = Panelist("tiny", "fake", judges=False)


def answers(*texts: str, cut: Iterable[int] = ()) -> dict[int, CallState]:
    return {
        seat: CallState(
            f"panel-{seat}-1",
            Step.PANEL,
            1,
            "first",
            {},
            seat=seat,
            status=CallStatus.COMPLETED,
            text=text,
            finish_reason="length" if seat in cut else "stop",
        )
        for seat, text in enumerate(texts)
    }


def consensus(analysis: dict[str, Any]) -> list[tuple[str, list[int]]]:
    return [(c["claim"], c["seats"]) for c in analysis["consensus"]]


def stances(analysis: dict[str, Any]) -> list[list[tuple[str, list[int]]]]:
    return [[(s["stance"], s["seats"]) for s in c["stances"]] for c in analysis["contradictions"]]


CANBERRA = "The capital of Australia is Canberra."
SYDNEY = "The capital of Australia is Sydney."
DIFFER = {
    "a name": (CANBERRA, SYDNEY),
    "a figure": ("About 23 % of the shops will close.", "About 37 % of the shops will close."),
    "a decimal": ("The train takes 3.5 hours to Berlin.", "The train takes 4.5 hours to Berlin."),
    "a not": ("Companies should adopt it.", "Companies should not adopt it."),
    "an n't": ("You should pour bleach on wool.", "You shouldn't pour bleach on wool."),
    "an opposite": ("The price of bread increases in May.", "The price of bread decreases in May."),
    "two words": (
        "The largest city of Brazil is Sao Paulo today.",
        "The largest city of Brazil is Rio Grande today.",
    ),
    "German": (
        "Die Hauptstadt von Australien ist Canberra.",
        "Die Hauptstadt von Australien ist Sydney.",
    ),
    "French, denied": ("Il faut laver la laine à chaud.", "Il ne faut pas laver la laine à chaud."),
    "Chinese": ("澳大利亚的首都是堪培拉。", "澳大利亚的首都是悉尼。"),
    "Japanese": ("オーストラリアの首都はキャンベラです。", "オーストラリアの首都はシドニーです。"),
    "items": ("- Bread keeps 3 days in the bag", "- Bread keeps 5 days in the bag"),
    "rows": ("| Monday opening | 9 o'clock |", "| Monday opening | 8 o'clock |"),
}


@pytest.mark.parametrize("pair", DIFFER.values(), ids=DIFFER)
def test_a_word_or_a_figure_by_which_sentences_differ_is_a_contradiction(
    pair: tuple[str, str],
) -> None:
    besides = "Bread bakes in an oven.", "My neighbour owns two grey cats."
    one, other = (f"{text}\n\n{more}" for text, more in zip(pair, besides, strict=True))
    analysis = compare(answers(one, other), "Which?")
    assert len(analysis["contradictions"]) == 1
    assert [seats for _, seats in stances(analysis)[0]] == [[0], [1]]
    assert analysis["consensus"] == []


NOT_DIFFERENT = {
    "one form of a word": ("The water boils at sea level.", "The water boil at sea level."),
    "two figures of two things": (
        "Sales in 2019 were 5 million euros.",
        "Sales in 2020 were 6 million euros.",
    ),
    "more of the same": ("Water boils at 100 degrees.", "Water boils at 100 degrees at sea level."),
    "capitals": (CANBERRA, "the capital of australia is canberra."),
    "typography": ("It doesn't boil at 1,000 degrees.", "It doesn’t boil at 1000 degrees."),
}


@pytest.mark.parametrize("pair", NOT_DIFFERENT.values(), ids=NOT_DIFFERENT)
def test_what_differs_otherwise_is_no_contradiction(pair: tuple[str, str]) -> None:
    assert compare(answers(*pair), "Which?")["contradictions"] == []


def test_who_sides_with_whom_is_told_of_three() -> None:
    analysis = compare(
        answers(CANBERRA, SYDNEY, "The capital of Australia is Canberra, an inland city."),
        "What is the capital of Australia?",
    )
    assert stances(analysis) == [[(CANBERRA, [0, 2]), (SYDNEY, [1])]]
    assert analysis["contradictions"][0]["topic"] == "The capital of Australia is …."
    assert analysis["best"] == 0


SHARED = {
    "the same": ("Bread keeps best in a paper bag.", "Bread keeps best in a paper bag."),
    "in another order": (
        "Store the bread in a paper bag to keep it fresh.",
        "To keep it fresh, store bread in a bag of paper.",
    ),
    "an item and a sentence": (
        "1. **Smoothies**: Smoothies made with fruits and yogurt.",
        "You can have smoothies made with fruits.",
    ),
    "Chinese": ("面包最好放在纸袋里保存。", "面包最好放在干燥的纸袋里保存。"),
    "Arabic": ("يحفظ الخبز في كيس ورقي جاف.", "يحفظ الخبز دائما في كيس ورقي جاف."),
}


@pytest.mark.parametrize("pair", SHARED.values(), ids=SHARED)
def test_sentences_that_share_their_words_are_said_by_both(pair: tuple[str, str]) -> None:
    found = compare(answers(*pair), "How?")
    assert [seats for _, seats in consensus(found)] == [[0, 1]]


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("Add sugar and butter.", "Add sugar and flour.", False),
        ("Use a strong password.", "Use a password manager.", False),
        ("Boil the eggs well.", "Boil the eggs badly.", False),
        ("The capital is Canberra now.", "Canberra is now the capital.", True),
        ("Add sugar and butter.", "Add sugar and butter first.", True),
    ],
)
def test_short_statements_agree_only_where_one_says_all_that_the_other_does(
    one: str, other: str, agree: bool
) -> None:
    assert bool(consensus(compare(answers(one, other), "How?"))) is agree


def test_what_few_of_many_say_is_partial_coverage_and_what_one_says_an_insight() -> None:
    shared = "A sourdough loaf keeps longer than a white one."
    alone = "Wrap the slices in foil and freeze them at once."
    analysis = compare(
        answers(
            shared,
            shared,
            alone,
            "My neighbour bakes rolls every Sunday morning.",
            "Mould grows quickly where moisture gathers.",
        ),
        "How does bread stay fresh?",
    )
    assert [(p["point"], p["seats"]) for p in analysis["partial_coverage"]] == [(shared, [0, 1])]
    assert (alone, 2) in [(i["insight"], i["seat"]) for i in analysis["unique_insights"]]


FEW_WORDS = (
    (("Paris", "Paris."), [("Paris", [0, 1])], []),
    (("42", "41", "42"), [], [[("42", [0, 2]), ("41", [1])]]),
    (("Yes", "No"), [], [[("Yes", [0]), ("No", [1])]]),
    (("パリ", "パリ"), [("パリ", [0, 1])], []),
)


@pytest.mark.parametrize(("texts", "same", "other"), FEW_WORDS)
def test_answers_of_a_word_are_compared_whole(
    texts: tuple[str, ...], same: list[Any], other: list[Any]
) -> None:
    analysis = compare(answers(*texts), "In one word?")
    assert (consensus(analysis), stances(analysis)) == (same, other)


def test_what_says_nothing_is_no_claim() -> None:
    filler = (
        "Sure, here is what you asked for today!",
        "I hope this helps you on your way.",
        "Here are five healthy breakfast ideas:",
        "As an AI language model I cannot say.",
        "A, B, C, D, E, F, G, H, I, J, K, L.",
    )
    analysis = compare(answers(*["\n\n".join(filler)] * 2), "Why?")
    assert not any(analysis[part] for part in PARTS)


SAYINGS = [
    "Water boils at {n} degrees.",
    "- **Bread** keeps {n} days in a bag of paper",
    "Die Miete stieg um {n} %.",
    "水在{n}度沸腾。",
    "| Monday | {n} |",
    "Companies should not adopt it before {n}!",
    "```python\nprint({n})\n```",
    "Is it {n}?",
    "## Part {n}",
    "Relax. Stay calm.",
    "- Yes",
    "No!",
    "She said: “It is {n}.” (Nobody else did…)",
]


@pytest.mark.parametrize("seed", range(40))
def test_every_quote_is_a_sentence_of_its_answer_and_found_there(seed: int) -> None:
    chance = random.Random(seed)
    texts = [
        "\n".join(chance.choice(SAYINGS).format(n=chance.randint(1, 3)) for _ in range(6))
        for _ in range(chance.randint(2, 8))
    ]
    analysis = compare(answers(*texts), "What?")
    assert set(PARTS) <= set(analysis)
    for claim, seats in claims(analysis):
        assert claim["standing"] == "supported"
        assert sorted(e["seat"] for e in claim["evidence"]) == sorted(seats)
        assert all(e["verified"] and e["quote"] in texts[e["seat"]] for e in claim["evidence"])


def test_a_long_sentence_is_quoted_from_its_beginning() -> None:
    long = f"Bread keeps {words(100)}in a bag."
    analysis = compare(answers(long, long), "What?")
    assert all(
        len(q["quote"]) <= 400 and q["verified"] for q in analysis["consensus"][0]["evidence"]
    )


BEST = (
    ("who agrees with another", (SYDNEY, CANBERRA, CANBERRA), (), 1),
    ("who ended by himself", (CANBERRA, CANBERRA), (0,), 1),
    ("who does not refuse", ("I'm sorry, as an AI I cannot say.", CANBERRA), (), 1),
    ("who says something", ("la la " * 60, CANBERRA), (), 1),
    ("the first of equals", (CANBERRA, CANBERRA), (), 0),
)


@pytest.mark.parametrize(("why", "texts", "cut", "seat"), BEST, ids=[case[0] for case in BEST])
def test_the_best_answer_is_of(
    why: str, texts: tuple[str, ...], cut: tuple[int, ...], seat: int
) -> None:
    assert best_seat(answers(*texts, cut=cut), "What is the capital of Australia?") == seat


HOSTILE = {
    "full stops": ".",
    "two marks": "?!",
    "dashes": "-",
    "spaces": " ",
    "lines": "\n",
    "fences": "```\n",
    "headings": "## a\n",
    "what is announced": "a:\n\n",
    "items": "- a\n",
    "rows": "| a ",
    "abbreviations": "z. B. ",
    "words": "a b ",
    "sentences": "Not no. ",
    "code": "```a",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_whatever_a_text_is_made_of_it_is_compared_in_linear_time(piece: str) -> None:
    def prepare(size: int) -> Any:
        text = piece * (size // len(piece))
        given = answers(text + "x", text + " x.", cut=(0,))

        def work() -> None:
            put_together(given, "Why?", compare(given, "Why?")["best"])

        return work

    assert growth(prepare, 10_000) < BOUND
