"""Finding the JSON object in what a judge wrote.

It may stand in a fence, between prose, alone, within another object, within a
string, be written only nearly as JSON (`nearly_json`), or be cut off at the
judge's output limit: of a list that breaks off, the items that are whole are
kept. Of several the last with most of the keys is meant: some write a draft, or
repeat what an answer wanted, before they decide.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .nearly_json import MAX_OF_A_KEY, readings, unescaped

# Bounded: prose full of braces must not cost seconds. Characters read in vain.
_IN_VAIN = 2_000_000
_LEAST = 500  # characters that any try counts
_TOO_DEEP = 20_000  # what a try counts that ended nobody knows where
_BEGINNING = re.compile(r'\{\s*["}]')


@dataclass(frozen=True)
class FoundObject:
    """`is_cut`: it breaks off. `gaps`: so often something within it could not be read."""

    data: dict[str, Any]
    is_cut: bool = False
    gaps: int = 0


def find_object(text: str, keys: Sequence[str]) -> FoundObject | None:
    """The object with most of the keys, however they are spelled; it has them as in `keys`."""

    def known(found: FoundObject | None) -> int:
        return sum(key in found.data for key in keys) if found else -1

    found: FoundObject | None = None
    looked_to = 0
    for data, end in _whole_objects(text):
        whole = FoundObject(_respelled(data, keys))
        if known(whole) >= known(found):
            found, looked_to = whole, end
    # Once more from where one with all keys ended: what comes later would be meant.
    rest = text[looked_to:] if known(found) == len(keys) else text
    for reading in readings(rest, [_pattern(key) for key in keys]):
        nearly = FoundObject(_respelled(reading.data, keys), reading.is_cut, reading.gaps)
        if known(nearly) > known(found) - (not nearly.is_cut and known(nearly) == len(keys)):
            found = nearly
    if known(found) <= 0 and f'\\"{keys[0]}\\"' in text:
        return find_object(unescaped(text), keys)
    return found


def has_several(text: str, keys: Sequence[str]) -> bool:
    """Whether most of the keys stand in more than one whole object: only one of them is meant."""
    whole = [data for data, _ in _whole_objects(text)]
    return sum(2 * len(set(_respelled(data, keys)) & set(keys)) > len(keys) for data in whole) > 1


def objects_in(text: str) -> Iterator[dict[str, Any]]:
    """Every whole object, and after it those that are members of it."""
    return (data for data, _ in _whole_objects(text))


def _whole_objects(text: str) -> Iterator[tuple[dict[str, Any], int]]:
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
            yield from [(m, end) for m in found.values() if isinstance(m, dict)]
            yield found, end


def _joined(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A key said twice: lists are joined, of anything else the last stands."""
    data: dict[str, Any] = {}
    for key, value in pairs:
        earlier = data.get(key)
        if isinstance(earlier, list) and isinstance(value, list):
            earlier += value[: max(0, MAX_OF_A_KEY - len(earlier))]
        else:
            data[key] = value
    return data


_decoder = json.JSONDecoder(strict=False, object_pairs_hook=_joined)


def _pattern(key: str) -> str:
    """`partial_coverage` is written partialCoverage and "Partial coverage", too."""
    return key.replace("_", "[ _-]?").removesuffix("s") + "s?"


def _respelled(data: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    names = {_letters(key): key for key in keys}
    pairs = [(names.get(_letters(key), key), value) for key, value in data.items()]
    return _joined(pairs)


def _letters(key: str) -> str:
    return re.sub(r"[\W_]", "", key.casefold()).removesuffix("s")
