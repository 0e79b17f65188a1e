"""Questions: a run with what it goes on from, up to the first that its reader may read."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from ..models import Run
from .thread import LINE

MOST = 1_000  # runs of the questions that something is done to
_SQL = """\
WITH RECURSIVE line(last, id, follows_id, up) AS (
    SELECT r.id, r.id, r.follows_id, 0 FROM ({readable}) r WHERE r.id IN ({runs})
    UNION ALL
    SELECT n.last, r.id, r.follows_id, n.up + 1
    FROM line n JOIN ({readable}) r ON r.id = n.follows_id WHERE n.up < {most}
)
SELECT n.last, n.id, n.up, c.cost, c.cost_is_partial
FROM line n JOIN console_run c ON c.id = n.id ORDER BY n.last, n.up
"""


@dataclass(frozen=True)
class Lineage:
    """`first` is the question, `number` which follow-up of it the run is; 0: it is the first.
    `cost` is of all of them."""

    first: uuid.UUID
    number: int
    cost: Decimal | None
    cost_is_partial: bool


def last_of(runs: QuerySet[Run], readable: Q) -> QuerySet[Run]:
    """Of each question the run that nothing goes on from, of what may be read; of one that goes
    on in two ways, both."""
    after = Run.objects.filter(readable, follows=OuterRef("pk"))
    return runs.filter(~Exists(after))


def whole(runs: Iterable[Run], readable: QuerySet[Run]) -> list[Run]:
    """With each what it goes on from and what goes on from it: the questions that they are of."""
    found = {run.pk: run for run in runs}
    latest = [*found.values()]
    while latest and len(found) < MOST:
        above = [run.follows_id for run in latest if run.follows_id]
        near = Q(pk__in=above) | Q(follows__in=[run.pk for run in latest])
        latest = [*readable.filter(near).exclude(pk__in=[*found])[:MOST]]
        found |= {run.pk: run for run in latest}
    return [*found.values()]


def firsts_of(runs: Iterable[Run]) -> dict[uuid.UUID, uuid.UUID]:
    """Of each the first of its question, as far as that is among them."""
    above = {run.pk: run.follows_id for run in runs}
    found: dict[uuid.UUID, uuid.UUID] = {}
    for run in above:
        first = run
        while (before := above[first]) is not None and before in above:
            first = before
        found[run] = first
    return found


def lines(runs: Iterable[Run], readable: QuerySet[Run]) -> dict[uuid.UUID, Lineage]:
    """Of those that go on from another."""
    keys = [run.pk for run in runs if run.follows_id]
    if not keys:
        return {}
    sql, given = readable.order_by().values("id", "follows_id").query.sql_with_params()
    asked = _SQL.format(readable=sql, runs=", ".join(["%s"] * len(keys)), most=LINE)
    field = Run._meta.pk
    prepared = [field.get_db_prep_value(key, connection) for key in keys]
    with connection.cursor() as cursor:
        cursor.execute(asked, [*given, *prepared, *given])
        rows = cursor.fetchall()
    found: dict[uuid.UUID, Lineage] = {}
    for last, first, up, cost, is_partial in rows:
        before = found.get(key := uuid.UUID(str(last)))
        known = None if before is None else before.cost
        partial = bool(is_partial) or (before is not None and before.cost_is_partial)
        if cost is not None:
            known = (known or Decimal(0)) + Decimal(str(cost))
        found[key] = Lineage(uuid.UUID(str(first)), up, known, partial)
    return found
