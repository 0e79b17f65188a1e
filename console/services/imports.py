"""Runs that were taken along from another site, brought in here to be read."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from ..files.portable import keep_with, take_out
from ..models import Run, Visibility
from ..models.runs import Origin
from ..record.portable import MAX_BYTES, Malformed, bring_in, read_newer
from ..search import index
from .errors import Refused


def runs_import(*, raw: bytes, owner: User | None, limit: int = MAX_BYTES) -> list[Run]:
    """All of the document, or Refused in a sentence and nothing. Who imports owns it; what nobody
    owns the team reads."""
    try:
        document, unknown = read_newer(raw, limit=limit)
    except Malformed as why:
        raise Refused(str(why)) from None
    looked = take_out(document)
    with transaction.atomic():
        runs = bring_in(
            document,
            owner=owner,
            visibility=Visibility.PRIVATE if owner else Visibility.TEAM,
            origin=Origin.IMPORTED,
            unknown=unknown,
        )
        for run in runs:
            keep_with(run, looked)
            index(run.pk)
    return runs
