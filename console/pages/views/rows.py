"""Runs as lines of a list."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Prefetch, QuerySet, prefetch_related_objects

from ... import access
from ...engine.spec import letter
from ...engine.state import CallStatus, Step
from ...engine.usage import money
from ...fragments.sentences import run_word
from ...models import Call, Run
from ...models.runs import Origin
from ...record.newest import Bookmark, Page, beginning, newest, with_beginning
from ...record.order import OrderAsked, RunOrder, in_order, orders_of

NEWEST = OrderAsked()
SHOWN = 160  # characters of a prompt
_MARKS = {CallStatus.COMPLETED.value: "answered", CallStatus.FAILED.value: "failed"}


class RunLine:
    """A run with its seats' letters; everything else is the run's own."""

    def __init__(self, run: Run, order: RunOrder) -> None:
        self.run, self.order = run, order
        self.word = run_word(run.status)
        self.prompt = run.title or beginning(run)
        self.cost = money(run.cost, run.cost_is_partial)
        latest: dict[int, Call] = {}
        for call in run.calls.all():
            if call.seat is not None and call.number >= (
                latest[call.seat].number if call.seat in latest else 0
            ):
                latest[call.seat] = call
        self.seat_marks = [
            {"seat": seat, "letter": letter(seat), "state": _state(latest.get(seat))}
            for seat in range(len(run.spec.get("panel", [])))
        ]


def with_rows(runs: QuerySet[Run]) -> QuerySet[Run]:
    long = ("messages", "histories", "follows_calls", "imported", "template")
    return with_beginning(runs.defer(*long), SHOWN + 1).select_related("owner")


def page_of_rows(
    user: access.Viewer, count: int, asked: OrderAsked = NEWEST, **marks: Bookmark | None
) -> Page:
    """Of all that somebody may see and people asked; `marks` as `newest` takes them."""
    runs = [branch.exclude(origin=Origin.EVALUATION) for branch in access.visible(user)]
    kept = [in_order(branch, user.pk, asked) for branch in runs]
    return newest([with_rows(branch) for branch in kept], count, **marks)


def page_of_evaluations(user: access.Viewer, count: int, **marks: Bookmark | None) -> Page:
    return newest([with_rows(access.evaluations_visible_to(user))], count, **marks)


def run_rows(runs: Iterable[Run], reader_id: int | None = None) -> list[RunLine]:
    """Of runs as `with_rows` finds them; the calls of all are read at once."""
    runs = [*runs]
    calls = Call.objects.filter(step=Step.PANEL).only("run_id", "seat", "number", "status")
    prefetch_related_objects(runs, Prefetch("calls", queryset=calls))
    orders = orders_of([run.pk for run in runs], reader_id)
    return [RunLine(run, orders[run.pk]) for run in runs]


def _state(call: Call | None) -> str:
    return _MARKS.get(call.status, "open") if call else "open"
