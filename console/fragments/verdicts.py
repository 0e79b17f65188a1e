"""What people found best of a run's answers, under them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..engine.spec import Spec, letter
from ..engine.state import RunState
from ..models import Verdict

WORDS = {"tie": "tie", "all_bad": "all bad"}


@dataclass(frozen=True)
class VerdictChoice:
    value: str
    word: str
    seat: int | None
    name: str
    is_chosen: bool


@dataclass(frozen=True)
class Others:
    """What another found: `who` is "" of a verdict that came with a run that was taken along."""

    who: str
    word: str
    seat: int | None
    note: str


@dataclass(frozen=True)
class VerdictsView:
    choices: list[VerdictChoice]
    best: str
    note: str
    others: list[Others]


def verdicts(
    spec: Spec, state: RunState, rows: Iterable[Verdict], reader_id: int | None
) -> VerdictsView | None:
    """None where there are no two answers of which one could be better."""
    seats = [seat for seat in range(len(spec.panel)) if state.answer(seat)]
    if len(seats) < 2:
        return None
    own, others = None, []
    for row in rows:
        if row.person_id is not None and row.person_id == reader_id:
            own = row
        else:
            others.append(_of_another(row))
    best = own.best if own else ""
    names = spec.seat_names()
    choices = [VerdictChoice(letter(s), letter(s), s, names[s], best == letter(s)) for s in seats]
    choices += [VerdictChoice(v, word, None, word, best == v) for v, word in WORDS.items()]
    return VerdictsView(choices, best, own.note if own else "", others)


def _of_another(row: Verdict) -> Others:
    letters = {letter(seat): seat for seat in range(8)}
    who = row.person.get_username() if row.person else ""
    return Others(who, WORDS.get(row.best, row.best), letters.get(row.best), row.note)
