"""What others did to a person's runs: who found which answer best, and who asked on from one.

A dot at the head of every page says that there is something new; what it is stands on a page of
its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from ..models import LookedAt, Run, Verdict
from ..record.titles import called

SHOWN = 50
_BEST = {"tie": "found a tie between the answers", "all_bad": "found none of the answers good"}


@dataclass(frozen=True)
class OthersDid:
    """`run` is where it is read; `title` is that of the run it was done to."""

    at: datetime
    who: str
    what: str
    run: uuid.UUID
    title: str
    note: str = ""
    is_new: bool = False


def others_did_to(run: Run, *, by: User) -> None:
    """Something that its owner is to be told of. Nobody is told of what they did themselves."""
    if run.owner_id is not None and run.owner_id != by.pk:
        LookedAt.objects.update_or_create(
            person_id=run.owner_id, defaults={"news_at": timezone.now()}
        )


def what_others_did(person: User, readable: QuerySet[Run]) -> list[OthersDid]:
    """The newest first. `readable`: what the person may read, others' among it."""
    looked = LookedAt.objects.filter(person=person).values_list("at", flat=True).first()
    found = merge(
        _verdicts(person, looked),
        _asked_on(person, readable, looked),
        key=lambda one: one.at,
        reverse=True,
    )
    return [*islice(found, SHOWN)]


def look(person: User) -> None:
    """What there is has been seen."""
    LookedAt.objects.filter(person=person).update(at=timezone.now())


def _verdicts(person: User, looked: datetime | None) -> Iterator[OthersDid]:
    given = Verdict.objects.filter(run__owner=person, person__isnull=False).exclude(person=person)
    newest = given.select_related("person", "run").defer("run__messages", "run__spec")
    for verdict in newest.order_by("-changed_at")[:SHOWN]:
        yield OthersDid(
            at=verdict.changed_at,
            who=verdict.person.get_username() if verdict.person else "",
            what=_BEST.get(verdict.best, f"found {verdict.best} best"),
            run=verdict.run_id,
            title=called(verdict.run),
            note=verdict.note,
            is_new=looked is None or verdict.changed_at > looked,
        )


def _asked_on(
    person: User, readable: QuerySet[Run], looked: datetime | None
) -> Iterator[OthersDid]:
    after = readable.filter(follows__owner=person).exclude(owner=person)
    newest = after.select_related("owner", "follows").only(
        "created_at", "owner__username", "follows__title", "follows__prompt"
    )
    for run in newest.order_by("-created_at")[:SHOWN]:
        yield OthersDid(
            at=run.created_at,
            who=run.owner.get_username() if run.owner else "",
            what="asked on from it",
            run=run.pk,
            title=called(run.follows) if run.follows else "",
            is_new=looked is None or run.created_at > looked,
        )
