"""What a judge calls the answers: by letter as it was told, or in its own way.

`["A", "B"]`, `"A, B and C"`, `"Answer A"`, `"response_b"`, `"ModelC"`,
`[{"seat": "A"}]`; some count instead, `[0, 1]` or `[1, 2]`. Anything else names
nobody: a stance that is put into a wrong mouth is worse than one that is lost.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..spec import letter

# "A-C" may mean B, too, and names nobody.
_BETWEEN = re.compile(r"(?:[\s,;/&+#.:()\[\]{}<>_*`'\"\u2018-\u201f|]|(?<=[A-Z]{2})-)+")
_NOUN = (
    "ANSWER|RESPONSE|REPLY|REPLIE|MODEL|SEAT|PANELIST|PANELLIST|ASSISTANT|CANDIDATE|OPTION|"
    "PARTICIPANT|EXPERT|AUTHOR|WRITER|AGENT|RESPONDENT|SOURCE|TEXT|LLM|AI"
)
_FILLER = re.compile(rf"(?:{_NOUN})S?|AND|THE|ONLY|NO|NUMBER|LETTER|IN|FROM|BY")
_GLUED = re.compile(rf"(?:{_NOUN})([A-H]|\d)")
# Under which an item names seats; the first that names any counts.
KEYS = (
    *("seats", "seat", "answers", "answer", "responses", "response", "models", "model"),
    *("letters", "letter", "supported_by", "agreed_by", "stated_by", "held_by", "made_by"),
    *("covered_by", "mentioned_by", "said_by", "by", "who", "sources", "source", "panelists"),
    *("panelist", "participants", "respondents", "authors", "author"),
)
_NAMED_BY = (*KEYS, "id", "name", "label")
_LONGEST = 200


class SeatNames:
    """Of the answers in `seats`, as one analysis uses them."""

    def __init__(self, seats: Sequence[int], data: Any) -> None:
        # Whoever counts from 0 will hardly leave out the first answer everywhere.
        first = 0 if "0" in all_names(data) else 1
        self._seats = {letter(s): s for s in seats} | {str(s + first): s for s in seats}

    def read(self, raw: Any) -> list[int]:
        """Known seats only, each once, in order; a foreign letter is dropped."""
        return sorted({self._seats[n] for n in _names(raw) if n in self._seats})

    def of_item(self, item: Mapping[str, Any]) -> list[int]:
        """The seats that an item says it is about."""
        return next((seats for key in KEYS if (seats := self.read(item.get(key)))), [])

    def are_keys_of(self, raw: Any) -> bool:
        """Whether something is told by seat: `{"A": …, "answer_b": …}`."""
        return isinstance(raw, dict) and bool(raw) and all(map(self.read, raw))


def _names(raw: Any) -> Iterator[str]:
    for item in raw if isinstance(raw, list) else [raw]:
        if isinstance(item, dict):
            item = next((item[k] for k in _NAMED_BY if isinstance(item.get(k), str | int)), None)
        if isinstance(item, bool) or not isinstance(item, str | int) or len(str(item)) > _LONGEST:
            continue
        if isinstance(item, int) and item < 0:
            continue
        words = {_GLUED.sub(r"\1", word) for word in _BETWEEN.split(str(item).upper()) if word}
        words = {word for word in words if not _FILLER.fullmatch(word)}
        if all(len(word) == 1 for word in words):
            yield from words


def all_names(data: Any) -> set[str]:
    """What seats are called anywhere in an analysis."""
    found: set[str] = set()
    left = [data]
    while left:  # what was nested a thousand deep could be parsed, and is not climbed down
        item = left.pop()
        if isinstance(item, list):
            left += item
        elif isinstance(item, dict):
            for key, value in item.items():
                if key in KEYS:
                    found.update(_names(value))
                left.append(value)
    return found
