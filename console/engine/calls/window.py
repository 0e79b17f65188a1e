"""What fits the context window of a model: an estimate, on the safe side.

Tokenisers differ and are not at hand. Four characters make a token in most
languages written with Latin letters; any other character is counted as one.
A tenth of the window is left free for what the estimate gets wrong. Where a
model's window is not known, everything fits.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..content import text_of
from ..provider import Message
from ..spec import Panelist
from .limits import CHARACTERS_PER_TOKEN

USED = 0.9
OUTPUT_SHARE = 4  # at most this part of the window is kept free for what is written


def tokens_in(text: str) -> int:
    narrow = len(text.encode("ascii", "ignore"))
    return -(-narrow // CHARACTERS_PER_TOKEN) + len(text) - narrow


def window_of(panelist: Panelist) -> int | None:
    """The smallest window of the model and of those that may stand in for it."""
    found = [panelist.context_length] if panelist.context_length else []
    if panelist.fallback and (behind := window_of(panelist.fallback)):
        found.append(behind)
    return min(found, default=None)


def output_of(panelist: Panelist, limit: int | None) -> int | None:
    """The output limit to ask with, so that it does not eat up a small window."""
    window = window_of(panelist)
    if window is None:
        return limit
    return min(limit or window, window // OUTPUT_SHARE)


def excess(panelist: Panelist, messages: Sequence[Message], output: int | None) -> int:
    """By how many tokens a request is too long for the model; at most 0 where it fits."""
    window = window_of(panelist)
    if window is None:
        return 0
    asked = sum(tokens_in(text_of(message.get("content"))) for message in messages)
    return asked + (output or 0) - int(window * USED)


def shares(sizes: dict[int, int], budget: int) -> dict[int, int]:
    """What each of several texts may come to: short ones stay whole, the others share the rest."""
    given, left = {}, budget
    for done, name in enumerate(sorted(sizes, key=sizes.__getitem__)):
        given[name] = min(sizes[name], max(0, left) // (len(sizes) - done))
        left -= given[name]
    return given
