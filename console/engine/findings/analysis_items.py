"""The items of a judge's analysis, taken one by one from whatever form it gave them.

Asked for is what `schema` says. Read is also what means the same beyond doubt:
a text under another name, seats under another name or at the head of a text
("B: It is warm."), a mapping by seat in the place of a list. What nobody could
be sure of is left out, and `left_out` counts it by part.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..text import storable
from .best import CRITERIA
from .seat_names import KEYS, SeatNames

MAX_ITEMS, MAX_CHARACTERS = 40, 4000  # what is kept of an unconstrained judge's output
_MAX_QUOTE = 600
# Names of texts beside the one asked for, in the order in which they are looked for.
_TEXTS = (
    *("claim", "point", "insight", "stance", "statement", "blind_spot", "blindspot", "gap"),
    *("topic", "position", "view", "finding", "text", "content", "description", "summary"),
    *("issue", "what", "missing", "title", "detail", "details", "explanation", "sentence"),
)
_STANCES = ("stances", "positions", "views", "sides", "claims", "statements", "answers", "details")
_EVIDENCE = ("evidence", "quotes", "quote", "support")
_QUOTES = ("quote", "text", "excerpt", "words", "passage", "evidence")
_HEAD = re.compile(r"\s*([^:\n]{1,40}?)\s*(?::|\s[\u2013\u2014-])\s+(.+)", re.DOTALL)
# A tab or line end that JSON made of what was to be the command of a formula: \frac, \times.
_COMMAND = re.compile(r"[\b\f\r](?=[a-z])|\t(?=(?:imes|heta|ext|frac|ilde|au)\b)|\n(?=eq\b|abla\b)")
_WRITTEN = {"\b": "\\b", "\f": "\\f", "\r": "\\r", "\t": "\\t", "\n": "\\n"}


class Items:
    """Reads items about the answers in `seats`; `data` is the whole analysis as it was written."""

    def __init__(self, seats: Sequence[int], data: dict[str, Any]) -> None:
        self._seats = seats
        self._names = SeatNames(seats, data)
        self.left_out: Counter[str] = Counter()
        self.beyond = 0  # what is kept of a part

    def consensus(self, raw: Any) -> list[Any]:
        return self._part("consensus", raw, lambda item: self._claim(item, "claim"))

    def contradictions(self, raw: Any) -> list[Any]:
        return self._part("contradictions", raw, self._contradiction)

    def partial_coverage(self, raw: Any) -> list[Any]:
        return self._part("partial_coverage", raw, lambda item: self._claim(item, "point"))

    def unique_insights(self, raw: Any) -> list[Any]:
        return self._part("unique_insights", raw, self._insight)

    def blind_spots(self, raw: Any) -> list[Any]:
        return self._part("blind_spots", raw, lambda item: _text(item, "blind_spot"))

    def _part(self, name: str, raw: Any, one: Callable[[Any], Any]) -> list[Any]:
        written = [each for each in self._written(raw) if each not in (None, "", [], {})]
        items = [item for each in written[:MAX_ITEMS] if (item := one(each))]
        self.beyond += max(0, len(written) - MAX_ITEMS)
        if lost := len(written[:MAX_ITEMS]) - len(items):
            self.left_out[name] = lost
        return items

    def _written(self, raw: Any) -> Iterator[Any]:
        """A list as it is; the items of a mapping by seat, each with its seat; one item alone."""
        if isinstance(raw, list):
            yield from raw
        elif self._names.are_keys_of(raw):
            for seat, value in raw.items():
                for item in value if isinstance(value, list) else [value]:
                    yield {"seat": seat} | (item if isinstance(item, dict) else {"text": item})
        elif raw:
            yield raw

    def _claim(self, raw: Any, key: str) -> dict[str, Any] | None:
        seats, item = self._item(raw)
        text = _text(item, key)
        return {key: text, **self._said_by(item, seats)} if text and seats else None

    def _insight(self, raw: Any) -> dict[str, Any] | None:
        seats, item = self._item(raw)
        text = _text(item, "insight")
        if not text or not seats:
            return None
        return {"insight": text, "seat": seats[0], "evidence": self._evidence(item, seats[:1])}

    def _contradiction(self, raw: Any) -> dict[str, Any] | None:
        if not isinstance(raw, dict):
            return None
        written = next(
            (raw[key] for key in _STANCES if isinstance(raw.get(key), list | dict)), None
        )
        if written is None:  # {"topic": …, "A": …, "B": …}
            written = {key: value for key, value in raw.items() if self._names.read(key)}
        stances = []
        for each in list(self._written(written))[:MAX_ITEMS]:
            seats, item = self._item(each)
            if seats and (stance := _text(item, "stance")):
                stances.append({"stance": stance, **self._said_by(item, seats)})
        about = {key: value for key, value in raw.items() if not self._names.read(key)}
        topic = _text(about, "topic")
        return {"topic": topic, "stances": stances} if topic and stances else None

    def _item(self, raw: Any) -> tuple[list[int], dict[str, Any]]:
        """(whose it is, the item with its text); a text alone may begin with whose it is."""
        if isinstance(raw, str):
            head = _HEAD.fullmatch(raw)
            seats = self._names.read(head[1]) if head else []
            return (seats, {"text": head[2]}) if head and seats else ([], {"text": raw})
        if not isinstance(raw, dict):
            return [], {}
        if seats := self._names.of_item(raw):
            return seats, raw
        if "seats" in raw:
            return [], raw
        # A small judge names them in its evidence only.
        return sorted({seat for seat, _ in self._quoted(_evidence_in(raw))}), raw

    def _said_by(self, raw: dict[str, Any], seats: list[int]) -> dict[str, Any]:
        return {"seats": seats, "evidence": self._evidence(raw, seats)}

    def _evidence(self, raw: dict[str, Any], seats: Sequence[int]) -> list[dict[str, Any]]:
        return self.quotes(_evidence_in(raw), seats, each=1)

    def quotes(self, raw: Any, seats: Sequence[int], *, each: int) -> list[dict[str, Any]]:
        """So many quotes of each of these seats, in the order of the seats."""
        found: list[dict[str, Any]] = []
        for seat, quote in self._quoted(raw, alone=seats[0] if len(seats) == 1 else None):
            enough = sum(f["seat"] == seat for f in found) >= each
            if quote and seat in seats and not enough:
                found.append({"seat": seat, "quote": quote})
        return sorted(found, key=lambda item: item["seat"])

    def _quoted(self, raw: Any, alone: int | None = None) -> Iterator[tuple[int, str]]:
        """(seat, quote) of every quote that says whose it is, or can only be of one seat."""
        if self._names.are_keys_of(raw):
            raw = [{"seat": seat, "quote": quote} for seat, quote in raw.items()]
        for item in as_list(raw)[:MAX_ITEMS]:
            if isinstance(item, str):
                head = _HEAD.fullmatch(item)
                seats = self._names.read(head[1]) if head else []
                quote: Any = head[2] if head and seats else item
                seats = seats or ([] if alone is None else [alone])
            elif isinstance(item, dict):
                seats = self._names.of_item(item)
                quote = next((item[k] for k in _QUOTES if isinstance(item.get(k), str)), None)
                if alone is not None and not seats and not set(KEYS) & set(item):
                    seats = [alone]
            else:
                continue
            if isinstance(quote, str):
                for seat in seats:
                    yield seat, storable(unmade(quote)).strip()[:_MAX_QUOTE]

    def ratings(self, raw: Any) -> list[dict[str, Any]]:
        if self._names.are_keys_of(raw):
            raw = [scores | {"seat": s} for s, scores in raw.items() if isinstance(scores, dict)]
        found: dict[int, dict[str, Any]] = {}
        for each in as_list(raw):
            if rating := self._rating(each):
                found.setdefault(rating["seat"], rating)
        return [found[seat] for seat in sorted(found)]

    def _rating(self, raw: Any) -> dict[str, Any] | None:
        if not isinstance(raw, dict) or not (seats := self._names.of_item(raw)):
            return None
        scores = {criterion: _score(raw.get(criterion)) for criterion in CRITERIA}
        if not any(scores.values()):
            return None
        return {"seat": seats[0], **scores, "reason": sentence(raw.get("reason"))}


def as_list(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else [raw] if isinstance(raw, dict | str) else []


def sentence(raw: Any) -> str:
    return " ".join(storable(unmade(raw)).split())[:MAX_CHARACTERS] if isinstance(raw, str) else ""


def unmade(text: str) -> str:
    """With the backslashes of formulas that JSON took for its own."""
    return _COMMAND.sub(lambda match: _WRITTEN[match[0]], text)


def _text(raw: Any, key: str) -> str:
    """What an item says: under the name asked for or another, with the title it may have."""
    if not isinstance(raw, dict):
        return sentence(raw)
    if text := sentence(raw.get(key)):
        return text
    texts = {name: text for name in _TEXTS if (text := sentence(raw.get(name)))}
    title = texts.pop("topic", "") or texts.pop("title", "")
    others = (sentence(value) for name, value in raw.items() if name not in (*KEYS, *_EVIDENCE))
    body = next(iter(texts.values()), "") or title or max(others, key=len, default="")
    return f"{title}: {body}" if title and body != title else body


def _evidence_in(item: dict[str, Any]) -> Any:
    return next((item[key] for key in _EVIDENCE if key in item), None)


def _score(raw: Any) -> int | None:
    """4, 4.0, "4" and "4/5" are four; anything that is no number from 1 to 5 is unknown."""
    if isinstance(raw, str):
        raw = raw.strip().removesuffix("/5").strip()
        raw = int(raw) if raw in {"1", "2", "3", "4", "5"} else None
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 1 <= raw <= 5:
        return None
    return round(raw)
