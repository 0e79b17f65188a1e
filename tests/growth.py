"""How a cost grows with a text: true on any machine and at any load, which seconds are not."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

# Twice the text may cost twice as much and a little more. What is looked through again for
# every part of it costs four times as much.
BOUND = 3
_ROUNDS = 9


def growth(prepare: Callable[[int], Callable[[], object]], size: int) -> float:
    """How many times as much as for `size` it costs for twice that. `prepare` makes the work
    ready and is not counted. Others on the machine only ever add to a cost, so the least of a
    few rounds is compared."""
    least = {size: float("inf"), 2 * size: float("inf")}
    for _ in range(_ROUNDS):
        for n in least:
            work = prepare(n)
            gc.disable()  # what other tests left behind is not this work's to clear
            began = time.thread_time()
            work()
            least[n] = min(least[n], time.thread_time() - began)
            gc.enable()
        if least[2 * size] < BOUND * least[size]:
            break
    return least[2 * size] / max(least[size], 1e-9)
