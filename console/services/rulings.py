"""What a reader asks of another fusion beside judge, writer, criteria and seats, and whether it can
be done: all that is wrong with it is said in their words, before anything is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..engine.findings.ruling import STANCE, NamedClaim, find_claim, has_rulings
from ..engine.findings.votes import votes
from ..engine.state import FusionState, RunState
from .errors import Refused
from .runs import clean_text

MAX_NOTE, MAX_FACTS, MAX_FACT, MAX_INSTRUCTION = 500, 20, 1000, 2000
MAX_RULINGS = 200
WAYS = ("fuse", "best", "vote")


@dataclass(frozen=True)
class Ruled:
    """One claim of the analysis of a fusion, `on`: None is that of the whole wish."""

    claim: str
    verdict: str = ""
    note: str = ""
    on: int | None = None

    @property
    def is_empty(self) -> bool:
        return not (self.verdict or self.note.strip())


@dataclass(frozen=True)
class ReaderWish:
    """`rulings` and `facts` that are None are those of the fusion before, since they stay with the
    question; an empty list takes them back. `on`: the fusion that is ruled on, None for the
    latest with an analysis. `preset`: whose judge, writer and criteria are to be taken."""

    rulings: Sequence[Ruled] | None = None
    facts: Sequence[str] | None = None
    on: int | None = None
    way: str = "fuse"
    preset: str = ""
    instruction: str = ""
    analysis_only: bool = False


PLAIN = ReaderWish()


def ruled_on(state: RunState, wish: ReaderWish) -> FusionState | None:
    """The fusion that the wish starts from. Raises Refused."""
    if wish.on is not None:
        fusion = state.fusions.get(wish.on)
        if fusion is None:
            raise Refused(f"There is no fusion {wish.on}.")
        return fusion
    order = [fusion for _, fusion in sorted(state.fusions.items(), reverse=True)]
    return next((fusion for fusion in order if fusion.analysis), order[0] if order else None)


def wished(state: RunState, wish: ReaderWish, answers: Mapping[int, str]) -> dict[str, Any]:
    """As it is stored (`FusionState.wish`). `answers`: those that are to be fused. Raises
    Refused."""
    if wish.way not in WAYS:
        raise Refused(f"There is no way “{wish.way}” to an answer: {', '.join(WAYS)}.")
    if wish.analysis_only and wish.way != "fuse":
        raise Refused("With the analysis only there is nothing to choose or to count.")
    instruction = clean_text(wish.instruction).strip()
    _at_most(instruction, MAX_INSTRUCTION, "An instruction has")
    before = state.fusion.wish if state.fusion else {}
    rulings = before.get("rulings", [])
    if wish.rulings is not None:
        rulings = _rulings(state, wish, wish.rulings)
    facts = before.get("facts", []) if wish.facts is None else _facts(wish.facts)
    found = {
        "rulings": rulings,
        "facts": facts,
        "instruction": instruction,
        "way": "" if wish.way == "fuse" else wish.way,
        "preset": wish.preset,
        "analysis_only": wish.analysis_only,
    }
    asked = {name: value for name, value in found.items() if value}
    _must_be_heeded(asked, answers)
    base = ruled_on(state, wish)
    if base and has_rulings(asked):
        asked["on"] = base.number
    return asked


def _must_be_heeded(asked: Mapping[str, Any], answers: Mapping[int, str]) -> None:
    """Nothing that was asked for is passed over."""
    way = asked.get("way", "fuse")
    if way == "vote" and votes(answers) is None:
        raise Refused(
            "The answers come to no short result that could be counted: a vote is for closed "
            "questions."
        )
    if asked.get("instruction") and (way != "fuse" or asked.get("analysis_only")):
        raise Refused("An instruction is for whoever writes, and this way nothing is written.")


def _rulings(state: RunState, wish: ReaderWish, rulings: Sequence[Ruled]) -> list[dict[str, Any]]:
    given = [ruling for ruling in rulings if not ruling.is_empty]
    if len(given) > MAX_RULINGS:
        raise Refused(f"At most {MAX_RULINGS} claims are ruled on at once.")
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for ruling in given:
        fusion = ruled_on(state, wish if ruling.on is None else ReaderWish(on=ruling.on))
        if fusion is None or not fusion.analysis:
            which = f"Fusion {fusion.number}" if fusion else "This run"
            raise Refused(f"{which} has no analysis to rule on.")
        stored = _ruling(fusion, ruling)
        if (fusion.root, ruling.claim) in found:
            raise Refused(f"“{_short(stored['text'])}” is ruled on twice.")
        found[fusion.root, ruling.claim] = stored
    return list(found.values())


def _ruling(fusion: FusionState, ruling: Ruled) -> dict[str, Any]:
    claim = find_claim(fusion.analysis or {}, ruling.claim)
    if claim is None:
        name = ruling.claim[:60]
        raise Refused(f"The analysis of fusion {fusion.number} has no claim “{name}”.")
    if ruling.verdict and ruling.verdict not in claim.verdicts:
        raise Refused(_no_verdict(claim, ruling.verdict))
    note = clean_text(ruling.note).strip()
    _at_most(note, MAX_NOTE, "A note has")
    stored: dict[str, Any] = {"on": fusion.number, "claim": claim.id, "text": claim.text}
    stored |= {"verdict": ruling.verdict} if ruling.verdict else {}
    stored |= {"note": note} if note else {}
    return stored | ({"stances": list(claim.stances)} if claim.stances else {})


def _no_verdict(claim: NamedClaim, verdict: str) -> str:
    about = f"“{_short(claim.text)}”"
    if claim.stances and verdict.startswith(STANCE):
        return f"{about} has {len(claim.stances)} stances; there is none “{verdict[:40]}”."
    if claim.stances:
        return f"{about} is ruled on by one of its stances, or by none of them."
    return f"{about} is right or wrong; “{verdict[:40]}” is neither."


def _facts(facts: Sequence[str]) -> list[str]:
    given = [text for fact in facts if (text := clean_text(fact).strip())]
    if len(given) > MAX_FACTS:
        raise Refused(f"At most {MAX_FACTS} facts can be added.")
    for fact in given:
        _at_most(fact, MAX_FACT, "A fact has")
    return list(dict.fromkeys(given))


def _at_most(text: str, most: int, what: str) -> None:
    if len(text) > most:
        raise Refused(f"{what} at most {most:,} characters; this one has {len(text):,}.")


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
