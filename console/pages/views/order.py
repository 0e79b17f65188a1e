"""`/fusion/runs/<id>/order` and `/fusion/runs/chosen`: title, tags, star and archive, of one run
and of those that were chosen in the list."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from ... import access
from ...models import Run
from ...models.order import ARCHIVE, STAR
from ...record.order import orders_of
from ...record.questions import whole
from ...record.thread import Thread
from ...services.deletion import runs_delete
from ...services.errors import Refused
from ...services.order import run_tags, run_title, runs_mark, runs_tag, tags_typed
from .fragment import by_htmx
from .posted import posted

MOST = 200  # that are chosen at a time


@posted
def order(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    """Title and tags are its owner's; a star and the archive are each reader's own."""
    run = access.run_visible_to(request.user, run_id)
    assert isinstance(request.user, User)
    post = request.POST
    try:
        if run.owner_id == request.user.pk:
            run_title(run=run, title=post.get("title", ""))
            run_tags(run=run, names=tags_typed(post.get("tags", "")))
        runs_mark(runs=[run], person=request.user, kind=STAR, on=STAR in post)
        question = whole([run], access.runs_visible_to(request.user))
        runs_mark(runs=question, person=request.user, kind=ARCHIVE, on=ARCHIVE in post)
    except Refused as refused:
        return render(request, "400.html", {"sentence": str(refused)}, status=400)
    if by_htmx(request):
        context = ordering(request, run, None) | {"run": run, "just_ordered": True}
        context["may_share"] = run.owner_id == request.user.pk
        return render(request, "console/run/_ordered.html", context)
    return redirect("run-detail", run_id=run.pk)


def ordering(request: HttpRequest, run: Run, thread: Thread | None) -> dict[str, Any]:
    """What stands at a run's head, and in the menu that changes it."""
    is_own = run.owner_id == request.user.pk
    return {
        "order": orders_of([run.pk], request.user.pk)[run.pk],
        "may_delete": not run.is_sample and (is_own or access.is_admin(request.user)),
        "follow_ups": _follow_ups(thread) if thread else 0,
    }


def _follow_ups(thread: Thread) -> int:
    """Those that go on from it, as far as they are shown and are its owner's."""
    below = {thread.this.id}
    for question in thread.questions:
        if question.follows in below and question.owner == thread.this.owner:
            below.add(question.id)
    return len(below) - 1


@require_POST
@login_required
def chosen(request: HttpRequest) -> HttpResponse:
    """What is done to runs that were chosen in the list. Those that one may not do it to are
    left, and said to be."""
    person, post = request.user, request.POST
    assert isinstance(person, User)
    back = post.get("back", "")
    if not url_has_allowed_host_and_scheme(back, None) or not back.startswith("/fusion/runs"):
        back = reverse("run-list")
    readable = access.runs_visible_to(person)
    rows = [*readable.filter(pk__in=_ids(post.getlist("run")))]
    runs = whole(rows, readable)  # a row is a question with all that goes on from it
    own = [run for run in runs if run.owner_id == person.pk]
    did, act = post.get("do", ""), None
    try:
        if not runs:
            raise Refused("Choose some questions first.")
        match did:
            case "archive" | "unarchive":
                runs_mark(runs=runs, person=person, kind=ARCHIVE, on=did == "archive")
                done = runs
            case "tag":
                runs_tag(runs=own, names=tags_typed(post.get("tag", "")))
                done = own
            case "delete":
                allowed = {*access.runs_deletable_by(person).filter(pk__in=[r.pk for r in runs])}
                done = [run for run in runs if run in allowed]
                act = runs_delete(runs=done, by=person) if done else None
            case _:
                raise Refused("Choose what to do with them.")
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect(back)
    left = [run for run in rows if run not in done]
    if left:
        messages.warning(request, f"{len(left)} of them are not yours to change.")
    if act:
        return redirect(f"{reverse('run-list')}?deleted={act}")
    if done and did != "delete":
        messages.success(request, _said(did, len(rows) - len(left)))
    return redirect(back)


def _said(did: str, count: int) -> str:
    what = "1 question" if count == 1 else f"{count} questions"
    words = {"archive": "archived", "unarchive": "back in the list", "tag": "tagged"}
    return f"{what} {words[did]}."


def _ids(texts: list[str]) -> list[uuid.UUID]:
    found = []
    for text in texts[:MOST]:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found
