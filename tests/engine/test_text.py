from __future__ import annotations

import pytest

from console.engine.text import storable


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("as it is: é 漢 \U0001f600\r\n", "as it is: é 漢 \U0001f600\r\n"),
        ("a\0b", "a\ufffdb"),
        ("half \ud83d of one", "half \ufffd of one"),
        ("at the end \ud83d", "at the end \ufffd"),
        ("the other \ude00 half", "the other \ufffd half"),
        ("two halves \ud83d\ude00", "two halves \U0001f600"),
    ],
)
def test_what_no_database_keeps_is_replaced_and_seen(text: str, kept: str) -> None:
    assert storable(text) == kept
