"""What came beside an answer's text: said in words, and no text to compare."""

from __future__ import annotations

import pytest

from console.engine.attachments import described, listed
from console.engine.provider import Finish
from console.engine.state import Step
from tests.engine.conftest import RunEngine

PICTURE = {"type": "image/png", "bytes": 180_000}


@pytest.mark.parametrize(
    ("attachments", "words"),
    [
        ([PICTURE], "a picture (PNG, 180 kB)"),
        ([PICTURE, {"type": "image/jpeg"}], "2 pictures (PNG, 180 kB; JPEG)"),
        ([{"type": "image"}], "a picture"),
        ([{"type": "audio/wav", "bytes": 1}], "a recording (WAV, 1 byte)"),
        ([PICTURE, {"type": "", "bytes": 5}], "a picture (PNG, 180 kB) and a file (5 bytes)"),
        ([{"type": "video/mp4", "bytes": 2_340_000}], "a video (MP4, 2.3 MB)"),
        ([], ""),
    ],
)
def test_attachments_are_named(attachments, words):
    assert listed(attachments) == words


def test_sizes_are_said_in_few_words():
    assert described("image/png", 3) == "picture: PNG, 3 bytes"
    assert described("image/png", 999_600) == "picture: PNG, 1.0 MB"
    assert described("image/svg+xml", None) == "picture: SVG"
    assert described("", 2000) == "file: 2 kB"


async def test_a_picture_alone_is_no_answer_and_one_beside_a_text_does_no_harm(
    run_engine: RunEngine,
) -> None:
    end = Finish("stop", attachments=(PICTURE,))
    ran = await run_engine({"a": [end], "b": ["Rain.", end], "c": ["Wet."]})
    alone, beside = (ran.state.latest(Step.PANEL, seat=seat) for seat in (0, 1))
    assert (alone.status, alone.reason) == ("failed", "empty")
    assert alone.error == "The model answered with a picture (PNG, 180 kB) and no text."
    assert (beside.status, beside.attachments) == ("completed", [PICTURE])
    assert ran.state.fusion.judged == ["panel-1-1", "panel-2-1"]
