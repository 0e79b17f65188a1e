"""Markers in a fused answer: found where they are meant, and taken out without a trace."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from console.engine.findings.provenance import PlainStream, marks, plain, plain_so_far
from tests.growth import BOUND, growth


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Water is wet.[^A]", "Water is wet."),
        ("Water is wet [^A].", "Water is wet."),
        ("Water is wet [^A,C], and cold [^B] too.", "Water is wet, and cold too."),
        ("Wet [^A][^C]. Cold [^ A , own ] !", "Wet. Cold !"),
        ("Wet [^A] [^B] and cold", "Wet and cold"),
        ("Wet. [^own]\n\nCold. [^A]\n", "Wet.\n\nCold.\n"),
        ("[^A] Wet.\n[^B] Cold.", "Wet.\nCold."),
        ("- [^A] Wet\n- Cold [^B]\n", "- Wet\n- Cold\n"),
        ("wa[^A]ter", "water"),
        ("It is wet.[^A]It is cold.", "It is wet. It is cold."),
        ("**Wet**[^A] and *cold*[^B]", "**Wet** and *cold*"),
        ("| a [^A] | b[^B] |", "| a | b |"),
        ("A line[^A]  \nbroken by hand", "A line  \nbroken by hand"),
        ("Wet“[^A]” (cold [^B])", "Wet“” (cold)"),
        # no markers
        # a seat that is none says nothing
        ("Wet [^H], cold[^G]", "Wet, cold"),
        # listed as footnotes
        ("Wet[^A].\n\n[^A]: answer A\n[^B]:answer B", "Wet.\n\nanswer A\nanswer B"),
        ("- [^A]: One\n- [^B] [^C]: Two\n> [^own]: Mine", "- One\n- Two\n> Mine"),
        ("Wet [^A]: very", "Wet: very"),
        ("`[^A]: x` [^A]:", "`[^A]: x`:"),
        # no markers
        ("[^Z] and [^a] and [A] and [^1] and [^]", "[^Z] and [^a] and [A] and [^1] and [^]"),
        ("Use `[^A]` in a pattern[^A].", "Use `[^A]` in a pattern."),
        ("``a ` [^A]`` b[^A]", "``a ` [^A]`` b"),
        ("A ` alone is no code[^A].", "A ` alone is no code."),
        ("A ` alone\n\nnor is this `[^A].", "A ` alone\n\nnor is this `."),
        ("```\nx = s[^A]\n```\nDone[^A].", "```\nx = s[^A]\n```\nDone."),
        ("- ~~~py\n  [^A]\n  ~~~\n  after[^A]", "- ~~~py\n  [^A]\n  ~~~\n  after"),
        ("```\n[^A] never closed", "```\n[^A] never closed"),
        ("``` not a fence ``` [^A]", "``` not a fence ```"),
        ("", ""),
    ],
)
def test_a_text_without_its_markers_reads_as_if_they_had_never_been_there(
    text: str, clean: str
) -> None:
    assert plain(text) == clean


def test_marks_say_whose_and_where() -> None:
    text = "Wet[^A,C], `[^B]` cold[^own,B]."
    found = marks(text)
    assert [(text[m.start : m.end], m.letters, m.is_own) for m in found] == [
        ("[^A,C]", "AC", False),
        ("[^own,B]", "B", True),
    ]


def test_a_seat_that_is_not_there_has_a_marker_and_no_letter() -> None:
    found = marks("Wet[^A], cold[^D], ice[^B,D].", "ABC")
    assert [m.letters for m in found] == ["A", "", "B"]


_TEXTS = st.lists(
    st.sampled_from(
        [
            "word",
            " ",
            " ",
            "\n",
            "\n\n",
            ".",
            ",",
            "[^A]",
            ":",
            "[^B,C]",
            " [^own]",
            "[^",
            "[",
            "^A]",
            "]",
        ]
        + ["`", "``", "\n```\n", "\n~~~\n", "\n- ", "\n> ", "\n1. ", "**", "x", "  \n", "A", "own"]
    ),
    max_size=30,
).map("".join)


@pytest.mark.parametrize(
    "text", ["`[^A]\n1. ```,`", "`[^A]``\n```a`", "]```\n```[^B,C].` ", "`a [^A]\n- b` [^B]\n"]
)
def test_what_looks_like_a_fence_for_a_while_is_waited_for(text: str) -> None:
    stream = PlainStream()
    assert "".join([*map(stream.feed, text), stream.end()]) == plain(text)
    for end in range(len(text)):
        assert plain(text).startswith(plain_so_far(text[:end]))


@pytest.mark.parametrize(
    "unit",
    ["- item `x` [^A]\n", "```a`\n", "` ``", "a ` ``` ", "`a\n\n", "[^A] ", "~~~\n```\n", "> "],
)
def test_a_long_text_is_looked_through_in_no_time(unit: str) -> None:
    def look_through(size: int) -> Callable[[], object]:
        text = unit * (size // len(unit))
        return lambda: (plain(text), plain_so_far(text))

    assert growth(look_through, 40_000) < BOUND


def test_a_long_list_is_streamed_line_by_line() -> None:
    def feed(lines: int) -> Callable[[], object]:
        stream = PlainStream()
        return lambda: [stream.feed("- item `x` [^A]\n") for _ in range(lines)]

    assert growth(feed, 2000) < BOUND


@settings(max_examples=300, deadline=None)
@given(_TEXTS, st.data())
def test_a_stream_says_the_same_as_the_whole(text: str, data: st.DataObject) -> None:
    stream, said, at = PlainStream(), "", 0
    while at < len(text):
        step = data.draw(st.integers(1, 7))
        said += stream.feed(text[at : at + step])
        at += step
    assert said + stream.end() == plain(text)


@settings(max_examples=200, deadline=None)
@given(_TEXTS)
@example("[^A] [^B]\n")
def test_nothing_but_markers_and_the_space_around_them_is_lost(text: str) -> None:
    clean, at, rest = plain(text), 0, ""
    for mark in marks(text):
        rest += text[at : mark.start]
        at = mark.end
    rest += text[at:]
    assert "".join(clean.split()) == "".join(rest.split())


def test_ordinary_text_is_said_at_once() -> None:
    stream = PlainStream()
    assert stream.feed("Water is wet.") == "Water is wet."
    assert stream.feed(" It is") == " It is"
    assert stream.feed(" cold [^") == " cold"
    assert stream.feed("A].") == "."
    assert stream.end() == ""
