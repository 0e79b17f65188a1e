"""Which sources of a run's pool a text cites, and whether what it quotes of them stands there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .evidence import QuotableAnswer
from .extracts import Library

LONGEST_QUOTE = 400
MOST_MISSING = 5  # quotes that are told
_QUOTED = ("found", "missing")
# [1], [1, 3], [1][3]; not [1](…), which is a link, nor [1]: …, which says where one leads.
_CITED = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\](?![(:])")
_QUOTE = re.compile(
    r"(?:“([^“”\n]{1,400})”|„([^„“”\n]{1,400})[“”]|«([^«»\n]{1,400})»|\"([^\"\n]{1,400})\")"
    r"[\s.,;:!?)]{0,3}((?:\[\d{1,3}(?:\s*,\s*\d{1,3})*\]\s?)+)"
)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)


def cited(text: str, library: Library) -> list[dict[str, str]]:
    """Of each source that it cites and that was read: url, title, number; of its quotes how many
    were `found`, and those that are `missing`, where there are any."""
    text = _CODE.sub(" ", text)
    numbers = dict.fromkeys(n for m in _CITED.finditer(text) for n in _numbers(m[1]))
    quotes = _quotes(text, library)
    return [
        _entry(number, library, quotes.get(number, []))
        for number in sorted(n for n in numbers if n in library.sources)
    ]


def numbered(citations: Sequence[Mapping[str, str]]) -> list[tuple[int, Mapping[str, str]]]:
    """Each with the number that its text has for it: a provider's own count from one."""
    return [(int(one.get("number", place)), one) for place, one in enumerate(citations, 1)]


def quotes_of(text: str, number: int, source: str) -> dict[str, str]:
    """What the text quotes by this number of a source that was read later: `found`, `missing`."""
    one = {"number": number, "url": "", "title": ""}
    entries = cited(text, Library({number: one}, {number: source}, ()))
    return {name: entry[name] for entry in entries for name in _QUOTED if name in entry}


def quotes_in(text: str, number: int, source: str) -> list[tuple[int, int]]:
    """Where in the source stands what the text quotes of it by this number."""
    quotable = QuotableAnswer(source)
    found = []
    for match in _QUOTE.finditer(_CODE.sub(" ", text)):
        if number in (n for m in _CITED.finditer(match[5]) for n in _numbers(m[1])):
            place = quotable.find(next(filter(None, match.groups()[:4]), ""))
            found += [place] if place else []
    return found


def _entry(number: int, library: Library, quotes: list[tuple[str, bool]]) -> dict[str, str]:
    source: Mapping[str, Any] = library.sources[number]
    entry = {"url": str(source["url"]), "title": str(source["title"]), "number": str(number)}
    if quotes:
        missing = [quote for quote, is_found in quotes if not is_found]
        entry["found"] = f"{len(quotes) - len(missing)} of {len(quotes)}"
        if missing:
            entry["missing"] = "\n".join(missing[:MOST_MISSING])
    return entry


def _quotes(text: str, library: Library) -> dict[int, list[tuple[str, bool]]]:
    """Number -> (quote, whether it stands there). Behind several numbers it is that of whichever
    has it, else of the first."""
    texts: dict[int, QuotableAnswer] = {}
    found: dict[int, list[tuple[str, bool]]] = {}
    for match in _QUOTE.finditer(text):
        quote = next(filter(None, match.groups()[:4]), "")
        numbers = [n for m in _CITED.finditer(match[5]) for n in _numbers(m[1])]
        numbers = [n for n in numbers if n in library.texts]
        for number in numbers:
            texts.setdefault(number, QuotableAnswer(library.texts[number]))
        holds = next((n for n in numbers if texts[n].find(quote)), None)
        if numbers:
            found.setdefault(holds or numbers[0], []).append((quote, holds is not None))
    return found


def _numbers(listed: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", listed)]
