"""The rows of a run, as its recorder has them saved: one transaction, in a thread."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import PositiveIntegerField

from ..catalog.paying import remember_who_pays
from ..engine.errors import LeaseLost
from ..engine.state import RunState, RunStatus
from ..models import Call, Fusion, Run
from ..models.prepared import Placeholder, Prepared, Upsert
from ..money.asking import Answer, Denied
from ..record.rows import CALL_FIELDS, FUSION_FIELDS, call_row, fusion_row, run_fields
from ..search import index

log = logging.getLogger(__name__)

T = TypeVar("T")

# The database is away or too busy, and worth waiting for. Whatever else it says about a
# row it would say again.
AWAY = (OperationalError, InterfaceError)


async def patiently(work: Callable[[], Awaitable[T]], who: str) -> T:
    delay = 0.2
    while True:
        try:
            return await work()
        except AWAY as error:
            log.error("%s waits for the database: %s", who, error)
            await asyncio.sleep(delay)
            delay = min(delay * 2, 5)


def rows_of(
    run_id: Any, state: RunState, keys: set[str], *, final: bool, fusions: bool
) -> tuple[list[tuple[int | None, Call]], list[Fusion], dict[str, Any]]:
    """What `save` is to write of these calls, of the fusions and of the run itself."""
    calls = [
        (call.fusion, call_row(run_id, call)) for key, call in state.calls.items() if key in keys
    ]
    judgings = [fusion_row(run_id, state, f) for f in state.fusions.values() if fusions]
    its_own = run_fields(state) if final or not state.status.is_final else {}
    # Kept by whoever researches before it is told, so that the row may be ahead of this state.
    its_own.pop("research", None)
    return calls, judgings, its_own


_CALLS = Upsert(Call, unique=["run", "key"], update=CALL_FIELDS)
_FUSIONS = Upsert(Fusion, unique=["run", "number"], update=FUSION_FIELDS)
_MINE = Prepared(
    lambda: Run.objects.filter(
        pk=Placeholder("run", Run._meta.pk),
        attempt=Placeholder("held", PositiveIntegerField()),
        status=RunStatus.RUNNING,
    )
)


def save(
    run_id: Any,
    attempt: int,
    calls: list[tuple[int | None, Call]],
    fusions: list[Fusion],
    fields: dict[str, Any],
    booking: Callable[[], dict[str, Answer]] = dict,
) -> dict[str, Answer]:
    """One transaction, `booking` in it: calls that it denies are not saved. Raises LeaseLost when
    another attempt owns the run."""
    with transaction.atomic():
        if not _MINE.update(fields or {"attempt": attempt}, run=run_id, held=attempt):
            raise LeaseLost
        if fusions:
            _FUSIONS.write(fusions)
        # Those that are saved have a number now, whether they were there before or not; an older
        # SQLite does not tell it, and is asked.
        numbers = {fusion.number: fusion.pk for fusion in fusions if fusion.pk}
        answers = _save_calls(run_id, calls, numbers, booking) if calls else {}
        if "status" in fields:  # its end
            index(run_id)
    return answers


def _save_calls(
    run_id: Any,
    calls: list[tuple[int | None, Call]],
    ids: dict[int, int],
    booking: Callable[[], dict[str, Answer]],
) -> dict[str, Answer]:
    answers = booking()
    denied = {key for key, answer in answers.items() if isinstance(answer, Denied)}
    calls = [(number, row) for number, row in calls if row.key not in denied]
    if not calls:
        return answers
    if any(number and number not in ids for number, _ in calls):
        ids = dict(Fusion.objects.filter(run_id=run_id).values_list("number", "pk"))
    for number, row in calls:
        row.fusion_id = ids[number] if number else None
    remember_who_pays([row for _, row in calls])
    _CALLS.write([row for _, row in calls])
    return answers
