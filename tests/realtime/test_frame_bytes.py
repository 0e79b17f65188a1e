"""What a viewer is sent for a token, whatever is written: counted, so true at any load."""

from __future__ import annotations

import pytest

from console.fragments.figures import estimated_tokens
from console.live.frames import Cursor, Frames, Text
from console.markdown import StreamRenderer
from console.models.shown import ALL
from tests.benchmarks.texts import KINDS, deltas

# In one column 50 tokens a second are two in a step of 33 ms, and one column has all of a frame's
# own bytes to bear.
A_STEP = 2
AT_MOST = {"prose": 60, "table": 150, "code": 150, "line": 60, "mixed": 150}


def sent(kind: str, tokens: int) -> int:
    frames, cursor, renderer = Frames("w"), Cursor(ALL), StreamRenderer()
    written, size = "", 0
    words = deltas(kind, tokens)
    for number in range(0, tokens, A_STEP):
        written += "".join(words[number : number + A_STEP])
        step = frames.begin_step()
        text = frames.texts.setdefault("seat-0", Text("ab", renderer, step))
        renderer.feed(written)
        text.took_step(step)
        frames.take(status="running", figures={"seat-0-tokens": estimated_tokens(len(written))})
        size += len(frames.next(cursor).encode())
    return size


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_takes_few_bytes_and_no_more_in_a_longer_answer(kind: str) -> None:
    once, twice = sent(kind, 1_000), sent(kind, 2_000)
    assert once / 1_000 <= AT_MOST[kind]
    assert twice <= 2.1 * once
