"""Questions as lines of a list: each a run with what goes on from it folded in, and where it was
found the passage that was looked for."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.db.models.functions import Left
from django.urls import reverse
from django.utils import timezone

from ... import access
from ...engine.usage import money
from ...fragments.figures import count_of
from ...models import Fusion, Run
from ...models.prepared import Prepared, among, count_for, each
from ...record.newest import NOTHING, Bookmark, KeptList, Page
from ...record.order import RunOrder, orders_of
from ...record.questions import Lineage, last_of, lines
from ...record.titles import first_line, title_of
from ...search import find
from ...search.places import FoundText, places_of
from ..search_form import Search
from .rows import RunLine, asked_by_people, panel_of, run_rows, with_rows

ANSWER_READ = 600  # characters of a fused answer, for its first line
_FusionRead = tuple[str, Mapping[str, Any]]  # its text's beginning, and what was wished
MOST_CHOSEN = 500  # questions that something is done to at a time


class QuestionLine:
    """`asked` is the question as it was asked first, `last` what stands for it in the list: its
    last follow-up, or the one that was found."""

    def __init__(
        self,
        asked: RunLine,
        fusions: Sequence[_FusionRead],
        last: Run,
        line: Lineage | None,
        order: RunOrder,
    ) -> None:
        self.asked, self.run, self.last = asked, asked.run, last
        self.title = asked.run.title or title_of(asked.prompt)
        self.order = order
        self.follow_ups = line.number if line else 0
        self.cost = money(line.cost, line.cost_is_partial) if line else asked.cost
        texts = [text for text, _ in reversed(fusions)]
        self.answer = next((said for text in texts if (said := first_line(text))), "")
        self.notes = [*_notes(asked, fusions)]
        self.names = _names(asked.run)
        self.place: FoundText | None = None
        self.is_among_archived = False
        self.address = reverse("run-detail", args=[asked.run.pk])

    @property
    def last_address(self) -> str:
        return reverse("run-detail", args=[self.last.pk])

    @property
    def time_group(self) -> str:
        """Under which it stands, in the site's time zone."""
        then, now = timezone.localtime(self.last.created_at), timezone.localtime()
        if then.date() == now.date():
            return "Today"
        if then.isocalendar()[:2] == now.isocalendar()[:2]:
            return "This week"
        return f"{then:%B}" if then.year == now.year else f"{then:%B %Y}"

    @property
    def is_put_aside(self) -> bool:
        """Said where it was found among others."""
        return self.order.is_archived and not self.is_among_archived

    @property
    def place_in_thread(self) -> str:
        return f"follow-up {self.follow_ups}" if self.place and self.follow_ups else ""

    def was_found(self, place: FoundText, words: str) -> None:
        """It opens there, with what was looked for marked. The row's own title is read above."""
        self.place = place if place.kind != "title" or self.follow_ups else None
        asked = f"{place.address}&" if place.address else ""
        self.address = reverse("run-detail", args=[self.last.pk])
        self.address += f"?{asked}{urlencode({'q': words})}#{place.anchor}"


@dataclass(frozen=True)
class FoundPage:
    """`older`: where the next one begins; `best_of`: of how many matches these are the best."""

    rows: list[QuestionLine]
    older: int | None
    best_of: int


def _lasts(reader: access.Viewer) -> list[QuerySet[Run]]:
    readable = access.is_readable_by(reader)
    return [last_of(with_rows(branch), readable) for branch in asked_by_people(reader)]


_QUESTIONS = KeptList(_lasts)


def page_of_questions(user: access.Viewer, count: int, **marks: Bookmark | None) -> Page:
    """Of `asked_by_people`, each question once; `marks` as `newest` takes them."""
    return _QUESTIONS.newest(user, count, **marks) if access.is_member(user) else NOTHING


def found_questions(
    user: access.Viewer, search: Search, count: int, before: int | None
) -> FoundPage:
    found = find(
        user, search.query, search.filters, count=count, before=before, by_rank=search.by_rank
    )
    keys = [hit.run for hit in found.hits]
    runs = {run.pk: run for run in with_rows(access.runs_visible_to(user).filter(pk__in=keys))}
    rows = question_rows(user, [runs[key] for key in keys if key in runs])
    places = places_of([row.last.pk for row in rows], search.query)
    for row in rows:
        row.is_among_archived = "archived" in search.given
        if place := places.get(row.last.pk):
            row.was_found(place, search.query.text)
        elif search.query.terms:
            row.address = row.last_address
    return FoundPage(rows, found.before, found.best_of)


