"""What a reader is shown while an answer streams is what the answer is when it has ended."""

import os
import random

import pytest

from console.markdown import StreamRenderer, render, stream
from console.markdown.document import (
    COSTS,
    blocks_to_html,
    complete_lines,
    cost_of,
    parse,
    top_level_blocks,
)
from console.markdown.open_line import SLOT

# Lines whose meaning depends on the lines around them, and line ends that are none.
TRAPS = [
    *["", "", "", " ", "    ", "\t", "a", "b c", "word\u2028word", "next\u0085line", "v\x0bt"],
    *[
        "f\x0cf",
        "- a",
        "-",
        "- - b",
        "-   c",
        "+ d",
        "* e",
        "1. one",
        "1) par",
        "2. two",
        "10. ten",
    ],
    *[
        "  - nested",
        "    - deeper",
        "   - three",
        "  cont",
        "    code",
        "     code5",
        "\ttab",
        "\t\ttt",
    ],
    *["```", "```py", "~~~", "````", "  ```", "def f(): pass", "`open", "**bold", "x** *y*"],
    *["# h", "## h ##", "#no", "===", "---", "***", "- - -", "--", "> q", ">", "> > qq", "> - ql"],
    *["> ```", "lazy", "| a | b |", "|---|:-:|", "| 1 | 2 |", "a | b", "- | -", "<b>x</b>"],
    *[
        "<!-- c",
        "-->",
        "<div>",
        "![i](http://i.test/x)",
        "[l](http://l.test)",
        "\\",
        "end  ",
        "&amp;",
    ],
]
DEFINITIONS = ["[r]: http://r.test", "[s]:", "  http://s.test", '"title"', "> [r]: http://q.test"]
USES = ["[r]", "see [s] and [r][s]", "![r]"]


def random_document(rng: random.Random) -> str:
    lines = [rng.choice(TRAPS) for _ in range(rng.randint(1, 14))]
    if rng.random() < 0.5:
        # Definitions before their uses, so that only the order within a stream is at stake.
        lines[:0] = [rng.choice(DEFINITIONS) for _ in range(rng.randint(1, 4))]
        lines += rng.choices(USES, k=2)
    ends = rng.choice([["\n"], ["\n", "\r\n", "\r"], ["\r\n"]])
    text = "".join(line + rng.choice(ends) for line in lines)
    return text if rng.random() < 0.5 else text.rstrip("\r\n")


def cuts(rng: random.Random, text: str) -> list[int]:
    most = rng.choice([2, 6, 30])
    ends, at = [], 0
    while at < len(text):
        at += rng.randint(1, most)
        ends.append(min(at, len(text)))
    return ends


def differs_somewhere(seed: int) -> str:
    """The first moment at which the parts of a stream were wrong, or nothing."""
    rng = random.Random(seed)
    text = random_document(rng)
    renderer = StreamRenderer()
    final: list[str] = []
    for end in cuts(rng, text):
        renderer.feed(text[:end])
        if renderer.final[: len(final)] != final:
            return f"a final piece changed at {end} of {text!r}"
        final = list(renderer.final)
    if "".join(final) + renderer.block != render(text[: renderer._taken]):
        return f"before the end of {text!r}"
    if renderer.finish() is not None or "".join(renderer.final) + renderer.block != render(text):
        return f"at the end of {text!r}"
    return ""


# By FUSION_LONG_TESTS=1 all of them.
STREAMS = 2_000 if os.environ.get("FUSION_LONG_TESTS") == "1" else 500


def test_the_parts_of_many_streams_add_up_to_the_whole_without_being_sent_again():
    wrong = [found for seed in range(STREAMS) if (found := differs_somewhere(seed))]
    assert wrong == []


SOURCES = ["", "", "AB"]
CITED: list[dict[int, str]] = [{}, {}, {1: "https://one.test/a", 2: "https://two.test/b"}]
# What the whole may show otherwise than its parts did: definitions anywhere, marks of provenance,
# numbers of what is cited, formulas, code, tables.
ANYWHERE = [*DEFINITIONS, *USES, "said [1]", "[2, 3] [9]", "so[^A] it is[^own].", "[^B]: foot"]
ANYWHERE += ["$$x^2$$", r"\(a_1\)", "$$", "a^b", "[s]: http://later.test", "[R]", "[r][]"]


def differs_at_its_end(seed: int) -> str:
    rng = random.Random(f"end {seed}")
    lines = random_document(rng).splitlines(keepends=True)
    for _ in range(rng.randint(0, 5)):
        end = rng.choice(["\n", "\n\n"])
        lines.insert(rng.randint(0, len(lines)), f"{rng.choice(ANYWHERE)}{end}")
    text = "".join(lines)
    sources, cited = rng.choice(SOURCES), rng.choice(CITED)
    renderer = StreamRenderer(sources=sources)
    for end in cuts(rng, text):
        renderer.feed(text[:end])
    shown = "".join(renderer.final)
    anew = renderer.finish(cited=cited)
    parts = "".join(renderer.final) + renderer.shown
    if parts != render(text, sources=sources, cited=cited):
        return f"{sources!r} {cited} {text!r}"
    if anew is None and not parts.startswith(shown):
        return f"taken back without a word: {text!r}"
    return ""


