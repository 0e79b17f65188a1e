"""A thread: a question, those it goes on from, and those that go on from it.

Of each reader there is a thread of its own, since it consists of what they may read: it goes up to
the first question and down all branches as far as the runs in between may be read. What a thread
costs does not grow with it: one query finds the line up to the first question and the nearest of
the rest.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from ..engine.spec import letter
from ..models import Run
from .titles import READ, title_of

SHOWN = 50
LINE = 200  # questions, one after the other, of which the first is still found
NEAR = 25  # of those above that are shown, so that there is room for those below
INDENTED = 4

FUSED = "from the fused answer"
DELETED = "a question that has been deleted"
HIDDEN = "a question that you may not read"

# `around` grows by what goes on from what it has and may be read, so that the nearest come first.
# What may be read is asked of each row that is there already: of tables that were joined with it
# SQLite first read all (463 ms among 100,000 runs), and of two joined without a word on the order
# (CROSS) it begins with the larger. By `_ONE` PostgreSQL asks of one after the other, too: a join
# of its own would lose their order.
_ONE = "LIMIT 1 OFFSET 0"
_SQL = """\
WITH RECURSIVE above(id, follows_id, up) AS (
    SELECT r.id, r.follows_id, 0 FROM ({readable}) r WHERE r.id = %s
    UNION ALL
    SELECT r.id, r.follows_id, a.up + 1 FROM above a JOIN console_run r ON r.id = a.follows_id
    WHERE a.up < {line} AND EXISTS (SELECT 1 FROM ({readable}) q WHERE q.id = a.follows_id {one})
), around(id) AS (
    SELECT id FROM above WHERE up <= {near}
    UNION
    SELECT r.id FROM around n JOIN console_run r ON r.follows_id = n.id
    WHERE EXISTS (SELECT 1 FROM ({readable}) q WHERE q.id = n.id {one})
), chosen(id) AS (
    SELECT id FROM (
        SELECT n.id FROM around n
        WHERE EXISTS (SELECT 1 FROM ({readable}) q WHERE q.id = n.id {one}) LIMIT {limit}
    ) the_nearest
    UNION
    SELECT id FROM (SELECT id FROM above ORDER BY up DESC LIMIT 1) very_first
)
SELECT r.id, r.follows_id, r.follows_from, r.status, substr(r.prompt, 1, {read}), r.title,
    u.username, a.up
