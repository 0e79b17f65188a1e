"""`GET /v1/runs?q=…`: runs by what was said in them."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.http import HttpRequest

from ... import access
from ...engine.spec import letter
from ...record.newest import beginning, with_beginning
from ...record.order import RunOrder, orders_of
from ...search import Filters, FoundRun, find, owner_named, read_query, shown
from ...search.facets import kept_facets, project_named
from ...search.places import FoundText
from ..http.errors import ApiError
from . import replies
from .object import PROMPT_SHOWN, run_row
from .requests import RunFilters

UNREAD = (
    *("prompt", "messages", "spec", "histories", "follows_calls", "imported", "template"),
    *("context", "project__context"),
)


def search_reply(request: HttpRequest, user: User, asked: RunFilters) -> replies.RunList:
    query = read_query(asked.q or "")
    found = find(
        user,
        query,
        _filters(asked, user),
        count=asked.limit,
        before=_before(asked.cursor),
        by_rank=asked.order == "best",
    )
    readable = with_beginning(access.runs_visible_to(user).defer(*UNREAD), PROMPT_SHOWN)
    readable = readable.select_related("project")
    if asked.status:  # the search knows of queued and running only that they are under way
        readable = readable.filter(status=asked.status)
    more = found.before
    rows = shown(found, query, readable)
    orders = orders_of([one.run.pk for one in rows], user.pk)
    return replies.RunList(
        data=[_row(request, user.pk, one, orders[one.run.pk]) for one in rows],
        notes=[*query.notes],
        best_of=found.best_of or None,
        has_more=more is not None,
        next_cursor=None if more is None else str(more),
    )


def _row(
    request: HttpRequest, viewer_id: int, found: FoundRun, order: RunOrder
) -> replies.ListedRun:
    row = run_row(request, viewer_id, found.run, order) | {"prompt": beginning(found.run)}
    return replies.ListedRun(**row, found=_place(found.text) if found.text else None)


def _place(text: FoundText) -> replies.FoundIn:
    is_seat, is_fusion = text.kind == "seat", text.kind in ("fused", "analysis")
    return replies.FoundIn(
        kind=text.kind,  # type: ignore[arg-type]
        seat=letter(text.number) if is_seat else None,
        fusion=text.number if is_fusion else None,
        passage=str(text.passage),
    )


def _filters(asked: RunFilters, user: User) -> Filters:
    if asked.origin == "sample":
        raise ApiError("invalid_request", "Samples are not searched.", param="origin")
    status = "open" if asked.status in ("queued", "running") else asked.status
    return Filters(
        preset=asked.preset or "",
        model=asked.model or "",
        person=owner_named(asked.person) if asked.person else None,
        state=status or "",
        cost=asked.cost or "",
        origin=asked.origin or "",
        since=asked.since,
        until=asked.until,
        degraded=asked.degraded,
        contradictions=asked.contradictions,
        rulings=asked.rulings,
        best=asked.best,
        own=asked.own,
        more=kept_facets(
            user.pk,
            tag=asked.tag or "",
            project=project_named(asked.project) if asked.project else None,
            starred=asked.starred,
            archived=bool(asked.archived),
        ),
    )


def _before(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) < 20 and int(cursor) < 2**63):
        raise ApiError("invalid_request", "This cursor was not made here.", param="cursor")
    return int(cursor)