def test_the_end_of_many_streams_is_what_the_whole_is():
    wrong = [found for seed in range(STREAMS) if (found := differs_at_its_end(seed))]
    assert wrong == []


def test_the_check_notices_what_was_used_before_it_was_defined(monkeypatch):
    monkeypatch.setattr(StreamRenderer, "_may_differ", lambda self, cited: False)
    assert sum(bool(differs_at_its_end(seed)) for seed in range(300)) > 10


LONG = [
    "A paragraph with **bold** and [a link](http://l.test).\n\n",
    "- an item\n- another\n\nAnd text [^A].\n\n",
    "```py\nx = [1]\n```\n\n",
    "| a | b |\n|---|---|\n| 1 | [2] |\n\n",
    "# A heading\n\nSome $x^2$ in it.\n\n",
]


@pytest.mark.parametrize("paragraph", LONG)
@pytest.mark.parametrize("tail", ["The last line", "- one\n- two", "```\ncode"])
def test_the_end_costs_what_is_open_however_long_the_text_is(monkeypatch, paragraph, tail):
    def blocks_at_the_end(size: int) -> int:
        renderer = StreamRenderer(sources="AB")
        text = paragraph * size + tail
        for end in range(0, len(text), 200):
            renderer.feed(text[:end])
        renderer.feed(text)
        rendered = []

        def counted(tokens, text, env):
            rendered.extend(top_level_blocks(tokens))
            return blocks_to_html(tokens, text, env)

        with monkeypatch.context() as patch:
            patch.setattr(stream, "blocks_to_html", counted)
            patch.setattr(stream, "render", None)
            renderer.finish()
        assert "".join(renderer.final) + renderer.block == render(text, sources="AB")
        return len(rendered)

    assert blocks_at_the_end(20) == blocks_at_the_end(200) <= 8


def test_an_open_block_whose_beginning_alone_was_formatted_is_whole_at_its_end(monkeypatch):
    monkeypatch.setattr(stream, "render", None)
    text = "First.\n\n" + "".join(f"- item **{n}** of a long list\n" for n in range(1_000))
    renderer = fed(*(text[:end] for end in range(0, len(text), 500)), text)
    assert renderer.block.count("<li>") < 1_000 and "item **999**" in renderer.line
    assert renderer.finish() is None
    assert "".join(renderer.final) + renderer.shown == render(text)


def test_a_long_block_that_comes_at_once_begins_formatted_too():
    table = "| a | b |\n|---|---|\n" + "".join(f"| {n} | a cell |\n" for n in range(2_000))
    for text in (table, f"Words.\n\n{table}", "word " * 5_000 + "\n"):
        renderer = fed(text)
        shown, _, behind = renderer.shown.partition('<pre class="plain">')
        assert behind and text.endswith(renderer.line)
        assert shown == (render(text[: -len(renderer.line)]).removeprefix("<p>Words.</p>\n"))
        assert len(text) - len(renderer.line) <= stream.MAX_OPEN_BLOCK + len("Words.\n\n")


@pytest.mark.parametrize("seed", range(50))
def test_what_parts_of_a_text_cost_adds_up_to_what_the_whole_costs(seed):
    rng = random.Random(seed)
    text = "".join(rng.choices([*COSTS, "a", " ", "-", "[", "]", ":", "/", "\n"], k=80))
    at, added = 0, 0
    while at < len(text):
        end = min(len(text), at + rng.randint(1, 6))
        added += cost_of(text[:end], at)
        at = end
    assert added == cost_of(text)


def test_the_check_notices_a_last_block_closed_too_early(monkeypatch):
    def hasty(self: StreamRenderer, **_: object) -> None:
        self.final.append(render(self._open))
        self._open, self._shown = "", 0

    monkeypatch.setattr(StreamRenderer, "_parse_open_block", hasty)
    assert any(differs_somewhere(seed) for seed in range(100))


def test_the_check_notices_forgotten_definitions(monkeypatch):
    monkeypatch.setattr(stream, "parse", lambda text, env: parse(text, {}))
    assert any(differs_somewhere(seed) for seed in range(300))


def test_the_check_notices_half_lines_taken_for_whole_ones(monkeypatch):
    def hasty_feed(self: StreamRenderer, text: str) -> None:
        self._text = text
        self._take_lines(len(text))

    monkeypatch.setattr(StreamRenderer, "feed", hasty_feed)
    assert any(differs_somewhere(seed) for seed in range(100))


