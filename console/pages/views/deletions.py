"""`/fusion/runs/deleted`: what was deleted and may be put back, and the two acts."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from ... import access
from ...models.order import KEPT_DAYS
from ...services.deletion import runs_delete, runs_put_back
from ...services.errors import Refused
from .deleted_lines import deleted_together
from .posted import posted
from .runs import private_page


@login_required
@private_page
@require_safe
def deleted(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, User)
    context = {"acts": deleted_together(request.user), "kept_days": KEPT_DAYS}
    return render(request, "console/runs/deleted.html", context)


@posted
def delete(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    run = access.one_of(access.runs_deletable_by(request.user), run_id)
    assert isinstance(request.user, User)
    try:
        act = runs_delete(runs=[run], by=request.user)
    except Refused as refused:
        return render(request, "400.html", {"sentence": str(refused)}, status=400)
    return redirect(f"{reverse('run-list')}?deleted={act}")


@require_POST
@login_required
def put_back(request: HttpRequest, act: uuid.UUID) -> HttpResponse:
    assert isinstance(request.user, User)
    try:
        run_ids = runs_put_back(act=act, person=request.user)
    except Refused as refused:
        messages.error(request, str(refused))
        return redirect("run-deleted")
    # A question is one, with however many follow-ups.
    back = access.runs_visible_to(request.user).filter(pk__in=run_ids)
    firsts = [*back.exclude(follows__in=run_ids).values_list("pk", flat=True)]
    if len(firsts) == 1:
        return redirect("run-detail", run_id=firsts[0])
    messages.success(request, f"{len(firsts)} questions are back.")
    return redirect("run-list")
