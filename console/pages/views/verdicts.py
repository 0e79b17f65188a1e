"""`/fusion/runs/<id>/verdict`: which answer somebody who may read a run found best."""

from __future__ import annotations

import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from ... import access
from ...fragments.verdicts import verdicts
from ...models import Run
from ...record.rows import state_from_rows
from ...services.errors import Refused
from ...services.verdicts import WhatWasSeen, verdict_set, verdict_take_back, verdicts_of
from .fragment import by_htmx
from .posted import posted

NONE = "none"  # what pressing the chosen one again says
LOOKS = ("answers", "result")


@posted
def verdict(request: HttpRequest, run_id: uuid.UUID) -> HttpResponse:
    run = access.run_visible_to(request.user, run_id)
    assert request.user.is_authenticated  # `posted` has seen to it
    post, refused = request.POST, ""
    look = post.get("look", "")
    seen = WhatWasSeen(order=tuple(post.get("order", "")), look=look if look in LOOKS else "")
    best, note = post.get("best", ""), post.get("note", "")
    try:
        if best == NONE:
            verdict_take_back(run=run, person=request.user)
        else:
            verdict_set(run=run, person=request.user, best=best, note=note, seen=seen)
    except Refused as why:
        refused = str(why)
    if by_htmx(request):
        return render(
            request, "console/run/_verdict_row.html", _row(request, run) | {"refused": refused}
        )
    if refused:
        return render(request, "400.html", {"sentence": refused, "kept": note}, status=422)
    return redirect("run-detail", run_id=run.pk)


def _row(request: HttpRequest, run: Run) -> dict[str, object]:
    state = state_from_rows(run)
    return {
        "run": run,
        "state": state,
        "look": request.POST.get("look", ""),
        "verdicts": verdicts(run.frozen_spec, state, verdicts_of(run), request.user.pk),
    }
