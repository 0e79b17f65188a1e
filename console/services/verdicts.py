"""What somebody found best of a run's answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from django.contrib.auth.models import User
from django.db import transaction

from ..engine.spec import letter
from ..models import Run, Verdict
from ..models.prepared import Placeholder, Prepared
from ..record.rows import state_from_rows
from ..search import index
from .errors import Refused
from .others import others_did_to
from .runs import clean_text, spec_of

TIE, ALL_BAD = "tie", "all_bad"
MAX_NOTE = 500


@dataclass(frozen=True)
class WhatWasSeen:
    """`names`: whether the models were named; `order`: the letters as they stood, all of them
    where nothing else is said; `look`: what filled the window."""

    names: bool = True
    order: Sequence[str] = ()
    look: str = ""


def verdicts_of(run: Run) -> Iterator[Verdict]:
    """With whoever gave each; asked for when somebody looks at the first."""
    yield from _OF_RUN.rows(run=run.pk)


_OF_RUN = Prepared(
    lambda: Verdict.objects.filter(run=Placeholder("run", Run._meta.pk)).select_related("person")
)


def verdict_set(*, run: Run, person: User, best: str, note: str = "", seen: WhatWasSeen) -> Verdict:
    """A person has one, which this changes. `best` is a letter, `TIE` or `ALL_BAD`. Raises
    Refused."""
    answers = _answers(run)
    if best not in {*answers, TIE, ALL_BAD}:
        is_seat = best in map(letter, range(len(spec_of(run).panel)))
        raise Refused(
            f"{best} has no answer that could be the best."
            if is_seat
            else f"Name one of {', '.join(answers)}, {TIE} or {ALL_BAD}."
        )
    note = clean_text(note).strip()
    if len(note) > MAX_NOTE:
        raise Refused(f"A note has at most {MAX_NOTE} characters.")
    order = list(seen.order) or list(answers)
    if sorted(order) != sorted(set(order)) or not set(order) <= set(answers):
        raise Refused(f"The order names each of {', '.join(answers)} at most once, and no other.")
    what_was_seen = asdict(seen) | {"order": order}
    with transaction.atomic():
        verdict, _ = Verdict.objects.update_or_create(
            run=run,
            person=person,
            defaults={"best": best, "note": note, "answers": answers, "seen": what_was_seen},
        )
        index(run.pk)
        others_did_to(run, by=person)
    return verdict


def verdict_take_back(*, run: Run, person: User) -> None:
    with transaction.atomic():
        Verdict.objects.filter(run=run, person=person).delete()
        index(run.pk)


def _answers(run: Run) -> dict[str, str]:
    """Letter -> the key of the call that is judged. Raises Refused where none can be."""
    if run.is_read_only:
        what = "A sample" if run.is_sample else "An imported run"
        raise Refused(f"{what} is only there to be read: what is found best of it is not kept.")
    if not run.is_final:
        raise Refused("Which answer is best can be said when the run has ended.")
    state = state_from_rows(run)
    seats = range(len(spec_of(run).panel))
    answers = {letter(seat): call.key for seat in seats if (call := state.answer(seat))}
    if len(answers) < 2:
        raise Refused("There are no two answers of which one could be better.")
    return answers
