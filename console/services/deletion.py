"""Deleting runs, and putting them back for as long as they are not really gone.

Who deletes one takes it out of everybody's reach at once (`models.order.RunDeletion`); a worker
makes an end of it after a week (`worker/removal.py`).
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from ..models import ApiToken, Run, RunDeletion, Visibility
from ..models.order import KEPT_DAYS
from ..models.runs import Origin
from ..search import forget, index
from .errors import Refused
from .runs import run_cancel

MOST = 1_000  # runs at a time


def question_of(runs: Sequence[Run]) -> list[Run]:
    """With each all that goes on from it and is its owner's. What others asked on stays: it keeps
    what it needs of the runs before it."""
    found = {run.pk: run for run in runs}
    latest = [*runs]
    while latest and len(found) < MOST:
        after = Run.objects.filter(follows__in=[run.pk for run in latest])
        owners = {run.pk: run.owner_id for run in latest}
        latest = [
            run
            for run in after.exclude(pk__in=found)[:MOST]
            if run.owner_id is not None
            and run.follows_id
            and owners[run.follows_id] == run.owner_id
        ]
        found |= {run.pk: run for run in latest}
    return [*found.values()]


def runs_delete(*, runs: Sequence[Run], by: User | None) -> uuid.UUID:
    """With what goes on from them. Whoever calls has asked whether `by` may. Returns the act by
    which they are put back. A run under way is stopped. Raises Refused."""
    act, now = uuid.uuid4(), timezone.now()
    for run in runs:
        if run.is_sample:
            raise Refused("The sample is removed from its own page.")
    with transaction.atomic():
        for run in question_of(runs):
            if not run.is_final:
                run_cancel(run=run)
            _take_out(run, by=by, act=act, now=now)
    return act


def _take_out(run: Run, *, by: User | None, act: uuid.UUID, now: datetime) -> None:
    held = Run.objects.select_for_update().filter(pk=run.pk).first()
    if held is None or held.origin == Origin.DELETED:
        return  # by somebody else, meanwhile
    kept = {
        "origin": held.origin,
        "visibility": held.visibility,
        "token": held.token_id,
        "idempotency_key": held.idempotency_key,
    }
    RunDeletion.objects.create(
        run=held,
        owner_id=held.owner_id,
        by=by,
        act=act,
        at=now,
        kept=kept,
    )
    Run.objects.filter(pk=held.pk).update(
        owner=None,
        visibility=Visibility.PRIVATE,
        origin=Origin.DELETED,
        token=None,
        idempotency_key=None,
    )
    forget([held.pk])


def deleted_by(person: User) -> QuerySet[RunDeletion]:
    """What a person can put back: their own, whoever deleted it, and what they deleted."""
    since = timezone.now() - timedelta(days=KEPT_DAYS)
    mine = Q(owner=person) | Q(by=person)
    return RunDeletion.objects.filter(mine, at__gte=since).select_related("run")


def runs_put_back(*, act: uuid.UUID, person: User) -> list[uuid.UUID]:
    """All that was deleted by that act. Raises Refused where nothing is left of it."""
    with transaction.atomic():
        deletions = deleted_by(person).filter(act=act).select_related(None)
        found = [*deletions.select_for_update().order_by("pk")]
        for deletion in found:
            _put_back(deletion)
    if not found:
        raise Refused("It was put back already, or is gone for good.")
    return [deletion.run_id for deletion in found]


def _put_back(deletion: RunDeletion) -> None:
    kept = deletion.kept
    token = ApiToken.objects.filter(pk=kept.get("token")).first()
    key = kept.get("idempotency_key") if token else None
    run = Run.objects.filter(pk=deletion.run_id, origin=Origin.DELETED)
    visibility = kept["visibility"]
    if run.filter(leaves_with_project=True, project=None).exists():
        visibility = Visibility.PRIVATE  # its project was deleted meanwhile
    was = {"owner_id": deletion.owner_id, "token": token}
    was |= {"visibility": visibility, "origin": kept["origin"]}
    try:
        with transaction.atomic():
            run.update(**was, idempotency_key=key)
    except IntegrityError:
        # What was asked again by the same key meanwhile, or at this moment, has it now.
        run.update(**was, idempotency_key=None)
    index(deletion.run_id)
    deletion.delete()
