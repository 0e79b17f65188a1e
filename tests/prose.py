"""Text of a given length that says something new all the time, for answers whose length matters:
what repeats itself is ended by the engine."""

from __future__ import annotations


def words(count: int, of: str = "word") -> str:
    """`word1 word2 …`, each with a space behind it."""
    return "".join(f"{of}{number} " for number in range(1, count + 1))