def fed(*texts: str) -> StreamRenderer:
    renderer = StreamRenderer()
    for text in texts:
        renderer.feed(text)
    return renderer


def test_a_block_is_final_when_the_next_one_has_begun():
    renderer = fed("one\n\ntwo\nthr")
    assert renderer.final == ["<p>one</p>\n"]
    assert (renderer.block, renderer.line) == ("<p>two</p>\n", "thr")


def test_a_list_is_formatted_as_it_comes():
    renderer = fed("- a\n- b\n- ")
    assert renderer.final == []
    assert renderer.block.count("<li>") == 2


def test_while_a_line_grows_only_its_text_changes():
    renderer = fed("a\nb", "a\nb")
    shown = renderer.shown
    assert (SLOT in shown, renderer.line) == (True, "b")
    renderer.feed("a\nb")
    assert renderer.shown is shown
    renderer.feed("a\nbc")
    assert (renderer.shown is shown, renderer.line) == (True, "bc")


def test_a_line_end_cut_in_two_is_one_line_end():
    renderer = fed("a\r", "a\r\nb\r\n")
    assert renderer.block == "<p>a\nb</p>\n"
    assert fed("a\r").line == "a"


def test_a_definition_after_its_use_is_put_right_at_the_end():
    text = "[r]\n\nmore\n\nand more\n\n[r]: http://r.test\n"
    renderer = fed(*(text[:end] for end in range(len(text))), text)
    assert "href" not in renderer.final[0]
    whole = renderer.finish()
    assert whole == render(text) == "".join(renderer.final) + renderer.block
    assert 'href="http://r.test"' in whole


def test_a_definition_reaches_blocks_that_come_much_later():
    text = "[r]: http://r.test\n\none\n\ntwo\n\n[r]\n"
    renderer = fed(*(text[:end] for end in range(len(text))), text)
    assert renderer.finish() is None
    assert 'href="http://r.test"' in renderer.block


def test_a_text_that_does_not_continue_is_refused():
    with pytest.raises(ValueError, match="continue"):
        fed("one", "two")


def test_a_finished_text_does_not_go_on():
    renderer = fed("one")
    renderer.finish()
    renderer.feed("one")
    assert (renderer.block, renderer.line) == ("<p>one</p>\n", "")
    with pytest.raises(ValueError, match="continue"):
        renderer.feed("one two")


def test_of_a_huge_open_block_the_beginning_is_formatted_until_it_ends(monkeypatch):
    parsed = []

    def counted(text, env):
        parsed.append(len(text))
        return parse(text, env)

    monkeypatch.setattr(stream, "parse", counted)
    items = [f"- item number {n} of a long list\n" for n in range(1_500)]
    text = ""
    renderer = StreamRenderer()
    for start in range(0, len(items), 5):
        text += "".join(items[start : start + 5])
        renderer.feed(text)
        shown = renderer.shown.count("item number") + renderer.line.count("item number")
        assert shown == text.count("item number")
    beginning, behind = renderer.shown.split('<pre class="plain">')
    assert beginning.startswith("<ul>") and behind == f"<code>{SLOT}</code></pre>\n"
    assert len(beginning) < 2 * stream.MAX_OPEN_BLOCK
    assert sum(size > stream.MAX_OPEN_BLOCK for size in parsed) < 30

    text += "\nAfter the list.\n\nThen more.\n" + "Even more.\n" * 300
    renderer.feed(text)
    assert renderer.final[0].startswith("<ul>")
    assert renderer.finish() is None
    assert "".join(renderer.final) + renderer.block == render(text)


def test_a_text_too_large_to_format_is_appended_as_it_is():
    renderer = StreamRenderer()
    text = ""
    for n in range(300):
        text += f"line {n} " + "word " * 200 + "\n\n"
        renderer.feed(text)
    assert renderer.block == renderer.line == ""
    assert sum(len(piece) for piece in renderer.final) < 2 * len(text)
    assert renderer.finish() == render(text)
    assert renderer.final == [render(text)] and renderer.shown == ""


def test_of_a_long_line_alone_nothing_is_left_open_at_the_end():
    renderer = StreamRenderer()
    for end in range(50_000, 300_000, 50_000):
        renderer.feed("x" * end)
    renderer.finish()
    assert "".join(renderer.final) + renderer.shown == render("x" * 250_000)


@pytest.mark.parametrize("text", ["", "\n", "\r", "\r\n\r\n", "a", " ", "[r]: http://r.test"])
def test_nearly_empty_texts_end_well(text):
    renderer = fed(text)
    assert renderer.finish() is None
    assert "".join(renderer.final) + renderer.block == render(text)
    assert renderer.line == ""


def test_line_ends_are_normalised_whole_or_not_at_all():
    assert complete_lines("a\r\nb\rc") == "a\nb\nc\n"
    assert complete_lines("") == ""
