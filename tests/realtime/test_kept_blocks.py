"""What is final as it stood in the open block is not sent again to a page that keeps it."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from django.utils.html import escape

from console.live.frames import Cursor, Frames, Text
from console.markdown import StreamRenderer
from console.models.shown import ALL
from tests.benchmarks.texts import KINDS, deltas
from tests.live.member import SLOT, View

WORDS = 400


class Line:
    """Frames of one text and somebody who is sent them with every `every`-th step."""

    def __init__(self, *, every: int = 1, keeps: bool = True) -> None:
        self.every, self.cursor, self.view = every, Cursor(ALL, keeps=keeps), View()
        self.changes: list[dict[str, object]] = []
        self.bytes = 0

    def take(self, frames: Frames) -> None:
        if frames.step % self.every == 0 and (frame := frames.next(self.cursor)):
            self.bytes += len(frame.encode())
            self.view.apply(read := json.loads(frame + "}"))
            self.changes += read.get("texts", [])


def written(words: list[str], renderer: StreamRenderer, lines: list[Line]) -> Iterator[Frames]:
    frames, text = Frames("w"), ""
    for word in words:
        text += word
        step = frames.begin_step()
        there = frames.texts.setdefault("seat-0", Text("ab", renderer, step))
        renderer.feed(text)
        there.took_step(step)
        frames.take(status="running", figures={})
        for line in lines:
            line.take(frames)
        yield frames


@pytest.mark.parametrize("kind", [*KINDS, "rules"])
def test_whoever_keeps_blocks_has_what_is_shown_however_seldom_they_are_sent(kind: str) -> None:
    rules = [
        "---",
        "\n",
        "\n",
        "---",
        "\n\n",
        "Some 🙂",
        " words",
        "\n\n",
        "---\n\n",
        "Some 🙂 words\n\n- 🙂\n- x",
        "\n- 🙂 and *more*\n\nSo.\n\n",
    ]
    words = rules * 9 if kind == "rules" else deltas(kind, WORDS)
    renderer, lines = StreamRenderer(), [Line(every=every) for every in (1, 2, 3, 7)]
    for frames in written(words, renderer, lines):
        open_block = renderer.shown.replace(SLOT, escape(renderer.line))
        for line in lines:
            if frames.step % line.every == 0:
                assert line.view.html("seat-0") == "".join(renderer.final) + open_block


def test_prose_takes_less_for_who_keeps_its_paragraphs_and_others_are_sent_what_they_know() -> None:
    keeps, knows_it_not = Line(), Line(keeps=False)
    for _ in written(deltas("prose", WORDS), StreamRenderer(), [keeps, knows_it_not]):
        pass
    assert any("keep" in change for change in keeps.changes)
    assert not any("keep" in change for change in knows_it_not.changes)
    assert keeps.view.html("seat-0") == knows_it_not.view.html("seat-0")
    assert keeps.bytes < knows_it_not.bytes - 3 * WORDS
