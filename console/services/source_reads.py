"""A page that a provider named for a search of its own is read by us, for whoever asks for it."""

from __future__ import annotations

from django.db import transaction

from ..engine import pool
from ..engine.state import RunStatus
from ..models import Run
from ..record.pooled import pooled
from ..record.rows import state_from_rows
from .errors import Refused
from .reopening import must_be_of_here, reopen

MOST = 300  # sources of a run


def source_read(*, run: Run, url: str) -> None:
    """It joins the run's sources, and what answers quote of it is looked up in it. Only what
    their providers named may be asked for. Raises Refused."""
    must_be_of_here(run)
    with transaction.atomic():
        ended = reopen(run)
        state = state_from_rows(ended)
        if state.status is not RunStatus.COMPLETED:
            raise Refused("A page is read once the run is completed.")
        named = next((one for one in pooled(state) if one.url == url and one.may_be_read), None)
        if named is None:
            raise Refused("No provider has named such a page, or it was read already.")
        if len(pool.sources(state.research)) >= MOST:
            raise Refused(f"A run has at most {MOST} sources.")
        wanted = pool.with_wanted(state.research, url, named.title)
        Run.objects.filter(pk=run.pk).update(research=wanted)
