"""Text that runs from right to left, beside text that does not."""

from __future__ import annotations

import pytest

from console.markdown import StreamRenderer, render

ARABIC = "مرحبا بالعالم"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("Hello", "<p>Hello</p>\n"),
        (ARABIC, f'<p dir="rtl">{ARABIC}</p>\n'),
        (f"# {ARABIC}", f'<h1 dir="rtl">{ARABIC}</h1>\n'),
        (f"{ARABIC}\n\nHello.", f'<p dir="rtl">{ARABIC}</p>\n<p>Hello.</p>\n'),
        (f"Hello {ARABIC}", f"<p>Hello {ARABIC}</p>\n"),
        (f"12. {ARABIC}", f'<ol start="12" dir="rtl">\n<li>{ARABIC}</li>\n</ol>\n'),
        (f"- {ARABIC}\n\n- Hello", None),
        (f"> {ARABIC}", f'<blockquote dir="rtl">\n<p>{ARABIC}</p>\n</blockquote>\n'),
        (f"`code` {ARABIC}", f'<p dir="rtl"><code>code</code> {ARABIC}</p>\n'),
        (f"«1» {ARABIC}", f'<p dir="rtl">«1» {ARABIC}</p>\n'),
        (f"```\n{ARABIC}\n```", f"<pre><code>{ARABIC}\n</code></pre>\n"),
        ("שלום", '<p dir="rtl">שלום</p>\n'),
    ],
)
def test_a_block_runs_as_its_first_letter_does(text: str, html: str | None) -> None:
    if html is None:
        html = (
            f'<ul dir="rtl">\n<li>\n<p>{ARABIC}</p>\n</li>\n'
            '<li>\n<p dir="ltr">Hello</p>\n</li>\n</ul>\n'
        )
    assert render(text) == html


def test_a_table_turns_as_a_whole_and_its_cells_by_themselves() -> None:
    html = render(f"| {ARABIC} | Hello |\n|---|:-:|\n| 1 | {ARABIC} |\n")
    assert html.startswith('<table dir="rtl">')
    assert '<th align="center" dir="ltr">Hello</th>' in html or 'dir="ltr" align="center"' in html
    assert "<td>1</td>" in html


def test_directions_are_the_same_while_a_text_is_written() -> None:
    text = f"{ARABIC}\n\n1. {ARABIC}\n2. Hello\n\nHello\n\n- `x` {ARABIC}\n"
    renderer = StreamRenderer()
    for end in range(len(text) + 1):
        renderer.feed(text[:end])
    assert renderer.finish() is None
    assert "".join(renderer.final) + renderer.block == render(text)
