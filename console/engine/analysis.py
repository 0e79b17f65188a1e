"""The analysis: its JSON Schema, and reading what a judge made of it.

A judge names answers by letter; the stored analysis names seats by number:

    consensus         [{claim, seats}]
    contradictions    [{topic, stances: [{seats, stance}]}]
    partial_coverage  [{point, seats}]
    unique_insights   [{insight, seat}]
    blind_spots       [sentence]

The schema is bounded everywhere and scaled to the judge's output limit: a
grammar-constrained small model fills unbounded arrays until it is cut off.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from .errors import ProviderError, Reason
from .spec import letter

PARTS = ("consensus", "contradictions", "partial_coverage", "unique_insights", "blind_spots")
# Below this many output tokens the judge is a small model: little room, and a
# floor under every string and part, or it returns an empty form.
_SMALL = 1000
_MAX_ITEMS, _MAX_CHARACTERS = 40, 4000  # what is kept of an unconstrained judge's output


def analysis_schema(seats: Sequence[int], max_output_tokens: int | None) -> dict[str, Any]:
    small = max_output_tokens is not None and max_output_tokens <= _SMALL
    items, length, shortest = (2, 130, 20) if small else (10, 500, 3)
    floor = 1 if small else 0
    seat = {"type": "string", "enum": [letter(s) for s in seats]}

    def text() -> dict[str, Any]:
        return {"type": "string", "minLength": shortest, "maxLength": length}

    def several(minimum: int) -> dict[str, Any]:
        return {
            "type": "array",
            "items": seat,
            "minItems": minimum,
            "maxItems": len(seats),
        }

    def part(item: dict[str, Any], minimum: int, maximum: int) -> dict[str, Any]:
        return {"type": "array", "items": item, "minItems": minimum, "maxItems": maximum}

    def thing(**properties: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    stance = thing(seats=several(1), stance=text())
    return thing(
        consensus=part(thing(claim=text(), seats=several(min(2, len(seats)))), floor, items),
        contradictions=part(
            thing(topic=text(), stances=part(stance, 2, 2 if small else len(seats))),
            0,
            1 if small else items,
        ),
        partial_coverage=part(thing(point=text(), seats=several(1)), 0, 1 if small else items),
        unique_insights=part(thing(insight=text(), seat=seat), floor, items),
        blind_spots=part(text(), floor, 1 if small else items),
    )


def read_analysis(text: str, seats: Sequence[int]) -> dict[str, Any]:
    """The stored form of what a judge returned.

    Raises ProviderError with `judge_empty_completion`, `judge_not_valid_json`
    or `judge_schema_mismatch`; its message says to the judge what to mend.
    """
    if not text.strip():
        raise ProviderError(Reason.JUDGE_EMPTY_COMPLETION)
    data = _find_object(text)
    if data is None:
        raise ProviderError(
            Reason.JUDGE_NOT_VALID_JSON, "The judge's text holds no JSON object that can be read."
        )
    return _Reader(seats).read(data)


def _find_object(text: str) -> dict[str, Any] | None:
    """The object with most of our keys, wherever it stands: in a fence, between prose, alone."""
    best: dict[str, Any] | None = None
    for found in _objects(text):
        if best is None or _known_keys(found) > _known_keys(best):
            best = found
    return best


def _objects(text: str) -> Iterator[dict[str, Any]]:
    decoder = json.JSONDecoder(strict=False)
    at = text.find("{")
    tries = 0
    while at >= 0 and tries < 200:  # bounded: prose full of braces must not cost seconds
        tries += 1
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            at = text.find("{", at + 1)
            continue
        if isinstance(found, dict):
            yield found
        at = text.find("{", end)


def _known_keys(data: dict[str, Any]) -> int:
    return sum(key in data for key in PARTS)


class _Reader:
    """Takes what is well formed, item by item; refuses when a part is missing altogether."""

    def __init__(self, seats: Sequence[int]) -> None:
        self.seats = {letter(s): s for s in seats}

    def read(self, data: dict[str, Any]) -> dict[str, Any]:
        missing = [key for key in PARTS if not isinstance(data.get(key), list)]
        if missing:
            raise ProviderError(
                Reason.JUDGE_SCHEMA_MISMATCH,
                "These keys are missing or are not lists: " + ", ".join(missing) + ".",
            )
        analysis = {
            "consensus": self._items(data, "consensus", self._consensus),
            "contradictions": self._items(data, "contradictions", self._contradiction),
            "partial_coverage": self._items(data, "partial_coverage", self._partial),
            "unique_insights": self._items(data, "unique_insights", self._insight),
            "blind_spots": self._items(data, "blind_spots", _sentence),
        }
        _settle(analysis, set(self.seats.values()))
        if not any(analysis.values()):
            wrote = sum(len(data[key]) for key in PARTS)
            raise ProviderError(
                Reason.JUDGE_SCHEMA_MISMATCH,
                "No item had the required form."
                if wrote
                else "All five parts are empty; there is always something to say of the answers.",
            )
        return analysis

    def _items(self, data: dict[str, Any], key: str, one: Any) -> list[Any]:
        return [item for raw in data[key][:_MAX_ITEMS] if (item := one(raw))]

    def _consensus(self, raw: Any) -> dict[str, Any] | None:
        return self._claim(raw, "claim")

    def _partial(self, raw: Any) -> dict[str, Any] | None:
        return self._claim(raw, "point")

    def _claim(self, raw: Any, key: str) -> dict[str, Any] | None:
        if not isinstance(raw, dict):
            return None
        claim, seats = _sentence(raw.get(key)), self._seats(raw.get("seats"))
        return {key: claim, "seats": seats} if claim and seats else None

    def _insight(self, raw: Any) -> dict[str, Any] | None:
        if not isinstance(raw, dict):
            return None
        insight, seats = _sentence(raw.get("insight")), self._seats(raw.get("seat"))
        return {"insight": insight, "seat": seats[0]} if insight and seats else None

    def _contradiction(self, raw: Any) -> dict[str, Any] | None:
        if not isinstance(raw, dict) or not isinstance(raw.get("stances"), list):
            return None
        stances = []
        for item in raw["stances"][:_MAX_ITEMS]:
            if not isinstance(item, dict):
                continue
            seats = self._seats(item.get("seats", item.get("seat")))
            stance = _sentence(item.get("stance"))
            if seats and stance:
                stances.append({"seats": seats, "stance": stance})
        topic = _sentence(raw.get("topic"))
        return {"topic": topic, "stances": stances} if topic and stances else None

    def _seats(self, raw: Any) -> list[int]:
        """Known seats only, each once, in order; a foreign letter is dropped."""
        names = raw if isinstance(raw, list) else [raw]
        letters = (str(n).strip().upper().removeprefix("ANSWER ").strip() for n in names)
        return sorted({self.seats[n] for n in letters if n in self.seats})


def _settle(analysis: dict[str, Any], seats: set[int]) -> None:
    """Put each thing where it belongs by who said it, once.

    What one answer says alone is an insight, what all cover is no partial
    coverage, and a contradiction needs two different stances of two answers.
    """
    covered_by_all = [p for p in analysis["partial_coverage"] if set(p["seats"]) == seats]
    analysis["partial_coverage"] = [
        p for p in analysis["partial_coverage"] if set(p["seats"]) != seats
    ]
    analysis["consensus"] += [{"claim": p["point"], "seats": p["seats"]} for p in covered_by_all]
    alone = [c for c in analysis["consensus"] if len(c["seats"]) == 1]
    analysis["consensus"] = [c for c in analysis["consensus"] if len(c["seats"]) > 1]
    analysis["unique_insights"] += [{"insight": c["claim"], "seat": c["seats"][0]} for c in alone]
    said: set[str] = set()
    for part, key in (
        ("consensus", "claim"),
        ("contradictions", "topic"),
        ("partial_coverage", "point"),
        ("unique_insights", "insight"),
        ("blind_spots", ""),
    ):
        analysis[part] = [x for x in analysis[part] if _is_new(x[key] if key else x, said)]
    for contradiction in analysis["contradictions"]:
        stances: set[str] = set()
        contradiction["stances"] = [
            s for s in contradiction["stances"] if _is_new(s["stance"], stances)
        ]
    analysis["contradictions"] = [
        c
        for c in analysis["contradictions"]
        if len(c["stances"]) > 1 and len({seat for s in c["stances"] for seat in s["seats"]}) > 1
    ]


def _is_new(text: str, said: set[str]) -> bool:
    plain = text.casefold().rstrip(".!? ")
    if plain in said:
        return False
    said.add(plain)
    return True


def analysis_text(analysis: dict[str, Any]) -> str:
    """The analysis as the synthesizer reads it."""

    def by(seats: Sequence[int]) -> str:
        return ", ".join(letter(s) for s in seats)

    parts: list[tuple[str, list[str]]] = [
        (
            "Consensus (higher confidence)",
            [f"{c['claim']} ({by(c['seats'])})" for c in analysis["consensus"]],
        ),
        (
            "Contradictions",
            [
                c["topic"] + "".join(f"\n  - {by(s['seats'])}: {s['stance']}" for s in c["stances"])
                for c in analysis["contradictions"]
            ],
        ),
        (
            "Covered by some only",
            [f"{p['point']} ({by(p['seats'])})" for p in analysis["partial_coverage"]],
        ),
        (
            "Seen by one only",
            [f"{u['insight']} ({by([u['seat']])})" for u in analysis["unique_insights"]],
        ),
        ("Missed by all", analysis["blind_spots"]),
    ]
    return "\n\n".join(
        title + ":\n" + "\n".join(f"- {line}" for line in lines) for title, lines in parts if lines
    )


def _sentence(raw: Any) -> str:
    if not isinstance(raw, str):
        return ""
    # JSON can spell what neither a database nor UTF-8 can hold.
    clean = raw.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    return " ".join(clean.split())[:_MAX_CHARACTERS]
