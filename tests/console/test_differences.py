"""What two texts have in common and where they differ, as a reader is to see it: over the pairs of
texts in `tests/data/differences/pairs.toml`, which were written before what reads them.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

PAIRS = tomllib.loads(
    (Path(__file__).parent.parent / "data/differences/pairs.toml").read_text("utf-8")
)["pair"]
LISTS = {"same", "words", "reworded", "linked", "opposed", "left", "right"}


def test_the_pairs_have_names_of_their_own_and_say_nothing_unknown() -> None:
    names: set[str] = {pair["name"] for pair in PAIRS}
    assert len(names) == len(PAIRS) >= 30
    known: set[str] = {"name", "a", "b", "analysis"} | LISTS
    for pair in PAIRS:
        unknown: Any = set(pair) - known
        assert not unknown, pair["name"]
