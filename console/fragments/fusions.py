"""The fusions of a run, each under its number, and what may be asked of its answers again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..engine.spec import Panelist, Spec, letter
from ..engine.state import FusionState, RunState, RunStatus
from ..engine.steps.seating import seated
from ..services.expected import Expected
from .figures import count_of
from .sentences import run_word, seats_and, unknown_to_fused


class NoSuchFusion(ValueError):
    """`str()` is a sentence for whoever asked for it."""


@dataclass(frozen=True)
class FusionTab:
    """`how` says how it came about, where it is not the first; `state` is running, done, or what
    it ended as."""

    number: int
    how: str
    state: str


def fusion_tabs(spec: Spec, state: RunState) -> list[FusionTab]:
    return [
        FusionTab(fusion.number, _how(spec, state, fusion), _state(state, fusion))
        for _, fusion in sorted(state.fusions.items())
    ]


def shown_fusion(state: RunState, asked: str) -> int | None:
    """Which is shown: the one that an address asks for, else the latest; as long as that has no
    text, the one before it that has. Raises NoSuchFusion."""
    if asked:
        found = next((n for n in state.fusions if str(n) == asked), None)
        if found is None:
            there = ", ".join(map(str, sorted(state.fusions)))
            raise NoSuchFusion(
                f"This run has no fusion {asked[:20]}. It has: {there or 'none yet'}."
            )
        return found
    latest = state.fusion
    if latest is None:
        return None
    if latest.status is RunStatus.COMPLETED or latest.status.is_final and state.has_answer(latest):
        return latest.number
    return fusion_before(state, latest.number) or latest.number


def fusion_before(state: RunState, number: int | None) -> int | None:
    """The one before it that gave a text, too."""
    earlier = [n for n, fusion in state.fusions.items() if state.has_answer(fusion)]
    return max((n for n in earlier if n < (number or 0)), default=None)


def _state(state: RunState, fusion: FusionState) -> str:
    if not fusion.status.is_final:
        return "running"
    return "done" if state.has_answer(fusion) else run_word(fusion.status.value)


def _how(spec: Spec, state: RunState, fusion: FusionState) -> str:
    """In a word or two; all that was asked stands below."""
    if after := fusion.turn.get("after"):
        return f"goes on from {after}"
    if fusion.number == 1:
        return ""
    if words := _of_wish(fusion.wish):
        return words
    answered = {seat for seat in range(len(spec.panel)) if state.answer(seat)}
    if fusion.seats and not answered <= set(fusion.seats):
        return f"of {seats_and(fusion.seats)}"
    for meant, given, words in (
        (spec.writer, fusion.synthesizer, "written by"),
        (spec.judge, fusion.judge, "judged by"),
    ):
        if given and given.get("model") != meant.model:
            return f"{words} {Panelist.from_dict(given).short_name}"
    return "other criteria" if fusion.criteria != spec.criteria else ""


def _of_wish(wish: Mapping[str, Any]) -> str:
    """What a reader asked of it beyond judge, writer, criteria and seats."""
    said = [count_of(len(wish[name]), name[:-1]) for name in ("rulings", "facts") if wish.get(name)]
    if said:
        return f"with {' and '.join(said)}"
    if wish.get("analysis_only"):
        return "analysis only"
    if way := _WAYS.get(wish.get("way", "")):
        return way
    if preset := wish.get("preset"):
        return f"as {preset}"
    return "by an instruction" if wish.get("instruction") else ""


_WAYS = {"best": "best answer", "vote": "vote"}


@dataclass(frozen=True)
class Askable:
    """`name` is who gave the answer, `seated` who is asked next: nobody, where an answer from
    elsewhere sits."""

    seat: int
    letter: str
    name: str
    seated: str
    has_answer: bool
    may_be_asked: bool


def askable(spec: Spec, state: RunState) -> list[Askable]:
    askable = []
    for seat in range(len(spec.panel)):
        answer, now = state.answer(seat), seated(spec, state, seat)
        answered = Panelist.from_dict(answer.panelist) if answer else now
        names = spec.name_of(seat, answered), spec.name_of(seat, now)
        has_answer, may_be_asked = answer is not None, not now.is_brought
        askable.append(Askable(seat, letter(seat), *names, has_answer, may_be_asked))
    return askable


@dataclass(frozen=True)
class FuseAgain:
    """All answers there are, fused anew. `asks` says whose calls that takes, `price` what they
    will cost and take. `can_be`: there is a judge."""

    label: str
    price: str
    asks: str
    can_be: bool


def fuse_again(spec: Spec, state: RunState, expected: Expected | None = None) -> FuseAgain:
    unknown = unknown_to_fused(spec, state)
    without = state.fusion.without if state.fusion else []
    label = "Fuse all answers"
    if unknown and all(call.key in without for call in unknown.values()):
        label = f"Fuse with {seats_and(sorted(unknown))} too"
    price = expected.words if expected else ""
    return FuseAgain(label, price, _asks(spec), can_be=spec.has_judge or bool(state.fusions))


def _asks(spec: Spec) -> str:
    asked = [p.short_name for p in (spec.judge, spec.writer) if p.can_judge]
    if not asked:
        return "No model is called: it is done by the answers' own words."
    who = " and ".join(dict.fromkeys(asked))
    if spec.judge.can_judge and spec.writer.can_judge:
        return f"Only judge and writer are called: {who}."
    return f"Only the {'judge' if spec.judge.can_judge else 'writer'} is called: {who}."
