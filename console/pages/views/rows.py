"""Runs as lines of a list."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTransform
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from ... import access
from ...engine.spec import letter
from ...engine.state import CallStatus, Step
from ...engine.usage import money
from ...fragments.sentences import run_word
from ...models import Call, Run
from ...models.prepared import Prepared, among, count_for, each
from ...models.runs import Origin
from ...record.newest import NOTHING, Bookmark, KeptList, Page, beginning, newest, with_beginning
from ...record.order import OrderAsked, RunOrder, in_order, orders_of

NEWEST = OrderAsked()
SHOWN = 160  # characters of a prompt
TOLD = (
    *("title", "preset_name", "status", "origin", "created_at", "follows"),
    *("cost", "cost_is_partial", "owner__username"),
)
_MARKS = {CallStatus.COMPLETED.value: "answered", CallStatus.FAILED.value: "failed"}


@cache
def _chip(seat: int, state: str) -> SafeString:
    """A seat's letter: sixty on a page, and few that differ."""
    html = '<span class="chip" data-seat="{}" data-state="{}">{}<span class="visually-hidden"> {}'
    return format_html(html + "</span></span>", seat, state, letter(seat), state)


class RunLine:
    """A run with its seats' letters; everything else is the run's own."""

    def __init__(self, run: Run, order: RunOrder, statuses: Mapping[int, str]) -> None:
        self.run, self.order = run, order
        self.word = run_word(run.status)
        self.prompt = run.title or beginning(run)
        self.cost = money(run.cost, run.cost_is_partial)
        seats = range(len(panel_of(run)))
        states = [_MARKS.get(statuses.get(seat, ""), "open") for seat in seats]
        self.failed = [letter(seat) for seat, state in enumerate(states) if state == "failed"]
        self.chips = mark_safe("".join(_chip(seat, state) for seat, state in enumerate(states)))


def with_rows(runs: QuerySet[Run]) -> QuerySet[Run]:
    """With what a line tells of them, and nothing else: a run has many columns, and long ones. Of
    its specification, with all prompts some 7 KB, that is the panel."""
    told = runs.select_related("owner").only(*TOLD).annotate(panel=KeyTransform("panel", "spec"))
    return with_beginning(told, SHOWN + 1)


def panel_of(run: Run) -> Sequence[Mapping[str, Any]]:
    """Of a run that was asked for `with_rows`; none of one whose specification has none."""
    return run.panel or []  # type: ignore[attr-defined]


def asked_by_people(reader: access.Viewer) -> list[QuerySet[Run]]:
    """All that somebody may see and people asked, and that they have not put away."""
    return [
        in_order(branch.exclude(origin=Origin.EVALUATION), reader.pk, NEWEST)
        for branch in access.visible(reader)
    ]


_ROWS = KeptList(lambda reader: [with_rows(branch) for branch in asked_by_people(reader)])


def page_of_rows(user: access.Viewer, count: int) -> Page:
    """Of `asked_by_people`."""
    return _ROWS.newest(user, count) if access.is_member(user) else NOTHING


def page_of_evaluations(user: access.Viewer, count: int, **marks: Bookmark | None) -> Page:
    return newest([with_rows(access.evaluations_visible_to(user))], count, **marks)


@cache
def _calls_of(count: int) -> Prepared:
    theirs = among("run", Run._meta.pk, count)
    calls = Call.objects.filter(theirs, step=Step.PANEL, seat__isnull=False).order_by("number")
    return Prepared(calls.values_list("run", "seat", "status").all)


def run_rows(runs: Iterable[Run], reader_id: int | None = None) -> list[RunLine]:
    """Of runs as `with_rows` finds them; the calls of all are read at once."""
    runs = [*runs]
    keys = [run.pk for run in runs]
    orders = orders_of(keys, reader_id)
    last: dict[uuid.UUID, dict[int, str]] = defaultdict(dict)
    if keys:
        for run, seat, status in _calls_of(count_for(keys)).rows(**each("run", keys)):
            last[run][seat] = status
    return [RunLine(run, orders[run.pk], last[run.pk]) for run in runs]
