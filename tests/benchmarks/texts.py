"""What an answer of a given kind says, delta by delta, where what it is matters: to bytes, to what
a page lays out, to how costs grow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice

_WORD = re.compile(r"\s*\S+|\s+")


def prose(number: int) -> str:
    end = "\n\n" if number % 5 == 4 else " "
    return f"Sentence {number} tells of {number * 7} things that nobody had counted before.{end}"


def table(number: int) -> str:
    head = "Here it is.\n\n| Name | Year | What it did | Why |\n|---|---|---|---|\n"
    cells = f"Thing {number} | {1700 + number} | It was number {number * 3} of the list"
    return ("" if number else head) + f"| {cells} | Because of *{number % 17}* |\n"


def code(number: int) -> str:
    head = "" if number else "Here it is:\n\n```python\n"
    return (
        f"{head}    value_{number} = compute(previous[{number}], factor={number % 9})  # {number}\n"
    )


def line(number: int) -> str:
    return f"word{number} "


def mixed(number: int) -> str:
    kinds = (
        f"## Part {number}\n\n",
        f"{prose(number).strip()}\n\n",
        f"- item **{number}** with `code`\n- and another\n\n",
        f"```python\nprint({number})\n```\n\n",
    )
    return kinds[number % len(kinds)]


KINDS: dict[str, Callable[[int], str]] = {f.__name__: f for f in (prose, table, code, line, mixed)}


def deltas(kind: str, count: int) -> list[str]:
    """The first so many of an endless text of this kind."""
    return list(islice(_words(KINDS[kind]), count))


def _words(part: Callable[[int], str]) -> Iterator[str]:
    number = 0
    while True:
        yield from _WORD.findall(part(number))
        number += 1


def tokens_of(kind: str, parts: int) -> int:
    """How many deltas so many rows, lines or sentences are."""
    return sum(len(_WORD.findall(KINDS[kind](number))) for number in range(parts))
