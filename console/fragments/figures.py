"""Seconds and tokens as people read them. Unknown is a dash, never 0."""

from __future__ import annotations

from ..engine.receipt import COMPUTED
from ..engine.state import CallState
from ..engine.usage import UNKNOWN, Price, cost_of


def seconds(value: float | None) -> str:
    if value is None:
        return UNKNOWN
    value = max(value, 0)
    if value < 100:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes} min {rest:02d} s"


def about(value: float | None) -> str:
    """Where tenths would only be read as more than they are: from ten seconds on without."""
    if value is None or value < 9.95 or value >= 100:
        return seconds(value)
    return f"{value:.0f} s"


def tokens(count: int | None) -> str:
    return f"{UNKNOWN if count is None else format(count, ',')} tok"


def output_tokens(call: CallState | None) -> str:
    """As reported; until then, and where nothing is, about four characters a token."""
    if call is None or call.usage.output_tokens is not None:
        return tokens(call.usage.output_tokens if call else None)
    written = len(call.text) + len(call.reasoning)
    return estimated_tokens(written) if written else tokens(None)


def estimated_tokens(characters: int, counted: int = 0) -> str:
    """Beside what was counted. Two figures of it: more is not known, and one that changed with
    every word would be read by nobody and sent to everybody."""
    count = counted + max(1, characters // 4)
    step = 10 ** (len(str(count)) - 2) if count >= 100 else 5
    return f"≈ {tokens(count if count < 10 else count // step * step)}"


SHARES = (
    (0.22, "about a fifth"),
    (0.29, "about a quarter"),
    (0.4, "about a third"),
    (0.6, "about half"),
    (0.71, "about two thirds"),
    (0.85, "about three quarters"),
)


def share(of_all: float) -> str:
    """A part of something, as roughly as it is known."""
    if of_all < 0.17:
        return f"about {max(of_all, 0.01):.0%}"
    return next((words for up_to, words in SHARES if of_all < up_to), "most")


def span(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else end - start


def rate(call: CallState) -> str:
    """Output tokens per second of writing; a burst of a few milliseconds says nothing."""
    writing = span(call.first_token_at, call.finished_at)
    if not call.usage.output_tokens or writing is None or writing < 0.05:
        return UNKNOWN
    return f"{call.usage.output_tokens / writing:.0f} tok/s"


def is_estimated(call: CallState) -> bool:
    """The cost is usage times list price, not what the provider said it charged."""
    if not call.cost or call.cost_source:
        return bool(call.cost) and call.cost_source == COMPUTED
    # Of a call from before it was kept who said so.
    computed = cost_of(call.usage, Price.from_dict(call.panelist.get("price")))
    return computed is not None and call.cost == round(computed, 8)


def count_of(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
