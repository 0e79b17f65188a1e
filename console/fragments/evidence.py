"""What a judge's claims rest on, as the page shows it: quotes, their standing, ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine.spec import letter
from . import figures
from .seats import SeatView


@dataclass(frozen=True)
class Quote:
    """`words` is what stands in the answer itself, where the quote was found in it."""

    seat: SeatView
    text: str
    verified: bool
    words: str
    found_in: str


@dataclass(frozen=True)
class Standing:
    """How a claim stands by its quotes, in the words people read. `has_lost`: one of them stands
    not where it is said to; that nobody quoted a seat is no fault."""

    key: str
    word: str
    has_lost: bool = False


@dataclass(frozen=True)
class Rating:
    seat: SeatView
    scores: list[int | None]
    reason: str


def standing(item: Mapping[str, Any]) -> Standing | None:
    """None for what was judged before quotes were asked for."""
    given = item.get("evidence", [])
    lost = sum(not one.get("verified") for one in given)
    match key := item.get("standing", ""):
        case "supported":
            return Standing(key, "quotes found")
        case "partly" if lost:
            return Standing(key, f"{figures.count_of(lost, 'quote')} not found", has_lost=True)
        case "partly":
            seats = {*item["seats"]}
            quoted = seats & {one["seat"] for one in given}
            return Standing(key, f"{len(quoted)} of {len(seats)} quoted")
        case "unverified" if given:
            return Standing(key, "no quote found", has_lost=True)
        case "unverified":
            return Standing(key, "no quote given")
    return None


def quotes(
    given: Sequence[Mapping[str, Any]], seats: Sequence[SeatView], answers: Mapping[int, str]
) -> list[Quote]:
    by_number = {seat.seat: seat for seat in seats}
    quotes = []
    for item in given:
        seat = by_number.get(item["seat"])
        if seat is None:
            continue
        verified = bool(item.get("verified"))
        elsewhere = item.get("found_in")
        quotes.append(
            Quote(
                seat=seat,
                text=item["quote"],
                verified=verified,
                words=answers.get(seat.seat, "")[item["start"] : item["end"]] if verified else "",
                found_in="" if elsewhere is None else letter(elsewhere),
            )
        )
    return quotes


def ratings(given: Sequence[Mapping[str, Any]], seats: Sequence[SeatView]) -> list[Rating]:
    by_number = {seat.seat: seat for seat in seats}
    return [
        Rating(
            by_number[item["seat"]],
            [item.get(key) for key in ("factual_accuracy", "depth", "structure", "coverage")],
            item.get("reason", ""),
        )
        for item in given
        if item["seat"] in by_number
    ]