FROM chosen c CROSS JOIN console_run r
LEFT JOIN above a ON a.id = c.id
LEFT JOIN auth_user u ON u.id = r.owner_id
WHERE r.id = c.id
ORDER BY r.created_at, r.id
"""


@dataclass(frozen=True)
class InThread:
    """`up`: how many come between it and the one that is read, and that one; None beside the
    line. `fork`: which of how many that go on from the same one; (1, 1) is none. `is_after_gap`:
    what it goes on from is not shown."""

    id: uuid.UUID
    follows: uuid.UUID | None
    follows_from: str
    status: str
    title: str
    owner: str
    up: int | None
    fork: tuple[int, int] = (1, 1)
    indent: int = 0
    is_after_gap: bool = False

    @property
    def is_this(self) -> bool:
        return self.up == 0

    @property
    def goes_on_from(self) -> str:
        kind, _, seat = self.follows_from.partition("-")
        if kind == "own":
            return "each seat from its own answer"
        return f"from {letter(int(seat))}" if seat else FUSED

    @property
    def unusually(self) -> str:
        """The same where it is not from the fused answer."""
        return "" if self.goes_on_from == FUSED else self.goes_on_from

    @property
    def lacks(self) -> str:
        """What it goes on from, where that is not to be read."""
        if self.follows is not None:
            return HIDDEN
        return DELETED if self.follows_from else ""


@dataclass(frozen=True)
class Thread:
    """`number`: which follow-up of the first the one that is read is, along its line; 0: it is
    the first. `is_cut`: there are more than are shown."""

    questions: tuple[InThread, ...]
    first: InThread
    this: InThread
    is_cut: bool

    @property
    def number(self) -> int:
        return self.first.up or 0

    @property
    def title(self) -> str:
        name = self.first.title
        return f"Follow-up {self.number} of {name}" if self.number else name

    @property
    def lacks(self) -> str:
        """What the first that may be read goes on from, in words; "": it is the very first."""
        return "" if self.number >= LINE else self.first.lacks

    @property
    def is_alone(self) -> bool:
        return len(self.questions) == 1


def thread_of(run: Run, readable: tuple[str, list[Any]]) -> Thread:
    """`readable` asks for `id` and `follows_id` of all runs that the reader may read, this one
    among them: SQL, and what is said in it."""
    if _is_alone(run):
        this = InThread(
            id=run.pk,
            follows=None,
            follows_from=run.follows_from,
            status=run.status,
            title=run.title or title_of(run.prompt),
            owner=run.owner.username if run.owner else "",
            up=0,
        )
        return Thread((this,), this, this, is_cut=False)
    rows, is_cut = _rows(run, readable)
    first = max((one for one in rows if one.up is not None), key=lambda one: one.up or 0)
    this = next(one for one in rows if one.is_this)
    questions = tuple(_in_order(rows, first))
    return Thread(questions, first, this, is_cut or any(one.is_after_gap for one in questions))


@dataclass(frozen=True)
class Neighbours:
    """What a run goes on from, and what goes on from it, the first one first."""

    before: uuid.UUID | None = None
    after: tuple[uuid.UUID, ...] = ()


def neighbours(run: Run, readable: QuerySet[Run]) -> Neighbours:
    """Of what may be read; at most SHOWN that go on from it."""
    before = None
    if run.follows_id and readable.filter(pk=run.follows_id).exists():
        before = run.follows_id
    after = readable.filter(follows=run).order_by("created_at", "pk")
    return Neighbours(before, (*after.values_list("pk", flat=True)[:SHOWN],))


def _is_alone(run: Run) -> bool:
    """As most are. Of one that `access.run_visible_to` found that is known."""
    return run.follows_id is None and not getattr(run, "is_followed", True)


def _rows(run: Run, readable: tuple[str, list[Any]]) -> tuple[list[InThread], bool]:
    sql, given = readable
    asked = _SQL.format(readable=sql, one=_ONE, line=LINE, near=NEAR, limit=SHOWN + 1, read=READ)
    key = Run._meta.pk.get_db_prep_value(run.pk, connection)
    with connection.cursor() as cursor:
        cursor.execute(asked, [*given, key, *given, *given, *given])
        rows = [_question(row) for row in cursor.fetchall()]
    if len(rows) <= SHOWN:
        return rows, False
    # The one too many that says that there are more, which is none of the line.
    beside = [one for one in rows if one.up is None]
    return [one for one in rows if one is not (beside or rows)[-1]], True


def _question(row: tuple[Any, ...]) -> InThread:
    key, follows, follows_from, status, beginning, title, owner, up = row
    return InThread(
        id=_uuid(key),
        follows=_uuid(follows) if follows else None,
        follows_from=follows_from,
        status=status,
        title=title or title_of(beginning),
        owner=owner or "",
        up=up,
    )


def _uuid(value: Any) -> uuid.UUID:
    return uuid.UUID(str(value))


def _in_order(rows: list[InThread], first: InThread) -> Iterator[InThread]:
    """Each after the one it goes on from. Only branches are indented: a line of questions is
    none, however long."""
    shown = {one.id for one in rows}
    after = defaultdict(list)
    begins = []
    for one in rows:
        if one.follows in shown:
            after[one.follows].append(one)
        elif one is not first:
            begins.append(replace(one, is_after_gap=True))
    waiting = [*reversed(begins), first]
    while waiting:
        one = waiting.pop()
        yield one
        goes_on = after[one.id]
        indent = min(one.indent + (len(goes_on) > 1), INDENTED)
        waiting += [
            replace(follow_up, fork=(number, len(goes_on)), indent=indent)
            for number, follow_up in reversed([*enumerate(goes_on, start=1)])
        ]