@dataclass(frozen=True)
class FittingQuestions:
    """What a list would show on all of its pages: of each question the run that stands for it."""

    runs: tuple[uuid.UUID, ...]
    are_more: bool

    @property
    def number(self) -> str:
        return f"the newest {len(self.runs):,}" if self.are_more else f"all {len(self.runs):,}"


def all_that_fit(user: access.Viewer, search: Search) -> FittingQuestions:
    """The newest of them, if they are too many."""
    readable = access.runs_visible_to(user)
    if search.is_on:
        found = find(user, search.query, search.filters, count=2 * MOST_CHOSEN)
        keys = [hit.run for hit in found.hits]
        known = {run.pk: run for run in readable.filter(pk__in=keys).only("follows_id")}
        runs = [known[key] for key in keys if key in known]
    else:
        runs = page_of_questions(user, MOST_CHOSEN + 1).runs
    line_of = lines(runs, readable)
    of_each: dict[uuid.UUID, uuid.UUID] = {}
    for run in runs:
        line = line_of.get(run.pk)
        of_each.setdefault(line.first if line else run.pk, run.pk)
    fit = (*of_each.values(),)
    return FittingQuestions(
        fit[:MOST_CHOSEN], len(fit) > MOST_CHOSEN or len(runs) == 2 * MOST_CHOSEN
    )


def question_rows(user: access.Viewer, runs: Sequence[Run]) -> list[QuestionLine]:
    """One line a question, however many of these runs are of it; the first of them stands for it.
    Of one that went on in two ways there may be another line on another page."""
    readable = access.runs_visible_to(user)
    line_of = lines(runs, readable)
    firsts = {line.first for line in line_of.values()} - {run.pk for run in runs}
    known = {run.pk: run for run in runs}
    if firsts:
        known |= {run.pk: run for run in with_rows(readable.filter(pk__in=firsts))}
    last: dict[uuid.UUID, Run] = {}
    for run in runs:
        line = line_of.get(run.pk)
        last.setdefault(line.first if line and line.first in known else run.pk, run)
    fusions = _fusions_of(last)
    orders = orders_of({*last, *(run.pk for run in last.values())}, user.pk)
    return [
        QuestionLine(
            row,
            fusions[row.run.pk],
            run,
            line_of.get(run.pk),
            _together(orders[row.run.pk], orders[run.pk]),
        )
        for row in run_rows([known[key] for key in last])
        for run in [last[row.run.pk]]
    ]


def _together(first: RunOrder, last: RunOrder) -> RunOrder:
    """What is kept of a question and of its last follow-up."""
    return RunOrder(
        sorted({*first.tags, *last.tags}),
        first.is_starred or last.is_starred,
        last.is_archived,  # by which it is in the list or out of it
    )


@cache
def _fusions(count: int) -> Prepared:
    theirs = among("run", Run._meta.pk, count)
    fusions = Fusion.objects.filter(theirs).order_by("number")
    return Prepared(fusions.values_list("run", Left("text", ANSWER_READ), "wish").all)


def _fusions_of(runs: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[_FusionRead]]:
    found: dict[uuid.UUID, list[_FusionRead]] = defaultdict(list)
    if keys := [*runs]:
        for run, text, wish in _fusions(count_for(keys)).rows(**each("run", keys)):
            found[run].append((text, wish))
    return found


def _notes(row: RunLine, fusions: Sequence[_FusionRead]) -> Iterable[str]:
    """How it stands, where that is not simply answered by everybody."""
    if row.run.status == "completed" and row.failed:
        yield f"without {', '.join(row.failed)}"
    if len(fusions) > 1:
        yield count_of(len(fusions), "fusion")
    rulings = max((len(wish.get("rulings", [])) for _, wish in fusions), default=0)
    if rulings:
        yield count_of(rulings, "ruling")


def _names(run: Run) -> str:
    return ", ".join(
        str(seat.get("label") or _short(str(seat.get("model", "")))) for seat in panel_of(run)
    )


def _short(model: str) -> str:
    return model.rpartition("/")[2]
