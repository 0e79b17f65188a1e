"""Quotes looked up in answers: found, marked, and put in the right place."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.engine.findings.evidence import QuotableAnswer, share_of_verified, verify
from console.engine.findings.normalised import normalise
from tests.growth import BOUND, growth

TEXT = (
    "# Water\n\n"
    "Water boils at **100 °C** at sea level — but “only” there. It’s\n"
    "lower on a mountain… much lower. A *café* in `snake_case` costs 5.20 € (really?).\n\n"
    "- First point\n- Second point, with [a link](https://example.org)\n\n"
    "Say it again. Say it again. Step by step, the 👩‍💻 says 👍🏽."
)


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        # as it stands
        ("Water boils at **100 °C** at sea level", "Water boils at **100 °C** at sea level"),
        (TEXT, TEXT),
        ("Step by step", "Step by step"),
        # white space
        ("It’s lower on a mountain", "It’s\nlower on a mountain"),
        ("  Water \t boils\nat ", "Water boils at"),
        ("again.Say", None),
        # typography
        ('sea level - but "only" there. It\'s', "sea level — but “only” there. It’s"),
        ("sea level--but 'only' there", "sea level — but “only” there"),
        ("a mountain... much lower", "a mountain… much lower"),
        # emphasis, and what is none
        ("boils at 100 °C at sea level", "boils at **100 °C** at sea level"),
        ("A café in snake_case costs", "A *café* in `snake_case` costs"),
        ("A café in snakecase costs", None),
        # marks at the head of a line
        ("Water Water boils", "Water\n\nWater boils"),
        ("First point - Second point", "First point\n- Second point"),
        ("First point Second point", "First point\n- Second point"),
        # left out, and marked as left out
        (
            "Water boils […] but “only” there",
            "Water boils at **100 °C** at sea level — but “only” there",
        ),
        ("Step by step ... Water boils", None),
        ("…lower on a mountain…", "lower on a mountain"),
        ("at … it", None),
        # how people quote
        ("“lower on a mountain”", "lower on a mountain"),
        ("lower on a mountain.", "lower on a mountain"),
        # Unicode
        ("A *cafe\u0301*", "A *café"),
        ("A *cafe*", None),
        ("１００ °C", "100 °C"),
        ("the 👩‍💻 says", "the 👩‍💻 says"),
        ("👩", None),
        ("👍🏽", "👍🏽"),
        ("👍", None),
        # said twice: the first place
        ("Say it again.", "Say it again."),
        # paraphrased, another case, invented
        ("Water is boiling at 100 °C", None),
        ("water boils at", None),
        ("Ice is heavier than lead", None),
        # too little to be a quote
        ("at", None),
        ("but", None),
        ("“lower”", None),
        ("**café**", None),
        ("cafe\u0301", None),
        ("mountain", "mountain"),
        ("100", "100"),
        ("Say it", "Say it"),
        ("", None),
        ("   ", None),
        ("…", None),
        (".", None),
        ("ate", None),
        ("ow", None),
        # not a pattern
        ("costs 5.20 € (really?)", "costs 5.20 € (really?)"),
        ("costs 5x20 €", None),
        (".*", None),
        ("[a link](https://example.org)", "[a link](https://example.org)"),
    ],
)
def test_a_quote_is_found_where_it_stands_or_not_at_all(quote: str, found: str | None) -> None:
    span = QuotableAnswer(TEXT).find(quote)
    assert (TEXT[slice(*span)] if span else None) == found
    if span:
        assert span[0] == TEXT.index(str(found))


@pytest.mark.parametrize(
    ("text", "quote", "is_found"),
    [
        ("Yes.", "Yes", True),
        ("It is Paris.", "Paris", True),
        ("The capital of France is Paris.", "the capital", False),
        ("The capital of France is Paris.", "is", False),
        ("The capital of France is Paris.", "is Paris", True),
        ("東京は日本の首都です。人口は多い。", "首都", True),
        ("Там была только одна дорога.", "Там", False),
        ("A 👍 from all of them here.", "👍", True),
    ],
)
def test_one_usual_word_is_a_quote_only_of_an_answer_of_a_few(
    text: str, quote: str, is_found: bool
) -> None:
    assert bool(QuotableAnswer(text).find(quote)) == is_found


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
@pytest.mark.parametrize("other", ["NFC", "NFD", "NFKC", "NFKD"])
def test_normal_forms_make_no_difference(form: Any, other: Any) -> None:
    answer = unicodedata.normalize(form, "Ein Café führt 각하 ﬁnal nach Ångström, 東京 が.")
    for words in ("führt 각하 ﬁnal", "nach Ångström", "東京 が", "Ein Café"):
        quote = unicodedata.normalize(other, words)
        span = QuotableAnswer(answer).find(quote)
        assert span and unicodedata.normalize("NFKC", answer[slice(*span)]) == (
            unicodedata.normalize("NFKC", words)
        )


@pytest.mark.parametrize(
    ("text", "quote", "found"),
    [
        ("See [the docs](https://x.org/a) for more", "See the docs for more", None),
        (
            "See [the docs](https://x.org/a) for more",
            "docs for more",
            "docs](https://x.org/a) for more",
        ),
        ("See ![the docs][1] for more", "See the docs for more", None),
        ("See <https://x.org> for more", "See https://x.org for more", None),
        ("See [the] (docs)", "See the docs", ""),
        ("| Height | 330 m |\n|---|:-:|\n| Year | 1889 |", "Height 330 m", "Height | 330 m"),
        (
            "| Height | 330 m |\n|---|:-:|\n| Year | 1889 |",
            "330 m Year",
            "330 m |\n|---|:-:|\n| Year",
        ),
        ("| Height | 330 m |", "Height: 330 m", ""),
        (
            "1. First thing\n2) Second thing",
            "First thing Second thing",
            "First thing\n2) Second thing",
        ),
        ("- [ ] do this\n- [x] done that", "do this done that", "do this\n- [x] done that"),
        ("1889. That was the year", "1889. That was", "1889. That was"),
        ("Use:\n```py\nx = 1\n```\nDone", "Use: x = 1 Done", None),
        ("above\n\n---\n\nbelow it", "above below it", None),
        ("costs 5\\$ and 3 \\* 4", "costs 5$ and 3 * 4", None),
        # nobody sees them
        ("\u202bשלום עולם\u202c טוב", "שלום עולם טוב", "שלום עולם\u202c טוב"),
        ("abc\u200e def\u00ad ghi", "abc def ghi", None),
        # spaces within quotation marks, French; and without, German
        ("Il dit « oui » à tous", "Il dit 'oui' à tous", None),
        ("Il dit «\u202foui\u202f» à tous", 'dit "oui" à', "dit «\u202foui\u202f» à"),
        ("Er sagt »ja« und geht", 'sagt "ja" und', "sagt »ja« und"),
        # half of what is one to the eye
        ("resume\u0301 writing", "resume", ""),
        ("The 🇩🇪 team", "🇩", ""),
        ("The 🇩🇪 team", "🇩🇪 team", "🇩🇪 team"),
    ],
)
def test_markdown_that_a_page_does_not_show_makes_no_difference(
    text: str, quote: str, found: str | None
) -> None:
    """`found`: None for the whole text, "" for nowhere."""
    span = QuotableAnswer(text).find(quote)
    assert (text[slice(*span)] if span else "") == (text if found is None else found)


def test_half_a_character_is_no_quote() -> None:
    assert QuotableAnswer("Das Wort 각하 steht hier").find("Das Wort 가") is None
    assert QuotableAnswer("resumé writing").find("resume") is None
    assert QuotableAnswer("It is ﬁne").find("It is f") is None


QUOTE = "The tower is 330 metres high"
OTHER = "It was built in 1889"


def an_analysis(*evidence: tuple[int, str]) -> dict[str, Any]:
    quotes = [{"seat": seat, "quote": quote} for seat, quote in evidence]
    return {"consensus": [{"claim": "It is high.", "seats": [0, 1], "evidence": quotes}]}


@pytest.mark.parametrize(
    ("evidence", "standing"),
    [
        ([(0, QUOTE), (1, "330 metres")], "supported"),
        ([(0, QUOTE), (1, "about 300 metres")], "partly"),
        ([(0, QUOTE)], "partly"),
        ([(0, "It is low"), (1, "It is round")], "unverified"),
        ([(0, OTHER), (1, "330 metres")], "partly"),
        ([], "unverified"),
    ],
)
def test_a_claim_stands_on_the_quotes_that_are_true(
    evidence: list[tuple[int, str]], standing: str
) -> None:
    answers = {0: f"Yes. {QUOTE}.", 1: f"{OTHER} and is 330 metres tall."}
    (claim,) = verify(an_analysis(*evidence), answers)["consensus"]
    assert claim["standing"] == standing


def test_a_quote_from_another_answer_is_not_true_and_says_whose_it_is() -> None:
    answers = {0: "Yes.", 1: OTHER, 2: "No."}
    (claim,) = verify(an_analysis((0, OTHER), (1, OTHER)), answers)["consensus"]
    assert claim["evidence"] == [
        {"seat": 0, "quote": OTHER, "verified": False, "found_in": 1},
        {"seat": 1, "quote": OTHER, "verified": True, "start": 0, "end": len(OTHER)},
    ]


def test_every_part_that_names_a_seat_is_looked_up() -> None:
    quotes = [{"seat": 0, "quote": "built in 1889"}]
    analysis = {
        "consensus": [{"claim": "x", "seats": [0], "evidence": quotes}],
        "partial_coverage": [{"point": "x", "seats": [0], "evidence": quotes}],
        "unique_insights": [{"insight": "x", "seat": 0, "evidence": quotes}],
        "contradictions": [
            {"topic": "x", "stances": [{"stance": "x", "seats": [0], "evidence": quotes}]}
        ],
        "injections": [{"seat": 0, "quote": "never said"}],
    }
    verify(analysis, {0: OTHER})
    assert share_of_verified(analysis) == (4, 4)
    assert analysis["injections"] == [{"seat": 0, "quote": "never said", "verified": False}]


def test_an_analysis_from_before_quotes_were_asked_for_is_left_alone_by_its_readers() -> None:
    assert share_of_verified({"consensus": [{"claim": "x", "seats": [0]}]}) == (0, 0)


# Marks, spellings and scripts that normalising knows about, and ordinary words between them.
_PIECES = st.sampled_from(
    [
        *"aeiou .,\n\t",
        "word",
        "Wort",
        "café",
        "cafe\u0301",
        "각하",
        "東京",
        "…",
        "...",
        "—",
        "--",
        " - ",
    ]
    + [
        "“",
        "”",
        "'",
        "’",
        "**",
        "*",
        "_",
        "`",
        "~~",
        "👩‍💻",
        "👍🏽",
        "\u200b",
        "ﬁ",
        "½",
        "\n- ",
        "\n# ",
    ]
    + ["(", "[", "]", ")", "\\", "$", "^", "a*b", "snake_case", "\u0301", "\u200d", "ᄀ", "ᅡ"]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(_PIECES, max_size=40), st.data())
def test_positions_are_always_right(pieces: list[str], data: st.DataObject) -> None:
    text = "".join(pieces)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    quote = data.draw(
        st.sampled_from([text[start:end], unicodedata.normalize("NFD", text[start:end])])
    )
    span = QuotableAnswer(text).find(quote)
    if span:
        assert 0 <= span[0] < span[1] <= len(text)
        there = normalise(text[slice(*span)]).text
        # What is shown says what the quote says, but for marks and what an ellipsis left out.
        if "…" not in quote and "..." not in quote and "](" not in text and "][" not in text:
            assert _letters(there) == _letters(normalise(quote).text)


def _letters(text: str) -> str:
    return "".join(c for c in text if c.isalnum())


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(["One", "deux", "drei,", "“vier”", "cinq —", "sechs.", "각하"]), min_size=12
    ),
    st.data(),
)
def test_what_was_copied_word_for_word_is_always_found(
    words: list[str], data: st.DataObject
) -> None:
    text = "\n".join(words)
    first = data.draw(st.integers(0, len(words) - 6))
    last = data.draw(st.integers(first + 4, len(words) - 1))
    quote = "  ".join(words[first:last]).replace("“", '"').replace("—", "-")
    assert QuotableAnswer(text).find(unicodedata.normalize("NFD", quote))


_LONG = 100_000


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("Some words — and “more” of them. ", ["nothing like number {n} is there"]),
        # every place is nearly one: within a word, within a character, or otherwise by itself
        ("a", ["aaaaaaaaa", "aaaaaaaaaa{n}b"]),
        ("xaax", ["aa"]),
        ("ﬁ", ["i", "ifififififififififi{n}"]),
        ("\ufdfa", ["\u0635\u0644\u0649", "\u0627\u0644\u0644\u0647 \u0639\u0644\u064a\u0647"]),
        ("👩\u200d", ["👩\u200d👩"]),
        ("x *y", ["x y", "yx yx yx yx yx {n}"]),
        # marks without an end
        ("[a](", ["a a a"]),
        ("- - | ", ["a a a"]),
        ("abcdef ... ", ["abcdef ... " * 40 + "{n}"]),
    ],
)
def test_a_hostile_answer_costs_no_more_than_a_long_one(text: str, quotes: list[str]) -> None:
    def search(size: int) -> Callable[[], None]:
        answer = QuotableAnswer(text * (size // len(text)))

        def find() -> None:
            for n in range(20):
                for quote in quotes:
                    answer.find(quote.replace("{n}", str(n)) + " " * n)

        return find

    assert growth(search, _LONG // 2) < BOUND
