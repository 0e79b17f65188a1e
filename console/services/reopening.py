"""A run that has ended goes on: handed to the workers again, where somebody can be asked."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from ..engine import pool
from ..engine.spec import Panelist
from ..engine.state import RunStatus
from ..models import Credential, Run
from ..models.runs import Origin
from ..money.purses import usual_budget_lifted
from ..search import index
from .errors import Refused, RunUnderWay
from .runs import ring_for

STOPPED = "It was stopped before it was over."


def reopen(run: Run) -> Run:
    """Hand a run that has ended to the workers again. Within the caller's transaction.

    Returns it as it ended: what was read before the transaction may be older than that.
    """
    ended = Run.objects.select_for_update().filter(pk=run.pk).first()
    if ended is None or ended.origin == Origin.DELETED:
        raise Refused("The run is not there any more.")
    must_be_of_here(ended)
    if not ended.is_final:
        raise RunUnderWay("The run is under way. Wait for its end, or stop it first.")
    reopened: dict[str, Any] = {
        "status": RunStatus.QUEUED,
        "cancel_requested_at": None,
        "fuse_requested_at": None,
        "stopped_seats": [],
        "lease_until": None,
        "rung_at": timezone.now(),
        # What the log said until now is over: readers begin after it.
        "reopened_after": F("attempt"),
        # Whoever asks for more has seen what it cost.
        "usual_budget_nano": None,
    }
    # Nobody was at work: what was being looked up was stopped, and is not gone on with.
    research = pool.closed(ended.research, STOPPED)
    if research != ended.research:
        reopened["research"] = ended.research = research
    usual_budget_lifted(run_id=run.pk)
    Run.objects.filter(pk=run.pk).update(**reopened)
    index(run.pk)
    transaction.on_commit(lambda: ring_for(run.pk))
    return ended


def must_be_of_here(run: Run) -> None:
    """Where nobody was asked, nobody can be asked again. Raises Refused."""
    if run.is_sample:
        raise Refused("This is a sample: no model was asked, and none can be asked again.")
    if run.is_imported:
        raise Refused("This run was imported to be read: nobody was asked here, or can be again.")


def must_have_credential(panelist: Panelist) -> None:
    """What a run has kept may be of a server that was removed since. Raises Refused."""
    if panelist.fallback:
        return  # who stands in if it cannot
    credential = Credential.objects.filter(slug=panelist.credential).first()
    if credential is None:
        raise Refused(
            f"The credential of {panelist.short_name} is not there any more. Choose another model."
        )
    if lacks := credential.lacks:
        raise Refused(lacks)
