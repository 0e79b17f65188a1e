"""A short table that says the same again and again is no answer, and what repeats its rows for a
reason is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from console.engine.findings.by_words import best_seat
from console.engine.findings.degenerate import find, stutters
from console.engine.findings.provenance import plain
from console.engine.findings.put_together import put_together
from console.engine.findings.repeated_rows import repeats_rows, without_repeated_rows
from tests.degenerate import healthy
from tests.engine.test_by_words import answers
from tests.growth import BOUND, growth
from tests.llm.first_answers import faults

HEAD = "| Planet | Distance |\n| --- | --- |\n"
PLANETS = "| Earth | 1 AU |\n| Mars | 1.5 AU |\n| Venus | 0.7 AU |\n"
GOOD = f"{HEAD}{PLANETS}"
BY_FIGURES = (
    "| Size (Earth) | Distance (AU) |\n| --- | --- |\n| Earth   | 1 AU |\n| Mars   | 29.98 Earths |"
    "\n| Venus    | 100 Earths |\n",
    "| Earth     | 1 AU |\n| Mars   | 3.5 Earths |\n| Earth      | 1 AU |\n| Venus   | 140 Earths |"
    "\n| Earth       | 1 AU |\n| Mars   | 6.7 Earths |\n| Earth        | 1 AU |\n"
    "| Earth         | 1 AU |\n",
)
BARE = PLANETS.replace("| ", "", 1).replace("\n| ", "\n").replace(" |\n", "\n")
ADVICE = "- Drink a glass of water\n- Eat some fresh fruit\n- Sleep for eight hours\n"
NAMES = "- **Earth**: 1 AU\n- **Mars**: 1.5 AU\n"
STEPS = (
    "1. Wash the shirt in cold water.\n",
    "{}. Rub salt into the stain.\n{}. Rinse the stain with water.\n",
)

# (what is kept, what repeats it, what stands behind)
REPEATED: dict[str, tuple[str, str, str]] = {
    "with other figures, out of order": (*BY_FIGURES, ""),
    "three times whole": (GOOD, PLANETS * 2, ""),
    "of two names": (HEAD + "| Earth | 1 AU |\n| Mars | 1.5 AU |\n", PLANETS[:35] * 3, ""),
    "one row": (HEAD + "| Earth | 1 AU |\n", "| Earth | 1 AU |\n" * 6, ""),
    "with text behind it": (GOOD, PLANETS * 3, "\nMars is farther out than Earth.\n"),
    "in bold, in capitals": (GOOD, PLANETS.replace("Earth", "**EARTH**") * 3, ""),
    "without outer bars": (f"Planet | Distance\n---|---\n{BARE}", BARE * 2, "\nThat is all.\n"),
    "in a quote": (
        "".join(f"> {line}\n" for line in GOOD.splitlines()),
        "".join(f"> {line}\n" for line in (PLANETS * 2).splitlines()),
        "",
    ),
    "in a fence": (f"```\n{GOOD}", PLANETS * 2, "```\n"),
    "other figures each time": (
        GOOD,
        "".join(f"| Earth | {n} AU |\n| Mars | {n}.2 AU |\n| Venus | {n}.3 AU |\n" for n in "345"),
        "",
    ),
    "counted on and on": (
        "| Size | Distance from Sun |\n| --- | --- |\n| Earth   | 1 |\n| Mars   | 2 |\n"
        "| Venus    | 0.8 |\n",
        "| Earth   | 3 |\n| Mars   | 4 |\n| Earth   | 5 |\n| Venus   | 6 |\n"
        + "".join(f"| Earth   | {n} |\n" for n in range(9, 22))
        + "| Earth   |\n",
        "",
    ),
    "three columns of figures": (
        "| Planet | Size | Distance |\n|:--|--:|--:|\n| Earth | 12,742 | 1 |\n"
        "| Mars | 6,779 | 2 |\n",
        "".join(f"| Earth | {n},300 | {n} |\n| Mars | {n},200 | {n + 1} |\n" for n in range(3, 7)),
        "",
    ),
    "three columns": (
        "| Planet | Size | Distance |\n|:--|--:|--:|\n| Earth | 12,742 km | 1 AU |\n"
        "| Mars | 6,779 km | 2 AU |\n",
        "| Earth | 12,742 km | 1 AU |\n| Mars | 6,779 km | 3 AU |\n" * 3,
        "",
    ),
    "Chinese": (
        "| 行星 | 距离 |\n|---|---|\n| 地球 | 很近 |\n| 火星 | 更远 |\n",
        "| 火星 | 更远 |\n| 地球 | 很近 |\n" * 3,
        "",
    ),
    "numbered rows": (
        "| No. | Planet | Distance |\n|---|---|---|\n| 1 | Earth | 1 AU away |\n"
        "| 2 | Mars | 1.5 AU away |\n",
        "".join(
            f"| {n} | {'Mars | 1.5' if n % 2 == 0 else 'Earth | 1'} AU away |\n"
            for n in range(3, 9)
        ),
        "",
    ),
    "a list": (ADVICE, ADVICE * 2, ""),
    "a list with names": (NAMES, NAMES * 3, ""),
    "a numbered list": (
        STEPS[0] + STEPS[1].format(2, 3),
        "".join(STEPS[1].format(n, n + 1) for n in (4, 6, 8)),
        "\nLet it dry.\n",
    ),
    "items with blank lines": (
        ADVICE.replace("\n", "\n\n"),
        (ADVICE * 2).replace("\n", "\n\n"),
        "That is what helps.\n",
    ),
}
REPEATED |= {
    "given three times": (GOOD, f"\n{GOOD}\n{GOOD}", ""),
    "given four times with the same words": (
        f"Here is the table:\n\n{GOOD}",
        f"\nHere is the table:\n\n{GOOD}" * 3,
        "\nThat is all.\n",
    ),
}
SENSORS = "| Sensor | Reading |\n|---|---|\n"
AT = ("North", "South", "East", "West")
STAY = {
    "a log of sensors": SENSORS
    + "".join(
        f"| {at} | {20 + n * 0.3 + place:.1f} °C |\n"
        for n in range(4)
        for place, at in enumerate(AT)
    ),
    "a log in which readings come again": SENSORS
    + "".join(f"| {at} | {21 if n == 2 else 20} °C |\n" for n in range(4) for at in AT),
    "a log of two figures, with thousands": "| Shop | Sold | Price |\n|---|--:|--:|\n"
    + "".join(
        f"| {at} | 1,{100 + n}{place} | 2,{n}5 € |\n"
        for n in range(4)
        for place, at in enumerate(AT)
    ),
    "a table given twice": f"{GOOD}\n{GOOD}",
    "a table for each week": "".join(f"## Week {n}\n\n{GOOD}\n" for n in range(1, 5)),
    "a table said to be another": f"Before:\n\n{GOOD}\nAfter:\n\n{GOOD}\nAt last:\n\n{GOOD}",
    "options for each question": "1. Which?\n\n- yes\n- no\n\n" * 4,
}


@pytest.mark.parametrize("name", STAY)
def test_logs_and_tables_that_are_told_apart_stay(name: str) -> None:
    assert without_repeated_rows(STAY[name]) == STAY[name] and not repeats_rows(STAY[name])


# It is what a program may well ask for, and what a writer is not stopped at; an answer it is none.
NO_ANSWER = {"a table"}


@pytest.mark.parametrize(("kept", "again", "behind"), REPEATED.values(), ids=REPEATED)
def test_rows_that_say_the_same_again_are_left_out(kept: str, again: str, behind: str) -> None:
    text = kept + again + behind
    assert repeats_rows(text)
    assert without_repeated_rows(text) == kept + behind
    assert not repeats_rows(kept + behind)


@pytest.mark.parametrize("name", healthy.WRITTEN)
def test_rows_that_come_again_for_a_reason_are_left_alone(name: str) -> None:
    text = healthy.WRITTEN[name]
    assert repeats_rows(text) is (name in NO_ANSWER)
    assert without_repeated_rows(text) == text or name in NO_ANSWER


@pytest.mark.parametrize("kind", healthy.FILES)
def test_of_texts_of_every_kind_no_row_is_left_out(kind: str) -> None:
    """A few of each; `python -m tests.degenerate` has thousands."""
    assert [p for p in healthy.pieces(kind, 12) if repeats_rows(p)] == []


def test_whoever_writes_such_a_table_is_not_stopped() -> None:
    assert find("".join(BY_FIGURES)) is None


ASKED = "Make a table of three planets with their distance."


@pytest.mark.parametrize("other", [GOOD, "Earth is a planet.", "Nobody knows that for certain."])
def test_such_an_answer_is_the_best_only_where_all_are_such(other: str) -> None:
    bad = "".join(BY_FIGURES)
    assert best_seat(answers(bad, other, bad), ASKED) == 1
    assert best_seat(answers(bad, bad), ASKED) == 0
    assert best_seat(answers(bad, other, *[bad] * 6), ASKED) == 1


@pytest.mark.parametrize(
    ("text", "is_so"),
    [
        ("Planets: Earth, Bubble, Bubble Bubble, Bubble Bubble Bubble.", True),
        ("The halo is a halo HalosHalosHalosHalos of planets.", True),
        ("Merrily, merrily, merrily, life is but a dream. Bravo, bravo, bravo!", False),
        ("Ha ha ha ha! That that is, is. Bananas cost 222 euros, 7777777 of them.", False),
        ("It is very, very good; the the typo is not.", False),
        ("Your key looks like sk-xxxxxxxxxxxxxxxxxxxxxxxx.", False),
    ],
)
def test_who_stutters_is_the_best_only_where_all_do(text: str, is_so: bool) -> None:
    assert stutters(text) is is_so
    if is_so:
        bad = "".join(BY_FIGURES)
        assert best_seat(answers(text, bad, text), ASKED) == 1
        assert best_seat(answers(text, text), ASKED) == 0
        assert list(faults(text, ASKED)) == ["loops"]


def test_what_is_put_together_has_each_row_once() -> None:
    bad = "".join(BY_FIGURES)
    text = put_together(answers(bad, bad), ASKED, 0)
    assert plain(text) == BY_FIGURES[0].rstrip()
    cut = put_together(answers(bad + "| Mars | 29", bad, cut=(0,)), ASKED, 0)
    assert plain(cut) == BY_FIGURES[0].rstrip()


def test_the_count_of_first_answers_calls_it_a_loop() -> None:
    assert list(faults("".join(BY_FIGURES), ASKED)) == ["loops"]
    assert list(faults(GOOD, ASKED)) == []


PIECES = ["| a | 1 |\n", "| Earth | 1 |\n|---|---|\n", "- a\n", "- a: b\n", "1. a b c\n", "- a\n\n"]
PIECES += [
    " ",
    "|",
    "- ",
    "a:",
    "- a\nb\n",
    "```\n| a |\n",
    "|---|\n",
    "-",
    "> ",
    ": ",
    "ab",
    "abcd ",
]


@pytest.mark.parametrize("piece", PIECES)
def test_the_time_grows_with_the_text(piece: str) -> None:
    def prepare(size: int) -> Any:
        text = f"| a | b |\n|---|---|\n{piece * (size // len(piece))}x"
        return lambda: (without_repeated_rows(text), stutters(text))

    assert growth(prepare, 20_000) < BOUND
