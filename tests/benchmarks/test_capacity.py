"""How many streams were in time, of words whose moments and ages are given."""

from __future__ import annotations

import pytest

from tests.benchmarks.capacity import most_in_time
from tests.benchmarks.upstream import Asked

STREAMS = [Asked("seat", "", at=float(n)) for n in range(10)]  # one more each second
SOON, LATE = 0.02, 0.3


def words(*ages: float) -> list[tuple[float, float]]:
    """Fifty in each second, all as old."""
    return [(second + n / 50, age) for second, age in enumerate(ages) for n in range(50)]


@pytest.mark.parametrize(
    ("ages", "most"),
    [
        ([], 0),
        ([SOON] * 5, 5),
        ([SOON, SOON, SOON, LATE, LATE, SOON], 3),  # it had its chance
        ([SOON, LATE, SOON, SOON], 4),  # one bad second is the machine's
        ([SOON, LATE, SOON, LATE, LATE], 3),
        ([LATE, LATE, SOON], 0),
    ],
)
def test_it_counts_until_two_seconds_on_end_were_late(ages: list[float], most: int) -> None:
    assert most_in_time(words(*ages), STREAMS) == most


def test_one_word_in_a_hundred_may_be_late() -> None:
    rare = [(n / 200, LATE if n == 7 else SOON) for n in range(200)]
    assert most_in_time(rare, STREAMS) == 1
    often = [(n / 200, LATE if n % 50 == 7 else SOON) for n in range(400)]
    assert most_in_time(often, STREAMS) == 0


def test_streams_that_ended_are_not_counted() -> None:
    ended = [Asked("seat", "", at=0.0, ended_at=0.4), *STREAMS[:1]]
    assert most_in_time(words(SOON), ended) == 1
