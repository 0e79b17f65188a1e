"""The end of what was deleted a week ago: rows, log, and the bytes that they leave in SQLite.

Once a day, by one worker: whoever changes the row of this work first. Where that one is lost in the
middle of it, another goes on within the hour. What budgets hold and have spent stays, since it was;
it names no text.
"""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from ..models import DailyWork, Run, RunDeletion
from ..models.order import KEPT_DAYS
from ..models.runs import Origin, is_unfinished
from ..money.purses import usual_budget_lifted

log = logging.getLogger(__name__)

WORK = "removal"
AGAIN = timedelta(days=1)
WITHIN = timedelta(hours=1)  # it is done, or it was not
LONG_AGO = datetime.fromtimestamp(0, tz=timezone.get_default_timezone())


def claim(name: str = WORK) -> bool:
    """Of several workers one gets it, once a day. Until it says `done` it is due again soon."""
    due = timezone.now() - AGAIN
    DailyWork.objects.get_or_create(name=name, defaults={"done_at": LONG_AGO})
    mine = DailyWork.objects.filter(name=name, done_at__lt=due)
    return bool(mine.update(done_at=due + WITHIN))


def done(name: str = WORK) -> None:
    DailyWork.objects.filter(name=name).update(done_at=timezone.now())


def remove_old() -> list[uuid.UUID]:
    """Those whose rows are gone, for who removes their logs."""
    if not claim():
        return []
    before = timezone.now() - timedelta(days=KEPT_DAYS)
    old = RunDeletion.objects.filter(at__lt=before).values_list("run_id", flat=True)
    # Whose owner is gone have nobody left who could put them back.
    orphans = Run.objects.filter(origin=Origin.DELETED, deletion=None).values_list("pk", flat=True)
    removed = [run_id for run_id in [*old, *orphans] if _is_removed(run_id)]
    done()
    return removed


def _is_removed(run_id: uuid.UUID) -> bool:
    """One that cannot be removed keeps none of the others."""
    try:
        return _remove(run_id)
    except Exception:
        log.exception("run %s is deleted and cannot be removed", run_id)
        return False


def _remove(run_id: uuid.UUID) -> bool:
    with transaction.atomic():
        run = Run.objects.select_for_update().filter(pk=run_id, origin=Origin.DELETED)
        # One that nobody could stop yet waits for another day.
        found = run.exclude(is_unfinished()).first()
        if found is None:
            return False
        found.delete()
        usual_budget_lifted(run_id=run_id)
    return True


def write_over() -> bool:
    """SQLite writes zeros over what is deleted (`secure_delete`), into its file once its journal is
    copied there. False while somebody reads: then a little later."""
    if connection.vendor != "sqlite":
        return True
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        is_busy, *_ = cursor.fetchone()
    return not is_busy
