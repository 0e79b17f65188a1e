"""What a reader says of an analysis: which claims hold and which do not, and what they know.

A claim goes by its part of the analysis and its place in it, from 1: `contradictions-2`. Of a
contradiction one stance is right (`stance-1` …) or `none`, everything else is `right` or `wrong`.
What was ruled on is kept in its words, since a later analysis has others.

    rulings  [{on, claim, verdict, note, text, stances}]
    facts    [sentence]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .analysis import PARTS, TEXTS

RIGHT, WRONG, NONE_OF_THESE, STANCE = "right", "wrong", "none", "stance-"
Way = Literal["fuse", "best", "vote"]


@dataclass(frozen=True)
class NamedClaim:
    id: str
    text: str
    stances: tuple[str, ...] = ()

    @property
    def verdicts(self) -> list[str]:
        if self.stances:
            return [*(f"{STANCE}{n + 1}" for n in range(len(self.stances))), NONE_OF_THESE]
        return [RIGHT, WRONG]


def find_claim(analysis: Mapping[str, Any], name: str) -> NamedClaim | None:
    part, _, place = name.rpartition("-")
    if part not in PARTS or not (place.isascii() and place.isdigit() and len(place) < 5):
        return None
    items = analysis.get(part) or []
    if not 1 <= int(place) <= len(items) or str(int(place)) != place:
        return None
    item = items[int(place) - 1]
    key = TEXTS[part]
    stances = item["stances"] if part == "contradictions" else []
    return NamedClaim(name, item[key] if key else item, tuple(s["stance"] for s in stances))


def has_words(wish: Mapping[str, Any]) -> bool:
    """Whether there is anything that only who can read will heed."""
    return any(wish.get(name) for name in ("rulings", "facts", "instruction"))


def has_rulings(wish: Mapping[str, Any]) -> bool:
    return bool(wish.get("rulings") or wish.get("facts"))


@dataclass(frozen=True)
class Voice:
    """Who says it: the reader of themselves, or we of the reader."""

    holds: str
    notes: str
    adds: str


OF_THE_READER = Voice("The reader holds", "The reader's note", "The reader adds")
OF_MINE = Voice("I hold", "My note", "I add")


def told(wish: Mapping[str, Any], voice: Voice = OF_THE_READER) -> str:
    """Rulings and facts as a model reads them. What is ruled on was written by models: each on
    one line, so that no words of theirs pass for the reader's."""
    lines = []
    for ruling in wish.get("rulings", ()):
        lines += _ruled(ruling, voice)
    lines += [f"- {voice.adds}: {_indented(fact)}" for fact in wish.get("facts", ())]
    return "\n".join(lines)


def _ruled(ruling: Mapping[str, Any], voice: Voice) -> list[str]:
    part = ruling["claim"].rpartition("-")[0]
    stances, verdict = ruling.get("stances", []), ruling.get("verdict", "")
    what = "Missed by all" if part == "blind_spots" else "Question" if stances else "Claim"
    lines = [f"- {what}: “{_one_line(ruling['text'])}”"]
    lines += [f"  Position {n + 1}: “{_one_line(text)}”" for n, text in enumerate(stances)]
    if verdict:
        lines.append(f"  {voice.holds}: {_sentence(part, verdict)}")
    if note := ruling.get("note"):
        lines.append(f"  {voice.notes}: {_indented(note)}")
    return lines


def _sentence(part: str, verdict: str) -> str:
    if verdict == NONE_OF_THESE:
        return "none of these positions is right."
    if verdict.startswith(STANCE):
        number = int(verdict.removeprefix(STANCE))
        return f"position {number} is right, and what contradicts it is not."
    if part == "blind_spots":
        return "this belongs in." if verdict == RIGHT else "this does not matter here."
    return "this is right." if verdict == RIGHT else "this is wrong."


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _indented(text: str) -> str:
    return "\n    ".join(line.strip() for line in text.strip().splitlines() if line.strip())


def claim_by_words(analysis: Mapping[str, Any], text: str) -> str:
    """The claim that says it in these very words; "" where there is none. A later analysis counts
    its claims anew."""
    for part, key in TEXTS.items():
        for place, item in enumerate(analysis.get(part) or [], start=1):
            if (item[key] if key else item) == text:
                return f"{part}-{place}"
    return ""
