"""Which states are looked at where all of them would show the same again."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from itertools import product
from typing import Any

LONG = os.environ.get("FUSION_LONG_TESTS") == "1"


def paired(
    first: Collection[Any], second: Collection[Any], turns: Sequence[Any]
) -> list[tuple[Any, Any, Any]]:
    """Every pair of two: each of the first with each of the second, the third in turns along their
    diagonals. FUSION_LONG_TESTS=1 looks at all."""
    assert min(len(first), len(second)) >= len(turns), "a diagonal too few for every pair"
    if LONG:
        return list(product(first, second, turns))
    return [
        (one, other, turns[(i + j) % len(turns)])
        for (i, one), (j, other) in product(enumerate(first), enumerate(second))
    ]
