"""Finding the JSON object in what a judge wrote.

It may stand in a fence, between prose, alone, within another object, or be cut
off at the judge's output limit: of a list that breaks off, the items that are
whole are kept. Of several the last with most of the keys is meant: some write
a draft, or repeat what an answer wanted, before they decide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

# Bounded: prose full of braces must not cost seconds. Characters read in vain, for whole
# objects and for broken ones, which are read to where they break off.
_IN_VAIN, _IN_VAIN_OF_BROKEN = 2_000_000, 20_000_000
_LEAST = 500  # characters that any try counts
_TOO_DEEP = 20_000  # what a try counts that ended nobody knows where
_MAX_OF_A_KEY = 1000  # items of a list that is said in pieces
_BEGINNING = re.compile(r'\{\s*["}]')


def find_object(text: str, keys: Sequence[str]) -> tuple[dict[str, Any] | None, bool]:
    """(the object with most of the keys, whether it breaks off)."""

    def known(data: dict[str, Any] | None) -> int:
        return sum(key in data for key in keys) if data else 0

    objects = list(objects_in(text))[::-1]
    whole = max(objects, key=known, default=None)  # the first of equals
    if known(whole) == len(keys):
        return whole, False
    cut = max(_broken_objects(text, keys), key=known, default=None)
    return (cut, True) if known(cut) > known(whole) else (whole, False)


def _joined(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A key said twice: lists are joined, of anything else the last stands."""
    data: dict[str, Any] = {}
    for key, value in pairs:
        earlier = data.get(key)
        if isinstance(earlier, list) and isinstance(value, list):
            earlier += value[: max(0, _MAX_OF_A_KEY - len(earlier))]
        else:
            data[key] = value
    return data


_decoder = json.JSONDecoder(strict=False, object_pairs_hook=_joined)


def objects_in(text: str) -> Iterator[dict[str, Any]]:
    """Every whole object, and after it those that are members of it."""
    end = in_vain = 0
    for match in _BEGINNING.finditer(text):
        start = match.start()
        if start < end:
            continue
        if in_vain > _IN_VAIN:
            return
        try:
            found, end = _decoder.raw_decode(text, start)
        except json.JSONDecodeError as error:
            in_vain += max(error.pos - start, _LEAST)
        except (ValueError, RecursionError):
            in_vain += _TOO_DEEP
        else:
            yield from [m for m in found.values() if isinstance(m, dict)]
            yield found


def _broken_objects(text: str, keys: Sequence[str]) -> Iterator[dict[str, Any]]:
    names = "|".join(map(re.escape, keys))
    in_vain = 0
    for match in re.finditer(rf'\{{\s*"(?:{names})"\s*:', text):
        if in_vain > _IN_VAIN_OF_BROKEN:
            return
        in_vain += max(len(text) - match.start(), _LEAST)
        data: dict[str, Any] = {}
        try:
            _take_members(text, match.start() + 1, data)
        except (ValueError, IndexError, RecursionError):
            pass  # here it breaks off; what was whole is in `data`
        yield data


def _take_members(text: str, at: int, data: dict[str, Any]) -> None:
    while True:
        key, at = _decoder.raw_decode(text, _skip(text, at))
        at = _skip(text, at)
        if text[at] != ":" or not isinstance(key, str):
            return
        at = _skip(text, at + 1)
        if text[at] == "[":
            if not isinstance(data.get(key), list):
                data[key] = []
            at = _take_items(text, at + 1, data[key])
        else:
            data[key], at = _decoder.raw_decode(text, at)
        at = _skip(text, at)
        if text[at] != ",":
            return
        at += 1


def _take_items(text: str, at: int, items: list[Any]) -> int:
    at = _skip(text, at)
    while text[at] != "]":
        item, at = _decoder.raw_decode(text, at)
        items.append(item)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
        elif text[at] != "]":
            raise ValueError("neither another item nor an end")
    return at + 1


def _skip(text: str, at: int) -> int:
    while text[at] in " \t\r\n":
        at += 1
    return at
