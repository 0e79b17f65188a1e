"""Who holds a run: it is claimed under a lease, given back, or closed by whoever finds that it
need not be carried out.

Plain functions, run in the worker's one database thread. Every one is conditional: of two
who try, one changes a row.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from datetime import timedelta
from functools import cache
from typing import Any, get_args

from django.conf import settings
from django.db import transaction
from django.db.models import DateTimeField, F, Q
from django.utils import timezone

from ..engine.errors import SENTENCES, Reason
from ..engine.events import Event, EventType
from ..engine.findings.ruling import Way
from ..engine.reducer import apply
from ..engine.spec import Panelist
from ..engine.spec_versions import SpecTooNew, SpecUnreadable
from ..engine.state import RunState, RunStatus
from ..engine.steps.fuse import stopped
from ..models import Run
from ..models.money import has_purse
from ..models.prepared import Placeholder, Prepared, count_for
from ..record.asked import Asked, Forgotten, asked, in_context
from ..record.rows import CALL_FIELDS, call_row, run_fields, state_from_rows
from ..record.turns import whose_turn
from ..search import index

log = logging.getLogger(__name__)

# Workers lost one after the other: a run that takes its worker down must not do so for ever.
MAX_ATTEMPTS = 5
# Runs that are not got before a ring is given up: others are rung for.
MAX_PASSED_BY = 50
# So long a run that this version cannot carry out is left to workers that can.
LEFT_TO_NEWER_SECONDS = 30


_LEASE_RAN_OUT = Q(status=RunStatus.RUNNING, lease_until__lt=Placeholder("now", DateTimeField()))
_IT = Q(pk=Placeholder("run", Run._meta.pk))
_OWN = Prepared(
    lambda: Run.objects.filter(
        _IT, _LEASE_RAN_OUT | Q(status=RunStatus.QUEUED, reason=Reason.NEEDS_NEWER_VERSION)
    ).values_list("pk", flat=True)
)
_QUEUED_ONE = Prepared(
    lambda: Run.objects.filter(_IT, status=RunStatus.QUEUED, cancel_requested_at=None)
)
_LOST_ONE = Prepared(lambda: Run.objects.filter(_IT, _LEASE_RAN_OUT, cancel_requested_at=None))
_CLAIMED = Prepared(lambda: Run.objects.filter(_IT).annotate(purse_there=has_purse()))


@cache
def _lost(count: int) -> Prepared:
    """At most so many, those first that were lost first."""
    lost = Run.objects.filter(_LEASE_RAN_OUT).order_by("lease_until")
    return Prepared(lost.values_list("pk", flat=True)[:count].all)


def claim_next(ring: str, besides: Collection[str]) -> tuple[Run, RunState, bool] | None:
    """For who has a free place and heard a ring: the run whose turn it is, or the one it was
    for, where that has lost its holder or was left to a newer version, which this may be.
    `ring` is "" where nobody rang: then any that has lost its holder goes first, since its own
    ring may have been passed by. `besides` are held already."""
    # Of one more than are held one is not held.
    of_it = _OWN if ring else _lost(count_for([*besides, ring]))
    for first in of_it.rows(run=ring, now=timezone.now()):
        if str(first) not in besides:
            return claim(str(first))
    # Each that is not got has been closed, left to others or taken by them.
    for _ in range(MAX_PASSED_BY):
        turn = whose_turn(besides)
        if turn is None:
            break
        if claimed := claim(str(turn)):
            return claimed
    if ring:
        close_cancelled(ring, Q(status=RunStatus.QUEUED))
    return None


def claim(run_id: str) -> tuple[Run, RunState, bool] | None:
    """Take a run that is queued, or whose holder's lease has run out; None if neither, if it
    needs a newer version than this, or if no version can read it: then it is closed.

    The third is whether the holder before, if there was one, has handed it back.
    """
    now = timezone.now()
    queued = Q(status=RunStatus.QUEUED)
    lost = Q(status=RunStatus.RUNNING, lease_until__lt=now)

    taken = {
        "status": RunStatus.RUNNING,
        "attempt": F("attempt") + 1,
        "lease_until": now + lease(),
        "rung_at": None,  # if the lease runs out, the sweeper rings at once
    }

    with transaction.atomic():
        was_queued = bool(_QUEUED_ONE.update(taken, run=run_id))
        if not (was_queued or _LOST_ONE.update(taken, run=run_id, now=now)):
            close_cancelled(run_id, queued | lost)
            return None
        (run,) = _CLAIMED.rows(run=run_id)
        run.has_purse = run.purse_there
        state, unreadable = _read(run)
        is_too_new = isinstance(unreadable, SpecTooNew)
        if is_too_new:
            transaction.set_rollback(True)  # nothing was attempted
        elif run.reason == Reason.NEEDS_NEWER_VERSION:
            run.reason = run.error = ""
            run.save(update_fields=["reason", "error"])
            if state:
                state.reason = state.error = ""
    if is_too_new:
        leave_to_newer(run_id, queued | lost)
        return None
    if unreadable:
        log.error("run %s cannot be read: %s", run.pk, unreadable)
        error = "What it was to ask cannot be read."
        close(run, EventType.RUN_FAILED, reason=Reason.INTERNAL.value, error=error)
        return None
    if run.attempt - run.reopened_after > MAX_ATTEMPTS:
        close(
            run,
            EventType.RUN_FAILED,
            reason=Reason.WORKER_LOST.value,
            error=(f"The worker was lost {MAX_ATTEMPTS} times in the middle of this run."),
        )
        return None
    # A queued one may have lost its holder, too, and have been passed by since.
    was_handed_back = was_queued and run.attempt - 1 == run.reopened_after > 0
    assert state
    return run, state, was_handed_back


def what_is_asked(run: Run) -> Asked | None:
    """None if the run has just been deleted, or if nobody knows any more: then it is closed."""
    try:
        return in_context(asked(run), run.context)
    except Run.DoesNotExist:
        return None
    except Forgotten as forgotten:
        log.error("run %s cannot be asked: %s", run.pk, forgotten)
        error = "The run it goes on from is not there any more."
        close(run, EventType.RUN_FAILED, reason=Reason.INTERNAL.value, error=error)
        return None


def _read(run: Run) -> tuple[RunState | None, SpecUnreadable | None]:
    """Its state, or why it cannot be carried out."""
    try:
        assert run.frozen_spec
        state = state_from_rows(run, whole=True)
    except SpecUnreadable as unreadable:
        return None, unreadable
    if any(fusion.way not in get_args(Way) for fusion in state.fusions.values()):
        return None, SpecTooNew()
    try:
        # Those who were chosen since are not in the spec and have no version of their own.
        for fusion in state.fusions.values():
            for chosen in filter(None, (fusion.judge, fusion.synthesizer)):
                Panelist.from_dict(chosen)
        for call in state.calls.values():
            if call.panelist:
                Panelist.from_dict(call.panelist)
    except SpecUnreadable:
        return None, SpecTooNew()
    return state, None


def leave_to_newer(run_id: str, free: Q) -> None:
    """Back into the queue, saying why. Its attempts stay as they are, and the sweepers wait a
    while: workers of this version would only come to the same end."""
    log.warning("run %s needs a newer version of Fusion: left in the queue", run_id)
    later = timezone.now() + timedelta(seconds=LEFT_TO_NEWER_SECONDS)
    Run.objects.filter(free, pk=run_id).update(
        status=RunStatus.QUEUED,
        lease_until=None,
        rung_at=later,
        reason=Reason.NEEDS_NEWER_VERSION,
        error=SENTENCES[Reason.NEEDS_NEWER_VERSION],
    )


def close_cancelled(run_id: str, free: Q) -> None:
    run = Run.objects.filter(free, pk=run_id).exclude(cancel_requested_at=None).first()
    if run:
        ending, said = stopped(state_from_rows(run))
        close(run, ending, **said)


def close(run: Run, kind: EventType, **data: Any) -> None:
    """End a run nobody is working on."""
    state: RunState = state_from_rows(run)
    apply(state, Event(kind, round(time.time(), 3), data=data))
    with transaction.atomic():
        # Unless its holder has come back from the dead and ended it meanwhile.
        unfinished = Q(status__in=(RunStatus.QUEUED, RunStatus.RUNNING), attempt=run.attempt)
        if not Run.objects.filter(unfinished, pk=run.pk).update(**run_fields(state)):
            return
        for fusion in state.fusions.values():
            run.fusions.filter(number=fusion.number).update(status=fusion.status)
        for call in state.calls.values():
            row = call_row(run.pk, call)
            run.calls.filter(key=call.key).update(
                **{f: getattr(row, f) for f in CALL_FIELDS if f != "fusion"}
            )
        index(run.pk)


def lease() -> timedelta:
    return timedelta(seconds=settings.LEASE_SECONDS)


def release(run_id: Any, attempt: int) -> None:
    """Give the run back; rung again by the sweeper of whoever is there.

    Its rows say all, so readers may begin after this attempt, and attempts that ended
    in order do not count as lost: workers may be stopped as often as anybody likes.
    """
    Run.objects.filter(pk=run_id, attempt=attempt, status=RunStatus.RUNNING).update(
        status=RunStatus.QUEUED, lease_until=None, rung_at=None, reopened_after=attempt
    )


def pass_by(run_id: str) -> None:
    """The ring was heard by a worker that is ending or full: others ring again at once."""
    Run.objects.filter(pk=run_id, status=RunStatus.QUEUED).update(rung_at=None)
