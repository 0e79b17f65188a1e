"""What a run is told with in lists and at its head: tags, and its reader's star and archive; and
lists narrowed by them."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Value

from ..models import Run, RunMark, RunTag
from ..models.order import ARCHIVE, STAR
from ..models.prepared import READER, Prepared, among, count_for, each


@dataclass
class RunOrder:
    tags: list[str] = field(default_factory=list)
    is_starred: bool = False
    is_archived: bool = False


@dataclass(frozen=True)
class OrderAsked:
    """Of a list: `tag=`, `project=`, `star=`, `archived=` of its address.
    On the page what is archived is in a list that asks for it alone; None, of a program's: whether
    or not."""

    tag: str = ""
    star: bool = False
    archived: bool | None = False
    project: int | None = None


def in_order(runs: QuerySet[Run], person_id: int | None, asked: OrderAsked) -> QuerySet[Run]:
    """Each condition by an index of its own, within the list's: a branch stays one."""
    if asked.tag:
        runs = runs.filter(Exists(RunTag.objects.filter(name=asked.tag, run=OuterRef("pk"))))
    if asked.project is not None:
        runs = runs.filter(project=asked.project)
    if asked.star:
        runs = runs.filter(_marked(person_id, STAR))
    if asked.archived is None:
        return runs
    archived = _marked(person_id, ARCHIVE)
    return runs.filter(archived if asked.archived else ~archived)


def _marked(person_id: int | None, kind: str) -> Exists:
    return Exists(RunMark.objects.filter(person_id=person_id, kind=kind, run=OuterRef("pk")))


@cache
def _tags_and_marks(count: int) -> Prepared:
    def made() -> QuerySet[Any, Any]:
        theirs = among("run", Run._meta.pk, count)
        tags = RunTag.objects.filter(theirs).order_by()
        marks = RunMark.objects.filter(theirs, person_id=READER).order_by()
        return tags.values_list("run_id", "name", Value("tag")).union(
            marks.values_list("run_id", "kind", Value("mark")), all=True
        )

    return Prepared(made)


def orders_of(run_ids: Iterable[uuid.UUID], person_id: int | None) -> dict[uuid.UUID, RunOrder]:
    """Of each, by one question for all of them; none is asked where nobody reads them."""
    ids = [*run_ids]
    found: dict[uuid.UUID, RunOrder] = defaultdict(RunOrder)
    if not ids or person_id is None:
        return found
    rows = _tags_and_marks(count_for(ids)).rows(reader=person_id, **each("run", ids))
    for run_id, name, kind in rows:
        if kind == "tag":
            found[run_id].tags.append(name)
        else:
            found[run_id].is_starred |= name == STAR
            found[run_id].is_archived |= name == ARCHIVE
    for order in found.values():
        order.tags.sort()
    return found
