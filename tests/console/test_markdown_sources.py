"""Marks of provenance in a fused answer: chips on the page, no trace where they are not meant."""

from __future__ import annotations

import re

import pytest

from console.markdown import StreamRenderer, render

CHIP = '<span class="source" data-seat="{}">{}</span>'
OWN = '<span class="source source-own">writer</span>'
YOU = '<span class="source source-you">you</span>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Wet [^A].", f"<p>Wet{CHIP.format(0, 'A')}.</p>\n"),
        ("Wet[^A,C]", f"<p>Wet{CHIP.format(0, 'A')}{CHIP.format(2, 'C')}</p>\n"),
        ("Wet [^own].", f"<p>Wet{OWN}.</p>\n"),
        ("Wet [^you].", f"<p>Wet{YOU}.</p>\n"),
        ("Wet[^you,A]", f"<p>Wet{CHIP.format(0, 'A')}{YOU}</p>\n"),
        ("Wet [^your].", "<p>Wet [^your].</p>\n"),
        ("**Wet**[^B]", f"<p><strong>Wet</strong>{CHIP.format(1, 'B')}</p>\n"),
        ("Wet.[^B]Cold.", f"<p>Wet.{CHIP.format(1, 'B')} Cold.</p>\n"),
        ("`[^A]`", "<p><code>[^A]</code></p>\n"),
        ("```\n[^A]\n```", "<pre><code>[^A]\n</code></pre>\n"),
        ("Wet [^1]", "<p>Wet [^1]</p>\n"),
        # no such seat: nothing on the page either
        ("Wet [^D].", "<p>Wet.</p>\n"),
        ("Wet [^D]cold [^A,D]", f"<p>Wet cold{CHIP.format(0, 'A')}</p>\n"),
        # listed as footnotes; one of a single word is no address of a link
        ("[^A]: Two words", f"<p>{CHIP.format(0, 'A')} Two words</p>\n"),
        (
            "Wet[^A].\n\n[^A]: Paris",
            f"<p>Wet{CHIP.format(0, 'A')}.</p>\n<p>{CHIP.format(0, 'A')} Paris</p>\n",
        ),
    ],
)
def test_a_mark_becomes_a_chip_of_its_seat(text: str, html: str) -> None:
    assert render(text, sources="ABC") == html


def test_without_seats_a_mark_is_text_like_any_other() -> None:
    assert render("Wet [^A].") == "<p>Wet [^A].</p>\n"


def test_a_model_cannot_make_a_chip_of_its_own() -> None:
    html = render('<span class="source" data-seat="0">A</span>', sources="A")
    assert "<span" not in html


@pytest.mark.parametrize("step", [1, 3, 7])
def test_a_stream_ends_as_the_whole_and_never_shows_a_half_mark(step: int) -> None:
    text = "# Title\n\nWet [^A,B]. Cold[^own], too.\n\n- one [^C]\n- two\n\nLast [^B].\n\n"
    text += "[^A]: Paris\n[^D]: gone"
    renderer = StreamRenderer(sources="ABC")
    for end in range(step, len(text) + step, step):
        renderer.feed(text[:end])
        assert "[^" not in renderer.line
        assert not re.search(r"\[\^", "".join(renderer.final) + renderer.block)
    renderer.finish()
    assert "".join(renderer.final) + renderer.block == render(text, sources="ABC")
