"""`/fusion/runs/<id>/order`: title, tags, star and archive of one run."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from ... import access
from ...models import Run
from ...models.order import ARCHIVE, STAR
from ...record.order import orders_of
from ...record.questions import whole
from ...record.thread import Thread
from ...services.errors import Refused
from ...services.order import run_tags, run_title, runs_mark, tags_typed
from ...services.projects import runs_project
from .fragment import by_htmx
from .posted import posted


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
            if (slug := post.get("project")) is not None:
                project = access.project_of(request.user, slug) if slug else None
                runs_project(runs=[run], project=project)
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
    has_projects = is_own and getattr(run, "has_projects", False)
    return {
        "order": orders_of([run.pk], request.user.pk)[run.pk],
        "projects": [*access.projects_of(request.user)] if has_projects else (),
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
