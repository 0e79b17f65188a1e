"""What a viewer is sent for a token, whatever is written: counted, so true at any load."""

from __future__ import annotations

import pytest

from console.fragments.figures import estimated_tokens
from console.live.frames import Cursor, Frames, Text
from console.markdown import StreamRenderer, stream
from console.models.shown import ALL
from tests.benchmarks.texts import KINDS, deltas

# In one column 50 tokens a second are two in a step of 33 ms, and one column has all of a frame's
# own bytes to bear. Quick models write 500.
A_STEP, QUICK = 2, 16
AT_MOST = {"prose": 38, "table": 58, "code": 50, "line": 34, "mixed": 64}


def sent(kind: str, tokens: int, at_once: int = A_STEP) -> int:
    """To its end, to a page of this version."""
    frames, cursor, renderer = Frames("w"), Cursor(ALL, keeps=True), StreamRenderer()
    written, size = "", 0
    words = deltas(kind, tokens)
    for number in range(0, tokens, at_once):
        written += "".join(words[number : number + at_once])
        step = frames.begin_step()
        text = frames.texts.setdefault("seat-0", Text("ab", renderer, step))
        renderer.feed(written)
        anew = number + at_once >= tokens and renderer.finish() is not None
        text.took_step(step, anew=anew)
        frames.take(status="running", figures={"seat-0-tokens": estimated_tokens(len(written))})
        size += len(frames.next(cursor).encode())
    return size


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_takes_few_bytes_and_no_more_in_a_longer_answer(kind: str) -> None:
    once, twice = sent(kind, 1_000), sent(kind, 2_000)
    assert once / 1_000 <= AT_MOST[kind]
    assert twice <= 2.1 * once


@pytest.mark.parametrize("kind", ["table", "code"])
def test_nothing_is_sent_again_of_a_block_that_becomes_too_long_to_format(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MAX_OPEN_BLOCK", 5_000)
    once, twice = sent(kind, 1_000, QUICK), sent(kind, 2_000, QUICK)
    assert once <= 22 * 1_000 and twice <= 2.1 * once
