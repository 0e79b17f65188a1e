"""The JSON Schema a judge's analysis is asked in.

It is bounded everywhere and scaled to the judge's output limit: a
grammar-constrained small model fills whatever it is allowed to fill, and what
is not finished by the limit is cut off. So the less a judge may write, the
fewer things it is asked for, and the shorter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..spec import letter
from .best import CRITERIA

LONGEST_QUOTE = 200
MOST_OF_SMALL = 3000  # tokens that a small model's analysis is scaled to


@dataclass(frozen=True)
class Room:
    """What fits. `floor`: how many items the main parts have at least, since a small
    model otherwise returns an empty form, and `shortest` a text for the same reason."""

    items: int
    side_items: int  # of every part but consensus and insights
    text: int
    quote: int
    shortest: int
    floor: int
    reason: int  # characters of a rating's reason; 0: no reasons
    # A tiny form lists no seats beside the evidence that names them anyway, and has
    # neither ratings nor findings about the answers themselves.
    lists_seats: bool = True
    is_tiny: bool = False


_ROOMS = (
    (700, Room(1, 1, 80, 60, 15, 1, 0, lists_seats=False, is_tiny=True)),
    (1600, Room(2, 1, 100, 80, 15, 1, 0, lists_seats=False)),
    (3000, Room(3, 2, 200, 120, 3, 0, 100)),
)
_AMPLE = Room(10, 10, 500, LONGEST_QUOTE, 3, 0, 300)


def room_for(max_output_tokens: int | None) -> Room:
    if max_output_tokens is not None:
        for limit, room in _ROOMS:
            if max_output_tokens <= limit:
                return room
    return _AMPLE


def analysis_schema(
    seats: Sequence[int], max_output_tokens: int | None, *, is_short: bool = False
) -> dict[str, Any]:
    """`is_short`: for a small model, which is asked for nothing but what the answers say."""
    most = max_output_tokens or MOST_OF_SMALL
    room = room_for(min(most, MOST_OF_SMALL) if is_short else max_output_tokens)
    seat = {"type": "string", "enum": [letter(s) for s in seats]}

    def text(length: int = room.text) -> dict[str, Any]:
        return {"type": "string", "minLength": min(room.shortest, length), "maxLength": length}

    def several(minimum: int) -> dict[str, Any]:
        return _array(seat, minimum, len(seats))

    evidence = _thing(seat=seat, quote=text(room.quote))

    def by_seats(minimum: int, **about: dict[str, Any]) -> dict[str, Any]:
        named = {"seats": several(minimum)} if room.lists_seats else {}
        least = minimum if room.floor else 0
        most = minimum if room.is_tiny else len(seats)
        return _thing(**about, **named, evidence=_array(evidence, least, most))

    stance = by_seats(1, stance=text())
    insight = _thing(
        insight=text(), seat=seat, evidence=_array(evidence, 1 if room.floor else 0, 1)
    )
    score = {"type": "integer", "enum": [1, 2, 3, 4, 5]}
    rating = _thing(
        seat=seat,
        **dict.fromkeys(CRITERIA, score),
        **({"reason": text(room.reason)} if room.reason else {}),
    )
    parts = {
        "consensus": _array(by_seats(min(2, len(seats)), claim=text()), room.floor, room.items),
        "contradictions": _array(
            _thing(topic=text(), stances=_array(stance, 2, 2 if room.floor else len(seats))),
            0,
            room.side_items,
        ),
        "partial_coverage": _array(by_seats(1, point=text()), 0, room.side_items),
        "unique_insights": _array(insight, room.floor, room.items),
        "blind_spots": _array(text(), room.floor, room.side_items),
    }
    if not (room.is_tiny or is_short):
        parts["ratings"] = _array(rating, len(seats) if room.floor else 0, len(seats))
        parts["injections"] = _array(evidence, 0, 1 if room.floor else len(seats))
    return _thing(**parts)


def _array(item: dict[str, Any], minimum: int, maximum: int) -> dict[str, Any]:
    return {"type": "array", "items": item, "minItems": minimum, "maxItems": maximum}


def _thing(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
